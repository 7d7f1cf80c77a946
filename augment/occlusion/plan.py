"""What a draw is made of: its numbers, and how many and which occluders."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from augment.occlusion.config import BEFORE, BEHIND, Occlusion
from frames.record import Frame
from frames.stream import uniform

AIM: Final = 8
"""Uniform numbers that every occluder takes: five for its aim, one for its clearance, one for the
choice of a sprite, the last for its kind."""

EACH: Final = AIM + 32
"""All that one takes."""

PLAN: Final = 4
"""What is drawn before them: whether there is one behind, before, how many, a key for noise."""


def draw_numbers(
    frame: Frame, config: Occlusion, seed: int, epoch: int, stage: str, n: int
) -> NDArray[np.float64]:
    """(n,) uniform numbers of a frame, or of its sequence."""
    key = frame.frame_id
    if config.steady and frame.sequence_id is not None:
        key, stage = frame.sequence_id, stage + "/sequence"
    return np.asarray(uniform(seed, [key], stage, n, epoch)[0])


def draw_count(number: tuple[int, int], u: float) -> int:
    """A number of a range, n + 1 half as likely as n."""
    least, most = number
    ends = np.cumsum(0.5 ** np.arange(most - least + 1))
    return least + int(np.searchsorted(ends, u * ends[-1], "right"))


def plan_kinds(config: Occlusion, u: NDArray[np.float64], any_sprites: bool) -> list[str]:
    """Kinds of the occluders of a draw, those behind first; u: (PLAN + EACH * most,) uniform."""
    kinds: list[tuple[str, ...]] = []
    if u[0] < config.share_behind:
        kinds.append(BEHIND)
    if u[1] < config.share_before:
        count = draw_count(config.number_before, float(u[2]))
        kinds += [BEFORE if any_sprites else BEFORE[:-2]] * count
    chosen = [_choose(config, k, float(u[PLAN + EACH * i + AIM - 1])) for i, k in enumerate(kinds)]
    return [kind for kind in chosen if kind]


def _choose(config: Occlusion, kinds: tuple[str, ...], u: float) -> str:
    """A kind by weight; "" if none has any."""
    left = u * sum(config.weights[kind] for kind in kinds)
    for kind in kinds:
        left -= config.weights[kind]
        if left < 0:
            return kind
    return ""
