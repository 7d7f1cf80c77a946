"""Camera files: what is read, and one clear line for everything that cannot be."""

import json
from pathlib import Path
from typing import Any

import pytest

from frames.camera import CAMERAS, load_camera
from frames.camera_file import build_camera
from frames.errors import BadInput

ZED = {
    "width": 640,
    "height": 360,
    "fx": 345.6855,
    "fy": 346.255,
    "cx": 329.8525,
    "cy": 178.176,
    "depth_scale_per_m": 10000,
    "model": "pinhole",
}


def write(folder: Path, values: Any, name: str = "camera.json") -> Path:
    path = folder / name
    path.write_text(values if isinstance(values, str) else json.dumps(values))
    return path


def test_reads_json_and_toml_alike(tmp_path: Path) -> None:
    toml = "\n".join(f"{k} = {json.dumps(v)}" for k, v in ZED.items())
    one = load_camera(write(tmp_path, ZED))
    two = load_camera(str(write(tmp_path, toml, "camera.toml")))
    assert one == two
    assert (one.model, one.width, one.fy, one.cx) == ("pinhole", 640, 346.255, 329.8525)


@pytest.mark.parametrize("name", CAMERAS)
def test_a_preset_survives_its_file(name: str, tmp_path: Path) -> None:
    assert load_camera(write(tmp_path, CAMERAS[name].to_dict())) == CAMERAS[name]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"fx": -1}, "fx must be a focal length > 0 px, got -1"),
        ({"fy": 0}, "fy must be"),
        ({"fx": "wide"}, "fx must be"),
        ({"fx": True}, "fx must be"),
        ({"fx": float("nan")}, "fx must be"),
        ({"cx": float("inf")}, "cx must be"),
        ({"cy": None}, "cy must be"),
        ({"width": 0}, "width must be"),
        ({"width": 640.5}, "width must be"),
        ({"height": 10**9}, "height must be a whole number from 1 to 8192"),
        ({"height": True}, "height must be"),
        (
            {"model": "fisheye"},
            "one of pinhole, brown-conrady, kannala-brandt, got 'fisheye'",
        ),
        ({"model": 3}, "model must be"),
        ({"model": ["pinhole"]}, "model must be"),
        ({"distortion": [0.1]}, "must have 0 coefficients, got 1"),
        ({"model": "brown-conrady", "distortion": [0.1] * 6}, "4 or 5 or 8 coefficients, got 6"),
        ({"model": "kannala-brandt"}, "must have 4 coefficients, got 0"),
        ({"model": "kannala-brandt", "distortion": [0, 0, 0, "x"]}, "list of numbers"),
        ({"model": "kannala-brandt", "distortion": [0, 0, 0, float("nan")]}, "finite"),
        ({"model": "kannala-brandt", "distortion": 7}, "list of numbers"),
        ({"max_theta_rad": 90}, "max_theta_rad must lie between 0 and pi / 2"),
        ({"max_theta_rad": "wide"}, "max_theta_rad"),
        ({"depth_scale_per_m": -5}, "depth_scale_per_m must be > 0, got -5"),
        ({"focal": 5}, "unknown key 'focal'"),
    ],
)
def test_one_line_names_the_value_and_the_file(
    change: dict[str, Any], said: str, tmp_path: Path
) -> None:
    path = write(tmp_path, {**ZED, **change})
    with pytest.raises(BadInput) as raised:
        load_camera(path)
    assert said in str(raised.value)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("key", ["model", "width", "fx", "cy"])
def test_a_missing_key_is_named(key: str, tmp_path: Path) -> None:
    values = {k: v for k, v in ZED.items() if k != key}
    with pytest.raises(BadInput, match=f"lacks {key}$"):
        load_camera(write(tmp_path, values))


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("not json", "c.json", "not valid JSON"),
        ("", "c.json", "not valid JSON"),
        ("[1, 2]", "c.json", "one object"),
        ("[" * 100_000, "c.json", "not valid JSON"),
        ("a = ", "c.toml", "not valid TOML"),
        (" " * 2_000_000, "c.json", "not a camera"),
    ],
)
def test_what_is_no_camera_file(text: str, name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=said) as raised:
        load_camera(write(tmp_path, text, name))
    assert "\n" not in str(raised.value)


def test_binary_and_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="not text"):
        load_camera(tmp_path / "x.json")
    with pytest.raises(BadInput, match="cannot read"):
        load_camera(tmp_path)


def test_a_whole_number_written_as_float_is_one() -> None:
    assert build_camera({**ZED, "width": 640.0}).width == 640
