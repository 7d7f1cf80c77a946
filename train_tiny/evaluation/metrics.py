"""Scores of predicted hands, as functions of arrays: NaN stands for what no label is known of.

**Palm**: the distance in the picture, in pixels, from the wrist to the middle finger's MCP of the
labels. **PCK@t**: the share of labelled keypoints that lie within t palms of their label, over all
keypoints of all hands that have a palm. **AUC**: the area under PCK over t from 0 to 0.5, divided
by 0.5.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from frames.skeleton import FINGERS, WRIST

Floats = NDArray[np.floating[Any]]

PALM_END: Final = FINGERS["middle"][0]

THRESHOLDS: Final = np.linspace(0.0, 0.5, 101)
"""Of the curve, in palms."""

STANDARD: Final = 0.2
"""The threshold that is quoted, in palms."""

LEAST_PALM_PX: Final = 1.0
"""A palm that is seen shorter, end on, measures nothing."""


def measure_palm(keypoints_px: Floats) -> Floats:
    """(..., 21, 2) labels -> (...) palms in pixels; NaN below one, or without both ends."""
    palm = np.linalg.norm(keypoints_px[..., WRIST, :] - keypoints_px[..., PALM_END, :], axis=-1)
    return np.where(palm >= LEAST_PALM_PX, palm, np.nan)


def measure_error(found: Floats, labels: Floats) -> Floats:
    """(..., D) places -> (...) Euclidean distances; NaN where either is not known."""
    return np.asarray(np.linalg.norm(found - labels, axis=-1))


def measure_pck(error_palms: ArrayLike, thresholds: ArrayLike = STANDARD) -> NDArray[np.float64]:
    """The share of known errors, in palms, that are <= each threshold; NaN without any."""
    error = np.asarray(error_palms, np.float64).ravel()
    known = np.sort(error[np.isfinite(error)])
    if not len(known):
        return np.full(np.shape(thresholds), np.nan)
    # A hair of slack: 0.2 palms is within 0.2 palms, whatever float32 made of it.
    within = np.searchsorted(known, np.asarray(thresholds, np.float64) + 1e-7, "right")
    return np.asarray(within / len(known))


def measure_auc(error_palms: ArrayLike) -> float:
    """The area under the PCK curve by the trapezoidal rule, of 1; NaN without known errors."""
    curve = measure_pck(error_palms, THRESHOLDS)
    return float((curve[1:] + curve[:-1]).mean() / 2)


def measure_mean(values: ArrayLike) -> float:
    """Of those that are known; NaN without any."""
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    return float(known.mean()) if len(known) else float("nan")


def measure_median(values: ArrayLike) -> float:
    """Of those that are known; NaN without any."""
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    return float(np.median(known)) if len(known) else float("nan")


def score_binary(likely: ArrayLike, truth: ArrayLike) -> dict[str, float]:
    """accuracy at 0.5, balanced (the mean over both classes), and the area under the ROC curve.

    likely: scores, any shape, 0.5 and above is yes. truth: 1, 0 or NaN, the same shape. The area is
    the chance that a yes has a higher score than a no (Mann and Whitney 1947), ties half.
    """
    likely, truth = np.asarray(likely, np.float64).ravel(), np.asarray(truth, np.float64).ravel()
    known = np.isfinite(truth) & np.isfinite(likely)
    likely, yes = likely[known], truth[known] > 0.5
    nothing = float("nan")
    if not len(yes):
        return {"count": 0, "accuracy": nothing, "balanced": nothing, "auc": nothing}
    right = (likely >= 0.5) == yes
    classes = [right[yes].mean()] if yes.any() else []
    classes += [right[~yes].mean()] if (~yes).any() else []
    area = nothing
    if len(classes) == 2:
        _, place, number = np.unique(likely, return_inverse=True, return_counts=True)
        # The mean rank of each score among all, ties sharing theirs.
        rank = np.cumsum(number) - (number - 1) / 2
        above = rank[place][yes].sum() - yes.sum() * (yes.sum() + 1) / 2
        area = float(above / (yes.sum() * (~yes).sum()))
    return {
        "count": len(yes),
        "accuracy": float(right.mean()),
        "balanced": float(np.mean(classes)),
        "auc": area,
    }


def score_classes(found: ArrayLike, truth: ArrayLike, classes: int) -> dict[str, Any]:
    """accuracy, balanced accuracy and the confusion matrix (rows: truth) of class numbers; those
    below 0 are not known.
    """
    found, truth = np.asarray(found, np.int64), np.asarray(truth, np.int64)
    known = (truth >= 0) & (found >= 0)
    table = np.zeros((classes, classes), np.int64)
    np.add.at(table, (truth[known], found[known]), 1)
    count = table.sum(1)
    if not count.any():
        nothing = float("nan")
        return {"count": 0, "accuracy": nothing, "balanced": nothing, "confusion": table.tolist()}
    each = np.diag(table)[count > 0] / count[count > 0]
    return {
        "count": int(count.sum()),
        "accuracy": float(np.diag(table).sum() / count.sum()),
        "balanced": float(each.mean()),
        "confusion": table.tolist(),
    }
