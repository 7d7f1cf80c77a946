"""What people wear on their arms: sleeves, watches, rings, gloves; and the arms that wear it.

Clothes belong to a person of a scene: both arms wear the same sleeves, in all frames of a sequence.
They are drawn in their hand's layer, with the code of what they cover.
"""

from typing import Final

import numpy as np

from frames.parts import HAND_STRIDE
from frames.stream import uniform
from synth.config import OutfitConfig
from synth.hand.bones import FOREARM_BONE, PALM
from synth.hand.kinematics import bone_transforms
from synth.rigid import dot, multiply, rotate
from synth.scene.composition import Composition
from synth.scene.elbow import MEAN_HAND_M, SHOULDER
from synth.scene.hands import Hands
from synth.scene.jewellery import BAND_M, CASES, RING_M
from synth.scene.limb import limb_poses
from synth.scene.props import Props, join_props
from synth.scene.sleeve import CUFFS, SLACK_M, STYLES
from synth.scene.studio import Studio
from synth.scene.wardrobe import END_PLACE, RING_BONES, RING_PARTS, WATCH_PLACES

NAMES: Final = ("sleeve", "watch", "ring", "glove")
SLEEVE, WATCH, RING, GLOVE = 1, 2, 4, 8
"""Flags of what a hand's arm wears, in the order of NAMES."""

DRAWS: Final = 20

SHORT: Final = len(CUFFS)
_KINDS: Final = np.cumsum([0.46, 0.10, 0.08, 0.08, 0.06])
"""How common each cuff is; what is left are short sleeves (choice)."""
_LEFT_WRIST: Final = 0.75
"""Of watches, how many are on the left wrist (choice: most people are right-handed)."""
JOINED_M: Final = 0.02
"""Shoulders that have moved farther than this are joined to the trunk by a piece more."""
BACK: Final = 2.0
"""So fast does an elbow's middle come back to the bone's line, per forearm's length."""
_RING_FINGERS: Final = np.cumsum([0.16, 0.20, 0.50])
"""How common rings are on index, middle and ring finger; the rest are on the little one."""


def dress(
    config: OutfitConfig, studio: Studio, seed: int, scene: Composition
) -> tuple[np.ndarray, Props]:
    """(N,) int64 flags of what each hand wears, and all that belongs to their arms.

    Drawn by the scenes' ids and by the person: the wearer, or whoever reaches in.
    """
    hands = scene.hands
    u = np.where(
        hands.wearer[:, None],
        uniform(seed, scene.ids, "outfit/wearer", DRAWS)[hands.frame],
        uniform(seed, scene.ids, "outfit/other", DRAWS)[hands.frame],
    )
    glove = u[:, 15] < config.glove_share
    watch = (u[:, 5] < config.watch_share) & (hands.left == (u[:, 6] < _LEFT_WRIST))
    ring = (u[:, 10] < config.ring_share) & (hands.left == (u[:, 12] < 0.6)) & ~glove
    sleeve = u[:, 0] < config.sleeve_share
    cuff = (u[:, 1:2] >= _KINDS).sum(1)
    # Whoever wears a watch shows it: the sleeve ends behind it.
    cuff = np.where((u[:, 5] < config.watch_share) & (cuff == 0), 1, cuff)
    cuff = np.where(sleeve, cuff, -1)
    transforms, _ = bone_transforms(
        studio.rig, hands.identity, hands.angles, hands.T_world_from_wrist, hands.left
    )
    transforms = transforms.astype(np.float64)
    props = [
        _place_upper_arms(studio, hands, cuff, u),
        _place_elbows(studio, hands, np.flatnonzero((cuff < 0) | (cuff == SHORT)), transforms),
        _place_sleeves(studio, hands, cuff, u, transforms),
        _place_watches(studio, hands, np.flatnonzero(watch), u, transforms),
        _place_rings(studio, hands, np.flatnonzero(ring), u, transforms),
    ]
    worn = SLEEVE * sleeve + WATCH * watch + RING * ring + GLOVE * glove
    return worn.astype(np.int64), join_props(props)


def name_worn(worn: np.ndarray) -> np.ndarray:
    """(N,) object: names joined by commas as in "sleeve,watch", None for nothing."""
    names = [
        ",".join(name for k, name in enumerate(NAMES) if flags >> k & 1) or None
        for flags in range(1 << len(NAMES))
    ]
    return np.array(names, dtype=object)[worn]


