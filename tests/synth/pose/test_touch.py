"""Fingertips that should touch do, on the mesh: no gap over 1 mm, no depth over 2 mm."""

from functools import cache

import numpy as np
import pytest

from synth.config import PoseConfig
from synth.hand.bones import BONE_PART
from synth.pose.library import NUMBER_OF, PARTS, PRESETS, fit_presets
from synth.pose.sampler import sample_poses
from tests.synth.hand.rigs import people
from tests.synth.hand.winding import Solid, cut_solids, surface_distance, winding_numbers
from tests.synth.pose.fitted import COUNT, flesh, skins

TOUCHING = [p.name for p in PRESETS if p.touch]


@cache
def solids() -> dict[int, Solid]:
    """The parts of the hand by their codes."""
    return {s.part: s for s in cut_solids(people(COUNT))}


def measure_touch(vertices: np.ndarray, a: int, b: int) -> tuple[float, float]:
    """Gap and depth in metres between the skins of parts a and b of one hand, vertices (V, 3)."""
    rig = people(COUNT)
    points = vertices.astype(np.float64)
    gap, depth = np.inf, 0.0
    for mine, other in ((a, b), (b, a)):
        own = np.unique(rig.faces[rig.face_parts == mine])
        skin = points[solids()[other].skin]
        closed = [skin]
        for edges in solids()[other].rims:
            middle = np.broadcast_to(points[edges].mean((0, 1)), (len(edges), 3))
            closed.append(np.stack([points[edges[:, 0]], points[edges[:, 1]], middle], 1))
        away = surface_distance(points[own], skin)
        inside = winding_numbers(points[own], np.concatenate(closed)) > 0.5
        gap = min(gap, 0.0 if inside.any() else away.min())
        depth = max(depth, away[inside].max(initial=0.0))
    return float(gap), float(depth)


def _check(preset: int, vertices: np.ndarray) -> None:
    for (a, *_), (b, *_) in PRESETS[preset].touch:
        gap, depth = measure_touch(vertices, BONE_PART[a], BONE_PART[b])
        where = f"{PRESETS[preset].name}: gap {1000 * gap:.2f}, depth {1000 * depth:.2f} mm"
        assert gap <= 0.001 and depth <= 0.002, where


def test_key_poses_that_touch_are_declared() -> None:
    touching = {p.key_pose for p in PARTS["key"] if p.touch}
    assert touching == {"pinch", "OK"}
    assert all(p.touch for p in PRESETS if p.key_pose in ("pinch", "OK"))


@pytest.mark.parametrize("name", TOUCHING)
def test_named_pose_touches_on_everyone(name: str) -> None:
    who = np.arange(0, COUNT, 4)
    preset = NUMBER_OF[name]
    vertices, points = skins(who, fit_presets(flesh(), who, np.full(len(who), preset)))
    for skin in vertices:
        _check(preset, skin)
    if PRESETS[preset].key_pose in ("pinch", "OK"):
        # The thumb's and the index finger's, and by their pads: tips meet, nails look outward.
        tips = [np.linalg.norm(points[:, 4] - points[:, t], axis=1) for t in (8, 12, 16, 20)]
        assert (np.argmin(tips, axis=0) == 0).all()
        assert (tips[0] < 0.03).all()


def test_sampled_poses_touch_as_exactly() -> None:
    """Deviations are drawn first; contact is made after them."""
    frames = np.arange(600)
    who = frames % COUNT
    config = PoseConfig(
        key_share=1.0, gesture_share=0.0, number_share=0.0, asl_share=0.0,
        grasp_share=0.0, recorded_share=0.0, between_share=0.0,
    )  # fmt: skip
    poses = sample_poses(config, 3, frames, "touch", flesh(), who)
    shown = [k for k in frames if poses.preset[k] >= 0 and PRESETS[poses.preset[k]].touch]
    assert len(shown) > 100
    vertices, _ = skins(who[shown], poses.angles[shown])
    for k, skin in zip(shown, vertices, strict=True):
        _check(int(poses.preset[k]), skin)
