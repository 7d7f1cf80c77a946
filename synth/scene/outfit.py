"""What the people of a scene wear, and their arms above the hand: placed models, hand by hand.

Drawn once for each person of a frame: sleeves alike on both arms, gloves on both hands or none. A
watch is on one wrist, rings are drawn finger by finger.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from frames.stream import uniform
from synth.config import OutfitConfig
from synth.hand.bones import FINGER_START, FOREARM_BONE
from synth.hand.rig import Rig
from synth.rigid import multiply
from synth.scene.clothing import (
    CLOTHS,
    CUFFS,
    SHORT_CUFFS,
    cuff_stations,
    girth_at,
    wardrobe,
)
from synth.scene.girth import STRAP, Girths, hold_skin, measure_girths
from synth.scene.upper_arm import arm_poses
from synth.things.model import Model

WIDEST_CUFF: Final = 1.4
"""A cuff that must be so much wider than the mean arm's, since it covers the base of a thumb, sits
farther up instead."""

SPARE_M: Final = 0.0015
"""Sleeves and straps stay this far off the skin."""

_SHARES: Final = (0.32, 0.33, 0.2, 0.15)
"""How common each of CLOTHS is among sleeves."""


@dataclass(frozen=True)
class Tailor:
    """What a rig's people take: made once, at the start."""

    models: tuple[Model, ...]
    """All models that `Outfit.model` counts."""
    girths: Girths
    """Measures of the people."""
    hold: np.ndarray
    """(I, CUFFS) how much wider than the mean arm's a sleeve with that cuff must be."""


@dataclass(frozen=True)
class Outfit:
    """M placed models on N hands, in the order of the hands."""

    hand: np.ndarray
    """(M,) index of the hand."""
    model: np.ndarray
    """(M,) index into `Tailor.models`; their codes count from the hand's base."""
    T_world_from_model: np.ndarray
    """(M, 4, 4) affine, right-handed."""
    gloved: np.ndarray
    """(N,) bool: draw the hand with `synth.hand.glove.glove_skins`."""
    worn: np.ndarray
    """(N,) str: any of sleeve, watch, ring, glove, joined by commas; "" for none."""


def hire_tailor(rig: Rig) -> Tailor:
    """Measure a rig's people and cut their sleeves."""
    girths = measure_girths(rig)
    hold = []
    for cuff in CUFFS:
        z = cuff_stations(cuff)
        hold.append(hold_skin(girths.skin, z, girth_at(z)))
    return Tailor(wardrobe().models, girths, np.stack(hold, axis=1))


