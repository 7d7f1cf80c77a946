"""The surfaces of a frame's hands, posed again from what its labels say.

A synthetic dataset names its hand model and people: the mesh is the one that was rendered, to the
rounding of the stored angles (micrometres). Hands that a person labelled and the hand model was
fitted to carry the embedded hand's shape with them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from frames.errors import BadInput
from frames.record import Frame, Hand
from synth.hand.angles import DOFS
from synth.hand.builtin import load_asset, size_rig
from synth.hand.glove import glove_rig, vertex_normals
from synth.hand.kinematics import pose_hands
from synth.hand.rig import Rig
from synth.hand.shape import FOREARM_PER_HAND, Bodies

SHAPE: Final = 17
"""Numbers of the embedded hand's shape: length and breadth, five fingers, ten components."""


@dataclass(frozen=True)
class PosedMesh:
    """One hand's surface."""

    vertices_m: NDArray[np.float32]
    """(V, 3) in the camera's axes."""
    faces: NDArray[np.int32]
    """(F, 3) outward."""
    normals: NDArray[np.float32]
    """(V, 3) unit, outward."""


Mesher = Callable[[Hand], PosedMesh | None]


def open_mesher(meta: Mapping[str, Any]) -> Mesher:
    """What makes meshes of a dataset's hands; None for a hand that does not say its pose and shape.

    meta: the contents of dataset.json. Raises BadInput where the hand model that it names cannot be
    loaded, as MANO's without its file.
    """
    rig = _open_people(meta)
    gloved = None if rig is None else cache(partial(glove_rig, rig))

    def mesh(hand: Hand) -> PosedMesh | None:
        pose, angles = hand.T_camera_from_wrist, hand.joint_angles_rad
        if pose is None or angles is None or len(angles) != len(DOFS):
            return None
        if not (np.isfinite(pose).all() and np.isfinite(angles).all()):
            return None
        if rig is None or gloved is None:
            return None if hand.shape is None else _pose(shape_rig(hand.shape), 0, hand)
        if hand.identity is None or not 0 <= hand.identity < len(rig.rest_vertices):
            return None
        worn = (hand.worn or "").split(",")
        return _pose(gloved() if "glove" in worn else rig, hand.identity, hand)

    return mesh


def mesh_frame(mesher: Mesher, frame: Frame) -> list[PosedMesh | None]:
    """The surface of each hand of a frame."""
    return [mesher(hand) for hand in frame.hands]


def shape_rig(shape: NDArray[np.float32]) -> Rig | None:
    """The embedded hand of one person, from `Hand.shape`; None for another model's shape."""
    if shape.shape != (SHAPE,) or not np.isfinite(shape).all():
        return None
    s = shape.astype(np.float64)[None]
    bodies = Bodies(
        female=np.zeros(1, bool),
        length_m=s[:, 0],
        breadth_m=s[:, 1],
        finger_scale=s[:, 2:7],
        components=s[:, 7:],
        forearm_m=FOREARM_PER_HAND * s[:, 0],
    )
    return size_rig("builtin", load_asset(), bodies)


def _open_people(meta: Mapping[str, Any]) -> Rig | None:
    """The people of a synthetic dataset; None for captures, whose hands bring their own shapes."""
    config = meta.get("config")
    if not isinstance(config, Mapping) or "hand" not in config:
        return None
    seed, identities = config.get("seed"), config.get("identities")
    if not isinstance(seed, int) or not isinstance(identities, int):
        raise BadInput("config in dataset.json lacks seed or identities: was it edited?")
    from synth.generator import load_rig

    return load_rig(str(config["hand"]), seed, identities)


def _pose(rig: Rig | None, identity: int, hand: Hand) -> PosedMesh | None:
    if rig is None:
        return None
    vertices, _ = pose_hands(
        rig,
        np.array([identity]),
        np.asarray(hand.joint_angles_rad, np.float64)[None],
        np.asarray(hand.T_camera_from_wrist, np.float64)[None],
        np.array([hand.side == "left"]),
    )
    # A left hand is a right one mirrored, so its faces are the other way round.
    faces = rig.faces[:, ::-1] if hand.side == "left" else rig.faces
    faces = np.ascontiguousarray(faces, np.int32)
    normals = vertex_normals(vertices.astype(np.float64), faces)[0]
    return PosedMesh(vertices[0], faces, normals.astype(np.float32))
