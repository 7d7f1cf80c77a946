"""What surrounds the hands: a room or none, tables, clutter, furniture, surfaces close behind.

Everything gives way to the foreground: it is drawn up first, and nothing here runs through it.
"""

from dataclasses import dataclass

import numpy as np

from frames.stream import uniform
from synth.config import RoomConfig
from synth.scene import backdrop, clutter, desk, desk_parts, furniture, shell
from synth.scene.foreground import Foreground
from synth.scene.furnishings import Furnishings


@dataclass(frozen=True)
class Surroundings:
    """Surroundings of B frames in their world frames, with M placed models in all."""

    present: np.ndarray
    """(B,) bool: is there a room?"""
    planes: np.ndarray
    """(B, 6, 4) outward normal and distance from the origin of walls, ceiling and floor."""
    table: np.ndarray
    """(B,) bool: is there a table? Where one was asked for and is not, an arm was in its way."""
    close_gap_m: np.ndarray
    """(B,) from a surface close behind the hands to what is nearest to it; NaN for none."""
    frame: np.ndarray
    """(M,) int64, rising."""
    model: np.ndarray
    """(M,) int64 index of `Furnishings.models`."""
    T_world_from_model: np.ndarray
    """(M, 4, 4) affine."""


def build_surroundings(
    config: RoomConfig,
    furnishings: Furnishings,
    seed: int,
    frame_ids: np.ndarray,
    foreground: Foreground,
    support: np.ndarray,
    support_point: np.ndarray,
    pictured: np.ndarray | None = None,
) -> Surroundings:
    """Surroundings of B frames; they depend on (seed, id), the foreground and the options only.

    support (B,): height in world z of a table that hands rest on, NaN for none, and support_point
    (B, 3) a point on it: the table's top is exactly there. pictured (B,) bool: frames before a
    picture of a real room have no room of their own, but a table that is asked for.
    """
    count = len(frame_ids)
    if pictured is None:
        pictured = np.zeros(count, bool)
    support = np.ascontiguousarray(support, np.float64)
    free = np.isnan(support) & ~pictured
    close = backdrop.place_backdrops(
        np.where(free, config.close_share, 0.0),
        config.close_gap_m,
        foreground,
        uniform(seed, frame_ids, "room/close", backdrop.DRAWS),
    )
    desks = desk.lay_desks(
        np.where(free & ~close.present, config.table_share, 0.0),
        foreground,
        support,
        np.ascontiguousarray(support_point, np.float64),
        uniform(seed, frame_ids, "room/table", desk.DRAWS),
    )
    shells = shell.build_shells(
        (config.empty_share, config.ground_share),
        config.wall_m,
        foreground,
        desks,
        uniform(seed, frame_ids, "room/walls", shell.DRAWS),
    )
    shells.present[pictured] = False
    stages = (
        desk_parts.build_desks(
            desks,
            foreground,
            -shells.planes[:, 5, 3],
            uniform(seed, frame_ids, "room/table parts", desk_parts.DRAWS),
        ),
        clutter.strew_clutter(
            config.clutter_mean,
            desks,
            foreground,
            furnishings.shapes,
            uniform(seed, frame_ids, "room/clutter", clutter.DRAWS),
        ),
        furniture.place_furniture(
            config.furniture_share,
            shells,
            desks,
            foreground,
            furnishings.shapes,
            uniform(seed, frame_ids, "room/furniture", furniture.DRAWS),
        ),
    )
    present = np.concatenate([close.present[:, None], *(s.present for s in stages)], axis=1)
    model = np.concatenate([close.model[:, None], *(s.model for s in stages)], axis=1)
    poses = np.concatenate(
        [close.T_world_from_model[:, None], *(s.T_world_from_model for s in stages)], axis=1
    )
    return Surroundings(
        shells.present,
        shells.planes,
        desks.kind != desk.NONE,
        np.where(close.present, close.gap_m, np.nan),
        np.nonzero(present)[0],
        model[present],
        poses[present],
    )
