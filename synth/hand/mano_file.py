"""MANO's model file as checked arrays of a right hand (Romero, Tzionas and Black, 2017).

The file is the user's own, from https://mano.is.tue.mpg.de; its licence forbids shipping it. A left
hand's file serves as well: it is mirrored.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from frames.errors import BadInput
from synth.hand.pickle_reader import read_pickle, to_array

NAMES: Final = ("MANO_RIGHT.pkl", "MANO_LEFT.pkl")
JOINTS: Final = 16
PARENTS: Final = (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 0, 10, 11, 0, 13, 14)
"""Wrist, then three joints each of index, middle, pinky, ring, thumb."""
MAX_BETAS: Final = 10


@dataclass(frozen=True)
class ManoModel:
    """A right hand in MANO's own axes; float64, metres."""

    template: np.ndarray
    """(V, 3)"""
    shape_basis: np.ndarray
    """(S, V, 3) offsets for unit betas."""
    pose_basis: np.ndarray
    """(15, 3, 3, V, 3) offsets for each entry of (rotation - identity) of joints 1 to 15."""
    joint_regressor: np.ndarray
    """(16, V)"""
    weights: np.ndarray
    """(V, 16) skin weights."""
    faces: np.ndarray
    """(F, 3) int32"""


def find_model(place: Path) -> Path:
    """The model file: `place` itself, or the right (else the left) hand's in the folder `place`.

    Raises BadInput if there is none.
    """
    if place.is_dir():
        for name in NAMES:
            if (place / name).is_file():
                return place / name
        raise BadInput(
            f"{place}: no {' or '.join(NAMES)} in it; download MANO from "
            "https://mano.is.tue.mpg.de and name the folder that holds these files"
        )
    if not place.is_file():
        raise BadInput(f"{place}: no such file or folder; expected MANO_RIGHT.pkl or its folder")
    return place


def read_model(place: Path) -> ManoModel:
    """Read and check a MANO file or the one in a folder; BadInput in one line if it will not do."""
    path = find_model(place)
    fields = read_pickle(path)

    def read(name: str, *shape: int) -> np.ndarray:
        return _field(fields, name, shape, path)

    template = read("v_template", -1, 3)
    count = len(template)
    shape_basis = read("shapedirs", count, 3, -1)[..., :MAX_BETAS]
    pose_basis = read("posedirs", count, 3, 9 * (JOINTS - 1))
    model = ManoModel(
        template=template,
        shape_basis=shape_basis.transpose(2, 0, 1),
        pose_basis=pose_basis.reshape(count, 3, JOINTS - 1, 3, 3).transpose(2, 3, 4, 0, 1),
        joint_regressor=read("J_regressor", JOINTS, count),
        weights=read("weights", count, JOINTS),
        faces=_faces(read("f", -1, 3), count, path),
    )
    tree = read("kintree_table", 2, JOINTS)[0]
    if tuple(tree[1:].astype(np.int64)) != PARENTS[1:]:
        raise BadInput(
            f"{path}: kintree_table is not MANO's tree of 16 joints; is this another model?"
        )
    if model.weights.min() < -1e-6 or np.abs(model.weights.sum(1) - 1).max() > 1e-3:
        raise BadInput(f"{path}: weights must be >= 0 and sum to 1 at every vertex; is it intact?")
    return _mirror(model) if "LEFT" in path.name.upper() else model


def _field(fields: dict[str, Any], name: str, shape: tuple[int, ...], path: Path) -> np.ndarray:
    if name not in fields:
        raise BadInput(f"{path}: has no {name}; expected a MANO model file")
    found = to_array(fields[name], f"{path}: {name}")
    expected = "(" + ", ".join("any" if n < 0 else str(n) for n in shape) + ")"
    fits = found.ndim == len(shape) and all(
        size > 0 and n in (-1, size) for n, size in zip(shape, found.shape, strict=True)
    )
    if not fits:
        raise BadInput(f"{path}: {name} has shape {found.shape}, expected {expected}")
    found = found.astype(np.float64)
    if not np.isfinite(found).all():
        raise BadInput(f"{path}: {name} holds numbers that are not finite; is the file intact?")
    return found


def _faces(faces: np.ndarray, count: int, path: Path) -> np.ndarray:
    if faces.min() < 0 or faces.max() >= count:
        raise BadInput(f"{path}: f names vertex {int(faces.max())}, but there are {count}")
    return faces.astype(np.int32)


def _mirror(left: ManoModel) -> ManoModel:
    """The right hand of a left one: x changes sign, in vectors and in rotations."""
    flip = np.array([-1.0, 1.0, 1.0])
    shapes = left.shape_basis * flip
    # The official left file carries the right hand's shape offsets, x and all. Its first component
    # is size: x must grow with x as y does with y. Where it does not, x has the wrong sign.
    centred = left.template - left.template.mean(0)
    growth = (left.shape_basis[0] * centred).sum(0)
    if growth[0] * (growth[1] + growth[2]) < 0:
        shapes = left.shape_basis
    return ManoModel(
        template=left.template * flip,
        shape_basis=shapes,
        pose_basis=left.pose_basis * flip * (flip[:, None] * flip)[None, :, :, None, None],
        joint_regressor=left.joint_regressor,
        weights=left.weights,
        faces=np.ascontiguousarray(left.faces[:, ::-1]),
    )
