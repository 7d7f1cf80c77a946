"""The hands of a batch of scenes: whose, doing what, where."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Hands:
    """N posed hands of B frames, in the order of frame and slot."""

    frame: np.ndarray
    """(N,) index into the batch."""
    slot: np.ndarray
    """(N,) whose hand it is in its frame: 0 and 1 are the wearer's, 2 and 3 another's."""
    left: np.ndarray
    """(N,) bool"""
    identity: np.ndarray
    """(N,) index into the rig's people."""
    action: np.ndarray
    """(N,) index into `synth.scene.situation.SITUATIONS`."""
    angles: np.ndarray
    """(N, 29) rad"""
    preset: np.ndarray
    """(N,) named pose shown, -1 for none."""
    grasp: np.ndarray
    """(N,) index into the grasps, -1 for none."""
    solid: np.ndarray
    """(N,) the thing held or touched, -1 for none."""
    thing: np.ndarray
    """(N,) the slot whose place among the frame's objects that thing has."""
    T_wrist_from_object: np.ndarray
    """(N, 4, 4) where that thing is."""
    plane: np.ndarray
    """(N, 4) the surface that it is on or over, in its wrist frame; NaN for none."""
    edge: np.ndarray
    """(N, 4) the plane m . x = e where that surface ends, in the wrist frame; NaN for none near."""
    thickness: np.ndarray
    """(N,) metres of the slab whose edge it is, NaN for none."""
    stands: np.ndarray
    """(N,) bool: its thing stands on the scene's table."""
    on_table: np.ndarray
    """(N,) bool: that surface is the scene's table."""
    T_world_from_wrist: np.ndarray
    """(N, 4, 4)"""
    T_world_from_body: np.ndarray
    """(N, 4, 4) of the person."""
    elbow: np.ndarray
    """(N, 3) world."""
    shoulder: np.ndarray
    """(N, 3) world."""
    swivel: np.ndarray
    """(N,) rad, the elbow's turn about the line from shoulder to wrist."""

    @cached_property
    def number(self) -> np.ndarray:
        """(N,) place in the frame's list of hands: names its layer and its part codes."""
        return np.arange(len(self.frame)) - np.searchsorted(self.frame, self.frame)

    @property
    def wearer(self) -> np.ndarray:
        """(N,) bool: belongs to the person with the camera."""
        return self.slot < 2


def join_hands(groups: Sequence[Hands]) -> Hands:
    """All of them in the order of frame and slot."""
    joined = {f.name: np.concatenate([getattr(g, f.name) for g in groups]) for f in fields(Hands)}
    order = np.lexsort((joined["slot"], joined["frame"]))
    return Hands(**{name: values[order] for name, values in joined.items()})


def none_of_hands() -> Hands:
    """No hand at all."""
    shapes = {
        "angles": (0, 29),
        "T_wrist_from_object": (0, 4, 4),
        "plane": (0, 4),
        "edge": (0, 4),
        "T_world_from_wrist": (0, 4, 4),
        "T_world_from_body": (0, 4, 4),
        "elbow": (0, 3),
        "shoulder": (0, 3),
    }
    kinds = {"left": bool, "stands": bool, "on_table": bool}
    whole = {"frame", "slot", "identity", "action", "preset", "grasp", "solid", "thing"}
    return Hands(
        **{
            f.name: np.zeros(
                shapes.get(f.name, (0,)),
                kinds.get(f.name, np.int64 if f.name in whole else np.float64),
            )
            for f in fields(Hands)
        }
    )
