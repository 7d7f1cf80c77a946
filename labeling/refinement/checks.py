"""Does a fitted hand agree with its labels and its depth? What does not goes to the review list.

The limits lie beyond what good labels give; `python -m bench.refinement_checks` prints both, and
how many planted faults they find.
"""

from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from frames.parts import FOREARM, HAND_STRIDE
from frames.skeleton import KEYPOINT_NAMES
from labeling.refinement.evidence import LABEL_SD_PX, Evidence
from labeling.refinement.fitting import Fit
from labeling.refinement.joint_centres import SIGMA_M
from labeling.refinement.masks import Drawn
from labeling.refinement.solving import NEAREST_M

LEAST_LABELS: Final = 8
LEAST_LIFTED: Final = 3
"""Fewer labelled joints, or fewer of them with a depth, are not enough to fit a hand to."""

WORST_JOINT_SD: Final = 5.0
"""Farthest label from its joint, in standard deviations of both its noise and where people see that
joint."""
LABELS_SD: Final = 1.5
"""Root mean square of the same, over all labels."""
SHIFT_PX: Final = 1.6
SHIFT_M: Final = 0.003
"""How far all labels together may lie beside the hand: the noise of one label does not count, for
over so many joints it goes out; where people see joints does, by so many metres. The root of the
sum of both squares is the limit."""
DEPTH_M: Final = 0.005
"""Median distance between readings and the model, of pixels that nothing nearer hides."""
MISSING: Final = 0.06
"""Share of the model's pixels beside which the sensor reads no such surface."""
UNSEEN: Final = 0.25
"""Share of the joints that people see where the sensor reads another surface."""
BESIDE_M: Final = 0.01
"""A reading so near to the model's depth, or within four times the sensor's noise, is the hand's.
It may be of the next pixel: at its outline a hand is not known better than that, and of a small
one every second pixel is of the outline."""
BONES_SD: Final = 3.0
"""Hand length, breadth or a finger, in standard deviations of adults."""
SIDE_GAIN: Final = 0.6
"""A hand of the other side that costs less than this share of the labelled side's fits better."""


@dataclass(frozen=True)
class Measures:
    """What a fit is judged by."""

    worst_joint: int
    """The keypoint whose label lies farthest, in standard deviations."""
    worst_sd: float
    worst_px: float
    labels_sd: float
    """Root mean square distance of labels along each axis, in standard deviations."""
    shift_px: float
    """How far all labels together lie beside the hand."""
    shift_limit_px: float
    """How far they may."""
    depth_m: float
    """NaN where no pixel of the model is read."""
    missing: float
    """Share of its pixels where something farther is read; NaN likewise."""
    unseen: float
    """Share of the joints that people see where another surface is read; NaN for none of them."""
    bones_sd: float
    """Largest of hand length, breadth and five fingers."""
    bone: str
    """Which."""


_SIZES: Final = (
    *("hand length", "hand breadth"),
    *(f"length of the {f}" for f in ("thumb", "index", "middle", "ring", "pinky")),
)


def measure_fit(evidence: Evidence, fit: Fit, drawn: Drawn, place: int, noise_m: float) -> Measures:
    """place: of the hand in its frame."""
    px = evidence.camera.project(fit.keypoints_m)
    away = np.where(evidence.labelled[:, None], px - evidence.keypoints_px, np.nan)
    off = np.linalg.norm(away, axis=-1)
    sds = off / evidence.sigma_px
    # People see joints somewhat elsewhere than the model has them: one alone must be far off.
    px_per_m = evidence.camera.fx / np.maximum(fit.keypoints_m[:, 2], NEAREST_M)
    alone = off / np.hypot(evidence.sigma_px, SIGMA_M * px_per_m)
    worst = int(np.nanargmax(np.where(np.isnan(alone), -1.0, alone)))
    weight = evidence.labelled / evidence.sigma_px**2
    shift = np.nansum(away * weight[:, None], axis=0) / weight.sum()
    compared = compare_pixels(drawn, evidence.depth_m, place, noise_m)
    depth, missing = compare_depth(compared)
    seen = compare_seen(compared, px[evidence.visible & evidence.labelled])
    bones = np.abs(fit.z[:7])
    return Measures(
        worst,
        float(alone[worst]),
        float(off[worst]),
        float(np.sqrt(np.nanmean(np.square(sds)) / 2)),
        float(np.linalg.norm(shift)),
        float(np.hypot(SHIFT_PX, SHIFT_M * np.median(px_per_m))),
        depth,
        missing,
        seen,
        float(bones.max()),
        _SIZES[int(bones.argmax())],
    )


def describe_measures(measures: Measures) -> dict[str, Any]:
    """For JSON: NaN is null."""
    out = {}
    for field in fields(measures):
        value = getattr(measures, field.name)
        if isinstance(value, float):
            value = None if np.isnan(value) else round(value, 5)
        out[field.name] = value
    return out


@dataclass(frozen=True, eq=False)
class Compared:
    """A box around a drawn hand, pixel by pixel."""

    left: int
    top: int
    mine: NDArray[np.bool_]
    """(h, w) the model's skin, forearm excluded, where the sensor reads something."""
    near: NDArray[np.bool_]
    """A reading at the model's depth, within one pixel."""
    nearer: NDArray[np.bool_]
    """A reading before the model, within one pixel."""
    gap_m: NDArray[np.float32]
    """Of the pixel's own reading behind the model."""


