"""Scores of an evaluation, one row a hand, and their summary."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from frames.parts import CAUSE_NAMES
from frames.skeleton import KEYPOINT_NAMES, WRIST
from synth.pose.presets import KEY_POSES
from train_tiny.evaluation.metrics import (
    STANDARD,
    THRESHOLDS,
    measure_auc,
    measure_mean,
    measure_median,
    measure_pck,
    score_binary,
    score_classes,
)

Floats = NDArray[np.float32]
Texts = NDArray[np.str_]

DISTANCES_M: Final = (0.0, 0.3, 0.4, 0.5, 0.6, 0.8, np.inf)
FRACTIONS: Final = (0.0, 0.25, 0.5, 0.75, 0.95, 1.01)
"""Bounds of the groups by distance, and by the share of a hand that nothing covers."""


@dataclass(frozen=True, eq=False)
class Scores:
    """N hands; NaN, -1 and "" stand for what is not known."""

    found_px: Floats
    """(N, 21, 2) where the network puts keypoints, pixels of the crop."""
    labels_px: Floats
    """(N, 21, 2) where they are."""
    palm_px: Floats
    """(N,) wrist to middle MCP in the picture (`train_tiny.evaluation.metrics`)."""
    plane_px: Floats
    """(N,) the same as it would appear face on, at the palm's own distance."""
    found_m: Floats
    """(N, 21, 3) in the crop camera's axes."""
    labels_m: Floats
    """(N, 21, 3)"""
    likely_seen: Floats
    """(N, 21) 0 .. 1; NaN without the head."""
    seen: Floats
    """(N, 21) 1, 0 or NaN."""
    cause: NDArray[np.uint8]
    """(N, 21) of occlusion, `frames.parts.CAUSE_NAMES`."""
    likely_right: Floats
    """(N,) 0 .. 1."""
    right: Floats
    """(N,) 1, 0 or NaN."""
    found_pose: NDArray[np.int64]
    """(N,) class, -1 without the head."""
    pose: NDArray[np.int64]
    """(N,) class, -1 for not known."""
    overlap: Floats
    """(N,) of the masks: intersection over union."""
    fraction: Floats
    """(N,) share of the hand that nothing covers."""
    distance_m: Floats
    """(N,)"""
    source: Texts
    frame_id: NDArray[np.int64]
    hand: NDArray[np.int64]
    sensor: Texts
    situation: Texts
    key_pose: Texts
    grasp: Texts

    def __len__(self) -> int:
        return len(self.palm_px)

    @property
    def error_px(self) -> Floats:
        """(N, 21) in the crop."""
        return np.linalg.norm(self.found_px - self.labels_px, axis=-1)

    @property
    def error_palms(self) -> Floats:
        """(N, 21) in palms."""
        return self.error_px / self.palm_px[:, None]


def join_scores(parts: list[Scores]) -> Scores:
    """Of several batches."""
    joined = {f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Scores)}
    return Scores(**joined)


def summarise(scores: Scores) -> dict[str, Any]:
    """All numbers of an evaluation, plain values: see docs/training.md for what each is."""
    palms = scores.error_palms
    known = np.isfinite(scores.labels_px).all(-1)
    everything = np.ones(known.shape, bool)
    return {
        "hands": len(scores),
        "keypoints": int(known.sum()),
        **_measure(scores, everything),
        "pck_plane": float(measure_pck(scores.error_px / scores.plane_px[:, None])),
        "epe_px_median": measure_median(scores.error_px),
        "curve": {
            "palms": [round(float(t), 4) for t in THRESHOLDS],
            "pck": [float(v) for v in measure_pck(palms, THRESHOLDS)],
        },
        "visibility": score_binary(scores.likely_seen, scores.seen),
        "side": score_binary(scores.likely_right, scores.right),
        "key_pose": {
            **score_classes(scores.found_pose, scores.pose, len(KEY_POSES)),
            "classes": list(KEY_POSES),
        },
        "mask_iou": measure_mean(scores.overlap),
        "by": {
            name: {
                key: _measure(scores, chosen) | {"hands": int((chosen & known).any(1).sum())}
                for key, chosen in groups
                if (chosen & known).any(1).sum() > 0
            }
            for name, groups in list_groups(scores)
        },
    }


