"""Meshes posed again from labels, against the labels and the depth that were rendered of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from frames.errors import BadInput
from frames.parts import FOREARM
from frames.skeleton import TIPS
from frames.store.dataset import Dataset, open_dataset
from synth.config import SynthConfig
from synth.engine import generate
from synth.hand.builtin import load_asset
from synth.hand.glove import THICKNESS_M
from synth.posed_meshes import PosedMesh, mesh_frame, open_mesher, shape_rig


class Silent:
    """Progress that nobody looks at."""

    def begin(self, total: int, there: int) -> None:
        """Nothing."""

    def advance(self, count: int) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    out = tmp_path_factory.mktemp("posed") / "data"
    config = SynthConfig(frames=32, seed=5, camera="ego-small", frames_per_shard=32, identities=64)
    generate(out, config, 1, "1/1", Silent())
    return open_dataset(out)


def measure_volume(mesh: PosedMesh) -> float:
    """By the divergence theorem: positive if the faces look outward."""
    a, b, c = (mesh.vertices_m[mesh.faces[:, k]].astype(np.float64) for k in range(3))
    origin = mesh.vertices_m.mean(0)
    return float((np.cross(b - a, c - a) * (a - origin)).sum() / 6)


def test_tips_are_the_labelled_ones(data: Dataset) -> None:
    """A tip is a vertex: to the micrometre, for both sides."""
    mesh = open_mesher(data.meta)
    sides = set()
    for frame in data:
        for hand, surface in zip(frame.hands, mesh_frame(mesh, frame), strict=True):
            assert surface is not None
            tips = hand.keypoints_cam_m[list(TIPS)].astype(np.float64)
            away = np.linalg.norm(surface.vertices_m[:, None] - tips, axis=-1).min(0)
            if "glove" not in (hand.worn or ""):
                assert away.max() < 1e-6
                sides.add(hand.side)
            assert 1e-4 < measure_volume(surface) < 3e-3
    assert sides == {"left", "right"}


def test_the_mesh_is_what_was_rendered(data: Dataset) -> None:
    """Nothing of a bare hand lies before what was rendered at its pixel, and much of it there."""
    mesh, off = open_mesher(data.meta), []
    for frame in data:
        for hand, surface in zip(frame.hands, mesh_frame(mesh, frame), strict=True):
            if surface is None or hand.worn:
                continue
            points = surface.vertices_m.astype(np.float64)
            toward = -(surface.normals * points).sum(-1) / np.linalg.norm(points, axis=-1)
            px = np.rint(frame.camera.project(points))
            inside = frame.camera.contains(px) & (toward > 0.8)
            u, v = px[inside].astype(int).T
            own = frame.parts[v, u].astype(int) - hand.part_base
            on_hand = (own > 0) & (own < FOREARM)
            z = frame.clean_depth[v, u] / frame.depth_scale
            off.append((z - points[inside][:, 2])[on_hand])
    differences = np.concatenate(off)
    assert len(differences) > 1000
    # Half a pixel of 160 is 1.3 mm at arm's length, and these slopes are below 37 degrees.
    assert np.percentile(differences, 98) < 2e-3
    assert (np.abs(differences) < 2e-3).mean() > 0.4


def test_a_shape_alone_makes_the_same_hand(data: Dataset) -> None:
    """As labelled captures have it; only the forearm's length is not in it."""
    known, alone = open_mesher(data.meta), open_mesher({})
    asset = load_asset()
    bone = np.take_along_axis(
        asset["skin_bone"], asset["skin_weight"].argmax(1)[:, None].astype(int), 1
    )[:, 0]
    checked = 0
    for frame in data:
        for hand in frame.hands:
            if "glove" in (hand.worn or ""):
                continue
            a, b = known(hand), alone(replace(hand, identity=None))
            assert a is not None and b is not None
            fingers = bone > 1
            away = np.abs(a.vertices_m - b.vertices_m)[fingers]
            assert away.max() < 2e-5 * np.abs(hand.shape[0]) / 0.19 + 1e-5
            checked += 1
    assert checked > 10


def test_gloves_are_thicker(data: Dataset) -> None:
    mesh = open_mesher(data.meta)
    hand = next(h for f in data for h in f.hands if not h.worn)
    bare, gloved = mesh(hand), mesh(replace(hand, worn="sleeve,glove"))
    moved = np.linalg.norm(gloved.vertices_m - bare.vertices_m, axis=-1)
    assert np.percentile(moved, 90) > 0.8 * THICKNESS_M and moved.max() < 1.3 * THICKNESS_M


def test_hands_without_a_pose_have_no_mesh(data: Dataset) -> None:
    mesh = open_mesher(data.meta)
    hand = next(h for f in data for h in f.hands)
    assert mesh(replace(hand, joint_angles_rad=None)) is None
    assert mesh(replace(hand, T_camera_from_wrist=None)) is None
    assert mesh(replace(hand, joint_angles_rad=hand.joint_angles_rad[:7])) is None
    assert mesh(replace(hand, identity=9999)) is None
    assert open_mesher({})(replace(hand, shape=None)) is None
    assert open_mesher({})(replace(hand, shape=hand.shape[:10])) is None
    assert shape_rig(np.full(17, np.nan, np.float32)) is None


def test_models_that_are_gone_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nowhere"):
        open_mesher({"config": {"hand": f"mano:{tmp_path}/nowhere", "seed": 1, "identities": 2}})
    with pytest.raises(BadInput, match="seed or identities"):
        open_mesher({"config": {"hand": "builtin"}})