def _place_upper_arms(studio: Studio, hands: Hands, cuff: np.ndarray, u: np.ndarray) -> Props:
    """Bare upper arms, whole sleeves in their place, short sleeves about them."""
    first = studio.stock.first
    radius = studio.wardrobe.elbow[hands.identity]
    slack = _slack(u)
    whole = (cuff >= 0) & (cuff < SHORT)
    model = np.where(whole, first["upper sleeves"] + _style(u), first["arm"])
    wide = radius + np.where(whole, slack, 0.0)
    everyone = np.arange(len(cuff))
    arms = _props(hands, everyone, model, limb_poses(hands.elbow, hands.shoulder, wide))
    # Shoulders that follow a far reach stay joined to the trunk.
    still = _still_shoulders(studio, hands)
    moved = hands.shoulder - still
    far = np.flatnonzero(dot(moved, moved) > JOINED_M**2)
    joint = limb_poses(hands.shoulder[far], still[far], 1.15 * wide[far])
    arms = join_props([arms, _props(hands, far, model[far], joint)])
    short = np.flatnonzero(cuff == SHORT)
    hem = 0.08 + 0.5 * u[short, 2:3]
    start = hands.elbow[short] + hem * (hands.shoulder[short] - hands.elbow[short])
    poses = limb_poses(start, hands.shoulder[short], radius[short] + 1.5 * slack[short])
    style = first["short sleeves"] + _style(u)[short]
    return join_props([arms, _props(hands, short, style, poses)])


def _still_shoulders(studio: Studio, hands: Hands) -> np.ndarray:
    """(N, 3) where the shoulder joints are before they follow a hand, in the world."""
    size = studio.rig.hand_length[hands.identity] / MEAN_HAND_M
    own = size[:, None] * SHOULDER * np.where(hands.left[:, None], [-1.0, 1.0, 1.0], 1.0)
    body = hands.T_world_from_body
    return rotate(body[:, :3, :3], own) + body[:, :3, 3]


def _place_elbows(studio: Studio, hands: Hands, rows: np.ndarray, transforms: np.ndarray) -> Props:
    """The last bit of bare forearms."""
    who, end = hands.identity[rows], studio.wardrobe.end
    T = np.tile(np.eye(4), (len(rows), 1, 1))
    T[:, 0, 0], T[:, 1, 1] = end.half[who].T
    T[:, 2, 2] = _forearm_length(studio)[who]
    T[:, :2, 3] = end.centre[who]
    T[:, :2, 2] = -BACK * end.centre[who]
    T[:, :2, 3] += BACK * END_PLACE * end.centre[who]
    bone = _bone_frames(studio, hands, rows, transforms[rows, FOREARM_BONE], FOREARM_BONE)
    poses = _turn_out(multiply(bone, T), hands.left[rows])
    return _props(hands, rows, studio.stock.first["elbow"], poses)


def _place_sleeves(
    studio: Studio, hands: Hands, cuff: np.ndarray, u: np.ndarray, transforms: np.ndarray
) -> Props:
    """Forearm sleeves, from their cuffs to the elbow."""
    rows = np.flatnonzero((cuff >= 0) & (cuff < SHORT))
    who, kind = hands.identity[rows], cuff[rows]
    fit = studio.wardrobe.sleeves
    begin = np.array(CUFFS)[kind]
    # Cuffs lie anywhere up to the next kind's; the elbow's end stays where it is.
    room = np.where(kind == 0, 0.04, 0.10)
    stretch = (1 - begin - room * u[rows, 2]) / (1 - begin)
    wrist, elbow = np.moveaxis(fit.centre[who, kind], 1, 0)
    along = np.column_stack([elbow - wrist, _forearm_length(studio)[who]])
    T = np.tile(np.eye(4), (len(rows), 1, 1))
    wide = fit.scale[who, kind] + _slack(u[rows])[:, None]
    T[:, 0, 0], T[:, 1, 1] = wide.T
    T[:, :3, 2] = stretch[:, None] * along
    T[:, :3, 3] = (1 - stretch)[:, None] * along
    T[:, :2, 3] += wrist
    bone = _bone_frames(studio, hands, rows, transforms[rows, FOREARM_BONE], FOREARM_BONE)
    model = studio.stock.first["sleeves"] + kind * STYLES + _style(u)[rows]
    return _props(hands, rows, model, _turn_out(multiply(bone, T), hands.left[rows]))


