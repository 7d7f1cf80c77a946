"""Frames rendered again are the frames that are stored; whatever differs is named."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import synth.rerender
from frames.errors import BadInput
from frames.store.codec import decode_depth, encode_depth
from frames.store.shard import open_shard, shard_path, write_shard
from synth.config import SynthConfig
from synth.engine import generate
from synth.rerender import rerender

TETRAHEDRON = "OFF\n4 4 0\n0 0 0\n.1 0 0\n0 .1 0\n0 0 .1\n3 0 2 1\n3 0 1 3\n3 0 3 2\n3 1 2 3\n"
CAMERA = {"model": "pinhole", "width": 64, "height": 48, "fx": 50, "fy": 50, "cx": 31, "cy": 23}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of a camera file and a mesh: the inputs that may change."""
    place = tmp_path_factory.mktemp("made")
    (place / "camera.json").write_text(json.dumps(CAMERA))
    (place / "meshes").mkdir()
    (place / "meshes" / "wedge.off").write_text(TETRAHEDRON)
    config = SynthConfig(
        frames=20,
        frames_per_shard=16,
        camera=str(place / "camera.json"),
        objects=str(place / "meshes"),
        identities=4,
    )
    generate(place / "data", config, workers=1)
    return place


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(made / "data", tmp_path / "data"))


def test_every_frame_is_the_same_again(data: Path) -> None:
    assert rerender(data, 20) == []
    assert rerender(data, 1000) == []


def test_frames_are_picked_by_the_seed(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    make = synth.rerender.Generator.make_table

    def note(self: Any, first: int, stop: int) -> pa.Table:
        seen.append(first)
        return make(self, first, stop)

    monkeypatch.setattr(synth.rerender.Generator, "make_table", note)
    picks = []
    for pick in (0, 0, 1):
        seen.clear()
        rerender(data, 5, pick)
        assert len({*seen}) == 5
        picks.append(tuple(seen))
    assert picks[0] == picks[1] != picks[2]


def change(data: Path, row: int, column: str, alter: Callable[[Any], Any]) -> None:
    table = open_shard(shard_path(data, 0)).read()
    values = table.column(column).to_pylist()
    values[row] = alter(values[row])
    kind = table.schema.field(column)
    place = table.schema.get_field_index(column)
    write_shard(data, 0, table.set_column(place, kind, pa.array(values, type=kind.type)))


def raise_one_pixel(blob: bytes) -> bytes:
    image = decode_depth(blob, 48, 64).copy()
    image[20, 30] += 1
    return encode_depth(image)


def turn_by_one_bit(pose: list[list[float]]) -> Any:
    flat = np.array(pose, np.float32)
    flat.flat[0] = np.nextafter(flat.flat[0], np.float32(2), dtype=np.float32)
    return flat.tolist()


@pytest.mark.parametrize(
    ("column", "alter"),
    [("clean_depth", raise_one_pixel), ("T_world_from_camera", turn_by_one_bit)],
)
def test_the_least_change_is_seen(data: Path, column: str, alter: Callable[[Any], Any]) -> None:
    change(data, 7, column, alter)
    assert rerender(data, 20) == [
        f"frame 7 in frames-00000.parquet renders otherwise now: {column}"
    ]


def test_changed_inputs_are_told_instead_of_rendered(data: Path, made: Path) -> None:
    mesh = made / "meshes" / "wedge.off"
    mesh.write_text(TETRAHEDRON.replace(".1", ".2"))
    try:
        (problem,) = rerender(data, 2)
        assert problem.startswith("input files have changed")
        mesh.unlink()
        shutil.rmtree(made / "meshes")
        with pytest.raises(BadInput, match=r"meshes cannot be read: No such file"):
            rerender(data, 2)
    finally:
        mesh.parent.mkdir(exist_ok=True)
        mesh.write_text(TETRAHEDRON)


def test_the_stored_camera_counts(data: Path, made: Path) -> None:
    """A camera file may change or go: its numbers are in the dataset."""
    text = (made / "camera.json").read_text()
    (made / "camera.json").unlink()
    try:
        assert rerender(data, 3) == []
    finally:
        (made / "camera.json").write_text(text)


def edit(data: Path, **changes: Any) -> None:
    path = data / "dataset.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_another_version_is_told(data: Path) -> None:
    edit(data, generator_version="0.0.1")
    (problem,) = rerender(data, 2)
    assert problem.startswith("the dataset was made by handloom 0.0.1")


def test_an_edited_seed_shows(data: Path) -> None:
    stored = json.loads((data / "dataset.json").read_text())["config"]
    edit(data, config={**stored, "seed": 99})
    assert len(rerender(data, 3)) == 3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"config": None}, "dataset.json has no config"),
        ({"camera": None}, "dataset.json has no camera"),
        ({"camera": {"model": "pinhole"}}, "the camera in dataset.json lacks width"),
        ({"camera": {**CAMERA, "fx": 0}}, "dataset.json"),
    ],
)
def test_edited_metadata_are_told(data: Path, changes: dict[str, Any], said: str) -> None:
    edit(data, **changes)
    with pytest.raises(BadInput, match=said):
        rerender(data, 2)


def test_an_edited_configuration_is_checked(data: Path) -> None:
    stored = json.loads((data / "dataset.json").read_text())["config"]
    edit(data, config={**stored, "identities": -1})
    with pytest.raises(BadInput, match="identities must be between 1"):
        rerender(data, 2)


def test_broken_shards_are_problems_beside_others(data: Path) -> None:
    change(data, 3, "clean_depth", raise_one_pixel)
    shard_path(data, 1).write_bytes(b"PAR1")
    problems = rerender(data, 20)
    assert len(problems) == 5
    assert problems[0].startswith("frame 3 in frames-00000.parquet")
    assert all("frames-00001.parquet is truncated or no shard" in p for p in problems[1:])


def test_missing_shards_are_left_to_verify(data: Path) -> None:
    shard_path(data, 1).unlink()
    assert rerender(data, 20) == []


def test_none_asked_for(data: Path) -> None:
    with pytest.raises(BadInput, match="rerender must be >= 1 frames, got 0"):
        rerender(data, 0)
