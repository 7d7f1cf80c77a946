"""What each scene is about, and who takes part: drawn first, everything else follows it."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from frames.stream import uniform
from synth.config import SceneConfig
from synth.pools import Pools

FREE, GRASP, TOUCH, TOGETHER = range(4)
SITUATIONS: Final = ("free", "grasp", "touch", "together")
"""Hands in the air; holding a thing; on, over or near a surface or a thing; with each other."""

SLOTS: Final = 4
"""Hands of a frame at most: the wearer's two, then two of somebody else."""

LOOKS_DOWN: Final = np.array([0.1, 0.4, 0.9, 0.3])
"""How often people look down at what their hands do, by situation (choice)."""


@dataclass(frozen=True)
class Cast:
    """Who is in U scenes, slot by slot. Slots 0 and 1 are the wearer's."""

    situation: np.ndarray
    """(U,) of the first hand."""
    works: np.ndarray
    """(U,) bool: the wearer looks down at the hands."""
    present: np.ndarray
    """(U, SLOTS) bool: wanted; one that finds no place is left out later."""
    left: np.ndarray
    """(U, SLOTS) bool"""
    identity: np.ndarray
    """(U, SLOTS) index of the person in the rig."""
    split: np.ndarray
    """(U,) index of the split that the scene belongs to."""


def draw_cast(config: SceneConfig, pools: Pools, seed: int, ids: np.ndarray) -> Cast:
    """Situations and people of the scenes `ids` (U,) int64."""
    u = uniform(seed, ids, "cast", 9)
    share = config.situation
    edges = np.cumsum([share.grasp_share, share.touch_share, share.together_share])
    kind = np.array([GRASP, TOUCH, TOGETHER, FREE])[(u[:, :1] >= edges).sum(1)]
    split = pools.split_of(ids)
    wearer = pools.pick_identity(split, u[:, 3])
    other = pools.pick_identity(split, u[:, 4])
    present = np.zeros((len(ids), SLOTS), bool)
    present[:, 0] = True
    # Hands that do something with each other are two.
    present[:, 1] = (u[:, 1] < config.two_hands_share) | (kind == TOGETHER)
    present[:, 2] = u[:, 5] < config.others_share
    present[:, 3] = present[:, 2] & (u[:, 6] < 0.4)
    first, third = u[:, 2] < 0.5, u[:, 7] < 0.5
    return Cast(
        situation=kind,
        works=u[:, 8] < LOOKS_DOWN[kind],
        present=present,
        left=np.stack([first, ~first, third, ~third], axis=1),
        identity=np.stack([wearer, wearer, other, other], axis=1),
        split=split,
    )
