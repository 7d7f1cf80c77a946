"""The documentation's own code runs, and its tables are the schema's."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fabricate import write_dataset

from frames.camera import CAMERAS, load_camera
from frames.parts import CAUSE_NAMES, PART_NAMES
from frames.skeleton import FINGERS, KEYPOINT_NAMES
from frames.store.dataset import open_dataset
from frames.store.schema import (
    CAMERA_COLUMNS,
    CAPTURE_COLUMNS,
    FRAME_COLUMNS,
    HAND_COLUMNS,
    OBJECT_COLUMNS,
    Column,
)

DOCS = Path(__file__).parents[2] / "docs"


def read_block(page: str, language: str, containing: str) -> str:
    """The code block of a page that contains a text."""
    text = (DOCS / page).read_text(encoding="utf-8")
    blocks = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    return next(b for b in blocks if containing in b)


@pytest.mark.parametrize("height", [120, 118, 117])
def test_ten_lines_of_pyarrow_and_numpy_read_a_frame(height: int, tmp_path: Path) -> None:
    small = CAMERAS["ego-small"]
    camera = type(small)("pinhole", 160, height, small.fx, small.fy, small.cx, small.cy)
    folder = write_dataset(tmp_path / "out", 5, 5, camera=camera)
    code = read_block("dataset.md", "python", "pq.read_table")
    lines = [
        x for x in code.splitlines() if x.strip() and not x.startswith(("import", "from", "#"))
    ]
    assert len(lines) <= 10
    path = folder / "shards" / "frames-00000.parquet"
    code = code.replace('"out/shards/frames-00000.parquet"', repr(str(path)))
    assert str(path) in code
    code += f"\nnp.savez({str(tmp_path / 'read.npz')!r}, depth=depth_m, parts=parts, px=px)\n"
    # A process of its own, which does not know handloom.
    script = tmp_path / "read.py"
    script.write_text("import sys\nsys.modules['frames'] = None\n" + code)
    subprocess.run([sys.executable, "-P", str(script)], check=True, cwd=tmp_path)
    read = np.load(tmp_path / "read.npz")
    frame = open_dataset(folder)[3]
    np.testing.assert_allclose(read["depth"], frame.clean_depth / frame.depth_scale)
    np.testing.assert_array_equal(read["parts"], frame.parts)
    np.testing.assert_array_equal(read["px"], frame.hands[0].keypoints_px)


def name_type(column: Column) -> str:
    name = str(column.type)
    if column.shape == ():
        name = f"list of {name}"
    elif column.shape:
        name = f"{name} {column.shape}"
    return name + (", or null" if column.optional else "")


def test_the_schema_table_is_the_schema() -> None:
    text = (DOCS / "dataset.md").read_text(encoding="utf-8")
    groups = (
        ("", FRAME_COLUMNS),
        ("camera.", CAMERA_COLUMNS),
        ("hands[].", HAND_COLUMNS),
        ("objects[].", OBJECT_COLUMNS),
        ("", CAPTURE_COLUMNS),
    )
    rows = [
        f"| {prefix}{c.name} | {name_type(c)} | {c.meaning} |"
        for prefix, columns in groups
        for c in columns
    ]
    missing = [row for row in rows if row not in text]
    assert missing == []


def test_the_conventions_name_every_cause_and_part() -> None:
    text = (DOCS / "conventions.md").read_text(encoding="utf-8")
    for code, cause in enumerate(CAUSE_NAMES):
        assert f"| {code} | {cause} |" in text
    for finger, keypoints in FINGERS.items():
        joints = " ".join(KEYPOINT_NAMES[k].split("_")[1] for k in keypoints)
        shown = joints.upper().replace("TIP", "tip")
        assert f"| {finger} | {' '.join(map(str, keypoints))} | {shown} |" in text
    assert PART_NAMES[2:5] == ("thumb_metacarpal", "thumb_proximal", "thumb_distal")
    assert "2 metacarpal, 3 proximal, 4 distal" in text


def test_the_camera_file_of_the_conventions_loads(tmp_path: Path) -> None:
    path = tmp_path / "camera.json"
    path.write_text(read_block("conventions.md", "json", "brown-conrady"))
    assert load_camera(path).distortion == (-0.04, 0.01, 0.0002, -0.0001)