def compare_pixels(
    drawn: Drawn, depth_m: NDArray[np.float32], place: int, noise_m: float
) -> Compared | None:
    """The readings (H, W) over and beside a hand of the model; None where there are none."""
    base = HAND_STRIDE * place
    mine = (drawn.codes > base) & (drawn.codes < base + FOREARM) & (depth_m > 0)
    rows, columns = np.flatnonzero(mine.any(1)), np.flatnonzero(mine.any(0))
    if not len(rows):
        return None
    top, left, bottom, right = rows[0], columns[0], rows[-1] + 1, columns[-1] + 1
    mine, model_m = mine[top:bottom, left:right], drawn.model_m[top:bottom, left:right]
    wide = np.pad(depth_m, 1)[top : bottom + 2, left : right + 2]
    limit = max(BESIDE_M, 4 * noise_m)
    near, nearer = np.zeros_like(mine), np.zeros_like(mine)
    for v, u in np.ndindex(3, 3):
        read = wide[v : v + mine.shape[0], u : u + mine.shape[1]]
        gap = read - model_m
        near |= (read > 0) & (np.abs(gap) <= limit)
        nearer |= (read > 0) & (gap < -limit)
    return Compared(int(left), int(top), mine, near, nearer, wide[1:-1, 1:-1] - model_m)


def compare_depth(compared: Compared | None) -> tuple[float, float]:
    """Median distance of readings from the model over its pixels, and the share of its pixels
    beside which nothing is read at the model's depth; NaN for none. What something nearer hides
    does not count."""
    if compared is None:
        return float("nan"), float("nan")
    counted = compared.mine & (compared.near | ~compared.nearer)
    if not counted.any():
        return float("nan"), float("nan")
    behind = np.abs(compared.gap_m[counted])
    return float(np.median(behind)), float((~compared.near)[counted].mean())


def compare_seen(compared: Compared | None, px: NDArray[np.float64]) -> float:
    """The share of places (n, 2) on the hand's skin beside which nothing is read at its depth,
    whether it is nearer or farther: of joints that people see. NaN without any."""
    if compared is None:
        return float("nan")
    height, width = compared.mine.shape
    with np.errstate(invalid="ignore"):
        at = np.floor(px + 0.5) - (compared.left, compared.top)
        inside = np.asarray(((at >= 0) & (at < (width, height))).all(-1))
    u, v = at[inside].astype(np.int64).T
    mine = compared.mine[v, u]
    return float((~compared.near[v, u])[mine].mean()) if mine.any() else float("nan")


def find_doubt(measures: Measures) -> str | None:
    """Why a hand is to be looked at again, in one line; None if nothing speaks against it."""
    m = measures
    if m.worst_sd > WORST_JOINT_SD:
        sigma = m.worst_px / m.worst_sd
        return (
            f"a joint and the fitted hand disagree: {KEYPOINT_NAMES[m.worst_joint]} is labelled"
            f" {m.worst_px:.1f} px away (at most {WORST_JOINT_SD * sigma:.0f})"
        )
    if m.labels_sd > LABELS_SD:
        return (
            f"labels and the fitted hand disagree: by {m.labels_sd * LABEL_SD_PX:.1f} px over all"
            f" joints (at most {LABELS_SD * LABEL_SD_PX:.1f}): is it the other hand?"
        )
    if m.shift_px > m.shift_limit_px:
        return (
            "labels and the fitted hand disagree: all joints together lie"
            f" {m.shift_px:.1f} px beside it (at most {m.shift_limit_px:.1f})"
        )
    if m.depth_m > DEPTH_M:
        return (
            f"depth and the fitted hand disagree: {1e3 * m.depth_m:.1f} mm in the median (at most"
            f" {1e3 * DEPTH_M:.0f})"
        )
    if m.missing > MISSING:
        return (
            f"depth and the fitted hand disagree: where {m.missing:.0%} of the hand must be,"
            f" something else is read (at most {MISSING:.0%})"
        )
    if m.unseen > UNSEEN:
        return (
            f"depth and the fitted hand disagree: {m.unseen:.0%} of the joints that are seen lie on"
            f" another surface (at most {UNSEEN:.0%})"
        )
    if m.bones_sd > BONES_SD:
        return (
            f"bones are not a person's: {m.bone} is {m.bones_sd:.1f} standard deviations from the"
            f" mean (at most {BONES_SD})"
        )
    return None


def find_lack(evidence: Evidence) -> str | None:
    """Why a hand cannot be fitted at all, in one line; None if it can."""
    count = int(evidence.labelled.sum())
    if count < LEAST_LABELS:
        return f"too few labels: {count} joints are placed (at least {LEAST_LABELS})"
    lifted = int(np.isfinite(evidence.lifted_m).sum())
    if lifted < LEAST_LIFTED:
        return f"too little depth: it is read at {lifted} seen joints (at least {LEAST_LIFTED})"
    return None


def find_other_side(fit: Fit, mirrored: Fit) -> str | None:
    """Whether a hand of the other side fits the same labels much better, in one line."""
    if mirrored.cost < SIDE_GAIN * fit.cost and fit.cost > 1.0:
        here, there = ("left", "right") if fit.left else ("right", "left")
        return f"the side is in doubt: a {there} hand fits the labels of this {here} one better"
    return None
