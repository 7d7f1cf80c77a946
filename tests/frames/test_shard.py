"""Shards appear whole or not at all, the same to the byte; broken ones are told in one line."""

import errno
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fabricate import build_table, encode_table

import frames.store.disk
from frames.errors import BadInput
from frames.store.schema import SCHEMA, VERSION_KEY
from frames.store.shard import check_sum, open_shard, shard_name, shard_path, write_shard


def list_files(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.rglob("*") if p.is_file())


def test_a_shard_and_its_sidecar(tmp_path: Path) -> None:
    table = build_table(np.arange(5))
    path = write_shard(tmp_path, 3, table)
    assert path == tmp_path / "shards" / "frames-00003.parquet"
    assert list_files(tmp_path) == ["frames-00003.parquet", "frames-00003.parquet.sha256"]
    check_sum(path)
    assert repr(pq.read_table(path).to_pylist()) == repr(table.to_pylist())
    assert encode_table(table) == path.read_bytes()
    done = subprocess.run(
        ["sha256sum", "-c", path.name + ".sha256"],
        cwd=path.parent,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0


def test_bytes_are_the_same_however_the_table_came_together() -> None:
    whole = build_table(np.arange(9))
    pieces = pa.concat_tables([build_table(np.arange(a, b)) for a, b in ((0, 2), (2, 3), (3, 9))])
    assert pieces["frame_id"].num_chunks == 3
    assert encode_table(pieces, 4) == encode_table(whole, 4)
    assert encode_table(whole.slice(2, 5)) == encode_table(build_table(np.arange(2, 7)))


def test_bytes_are_the_same_in_another_process(tmp_path: Path) -> None:
    code = (
        "import hashlib, numpy as np; from fabricate import build_table, encode_table; "
        "print(hashlib.sha256(encode_table(build_table(np.arange(6)))).hexdigest())"
    )
    path = os.pathsep.join(
        [str(Path(__file__).parent), str(Path(frames.store.disk.__file__).parents[2])]
    )
    other = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    ours = hashlib.sha256(encode_table(build_table(np.arange(6)))).hexdigest()
    assert other.stdout.strip() == ours


def test_images_are_stored_as_they_are(tmp_path: Path) -> None:
    path = write_shard(tmp_path, 0, build_table(np.arange(5)))
    group = pq.ParquetFile(path).metadata.row_group(0)
    kinds = {group.column(i).path_in_schema: group.column(i).compression for i in range(40)}
    assert kinds["clean_depth"] == kinds["parts"] == "UNCOMPRESSED"
    assert kinds["hands.list.element.keypoints_px.list.element"] == "ZSTD"


def test_every_flipped_byte_is_seen(tmp_path: Path) -> None:
    path = write_shard(tmp_path, 0, build_table(np.arange(3)))
    data = bytearray(path.read_bytes())
    rng = np.random.default_rng(1)
    for place in rng.integers(0, len(data), 20):
        flipped = data.copy()
        flipped[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(flipped)
        with pytest.raises(BadInput, match="does not match its SHA-256"):
            check_sum(path)
    path.write_bytes(data)
    check_sum(path)


def test_a_swapped_or_missing_sidecar_is_told(tmp_path: Path) -> None:
    one, two = (write_shard(tmp_path, i, build_table(np.arange(i, i + 2))) for i in (0, 1))
    sidecar = two.with_name(two.name + ".sha256")
    one.with_name(one.name + ".sha256").write_text(sidecar.read_text())
    with pytest.raises(BadInput, match="does not match"):
        check_sum(one)
    sidecar.unlink()
    with pytest.raises(BadInput, match=r"\.sha256 is missing"):
        check_sum(two)


@pytest.mark.parametrize("keep", [0, 3, 100, 0.5, -1])
def test_a_truncated_shard_is_told(keep: float, tmp_path: Path) -> None:
    path = write_shard(tmp_path, 0, build_table(np.arange(3)))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep) if keep == 0.5 else int(keep)])
    with pytest.raises(BadInput, match="truncated or no shard") as raised:
        open_shard(path)
    assert "\n" not in str(raised.value)


def test_a_missing_shard_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is missing"):
        open_shard(tmp_path / "frames-00000.parquet")


@pytest.mark.parametrize("version", [b"1", b"4", b"x\xff", None])
def test_another_schema_version_is_told(version: bytes | None, tmp_path: Path) -> None:
    metadata = {} if version is None else {VERSION_KEY: version}
    path = tmp_path / "x.parquet"
    pq.write_table(build_table(np.arange(2)).replace_schema_metadata(metadata), path)
    with pytest.raises(BadInput, match="this handloom reads 2"):
        open_shard(path)


def test_a_lacking_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(build_table(np.arange(2)).drop_columns(["hands"]), path)
    with pytest.raises(BadInput, match=r"in hands$"):
        open_shard(path)
    with pytest.raises(BadInput, match="must have the schema"):
        write_shard(tmp_path, 0, pa.table({"frame_id": [1]}))


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk is full"),
        (errno.EACCES, "no permission"),
        (errno.EROFS, "no permission"),
        (errno.EIO, "cannot write"),
    ],
)
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_what_the_disk_refuses_leaves_nothing_behind(
    number: int, said: str, step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    table = build_table(np.arange(2))
    if step == "fsync":
        monkeypatch.setattr(frames.store.disk.os, "fsync", refuse)
    else:
        monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(BadInput, match=said) as raised:
        write_shard(tmp_path, 0, table)
    assert shard_name(0) in str(raised.value)
    assert list_files(tmp_path) == []


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    if shutil.which("mount") is None:
        pytest.skip("needs the right to mount a tmpfs")
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("needs the right to mount a tmpfs")
    try:
        with pytest.raises(BadInput, match="the disk is full: cannot write"):
            write_shard(small, 0, build_table(np.arange(40)))
        assert not [n for n in list_files(small) if not n.endswith(".sha256")]
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_file_size_limit_is_a_full_disk(tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys; from pathlib import Path; "
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)); "
        "from frames.store.disk import write_file; from frames.errors import BadInput\n"
        "try: write_file(Path(sys.argv[1]), bytes(100_000))\n"
        "except BadInput as error: print(error)"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.bin")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert out.stdout.startswith("the disk is full: cannot write")
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_folders_way(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(BadInput, match="a file is in the way"):
        write_shard(tmp_path / "out", 0, build_table(np.arange(2)))


def test_an_older_shard_survives_a_failed_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_shard(tmp_path, 0, build_table(np.arange(2)))
    before = path.read_bytes()

    def refuse(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(frames.store.disk.os, "fsync", refuse)
    with pytest.raises(BadInput):
        write_shard(tmp_path, 0, build_table(np.arange(2), seed=9))
    assert path.read_bytes() == before
    assert path == shard_path(tmp_path, 0)
    assert len(SCHEMA.names) == 19
