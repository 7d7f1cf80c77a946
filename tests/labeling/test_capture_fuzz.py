"""Foreign bytes, broken at random: every reader gives frames or BadInput in one line, and ends."""

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recordings import (
    make_known,
    write_exr,
    write_kinect,
    write_npz,
    write_pictures,
    write_realsense,
    write_ros,
)

from frames.errors import BadInput
from labeling.capture.opening import open_recording
from labeling.capture.recording import Request

SMALL = make_known(1000.0, 3, (16, 12))
KINECT = make_known(1000.0, 2, (320, 288))

Write = Callable[[Path], Path]
"""Writes a recording into a folder; returns the file whose bytes are to be broken."""


def _exr(at: Path) -> Path:
    return write_exr(at / "in", [d / np.float32(1000) for d in SMALL.depth]) / "001.exr"


def _pictures(suffix: str) -> Write:
    return lambda at: write_pictures(at / "in", SMALL, suffix) / f"001.depth{suffix}"


FORMATS: dict[str, tuple[str, Write]] = {
    "png": ("", _pictures(".png")),
    "tiff": ("", _pictures(".tiff")),
    "times": ("", lambda at: write_pictures(at / "in", SMALL) / "timestamps.txt"),
    "camera": ("", lambda at: write_pictures(at / "in", SMALL) / "camera.json"),
    "exr": ("OpenEXR", _exr),
    "npz": ("", lambda at: write_npz(at / "a.npz", SMALL)),
    "npy": ("", lambda at: _npy(at)),
    "ros1": ("rosbags", lambda at: write_ros(at / "a.bag", SMALL, "ros1")),
    "mcap": ("rosbags", lambda at: write_ros(at / "a", SMALL, "mcap") / "a.mcap"),
    "db3": ("rosbags", lambda at: write_ros(at / "a", SMALL, "sqlite3") / "a.db3"),
    "realsense": ("rosbags", lambda at: write_realsense(at / "a.bag", SMALL, "ros1")),
    "kinect": ("av", lambda at: write_kinect(at / "a.mkv", KINECT)),
}


def _npy(at: Path) -> Path:
    write_pictures(at, SMALL)
    for path in at.glob("*.png"):
        path.unlink()
    (at / "timestamps.txt").unlink()
    np.save(at / "a.npy", np.stack(SMALL.depth))
    return at / "a.npy"


@cache
def write_once(kind: str) -> tuple[Any, Path, bytes]:
    """A recording of a kind, the file to break, and its bytes."""
    folder = tempfile.TemporaryDirectory()
    path = FORMATS[kind][1](Path(folder.name))
    return folder, path, path.read_bytes()


def read_it(path: Path) -> None:
    """Open and read all; BadInput must be one line."""
    source = path.parent if path.parent.name == "in" else path
    try:
        # The calibration's or the camera file's size may be what is broken: then that is told.
        recording = open_recording(Request(str(source)))
        count = len(recording.head.timeline)
        sights = list(recording.read(range(min(count, 5))))
        camera = recording.head.camera
        assert all(s.depth.shape == (camera.height, camera.width) for s in sights)
    except BadInput as error:
        assert str(error) and "\n" not in str(error)


@pytest.mark.parametrize("kind", list(FORMATS))
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_broken_bytes(kind: str, data: st.DataObject) -> None:
    if FORMATS[kind][0]:
        pytest.importorskip(FORMATS[kind][0])
    _, path, whole = write_once(kind)
    blob = bytearray(whole)
    # Structure lies at both ends; in the middle, mostly pixels.
    ends = st.one_of(
        st.integers(0, min(400, len(blob) - 1)),
        st.integers(max(0, len(blob) - 400), len(blob) - 1),
        st.integers(0, len(blob) - 1),
    )
    for at in data.draw(st.lists(ends, max_size=6)):
        blob[at] = data.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]) | st.integers(0, 255))
    if data.draw(st.booleans()):
        blob = blob[: data.draw(ends)]
    try:
        path.write_bytes(bytes(blob))
        read_it(path)
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("kind", list(FORMATS))
@settings(max_examples=15, deadline=None)
@given(blob=st.binary(max_size=300))
def test_any_bytes(kind: str, blob: bytes) -> None:
    if FORMATS[kind][0]:
        pytest.importorskip(FORMATS[kind][0])
    _, path, whole = write_once(kind)
    try:
        path.write_bytes(blob)
        read_it(path)
    finally:
        path.write_bytes(whole)
