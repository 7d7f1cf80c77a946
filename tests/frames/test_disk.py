"""Files that are written to the disk as they grow."""

import os
from pathlib import Path

import pytest

import frames.store.disk
from frames.errors import BadInput
from frames.store.disk import write_file, write_files
from frames.store.object_store import Sink


@pytest.mark.parametrize("parts", [0, 1, 3, 10])
def test_a_growing_file_is_synced_part_by_part_and_whole_at_the_end(
    parts: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []
    fsync = os.fsync

    def note(handle: int) -> None:
        fsync(handle)
        synced.append(os.fstat(handle).st_size)

    monkeypatch.setattr(frames.store.disk, "RELEASED_BYTES", 1000)
    monkeypatch.setattr(frames.store.disk.os, "fsync", note)

    def grow(file: Sink) -> None:
        for i in range(parts):
            assert file.write(bytes([i]) * 1000) == 1000
            # No more than the part that the disk is taking and this one may wait.
            assert len(synced) >= i - 1

    write_files([(tmp_path / "a", grow)])
    assert (tmp_path / "a").read_bytes() == b"".join(bytes([i]) * 1000 for i in range(parts))
    assert len(synced) == parts + 2  # every part, the file at the end, its folder
    assert synced[parts] == 1000 * parts


@pytest.mark.parametrize("refused", [1, 2, 3, 4])
def test_what_the_disk_refuses_late_is_told(
    refused: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 0

    def refuse(_: int) -> None:
        nonlocal count
        count += 1
        if count == refused:
            raise OSError(28, "No space left on device")

    write_file(tmp_path / "a", b"old")
    monkeypatch.setattr(frames.store.disk, "RELEASED_BYTES", 1000)
    monkeypatch.setattr(frames.store.disk.os, "fsync", refuse)

    def grow(file: Sink) -> None:
        for _ in range(3):
            file.write(bytes(1000))

    with pytest.raises(BadInput, match="the disk is full: cannot write"):
        write_files([(tmp_path / "a", grow)])
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"
