"""What fuzzing found: inputs that once ended in a traceback or took a gigabyte. Each is refused."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from captures import CAMERA as SHOT
from fuzzing import judge
from test_fuzz_annotations import TOLD, write_answers
from test_fuzz_datasets import read_shards, write_shards
from test_fuzz_settings import CAMERA, OCCLUSION

from augment.calibrate.capture_files import read_file
from augment.occluding import choose_occluding
from augment.profile import load_profile
from console.settings import expand_settings
from frames.camera_file import read_camera
from frames.census.label_batches import read_label_batches
from frames.errors import MOST_CHARACTERS, BadInput
from frames.store.rows import convert
from frames.store.schema import HAND_COLUMNS
from synth.config_file import load_config
from synth.scene.background_folder import load_backgrounds
from synth.things.mesh_folder import load_objects

DEEP, LONG, HUGE = "[" * 5000, "9" * 5000, "9" * 400


def read_settings(path: Path) -> None:
    expand_settings(["--config", str(path)])


def occlude(path: Path) -> None:
    choose_occluding(path, 1)


def load_mesh(path: Path) -> None:
    load_objects(path.parent)


PLY = """ply
format ascii 1.0
element vertex 3
property float x
property float y
property float z
element face 1
property list uchar int vertex_indices
end_header
0 0 0
0.1 0 0
0 0.1 0
3 0 1 {index}
"""

NPY = b"\x93NUMPY\x01\x00v\x00"
"""The beginning of a file with a header of 118 bytes."""

FOUND: tuple[tuple[Callable[[Path], object], str, str | bytes], ...] = (
    *((read, "a.toml", f"x = {value}") for value in (DEEP, LONG) for read in (
        load_config, load_profile, occlude, read_settings, read_camera)),
    (load_config, "a.toml", f"fps = {HUGE}"),
    (load_config, "a.toml", f'seed = "{"a" * 5000}"'),
    (occlude, "a.toml", OCCLUSION.replace("0.02", HUGE)),
    (read_camera, "a.json", json.dumps({**CAMERA, "distortion": [10**400, 0, 0, 0]})),
    (read_camera, "a.json", json.dumps({**CAMERA, "cx": 10**400})),
    (read_camera, "a.json", json.dumps({**CAMERA, "depth_scale_per_m": 10**400})),
    (read_camera, "a.json", json.dumps({**CAMERA, "fx": "a" * 5000})),
    (load_mesh, "a.ply", PLY.format(index=4104)),
    (load_mesh, "a.ply", PLY.format(index=-2147483648)),
    (read_file, "a.npy", NPY + b"{'descr': ("),
    (read_file, "a.npy", b""),
    (read_file, "a.png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x18\x00\x00\x00\x10"
     b"\x10\x00\x00\x00\x00y\xdf<\n=\x00\x00\xc7IDAT\x08\x15\x05\xc11"),
)  # fmt: skip


@pytest.mark.parametrize(("read", "name", "content"), FOUND)
def test_is_refused(
    read: Callable[[Path], object], name: str, content: str | bytes, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    judge(read, path)
    with pytest.raises(BadInput) as told:
        read(path)
    assert "\n" not in str(told.value) and len(str(told.value)) <= MOST_CHARACTERS


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cx": 2**63}, "cx must be a finite number"),
        ({"depth_scale_per_m": 10**400}, "depth_scale_per_m must be > 0"),
    ],
)
def test_backgrounds_with_numbers_that_are_too_large(
    change: dict[str, int], said: str, tmp_path: Path
) -> None:
    import cv2

    cv2.imwrite(str(tmp_path / "a.png"), np.full((16, 24), 700, np.uint16))
    camera = {"width": 24, "height": 16, "fx": 20, "fy": 20, "cx": 11, "cy": 7}
    (tmp_path / "camera.json").write_text(
        json.dumps({**camera, "depth_scale_per_m": 1000, **change})
    )
    with pytest.raises(BadInput, match=said):
        load_backgrounds(tmp_path)


def test_dates_are_no_options_of_a_network(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("[network]\nwidth = 1979-05-27\n")
    assert expand_settings(["--config", str(path)]) == ["--network", 'width="1979-05-27"']


PART = TOLD["annotations"][0]
CATEGORY = TOLD["categories"][0]


@pytest.mark.parametrize(
    "change",
    [
        {"categories": [{**CATEGORY, "id": [1]}]},
        {"categories": [{**CATEGORY, "keypoints": 7}]},
        {"categories": [{**CATEGORY, "keypoints": [["wrist"], *CATEGORY["keypoints"][1:]]}]},
        {"categories": [{**CATEGORY, "keypoints": [0.5] * 21}]},
        {"annotations": [{**PART, "image_id": []}]},
        {"annotations": [{**PART, "category_id": {}}]},
        {"annotations": [{**PART, "keypoints": [10**400] * 63}]},
        {"annotations": [{**PART, "keypoints": [1e300] * 63}]},
        {"images": [{**TOLD["images"][0], "depth_scale": 10**400}]},
        {"images": [{**TOLD["images"][0], "width": "a" * 5000}]},
    ],
)
def test_annotations(change: dict[str, object], tmp_path: Path) -> None:
    from labeling.importing.coco_file import read_coco
    from train_tiny.persons.annotations import read_annotations

    path = tmp_path / "a.json"
    path.write_text(json.dumps({**TOLD, **change}))
    for read in (read_coco, read_annotations):
        judge(read, path)


def test_answers_with_numbers_beyond_floats(tmp_path: Path) -> None:
    from labeling.answers import Doubt, read_answer

    (whole, _) = json.loads(write_answers(tmp_path).read_text())
    assert read_answer(whole, SHOT).lead_time_s == 12.5
    for seconds in (10**400, -1, float("nan"), float("inf"), "1"):
        assert math.isnan(read_answer({**whole, "lead_time": seconds}, SHOT).lead_time_s)
    for value in (10**400, -(10**400), float("nan"), float("inf")):
        whole["result"][0]["value"]["vertices"][0]["x"] = value
        with pytest.raises(Doubt, match="x = "):
            read_answer(whole, SHOT)


@pytest.mark.parametrize("text", ['{"images": [' + DEEP, '{"images": [' + LONG, '{"info": ' + DEEP])
def test_streams(text: str, tmp_path: Path) -> None:
    from train_tiny.persons.json_stream import read_lists

    path = tmp_path / "a.json"
    path.write_text(text * 20)
    with pytest.raises(BadInput, match="is not JSON"):
        list(read_lists(path))


@pytest.mark.parametrize(
    ("was", "harmed", "told"),
    [
        (b"pinhole", b"pin\x80ole", r"broken in row group \d: .*UTF8"),
        (b"right", b"r\xffght", r"broken in row group \d: .*UTF8"),
        (b"element", b"eleme.t", "lists must be stored as list.element"),
    ],
)
def test_names_in_shards(was: bytes, harmed: bytes, told: str, tmp_path: Path) -> None:
    path = write_shards(tmp_path)
    assert was in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(was, harmed))
    with pytest.raises(BadInput, match=told):
        read_shards(path)


def test_names_in_labels(tmp_path: Path) -> None:
    path = write_shards(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"right", b"r\xffght"))
    with pytest.raises(BadInput, match=r"cannot read the shard .*UTF8"):
        list(read_label_batches([path]))


def test_hands_whose_shape_has_no_numbers() -> None:
    """Sound: a hand model may have one shape only."""
    column = next(c for c in HAND_COLUMNS if c.name == "shape")
    values, valid = convert(column, pa.array([[], []], column.build_field().type))
    assert isinstance(values, np.ndarray) and values.shape == (2, 0) and valid is None


def test_folders_of_runs(tmp_path: Path) -> None:
    from train_tiny.run_folder import read_curves, read_metrics, read_run
    from train_tiny.search.searching import read_json, read_scores

    for name, read in (("config.json", read_run), ("metrics.json", read_metrics)):
        (tmp_path / name).write_text('{"a":' * 100_000)
        with pytest.raises(BadInput, match="not valid JSON"):
            read(tmp_path)
    with pytest.raises(BadInput, match="not valid JSON"):
        read_json(tmp_path / "config.json")
    (tmp_path / "curves.csv").write_bytes(b"step,loss\n1,0.5\n\xff,\x80\n2,0.25\n")
    assert [row["step"] for row in read_curves(tmp_path, 9)] == [1, 2]
    good = b'{"genes": [1], "score": 2}'
    lines = (b'{"genes": [Infinity], "score": 1}', b"\xff", b"[" * 9000, good)
    (tmp_path / "scores.jsonl").write_bytes(b"\n".join(lines))
    assert read_scores(tmp_path / "scores.jsonl") == {(1,): 2.0}
