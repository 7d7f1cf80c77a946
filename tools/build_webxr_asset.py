#!/usr/bin/env python3
"""Derive the second hand (synth/hand/webxr.npz) from the WebXR input profiles' generic hand.

    npm pack @webxr-input-profiles/assets@1.0.20
    tar xzf webxr-input-profiles-assets-1.0.20.tgz package/dist/profiles/generic-hand/right.glb
    python tools/build_webxr_asset.py package/dist/profiles/generic-hand/right.glb \\
        synth/hand/webxr.npz

The package is MIT-licensed; see LICENSES/webxr-hand.md. The steps: merge the seams' doubled
vertices -> take the flat lid off the wrist -> palm's frame and unit hand length -> 25 WebXR joints
to our 21 bones -> smooth weights at the wrist -> a closed forearm.
"""

import json
import struct
import sys
from pathlib import Path

import numpy as np

from synth.hand.bones import BONES, FINGER_START, FINGERS, FOREARM_BONE, PALM, TIP_BONES
from synth.hand.forearm import (
    blend_wrist,
    find_opening,
    tube_faces,
    tube_vertices,
    tube_weights,
)
from synth.hand.mano import sparse_weights
from synth.hand.rig import extreme_points, unit
from synth.hand.shape import FOREARM_PER_HAND, hand_length

DTYPES = {5121: np.uint8, 5123: np.uint16, 5126: np.float32}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
LID_NORMAL_COSINE = 0.99
SEGMENTS = ("metacarpal", "phalanx-proximal", "phalanx-intermediate", "phalanx-distal")
WEBXR_BONES = (
    "wrist",
    None,
    *(f"thumb-{s}" for s in SEGMENTS if s != "phalanx-intermediate"),
    *(f"{f}-finger-{s}" for f in FINGERS for s in SEGMENTS),
)
"""WebXR's names of our 21 bones; it has no forearm."""
WEBXR_TIPS = ("thumb-tip", *(f"{f}-finger-tip" for f in FINGERS))


def read_glb(path: Path) -> tuple[dict, list[np.ndarray]]:
    """The JSON of a binary glTF 2.0 file and its accessors as arrays."""
    data = path.read_bytes()
    length = struct.unpack("<I", data[12:16])[0]
    scene = json.loads(data[20 : 20 + length])
    binary = data[28 + length :]
    arrays = []
    for accessor in scene["accessors"]:
        view = scene["bufferViews"][accessor["bufferView"]]
        width = WIDTHS[accessor["type"]]
        start = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
        dtype = DTYPES[accessor["componentType"]]
        flat = np.frombuffer(binary, dtype, accessor["count"] * width, start)
        arrays.append(flat.reshape(accessor["count"], width))
    return scene, arrays


def take_lid_off(vertices: np.ndarray, faces: np.ndarray, wrist: np.ndarray) -> np.ndarray:
    """Faces without the flat end behind the wrist: those parallel to the end's largest face."""
    edges = vertices[faces[:, 1:]] - vertices[faces[:, :1]]
    area = np.cross(edges[:, 0], edges[:, 1])
    normal = unit(area)
    behind = (vertices[faces].mean(1) - wrist) @ np.array([0.0, 1.0, 0.0]) > 0
    largest = np.flatnonzero(behind)[np.linalg.norm(area[behind], axis=1).argmax()]
    lid = behind & (normal @ normal[largest] > LID_NORMAL_COSINE)
    lid &= np.abs((vertices[faces].mean(1) - vertices[faces[largest, 0]]) @ normal[largest]) < 5e-4
    return faces[~lid]


def main(source: Path, out: Path) -> None:
    scene, arrays = read_glb(source)
    primitive = scene["meshes"][0]["primitives"][0]
    names = {a: arrays[k] for a, k in primitive["attributes"].items()}
    vertices, merged = np.unique(names["POSITION"].astype(np.float64), axis=0, return_inverse=True)
    faces = merged.ravel()[arrays[primitive["indices"]].reshape(-1, 3)]
    skin = scene["skins"][0]
    nodes = [scene["nodes"][k] for k in skin["joints"]]
    at = {n["name"]: np.array(n["translation"], dtype=np.float64) for n in nodes}
    place = [n["name"] for n in nodes]
    rigid = np.zeros((len(vertices), len(nodes)))
    rows = np.zeros((len(merged), len(nodes)))
    for k in range(4):
        rows[np.arange(len(rows)), names["JOINTS_0"][:, k]] += names["WEIGHTS_0"][:, k]
    rigid[merged.ravel()] = rows

    joints = np.stack([at[n] if n else at["wrist"] for n in WEBXR_BONES])
    ends = np.stack([at[n] for n in WEBXR_TIPS])
    faces = take_lid_off(vertices, faces, at["wrist"])
    used, faces = np.unique(faces, return_inverse=True)
    faces, vertices, rigid = faces.reshape(-1, 3), vertices[used], rigid[used]
    weights = np.zeros((len(vertices), len(BONES)))
    for bone, name in enumerate(WEBXR_BONES):
        if name:
            weights[:, bone] = rigid[:, place.index(name)]
    for tip, bone in zip(WEBXR_TIPS, TIP_BONES, strict=True):
        weights[:, bone] += rigid[:, place.index(tip)]
    weights /= weights.sum(1, keepdims=True)

    index, middle, pinky = (joints[FINGER_START[k] + 1] for k in (0, 1, 3))
    z = unit(joints[PALM] - middle)
    y = unit(np.cross(z, pinky - index))
    frame = np.stack([np.cross(y, z), y, z], axis=1)
    vertices, joints, ends = ((p - at["wrist"]) @ frame for p in (vertices, joints, ends))
    bones = sparse_weights(weights)[0]
    tips = extreme_points(vertices, unit(ends - joints[list(TIP_BONES)]), bones)
    length = hand_length(joints, vertices[tips[2]])
    vertices, joints, ends = vertices / length, joints / length, ends / length

    opening = find_opening(faces, str(source))
    assert opening is not None
    joints[FOREARM_BONE] = [0.0, 0.0, FOREARM_PER_HAND]
    added = tube_vertices(vertices[None], opening, joints[None, FOREARM_BONE])[0]
    faces = np.concatenate([faces, tube_faces(opening, len(vertices))])
    weights = blend_wrist(weights, vertices[:, 2], 1.0)
    weights = np.concatenate([weights, tube_weights(added[:, 2], 1.0)])
    vertices = np.concatenate([vertices, added])
    skin_bone, skin_weight = sparse_weights(weights)
    np.savez_compressed(
        out,
        template=vertices.astype(np.float32),
        joints=np.concatenate([joints, ends]).astype(np.float32),
        shape_vertices=np.zeros((0, *vertices.shape), np.float32),
        shape_joints=np.zeros((0, len(joints) + len(ends), 3), np.float32),
        faces=faces.astype(np.uint16),
        skin_bone=skin_bone.astype(np.uint8),
        skin_weight=skin_weight,
    )
    size = out.stat().st_size / 1e3
    print(f"{out}: {size:.0f} kB, {len(vertices)} vertices, {len(faces)} faces")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
