"""Random hand poses: named ones, the ways between them, and synergies; fitted to their person.

What a frame shows is drawn first: a named pose of one part of the library, a pose on the way
between two, or a synergy. The angles follow, with the deviations of fingers that move together.
Then the hand is settled: fingertips that should touch do, and flesh leaves other flesh. What cannot
be settled is drawn again.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from frames.stream import normal, uniform
from synth.config import PoseConfig
from synth.hand.angles import DOFS, clamp
from synth.pose.flesh import Flesh
from synth.pose.library import (
    NUMBER_OF,
    PART_START,
    PARTS,
    PRESETS,
    key_rows,
    preset_table,
    touch_table,
)
from synth.pose.likeness import nearest_key
from synth.pose.presets import TOUCHES
from synth.pose.settling import TOUCHED_M, settle
from synth.pose.synergy import HABIT, JITTER_DEG, couple, deviations, draw_synergies, unfold
from synth.pose.transition import path_angles

ATTEMPTS: Final = 8
"""Draws of a frame at most; then the hand rests, with no name."""

CALMER: Final = 0.8
"""Each further draw deviates so much less from its named pose."""

NEAR_KEY_DEG: Final = 8.0
"""Nothing unnamed comes so near to a key pose, root mean square over the angles that tell them."""

HOMES: Final = tuple(
    NUMBER_OF[name]
    for name in ("relaxed", "relaxed-open", "relaxed-closed", "flat-soft", "spread-soft", "cupped")
)
"""Where hands come from and go to: most ways begin or end here."""
HOME_SHARE: Final = 0.5

_RELAXED: Final = NUMBER_OF["relaxed"]


@dataclass(frozen=True)
class Poses:
    """B sampled poses."""

    angles: np.ndarray
    """(B, 29) rad; the wrist's are zero: the arm decides them."""
    preset: np.ndarray
    """(B,) index into `synth.pose.library.PRESETS` of the named pose shown, -1 for none."""


def sample_poses(
    config: PoseConfig,
    seed: int,
    frame_ids: np.ndarray,
    stage: str,
    flesh: Flesh,
    identity: np.ndarray,
) -> Poses:
    """One pose a frame, without self-penetration; stream `stage`, new attempt after a rejection.

    identity (B,): whose hand it is.
    """
    count = len(frame_ids)
    kind = uniform(seed, frame_ids, stage + "/kind", 3)
    named, first, second = _choose(config, kind)
    preset = np.where(named, first, -1)
    angles = np.zeros((count, len(DOFS)))
    pending = np.arange(count)
    keys = preset_table()[key_rows()]
    for attempt in range(ATTEMPTS):
        drawn = _draw(
            config, seed, frame_ids[pending], stage, attempt, kind[pending],
            preset[pending], first[pending], second[pending],
        )  # fmt: skip
        touch = np.full((len(pending), TOUCHES, 2, 3), -1.0)
        shown = preset[pending] >= 0
        touch[shown] = touch_table()[preset[pending[shown]]]
        drawn, depth, gap = settle(flesh, identity[pending], drawn, touch)
        fine = (depth <= config.max_penetration_mm / 1000) & (gap <= TOUCHED_M)
        fine &= shown | (nearest_key(drawn, keys) > np.radians(NEAR_KEY_DEG))
        angles[pending[fine]] = drawn[fine]
        pending = pending[~fine]
        if not len(pending):
            break
    if len(pending):
        rest = np.repeat(preset_table()[_RELAXED][None], len(pending), axis=0)
        none = np.full((len(pending), TOUCHES, 2, 3), -1.0)
        angles[pending] = settle(flesh, identity[pending], rest, none)[0]
        preset[pending] = -1
    return Poses(angles, preset)


def _choose(config: PoseConfig, kind: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Is a named pose shown; which one, or where the way begins; where it ends, or -1: (B,) each.

    What a frame shows does not change with its attempts: rejection would otherwise favour what is
    seldom rejected.
    """
    shares = np.array([*(getattr(config, f"{part}_share") for part in PARTS), config.between_share])
    bounds = np.cumsum(shares)
    part = np.searchsorted(bounds, kind[:, 0], side="right")
    library = part < len(PARTS)
    between = part == len(PARTS)
    low = np.where(library, PART_START[np.minimum(part, len(PARTS) - 1)], 0)
    high = np.where(library, PART_START[np.minimum(part, len(PARTS) - 1) + 1], len(PRESETS))
    first = np.minimum(low + (kind[:, 1] * (high - low)).astype(np.int64), high - 1)
    # Another pose, and never all the way: a pose on the way must not show a named one unlabelled.
    other = (kind[:, 2] - HOME_SHARE) / (1.0 - HOME_SHARE)
    step = np.clip((other * (len(PRESETS) - 1)).astype(np.int64), 0, len(PRESETS) - 2)
    home = np.array(HOMES)[
        np.clip((kind[:, 2] / HOME_SHARE * len(HOMES)).astype(np.int64), 0, len(HOMES) - 1)
    ]
    second = np.where(kind[:, 2] < HOME_SHARE, home, (first + 1 + step) % len(PRESETS))
    return library, first, np.where(between, second, -1)


def _draw(
    config: PoseConfig,
    seed: int,
    frame_ids: np.ndarray,
    stage: str,
    attempt: int,
    kind: np.ndarray,
    preset: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
) -> np.ndarray:
    """(N, 29) rad within their limits; the wrist's are zero."""
    n = len(DOFS)
    u = uniform(seed, frame_ids, stage + "/angles", 2 * n + 8, attempt)
    noise, extra = normal(u[:, : 2 * n]), u[:, 2 * n :]
    table = preset_table()
    lag = 0.25 * extra[:, :5]
    # The thumb has a mind of its own; ends of the way are left out.
    way = path_angles(table[first], table[second], 0.28 + 0.6 * extra[:, 5], lag)
    shown = preset >= 0
    base = np.where(shown[:, None], table[first], way)
    scale = config.jitter_deg / JITTER_DEG * np.where(shown, CALMER**attempt, 1.5)
    base = base + scale[:, None] * deviations(noise)
    if config.jitter_deg > 0:
        base += HABIT
    angles = np.where((shown | (second >= 0))[:, None], base, draw_synergies(noise, extra))
    angles[:, :2] = 0.0
    angles = clamp(angles)
    return clamp(unfold(np.where(shown[:, None], angles, couple(angles))))
