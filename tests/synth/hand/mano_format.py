"""A model in MANO's file format, made from the embedded hand: no real MANO file may be kept here.

The mesh is cut open at the wrist and simplified to 778 vertices, its tips are numbered as MANO's,
and it is turned and shifted into other axes. Pose and shape offsets are made up.
"""

import pickle
import sys
import types
from typing import Any

import numpy as np
import pytest

from synth.hand.bones import TIP_BONES
from synth.hand.builtin import load_asset
from synth.hand.mano import MANO_BONE
from synth.hand.rig import extreme_points, unit

VERTICES = 778
TIPS = (744, 320, 443, 554, 671)
PARENTS = (4294967295, 0, 1, 2, 0, 4, 5, 0, 7, 8, 0, 10, 11, 0, 13, 14)


def make_fields(seed: int = 0) -> dict[str, Any]:
    """The fields of a right hand's file, as plain arrays."""
    rng = np.random.default_rng(seed)
    asset = load_asset()
    bones = asset["skin_bone"].astype(np.int64)
    dense = np.zeros((len(bones), 21))
    np.put_along_axis(dense, bones, asset["skin_weight"].astype(np.float64), axis=1)
    joints, ends = asset["joints"][:21].astype(np.float64), asset["joints"][21:]
    directions = unit(ends - joints[list(TIP_BONES)])
    tips = extreme_points(asset["template"], directions, bones)

    points, faces = asset["template"].astype(np.float64), asset["faces"].astype(np.int64)
    faces = faces[(points[faces, 2] < 0.07).all(1)]
    kept, faces = _collapse(points, faces, VERTICES, set(tips.tolist()))
    order = np.empty(VERTICES, np.int64)  # order[new] = index into kept
    tip_places = [int(np.flatnonzero(kept == t)[0]) for t in tips]
    order[list(TIPS)] = tip_places
    free = [k for k in range(VERTICES) if k not in TIPS]
    order[free] = [k for k in range(VERTICES) if k not in tip_places]
    faces = np.argsort(order)[faces]
    points, dense = 0.19 * points[kept[order]], dense[kept[order]]

    weights = np.zeros((VERTICES, 16))
    for joint, bone in enumerate(MANO_BONE):
        weights[:, joint] = dense[:, bone]
    weights[:, 0] += dense[:, [b for b in range(21) if b not in MANO_BONE]].sum(1)
    weights /= weights.sum(1, keepdims=True)

    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    shift = rng.normal(size=3) * 0.1
    template = points @ turn.T + shift
    regressor = _regressor(template, 0.19 * joints[MANO_BONE] @ turn.T + shift)
    centred = template - template.mean(0)
    warps = 0.02 * rng.normal(size=(10, 3, 3))
    warps[0] = 0.05 * np.eye(3)
    return {
        "v_template": template,
        "shapedirs": np.einsum("kij,vj->vik", warps, centred),
        "posedirs": 2e-4 * rng.normal(size=(VERTICES, 3, 135)),
        "J_regressor": regressor,
        "weights": weights,
        "f": faces.astype(np.uint32),
        "kintree_table": np.array([PARENTS, range(16)], dtype=np.uint32),
        "hands_components": rng.normal(size=(45, 45)),
        "hands_mean": 0.2 * rng.normal(size=45),
        "bs_style": "lbs",
        "bs_type": "lrotmin",
    }


def mirror_fields(right: dict[str, Any], faulty_shapes: bool) -> dict[str, Any]:
    """The left hand's file; the official one carries the right hand's shape offsets."""
    flip = np.array([-1.0, 1.0, 1.0])
    signs = np.tile(np.outer(flip, flip).ravel(), 15)
    return right | {
        "v_template": right["v_template"] * flip,
        "shapedirs": right["shapedirs"] * (1.0 if faulty_shapes else flip[:, None]),
        "posedirs": right["posedirs"] * flip[:, None] * signs,
        "f": right["f"][:, ::-1],
    }


