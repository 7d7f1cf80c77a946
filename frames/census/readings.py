"""What sensors read of frames, counted: fill rates, and why there is no reading."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from frames.parts import (
    CAUSE_DROPOUT,
    HAND_PARTS,
    HAND_STRIDE,
    OBJECT_BASE,
    VISIBILITY_VISIBLE,
)
from frames.reasons import READ, REASON_NAMES
from frames.record import Frame


def count_readings(frames: Iterable[Frame]) -> dict[str, Any]:
    """Count the pixels of frames that have `depth` and `invalid`; others are left out.

    Returns JSON values. frames: how many had them. sensors: of how many frames each. fill_rate and
    fill_rate_hands: shares of all pixels, and of those of hands, with a reading; None without any.
    reasons, hand_reasons: shares of the pixels without one. keypoints_dropped: share of the
    keypoints that nothing hides under which nothing is read.
    """
    sensors: Counter[str] = Counter()
    whole, hands = np.zeros(256, np.int64), np.zeros(256, np.int64)
    seen = dropped = 0
    for frame in frames:
        if frame.depth is None or frame.invalid is None:
            continue
        sensors[frame.sensor or "unnamed"] += 1
        whole += np.bincount(frame.invalid.ravel(), minlength=256)
        hands += np.bincount(frame.invalid[mask_hands(frame)], minlength=256)
        for hand in frame.hands:
            seen += int((hand.visibility == VISIBILITY_VISIBLE).sum())
            dropped += int((hand.occlusion == CAUSE_DROPOUT).sum())
    return {
        "frames": sum(sensors.values()),
        "sensors": dict(sorted(sensors.items())),
        "fill_rate": _share(whole),
        "fill_rate_hands": _share(hands),
        "reasons": _divide(whole),
        "hand_reasons": _divide(hands),
        "keypoints_dropped": dropped / max(1, seen + dropped),
    }


def mask_hands(frame: Frame) -> np.ndarray:
    """Return which pixels show a hand, (H, W) bool; forearms do not count."""
    if frame.parts is None:
        return np.zeros((frame.camera.height, frame.camera.width), bool)
    part = frame.parts % HAND_STRIDE
    return np.asarray((frame.parts < OBJECT_BASE) & (part >= 1) & (part <= HAND_PARTS))


def _share(counts: np.ndarray) -> float | None:
    total = int(counts.sum())
    return int(counts[READ]) / total if total else None


def _divide(counts: np.ndarray) -> dict[str, float]:
    """Shares of the pixels without a reading, the largest first."""
    missing = {name: int(counts[code]) for code, name in enumerate(REASON_NAMES) if code != READ}
    total = max(1, sum(missing.values()))
    ranked = sorted(missing.items(), key=lambda item: -item[1])
    return {name: count / total for name, count in ranked if count}
