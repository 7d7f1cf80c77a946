"""One hand holds a thing, the other points at it until its fingertip touches."""

from typing import Final

import numpy as np

from frames.stream import normal, uniform
from synth.config import TogetherConfig
from synth.contact.flesh import Flesh
from synth.contact.together_closing import OWN_LIMIT_M, jitter_holds, pose_flesh, self_depth
from synth.contact.together_gaps import FAR_M, PARTS, measure_pairs, part_vertices
from synth.contact.together_holds import POINT, hold_angles
from synth.contact.together_kinds import Side
from synth.contact.together_meeting import TOUCH_M, carry_tips
from synth.contact.together_objects import SharedHolds
from synth.contact.together_solid import part_solid_gaps, slide_to_solid
from synth.contact.together_table import MIRROR_X, wrist_frame
from synth.hand.angles import DOFS, rotation
from synth.hand.bones import BONES, FOREARM_BONE
from synth.hand.collision import Capsules
from synth.hand.kinematics import bone_transforms, skin_hands
from synth.hand.rig import Rig
from synth.rigid import invert_rigid, multiply
from synth.things.distance import DistancePack

TRIES: Final = 3
POINTING: Final = Side(POINT, (0.6, 0.5, -0.4), (0.3, -0.5, -0.7), "index tip")
"""A left hand in the body's frame."""
TURN_DEG: Final = 22.0
BEYOND_M: Final = 0.25
INDEX_TIP: Final = 6
"""Index of the part that is to touch."""


def touch_held(
    config: TogetherConfig,
    seed: int,
    frame_ids: np.ndarray,
    stage: str,
    rig: Rig,
    capsules: Capsules,
    flesh: Flesh,
    extent_m: np.ndarray,
    pack: DistancePack,
    identity: np.ndarray,
    solid: np.ndarray,
    first_left: np.ndarray,
    angles: np.ndarray,
    T_first_from_object: np.ndarray,
    R_body_from_first: np.ndarray,
) -> SharedHolds:
    """The second hand touches what the first holds.

    extent_m (N, 3) size of each solid's box, solid (N,) in the pack, first_left (N,) bool, angles
    (N, 29) of the first hand and T_first_from_object (N, 4, 4) as of a grasp, R_body_from_first
    (N, 3, 3) as it is held. gap_m tells of the second hand alone; kind is -1.
    """
    count = len(frame_ids)
    rows = np.repeat(np.arange(count), TRIES)
    attempt = np.tile(np.arange(TRIES), count)
    u = uniform(seed, frame_ids[rows], stage + "/touch", 2 * len(DOFS) + 12, attempt)
    who, left = identity[rows], ~first_left[rows]
    noise = normal(u[:, : 2 * len(DOFS)])
    posed = jitter_holds(
        config.jitter_deg, np.broadcast_to(hold_angles(POINT), (len(rows), 1, 29)), noise[:, None]
    )[:, 0]
    place = normal(u[:, 2 * len(DOFS) :])
    lean = np.radians(TURN_DEG) * np.clip(place[:, :3], -2.0, 2.0)
    hand = multiply(
        rotation("z", lean[:, 2]),
        rotation("y", lean[:, 1]),
        rotation("x", lean[:, 0]),
        wrist_frame(POINTING),
    )
    hand = np.where(left[:, None, None], hand, multiply(MIRROR_X, hand, MIRROR_X))
    # In the object's frame.
    T_object_from_first = invert_rigid(T_first_from_object)[rows]
    body = np.ascontiguousarray(np.swapaxes(R_body_from_first[rows], 1, 2))
    T = np.tile(np.eye(4), (len(rows), 1, 1))
    T[:, :3, :3] = multiply(np.ascontiguousarray(T_object_from_first[:, :3, :3]), body, hand)
    transforms, _ = bone_transforms(rig, who, posed, T, left)
    tip = carry_tips(rig, who, transforms)[:, 1]
    ahead = -np.ascontiguousarray(T[:, :3, 2])
    goal = 0.3 * extent_m[rows] * np.clip(place[:, 3:6], -1.4, 1.4)
    T[:, :3, 3] = goal - tip - BEYOND_M * ahead
    bones = np.ones(len(BONES), bool)
    bones[FOREARM_BONE] = False
    same = np.broadcast_to(np.eye(3), (len(rows), 3, 3))
    ball = pose_flesh(rig, flesh, who, posed, T, left).ball
    gap = np.full(len(rows), -0.0004)
    thing = solid[rows]
    way = slide_to_solid(ball, flesh.group, bones, same, ahead, gap, pack, thing, 2 * BEYOND_M)
    met = np.isfinite(way)
    T[:, :3, 3] += np.where(met, way, 0.0)[:, None] * ahead

    transforms, _ = bone_transforms(rig, who, posed, T, left)
    order, start = part_vertices(rig)
    skin = skin_hands(rig, who, transforms)
    near = part_solid_gaps(skin, order, start, same, pack, thing, FAR_M)
    both = np.stack([angles[rows], posed], axis=1)
    poses = np.stack([T_object_from_first, T], axis=1)
    _, depth = measure_pairs(
        rig, flesh, who, both, poses, np.stack([~left, left], axis=1), forearms=False
    )
    limit = config.max_penetration_mm / 1000
    ok = met & (near[:, INDEX_TIP] <= TOUCH_M) & (near.min(1) >= -limit) & (depth <= limit)
    ok &= self_depth(rig, capsules, who, posed, left) <= OWN_LIMIT_M
    pick = np.arange(count) * TRIES + ok.reshape(count, TRIES).argmax(1)
    told = np.full((count, 2, PARTS), np.nan, np.float32)
    told[:, 1] = np.where(near[pick] < FAR_M, near[pick], np.nan)
    return SharedHolds(
        angles=both[pick],
        T_first_from_second=multiply(T_first_from_object, T[pick]),
        T_first_from_object=T_first_from_object,
        R_body_from_first=R_body_from_first,
        kind=np.full(count, -1),
        gap_m=told,
        ok=ok[pick],
    )
