"""The linear assignment problem: pairs of rows and columns whose costs sum to the least."""

import numpy as np
from numpy.typing import NDArray


def assign(cost: NDArray[np.floating]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs (rows, columns) of least total cost, each row and column in one pair at most: as many
    as the shorter side has, rows ascending.

    cost: (N, M) finite. The Hungarian method (Kuhn 1955) with shortest augmenting paths: rows are
    added one by one, each along the path that costs least by reduced costs, in O(N^2 M); for the
    few hands of a frame, quicker than the call of a library.
    """
    if cost.shape[0] > cost.shape[1]:
        columns, rows = assign(cost.T)
        order = np.argsort(rows)
        return rows[order], columns[order]
    height, width = cost.shape
    costs = cost.tolist()
    # Column 0 is a stand-in from which the row that is being added begins its search.
    row_price, column_price = [0.0] * (height + 1), [0.0] * (width + 1)
    owner = [0] * (width + 1)
    for row in range(1, height + 1):
        owner[0], column = row, 0
        least, before = [float("inf")] * (width + 1), [0] * (width + 1)
        done = [False] * (width + 1)
        while owner[column]:
            done[column] = True
            taken, step, following = owner[column], float("inf"), 0
            for j in range(1, width + 1):
                if done[j]:
                    continue
                reduced = costs[taken - 1][j - 1] - row_price[taken] - column_price[j]
                if reduced < least[j]:
                    least[j], before[j] = reduced, column
                if least[j] < step:
                    step, following = least[j], j
            for j in range(width + 1):
                if done[j]:
                    row_price[owner[j]] += step
                    column_price[j] -= step
                else:
                    least[j] -= step
            column = following
        while column:
            owner[column] = owner[before[column]]
            column = before[column]
    pairs = sorted((owner[j] - 1, j - 1) for j in range(1, width + 1) if owner[j])
    found = np.array(pairs, np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]
