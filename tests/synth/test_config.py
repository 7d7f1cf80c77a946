"""Configurations: every value checked, written and read without loss."""

import dataclasses
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frames.errors import BadInput
from synth.config import SceneConfig, SynthConfig
from synth.config_check import ENDS, PAIRS, RANGES, SPREADS, SUMS, check_config
from synth.config_file import config_from_meta, load_config


def test_the_defaults_can_be() -> None:
    check_config(SynthConfig())


def numbers(kind: Any, prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The path of every number in a configuration."""
    found = []
    for field in dataclasses.fields(kind):
        value = getattr(kind, field.name)
        if dataclasses.is_dataclass(value):
            found += numbers(value, (*prefix, field.name))
        elif isinstance(value, int | float | tuple) and not isinstance(value, bool):
            found.append((*prefix, field.name))
    return found


def put(config: Any, path: tuple[str, ...], value: Any) -> Any:
    """The configuration with one value replaced."""
    if len(path) > 1:
        value = put(getattr(config, path[0]), path[1:], value)
    return replace(config, **{path[0]: value})


def take(config: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        config = getattr(config, name)
    return config


@pytest.mark.parametrize("path", numbers(SynthConfig()), ids=".".join)
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf"), 10**400, -(10**9)])
def test_no_number_goes_unchecked(path: tuple[str, ...], bad: float) -> None:
    """The line names the option."""
    was = take(SynthConfig(), path)
    for value in [(bad, was[1]), (was[0], bad)] if isinstance(was, tuple) else [bad]:
        with pytest.raises(BadInput) as raised:
            check_config(put(SynthConfig(), path, value))
        assert ".".join(path) in str(raised.value)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize("pair", [(0.5, 0.5), (0.6, 0.4)])
@pytest.mark.parametrize("path", [("scene", "body", "distance_m"), ("scene", "room", "wall_m")])
def test_ranges_go_from_small_to_large(path: tuple[str, ...], pair: tuple[float, float]) -> None:
    with pytest.raises(BadInput, match="must go from small to large"):
        check_config(put(SynthConfig(), path, pair))


def test_shares_of_poses_are_shares() -> None:
    scene = put(SceneConfig(), ("pose", "key_share"), 0.8)
    with pytest.raises(BadInput, match=r"must add up to at most 1, got 1\.\d+"):
        check_config(SynthConfig(scene=scene))
    for part in ("gesture", "number", "asl", "grasp", "recorded"):
        scene = put(scene, ("pose", f"{part}_share"), 0.0)
    check_config(SynthConfig(scene=put(scene, ("pose", "between_share"), 0.2)))


def test_situations_exclude_each_other() -> None:
    scene = put(SceneConfig(), ("situation", "grasp_share"), 0.9)
    with pytest.raises(BadInput, match=r"shares of scene.situation must add up to at most 1, got"):
        check_config(SynthConfig(scene=scene))


def test_every_listed_number_exists() -> None:
    """No check of an option that is gone."""
    names = {".".join(path) for path in numbers(SynthConfig())}
    for table in (RANGES, PAIRS, SPREADS, ENDS):
        assert set(table) <= names
    for place, parts in SUMS.items():
        assert {f"{place}.{part}" for part in parts} <= names


def test_what_is_absent_is_default(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("[scene.room]\nwall-m = [1, 3]\n")
    config = load_config(tmp_path / "c.toml")
    assert config == put(SynthConfig(), ("scene", "room", "wall_m"), (1.0, 3.0))
    assert all(isinstance(x, float) for x in config.scene.room.wall_m)
    (tmp_path / "c.toml").write_text("")
    assert load_config(tmp_path / "c.toml") == SynthConfig()


@given(
    seed=st.integers(0, 2**63 - 1),
    share=st.floats(0, 1),
    near=st.floats(0.12, 0.5),
    camera=st.text(max_size=20),
)
def test_metadata_keep_a_configuration_to_the_bit(
    seed: int, share: float, near: float, camera: str
) -> None:
    config = SynthConfig(seed=seed, camera=camera)
    config = put(config, ("scene", "object_share"), share)
    config = put(config, ("scene", "body", "distance_m"), (near, 0.8))
    meta = json.loads(json.dumps({"config": dataclasses.asdict(config)}))
    assert config_from_meta(meta) == config


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        (None, "dataset.json has no config"),
        ("x", "dataset.json has no config"),
        ({"frame": 3}, "unknown key frame in dataset.json"),
        ({"frames": "3"}, "frames must be of type int, got '3'"),
        ({"scene": {"body": {"distance_m": [1, "far"]}}}, "scene.body.distance_m must be of type"),
        ({"scene": {"room": []}}, "scene.room must be a table"),
        ({"renderer": ["raster"]}, "renderer must be one of raster, pyrender"),
    ],
)
def test_an_edited_configuration_is_told(stored: Any, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        config_from_meta({"config": stored})
