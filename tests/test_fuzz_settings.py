"""Configurations, sensor profiles, cameras and boxes, broken: one clear line each."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from fuzzing import SEEDS, Target, few, harm_bytes, harm_json, harm_toml, meet, meets_refusals
from hypothesis import given

from augment.occluding import choose_occluding
from augment.profile import load_profile
from console.settings import expand_settings
from frames.camera_file import read_camera
from frames.store.place import find_place
from synth.config_check import check_config
from synth.config_file import load_config

ROOT = Path(__file__).resolve().parent.parent

CAMERA = {
    "model": "brown-conrady", "width": 320, "height": 240, "fx": 200.0, "fy": 201.5, "cx": 159.5,
    "cy": 120.0, "distortion": [0.1, -0.02, 0.001, 0.0], "max_theta_rad": 1.2,
    "depth_scale_per_m": 1000,
}  # fmt: skip

OCCLUSION = """share_before = 0.5
number_before = [1, 3]
share_cut = 0.1
strap = 1.5
clearance_m = [0.003, 0.15]
flesh_m = 0.02
cut_of_hand = [0.1, 0.6]
dropout_number = [1, 4]
steady = true
"""

SYNTH = """frames = 10
seed = 3
camera = "ego-small"
sequence-length = 4
fps = 30.0
split = "train:0.8,val:0.2"
identities = 8
renderer = "raster"
[scene]
object_share = 0.3
[scene.body]
distance_m = [0.2, 0.4]
pitch_deg = [10.0, 5.0]
[scene.pose]
key_share = 0.2
[scene.situation]
grasp_share = 0.2
"""

TRAIN = """data = ["a", "b"]
mix = [0.8, 0.2]
batch = 64
model = "handlite"
amp = true
[shape]
input_px = 128
width = 1.0
"""


def copy(source: str) -> Callable[[Path], Path]:
    """Writes a file of the repository."""

    def write(folder: Path) -> Path:
        path = folder / Path(source).name
        path.write_bytes((ROOT / source).read_bytes())
        return path

    return write


def put(name: str, text: str) -> Callable[[Path], Path]:
    """Writes a text."""

    def write(folder: Path) -> Path:
        path = folder / name
        path.write_text(text)
        return path

    return write


def read_synth(path: Path) -> None:
    check_config(load_config(path))


def read_profile(path: Path) -> None:
    profile = load_profile(path)
    profile.to_dict()


def read_place(path: Path) -> None:
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    str(find_place(text))


TARGETS = (
    Target("synth", put("a.toml", SYNTH), read_synth, harm_toml),
    Target("synth-example", copy("examples/at_work.toml"), read_synth, harm_toml),
    Target("profile", copy("augment/profiles/d435.toml"), read_profile, harm_toml),
    Target("mixture", copy("augment/profiles/random.toml"), read_profile, harm_toml),
    Target("occlusion", put("a.toml", OCCLUSION), lambda p: choose_occluding(p, 1), harm_toml),
    Target("camera-json", put("a.json", json.dumps(CAMERA)), read_camera, harm_json),
    Target(
        "camera-toml",
        put("a.toml", "\n".join(f"{k} = {json.dumps(v)}" for k, v in CAMERA.items())),
        read_camera,
        harm_toml,
    ),
    Target(
        "train", put("a.toml", TRAIN), lambda p: expand_settings(["--config", str(p)]), harm_toml
    ),
    Target("place", put("place", "s3://bucket/some/prefix"), read_place, harm_bytes),
)


@pytest.mark.parametrize("target", TARGETS, ids=lambda t: t.name)
@few(60)
@given(seed=SEEDS)
def test_broken(target: Target, seed: int) -> None:
    meet(target, seed)


@pytest.mark.parametrize("target", TARGETS, ids=lambda t: t.name)
def test_what_is_broken_is_read(target: Target) -> None:
    """Else there would be nothing to refuse."""
    assert meets_refusals(target) != target.patient