def write_pickle(
    fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch, protocol: int = 2
) -> bytes:
    """The file's bytes as MANO's are: chumpy objects, scipy's sparse matrix, numpy's old names."""
    modules = {name: types.ModuleType(name) for name in _CLASSES.values()}
    for cls, module in _CLASSES.items():
        cls.__module__ = module
        setattr(modules[module], cls.__name__, cls)
    with monkeypatch.context() as patch:
        for package in ("chumpy", "scipy", "scipy.sparse"):
            patch.setitem(sys.modules, package, types.ModuleType(package))
        for name, module in modules.items():
            patch.setitem(sys.modules, name, module)
        shapes = fields["shapedirs"]
        pool = np.concatenate([np.zeros(7), shapes.ravel()])
        written = fields | {
            "v_template": Ch(x=fields["v_template"]),
            "shapedirs": Select(
                a=Ch(x=pool), idxs=np.arange(7, len(pool)), preferred_shape=shapes.shape
            ),
            "J_regressor": csc_matrix(fields["J_regressor"]),
        }
        data = pickle.dumps(written, protocol=protocol)
    if protocol <= 2:
        data = data.replace(b"cnumpy._core.", b"cnumpy.core.")
    return data


class Ch:
    """Like chumpy.ch.Ch: its value is in x; sets are among its bookkeeping."""

    def __init__(self, **state: Any) -> None:
        self.__dict__.update(state, _dirty_vars={"x"}, _itr=None)


class Select(Ch):
    """Like chumpy.reordering.Select."""


class csc_matrix:  # noqa: N801 - scipy's name
    """Like scipy.sparse.csc_matrix."""

    def __init__(self, dense: np.ndarray) -> None:
        column, row = np.nonzero(dense.T)
        self.__dict__.update(
            _shape=dense.shape,
            maxprint=50,
            data=dense[row, column],
            indices=row.astype(np.int32),
            indptr=np.searchsorted(column, np.arange(dense.shape[1] + 1)).astype(np.int32),
        )


_CLASSES = {Ch: "chumpy.ch", Select: "chumpy.reordering", csc_matrix: "scipy.sparse.csc"}


def _regressor(vertices: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """(16, V) sparse weights that sum to 1 and give the joints exactly."""
    out = np.zeros((len(joints), len(vertices)))
    for k, joint in enumerate(joints):
        near = np.argsort(((vertices - joint) ** 2).sum(1))[:24]
        system = np.vstack([(vertices[near] - joint).T, np.ones(24)])
        out[k, near] = np.linalg.lstsq(system, np.array([0.0, 0, 0, 1]), rcond=None)[0]
    return out


def _collapse(
    points: np.ndarray, faces: np.ndarray, target: int, keep: set[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Merge short edges into one of their ends until `target` vertices are left.

    Returns the old indices of the vertices kept, ascending, and the new faces. An edge is merged
    only if the mesh stays a manifold (the ends share exactly the two opposite corners) and its
    removed end is neither on the rim nor in `keep`.
    """
    corners = {k: set(face) for k, face in enumerate(faces.tolist())}
    order = {k: list(face) for k, face in enumerate(faces.tolist())}
    around: dict[int, set[int]] = {}
    for k, face in corners.items():
        for v in face:
            around.setdefault(v, set()).add(k)

    def neighbours(v: int) -> set[int]:
        return set().union(*(corners[k] for k in around[v])) - {v}

    fixed = keep | {v for v in around if len(neighbours(v)) != len(around[v])}
    while len(around) > target:
        edges = sorted({(min(a, b), max(a, b)) for a in around for b in neighbours(a)})
        lengths = np.linalg.norm(
            points[[a for a, _ in edges]] - points[[b for _, b in edges]], axis=1
        )
        touched: set[int] = set()
        for e in np.argsort(lengths, kind="stable"):
            a, b = edges[e]
            gone, stay = (a, b) if a not in fixed else (b, a)
            if gone in fixed or touched & {gone, stay}:
                continue
            ring = neighbours(gone)
            if touched & ring or len(ring & neighbours(stay)) != 2:
                continue
            for k in list(around[gone]):
                for v in corners[k]:
                    around[v].discard(k)
                order[k] = [stay if v == gone else v for v in order[k]]
                corners[k] = set(order[k])
                if len(corners[k]) == 3:
                    for v in corners[k]:
                        around[v].add(k)
                else:
                    del corners[k], order[k]
            del around[gone]
            touched |= ring | {gone, stay}
            if len(around) == target:
                break
    kept = np.array(sorted(around), dtype=np.int64)
    return kept, np.searchsorted(kept, np.array(list(order.values())))
