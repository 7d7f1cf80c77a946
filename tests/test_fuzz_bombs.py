"""Small files that claim to be large: refused in one line, without making room for what they claim.

Each is read by a process of its own, whose address space may grow by a gigabyte and whose resident
memory is measured.
"""

import io
import json
import multiprocessing
import resource
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from fabricate import encode_table, write_dataset
from test_fuzz_datasets import CAMERA, FRAMES

from frames.errors import BadInput
from frames.store.codec import decode_depth, decode_parts
from frames.store.dataset import open_dataset
from frames.store.schema import SCHEMA
from frames.store.shard import shard_path

MORE_BYTES = 1 << 30
RESIDENT_BYTES = 400 << 20
"""What a refusal may touch beyond what the process had: decoders have buffers."""


def make_png(width: int, height: int, data: bytes) -> bytes:
    """A 16-bit grey PNG file with such a header."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 16, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", data), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def make_npy(shape: tuple[int, ...]) -> bytes:
    """A NumPy file that claims such an array and has none of it."""
    out = io.BytesIO()
    head = {"descr": "<u2", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(out, head)
    return out.getvalue() + bytes(64)


def make_zstd(claimed: int) -> bytes:
    """A zstd frame that claims so many bytes and has few."""
    body = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(1000))
    # Magic number; a header whose frame says its size in eight bytes, in one segment; the blocks.
    return body[:4] + bytes([0b1110_0000]) + struct.pack("<Q", claimed) + body[6:]


def zeros(count: int) -> bytes:
    """zstd of so many zeros: a thousandth of a thousandth of it."""
    packer = zstandard.ZstdCompressor(level=3).compressobj()
    piece = bytes(1 << 20)
    return b"".join([*(packer.compress(piece) for _ in range(count >> 20)), packer.flush()])


def measure(read: Callable[[Path], object], path: Path, answer: Any) -> None:
    """In a process of its own: what came of reading, and how much memory grew."""
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + MORE_BYTES, resource.RLIM_INFINITY))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        read(path)
        told = "read"
    except BadInput as error:
        told = f"refused: {error}"
    except BaseException as error:
        told = f"{type(error).__name__}: {error}"
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    answer.send((told, grown))


def assert_refused(read: Callable[[Path], object], path: Path) -> None:
    """Refused within a minute, in one line, without the memory that it claims."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=measure, args=(read, path, theirs))
    process.start()
    try:
        assert ours.poll(60), "no answer"
        told, grown = ours.recv()
    finally:
        process.kill()
        process.join()
    assert told.startswith("refused: ") and "\n" not in told, told
    assert grown < RESIDENT_BYTES, f"{grown >> 20} MB for: {told}"


PICTURES = {
    "60000.png": make_png(60_000, 60_000, zlib.compress(bytes(100))),
    "2e31.png": make_png(2**31 - 1, 2**31 - 1, b""),
    "chunk.png": make_png(24, 16, b"")[:33] + struct.pack(">I", 1 << 30) + b"IDAT",
    "60000.npy": make_npy((60_000, 60_000)),
    "many.npy": make_npy((10**9, 16, 24)),
    "overflow.npy": make_npy((2**40, 2**40)),
}


@pytest.mark.parametrize("name", list(PICTURES))
def test_pictures(name: str, tmp_path: Path) -> None:
    from augment.calibrate.capture_files import read_file
    from synth.scene.background_folder import load_backgrounds

    path = tmp_path / name
    path.write_bytes(PICTURES[name])
    camera = {"width": 24, "height": 16, "fx": 20, "fy": 20, "cx": 11, "cy": 7}
    (tmp_path / "camera.json").write_text(json.dumps({**camera, "depth_scale_per_m": 1000}))
    assert_refused(read_file, path)
    assert_refused(lambda p: load_backgrounds(p.parent), path)


