"""What is favoured or left out: "bottle:4,key:0" as factors on how often names are drawn."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from frames.errors import BadInput


def read_factors(text: str, names: Sequence[str], option: str) -> NDArray[np.float64]:
    """(N,) factor >= 0 of each name, 1 for those that `text` leaves alone.

    option: what it was given for. Raises BadInput for an unknown name, a factor that is no number
    >= 0, and one that leaves nothing.
    """
    factors = np.ones(len(names))
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, _, factor = (part.strip() for part in item.rpartition(":"))
        if name not in names:
            raise BadInput(
                f"{option} must be NAME:FACTOR,... of {', '.join(dict.fromkeys(names))};"
                f" got {item!r}"
            )
        try:
            value = float(factor)
        except ValueError:
            value = -1.0
        if not 0.0 <= value < np.inf:
            raise BadInput(f"{option} needs NAME:FACTOR with a factor >= 0, got {item!r}")
        factors[[n == name for n in names]] *= value
    if not factors.any():
        raise BadInput(f"{option} leaves nothing: at least one factor must be above 0")
    return factors