def _place_watches(
    studio: Studio, hands: Hands, rows: np.ndarray, u: np.ndarray, transforms: np.ndarray
) -> Props:
    """Bands, most of them with a case on the back of the wrist."""
    u, who, first = u[rows], hands.identity[rows], studio.stock.first
    place = np.minimum((u[:, 7] * len(WATCH_PLACES)).astype(np.int64), len(WATCH_PLACES) - 1)
    wrists = studio.wardrobe.wrists
    centre = np.stack([s.centre for s in wrists])[place, who]
    half = np.stack([s.half for s in wrists])[place, who] + BAND_M
    along = np.stack([s.along for s in wrists])[place, who]
    # The skin there goes partly with the hand: so does what is worn on it.
    turn = np.array([s.turn for s in wrists])[place, None, None]
    moved = turn * transforms[rows, FOREARM_BONE] + (1 - turn) * transforms[rows, PALM]
    bone = _bone_frames(studio, hands, rows, moved, FOREARM_BONE)
    band = np.tile(np.eye(4), (len(rows), 1, 1))
    cased = u[:, 8] < 0.8
    band[:, 0, 0], band[:, 1, 1] = half.T
    band[:, 2, 2] = np.where(cased, 0.016 + 0.008 * u[:, 9], 0.005 + 0.006 * u[:, 9])
    band[:, :2, 3], band[:, 2, 3] = centre, along
    model = first["bands"] + np.where(cased, 0, 1)
    left = hands.left[rows]
    bands = _props(hands, rows, model, _turn_out(multiply(bone, band), left))
    case = np.zeros((len(rows), 4, 4))
    # Out of the back of the wrist: the case's z is the bone's y, its y points to the hand.
    size = 0.85 + 0.3 * u[:, 13]
    case[:, 0, 0] = case[:, 1, 2] = size
    case[:, 2, 1] = -size
    case[:, :2, 3] = centre
    case[:, 1, 3] += half[:, 1]
    case[:, 2, 3], case[:, 3, 3] = along, 1.0
    poses = _turn_out(multiply(bone, case), left)[cased]
    kind = np.minimum((u[:, 14] * CASES).astype(np.int64), CASES - 1)[cased]
    return join_props([bands, _props(hands, rows[cased], first["cases"] + kind, poses)])


def _place_rings(
    studio: Studio, hands: Hands, rows: np.ndarray, u: np.ndarray, transforms: np.ndarray
) -> Props:
    """A ring on one finger."""
    u, who = u[rows], hands.identity[rows]
    finger = (u[:, 11:12] >= _RING_FINGERS).sum(1)
    fingers = studio.wardrobe.fingers
    T = np.tile(np.eye(4), (len(rows), 1, 1))
    half = np.stack([s.half for s in fingers])[finger, who] + 0.3 * RING_M
    T[:, 0, 0], T[:, 1, 1] = half.T
    T[:, 2, 2] = 0.003 + 0.006 * u[:, 13] ** 2
    T[:, :2, 3] = np.stack([s.centre for s in fingers])[finger, who]
    T[:, 2, 3] = np.stack([s.along for s in fingers])[finger, who]
    bone = np.array(RING_BONES)[finger]
    frame = _bone_frames(studio, hands, rows, transforms[rows, bone], bone)
    poses = _turn_out(multiply(frame, T), hands.left[rows])
    return _props(hands, rows, studio.stock.first["rings"], poses, RING_PARTS[finger])


def _bone_frames(
    studio: Studio,
    hands: Hands,
    rows: np.ndarray,
    transforms: np.ndarray,
    bone: int | np.ndarray,
) -> np.ndarray:
    """(R, 4, 4) from the bones' own frames to the world; mirrored for left hands.

    transforms (R, 3, 4) take rest positions to the world. The forearm's frame starts at the wrist.
    """
    start = np.where(np.asarray(bone) == FOREARM_BONE, PALM, bone)
    joint = studio.rig.rest_joints[hands.identity[rows], start].astype(np.float64)
    out = np.tile(np.eye(4), (len(rows), 1, 1))
    turn = np.ascontiguousarray(transforms[:, :, :3])
    out[:, :3, :3] = multiply(turn, np.broadcast_to(studio.rig.frames[bone], turn.shape))
    out[:, :3, 3] = rotate(turn, joint) + transforms[:, :, 3]
    return out


def _turn_out(poses: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Poses of mirrored models would show their insides: models are symmetric, so x turns back."""
    poses[left, :, 0] *= -1
    return poses


def _forearm_length(studio: Studio) -> np.ndarray:
    elbow = studio.elbows
    return np.sqrt((elbow[:, 0] ** 2 + elbow[:, 1] ** 2) + elbow[:, 2] ** 2)


def _style(u: np.ndarray) -> np.ndarray:
    return np.minimum((u[:, 3] * STYLES).astype(np.int64), STYLES - 1)


def _slack(u: np.ndarray) -> np.ndarray:
    """(N,) metres of cloth and air: tight to loose."""
    return SLACK_M + 0.006 * u[:, 4] ** 2


def _props(
    hands: Hands,
    rows: np.ndarray,
    model: np.ndarray | int,
    poses: np.ndarray,
    part: np.ndarray | int = 0,
) -> Props:
    none = np.zeros(len(rows), np.int64)
    number = hands.number[rows]
    return Props(hands.frame[rows], none + model, poses, number, HAND_STRIDE * number + part)
