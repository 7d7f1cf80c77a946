"""Does a fitted hand agree with its labels and its depth? What does not goes to the review list.

The limits are quantiles of the same measures over fits whose labels were good, and `python -m
bench.refinement checks` prints both those and how many planted faults each of them finds.
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
from labeling.refinement.masks import AGREE_M, Drawn
from labeling.refinement.solving import NEAREST_M

LEAST_LABELS: Final = 8
LEAST_LIFTED: Final = 3
"""Fewer labelled joints, or fewer of them with a depth, are not enough to fit a hand to."""

WORST_JOINT_SD: Final = 5.0
"""Farthest label from its joint, in standard deviations of both its noise and where people see that
joint."""
LABELS_SD: Final = 1.5
"""Root mean square of the same, over all labels."""
DEPTH_M: Final = 0.005
"""Median distance between readings and the model, of pixels that nothing nearer hides."""
MISSING: Final = 0.2
"""Share of the model's pixels where the sensor reads something behind it."""
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
    depth_m: float
    """NaN where no pixel of the model is read."""
    missing: float
    """NaN likewise."""
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
    off = np.linalg.norm(px - evidence.keypoints_px, axis=-1)
    off = np.where(evidence.labelled, off, np.nan)
    sds = off / evidence.sigma_px
    # People see joints somewhat elsewhere than the model has them: one alone must be far off.
    near = SIGMA_M * evidence.camera.fx / np.maximum(fit.keypoints_m[:, 2], NEAREST_M)
    alone = off / np.hypot(evidence.sigma_px, near)
    worst = int(np.nanargmax(np.where(np.isnan(alone), -1.0, alone)))
    depth, missing = compare_depth(drawn, evidence.depth_m, place, noise_m)
    bones = np.abs(fit.z[:7])
    return Measures(
        worst,
        float(alone[worst]),
        float(off[worst]),
        float(np.sqrt(np.nanmean(np.square(sds)) / 2)),
        depth,
        missing,
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


def compare_depth(
    drawn: Drawn, depth_m: NDArray[np.float32], place: int, noise_m: float
) -> tuple[float, float]:
    """Median distance of readings from the model over its pixels, and the share of pixels behind
    which the sensor reads: those that something nearer hides, and the forearm's, do not count."""
    base = HAND_STRIDE * place
    mine = (drawn.codes > base) & (drawn.codes < base + FOREARM) & (depth_m > 0)
    behind = depth_m[mine] - drawn.model_m[mine]
    behind = behind[behind > -max(AGREE_M, 4 * noise_m)]
    if not len(behind):
        return float("nan"), float("nan")
    limit = 2 * max(AGREE_M, 4 * noise_m)
    return float(np.median(np.abs(behind))), float((behind > limit).mean())


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
    if m.depth_m > DEPTH_M:
        return (
            f"depth and the fitted hand disagree: {1e3 * m.depth_m:.1f} mm in the median (at most"
            f" {1e3 * DEPTH_M:.0f})"
        )
    if m.missing > MISSING:
        return (
            f"depth and the fitted hand disagree: {m.missing:.0%} of the hand shows something"
            f" behind it (at most {MISSING:.0%})"
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