def list_groups(scores: Scores) -> Iterator[tuple[str, list[tuple[str, NDArray[np.bool_]]]]]:
    """Every breakdown with its groups, each a choice (N, 21) of keypoints."""
    seen = scores.seen
    yield "visibility", [("visible", seen == 1), ("occluded", seen == 0)]
    yield (
        "cause",
        [
            (n.replace("_", " "), (scores.cause == k) & (seen == 0))
            for k, n in enumerate(CAUSE_NAMES)
        ],
    )
    yield "distance", _by_range(scores.distance_m, DISTANCES_M, _say_m)
    yield "sensor", _by_name(scores.sensor)
    yield "hand in sight", _by_range(scores.fraction, FRACTIONS, _say_share)
    yield "situation", _by_name(scores.situation)
    yield "key pose", _by_name(scores.key_pose)
    yield "grasp", _by_name(scores.grasp)
    yield "side", [(n, _spread(scores.right == v)) for n, v in (("left", 0), ("right", 1))]
    yield "dataset", _by_name(scores.source)
    columns = np.arange(len(KEYPOINT_NAMES))
    yield (
        "keypoint",
        [
            (name.replace("_", " "), np.broadcast_to(columns == k, seen.shape))
            for k, name in enumerate(KEYPOINT_NAMES)
        ],
    )


def _measure(scores: Scores, chosen: NDArray[np.bool_]) -> dict[str, float]:
    """Over some keypoints: the numbers that every group has."""
    palms = np.where(chosen, scores.error_palms, np.nan)
    away = scores.found_m - scores.labels_m
    deep = np.where(chosen, np.abs(away[..., 2]), np.nan)
    # What a wrong pixel costs, the depth being right.
    with np.errstate(invalid="ignore", divide="ignore"):
        at_label = scores.found_m * (scores.labels_m[..., 2:] / scores.found_m[..., 2:])
    across = np.linalg.norm(at_label - scores.labels_m, axis=-1)
    from_wrist = away - away[:, WRIST : WRIST + 1]
    relative = np.linalg.norm(from_wrist, axis=-1)
    relative[:, WRIST] = np.nan
    return {
        "pck": float(measure_pck(palms, STANDARD)),
        "auc": measure_auc(palms),
        "epe_px": measure_mean(np.where(chosen, scores.error_px, np.nan)),
        "epe_mm": 1e3 * measure_mean(np.where(chosen, np.linalg.norm(away, axis=-1), np.nan)),
        "epe_across_mm": 1e3 * measure_mean(np.where(chosen, across, np.nan)),
        "epe_depth_mm": 1e3 * measure_mean(deep),
        "epe_wrist_mm": 1e3 * measure_mean(np.where(chosen, relative, np.nan)),
    }


def _spread(rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.repeat(rows[:, None], len(KEYPOINT_NAMES), 1)


def _by_name(names: Texts) -> list[tuple[str, NDArray[np.bool_]]]:
    found, counts = np.unique(names, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return [(str(found[k]), _spread(names == found[k])) for k in order if found[k]]


def _by_range(
    values: Floats, bounds: tuple[float, ...], say: Callable[[float, float], str]
) -> list[tuple[str, NDArray[np.bool_]]]:
    return [
        (say(a, b), _spread((values >= a) & (values < b))) for a, b in itertools.pairwise(bounds)
    ]


def _say_m(low: float, high: float) -> str:
    return f"over {low:g} m" if np.isinf(high) else f"{low:g} to {high:g} m"


def _say_share(low: float, high: float) -> str:
    return f"{low:.0%} to {min(high, 1):.0%}"