def dress(
    config: OutfitConfig,
    tailor: Tailor,
    seed: int,
    frame_ids: np.ndarray,
    slot: np.ndarray,
    left: np.ndarray,
    identity: np.ndarray,
    transforms: np.ndarray,
    elbow: np.ndarray,
    shoulder: np.ndarray,
    bare: np.ndarray | None = None,
) -> Outfit:
    """Clothes, things worn, elbows and upper arms of N hands.

    frame_ids (N,) of each hand's frame, or what else keeps its clothes (a sequence); slot (N,)
    within the frame, slots 2 and more are other people's; left (N,) bool, identity (N,),
    transforms (N, 21, 3, 4) from `bone_transforms` in the world, elbow and shoulder (N, 3) world.
    bare (N,) bool: hands that may not wear gloves or rings, as their skin touches something.
    """
    count = len(slot)
    who = (slot >= 2).astype(np.int64)
    u = uniform(seed, frame_ids, "outfit", 10, who)
    v = uniform(seed, frame_ids, "outfit/hand", 12, slot)
    bare = np.zeros(count, bool) if bare is None else bare
    w, girths = wardrobe(), tailor.girths
    arm_hold = tailor.hold[identity]

    sleeved = u[:, 0] < config.sleeve_share
    long = sleeved & (u[:, 1] < config.long_share)
    cloth = np.minimum(np.searchsorted(np.cumsum(_SHARES), u[:, 2]), len(CLOTHS) - 1)
    cloth = np.where(long & (cloth == 3), 1, cloth)  # nobody rolls up to the wrist
    cuff = _pick_cuffs(long, u[:, 3], v[:, 0], cloth, arm_hold)
    short = sleeved & ~long & (u[:, 4] < 0.4) & (cloth != 3)
    fore = sleeved & ~short
    gloved = (u[:, 5] < config.glove_share) & ~bare
    strap_share = config.watch_share * np.where((u[:, 7] < 0.75) == left, 1.0, 0.0)
    cuffs = np.array(CUFFS)
    strapped = (v[:, 1] < strap_share) & ~gloved & (~fore | (cuffs[cuff] > STRAP[1] + 0.06))
    finger_share = config.ring_share * np.array([0.25, 1.0, 1.0, 0.25])
    ringed = (v[:, 2:6] < finger_share) & ~(gloved | bare)[:, None]

    hand = np.arange(count)
    rest = multiply(_square(transforms[:, FOREARM_BONE]), girths.arm[identity])
    length = np.sqrt((rest[:, :3, 0] ** 2).sum(1)), np.sqrt((rest[:, :3, 1] ** 2).sum(1))
    half = (length[0] + length[1]) / 2
    wide = arm_hold[hand, cuff] + (SPARE_M + 0.0025 * gloved) / half
    # The upper arm is as thick at the elbow as what meets it there.
    ease = np.array([c.ease for c in CLOTHS])[cloth]
    bare_elbow = girths.elbow_m[identity]
    sleeve_elbow = 0.97 * wide * ease * half
    upper = arm_poses(elbow, shoulder, np.where(fore, sleeve_elbow, bare_elbow))
    over = arm_poses(elbow, shoulder, bare_elbow)

    flip = np.where(left, -1.0, 1.0)
    ones = np.ones(count)
    short_cuff = np.minimum((v[:, 7] * len(SHORT_CUFFS)).astype(np.int64), len(SHORT_CUFFS) - 1)
    strap = np.minimum((v[:, 8] * len(w.straps)).astype(np.int64), len(w.straps) - 1)
    spread = 1 + SPARE_M / 0.03
    straps = multiply(_square(transforms[:, FOREARM_BONE]), girths.strap[identity])
    pieces = [
        (~fore, np.full(count, w.elbow), _scale(rest, flip, ones)),
        (ones > 0, np.where(fore, w.upper_long[cloth], w.upper), upper),
        (fore, w.forearm[cloth, cuff], _scale(rest, flip * wide, wide)),
        (short, w.upper_short[cloth, short_cuff], over),
        (strapped, w.straps[strap], _scale(straps, flip * spread, spread * ones)),
    ]
    for k, start in enumerate(FINGER_START):
        kind = np.minimum((v[:, 9] * len(w.rings)).astype(np.int64), len(w.rings) - 1)
        ring = multiply(_square(transforms[:, start + 1]), girths.rings[identity, k])
        pieces.append((ringed[:, k], w.rings[kind, k], _scale(ring, flip, ones)))
    has = np.stack([piece[0] for piece in pieces], axis=1)
    return Outfit(
        hand=np.nonzero(has)[0],
        model=np.stack([piece[1] for piece in pieces], axis=1)[has],
        T_world_from_model=np.stack([piece[2] for piece in pieces], axis=1)[has],
        gloved=gloved,
        worn=_name_worn(sleeved, strapped, ringed.any(1), gloved),
    )


def _pick_cuffs(
    long: np.ndarray, u: np.ndarray, v: np.ndarray, cloth: np.ndarray, hold: np.ndarray
) -> np.ndarray:
    """(N,) index into CUFFS: near the wrist, alike on both arms, where not too wide."""
    last = len(CUFFS) - 1
    near = (u * 2.0).astype(np.int64)
    pushed = long & (v < 0.12)  # one sleeve has slid up
    cuff = np.where(long, near + pushed, np.minimum(2 + (u * (last - 1)).astype(np.int64), last))
    too_wide = hold[np.arange(len(hold)), cuff] > WIDEST_CUFF
    return np.where(too_wide, np.maximum(cuff, 2), cuff)


def _square(transforms: np.ndarray) -> np.ndarray:
    """(N, 3, 4) float32 -> (N, 4, 4) float64"""
    out = np.zeros((len(transforms), 4, 4))
    out[:, :3] = transforms
    out[:, 3, 3] = 1.0
    return out


def _scale(pose: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Poses (N, 4, 4) with their first two axes scaled; a negative x turns a mirror image back."""
    out = pose.copy()
    out[:, :3, 0] *= x[:, None]
    out[:, :3, 1] *= y[:, None]
    return out


_NAMES: Final = ("sleeve", "watch", "ring", "glove")
_WORN: Final = np.array(
    [",".join(n for k, n in enumerate(_NAMES) if code >> k & 1) for code in range(16)]
)


def _name_worn(*worn: np.ndarray) -> np.ndarray:
    """(N,) bool of each of _NAMES -> (N,) str."""
    code = sum(w.astype(np.int64) << k for k, w in enumerate(worn))
    return np.asarray(_WORN[code])