def test_pictures_of_persons(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from train_tiny.persons.data import read_picture

    path = tmp_path / "a.png"
    path.write_bytes(PICTURES["60000.png"])
    assert_refused(read_picture, path)


@pytest.mark.parametrize("claimed", [10 * 10**9, 2**62, 2**64 - 1])
def test_blobs_that_claim_gigabytes(claimed: int, tmp_path: Path) -> None:
    blob = make_zstd(claimed)
    whole = struct.pack("<BHI", 1, 0, 600) + blob
    (tmp_path / "x").write_bytes(b"")
    for decode, data in ((decode_parts, blob), (decode_depth, blob), (decode_depth, whole)):
        assert_refused(lambda _, d=decode, b=data: d(b, 16, 24), tmp_path / "x")


def test_blobs_that_are_gigabytes(tmp_path: Path) -> None:
    blob = zeros(4 << 30)
    assert len(blob) < 1 << 20
    (tmp_path / "x").write_bytes(b"")
    assert_refused(lambda _: decode_parts(blob, 16, 24), tmp_path / "x")
    head = struct.pack("<BHI", 1, 0, 600)
    assert_refused(lambda _: decode_depth(head + blob, 16, 24), tmp_path / "x")
    # The header may claim as much as an image of this camera could have, no more.
    head = struct.pack("<BHI", 1, 65535, 2**32 - 1)
    assert_refused(lambda _: decode_depth(head + blob, 16, 24), tmp_path / "x")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "data"
    return write_dataset(folder, FRAMES, FRAMES, CAMERA)


def rewrite(folder: Path, change: Callable[[list[dict[str, Any]]], None]) -> Path:
    """The shard's rows changed."""
    path = shard_path(folder, 0)
    rows = pq.read_table(path).to_pylist()
    change(rows)
    path.write_bytes(encode_table(pa.Table.from_pylist(rows, SCHEMA)))
    return folder


def read_all(folder: Path) -> None:
    list(open_dataset(folder))


def test_a_camera_of_60000_pixels(whole: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(whole, tmp_path / "d")

    def grow(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            row["camera"] |= {"width": 60_000, "height": 60_000}

    assert_refused(read_all, rewrite(folder, grow))


def test_a_page_that_is_a_bomb(whole: Path, tmp_path: Path) -> None:
    """A text column of 120 MB, which zstd makes small: all counts are right."""
    folder = shutil.copytree(whole, tmp_path / "d")
    path = shard_path(folder, 0)
    rows = pq.read_table(path).to_pylist()
    for row in rows:
        row["background"] = "x" * (20 << 20)
    table = pa.Table.from_pylist(rows, SCHEMA)
    pq.write_table(table, path, compression="zstd", use_dictionary=False)
    assert path.stat().st_size < 1 << 20
    assert_refused(read_all, folder)


def test_a_dataset_of_a_billion_shards(whole: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(whole, tmp_path / "d")
    path = folder / "dataset.json"
    for frames, per_shard in ((10**18, 1), (10**30, 1), (10**30, 10**29), (FRAMES, 10**30)):
        meta = json.loads(path.read_text()) | {"frames": frames, "frames_per_shard": per_shard}
        path.write_text(json.dumps(meta))
        assert_refused(read_all, folder)


def test_weights_of_a_giant(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from train_tiny.models import build_model
    from train_tiny.weights import deploy, load_weights, save_weights

    path = tmp_path / "w.safetensors"
    model = build_model("handlite", {"input_px": 32})
    save_weights(path, deploy(model, model.net, {}))
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    for shape in ({"stem": 10**9}, {"blocks": [10**9, 1, 1]}, {"decoder": 8000, "kernel": 4001}):
        head = json.loads(data[8 : 8 + length])
        told = json.loads(head["__metadata__"]["model"])
        told["config"] |= shape
        head["__metadata__"]["model"] = json.dumps(told)
        text = json.dumps(head).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])
        assert_refused(load_weights, path)


def test_a_kept_round_that_claims_gigabytes(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from train_tiny.loading.kept_rounds import _unpack

    path = tmp_path / "a.round"
    for blob in (make_zstd(10 * 10**9), make_zstd(2**62), zeros(4 << 30)):
        path.write_bytes(blob)
        assert_refused(lambda p: _unpack(p.read_bytes(), p, False), path)
