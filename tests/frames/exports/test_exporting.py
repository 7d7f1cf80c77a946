"""Exports appear whole, go on where they were stopped, and have the same bytes either way."""

import errno
import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays

import frames.exports.coco
import frames.exports.hdf5
import frames.exports.yolo
from augment.export_source import SensedSource
from frames.errors import BadInput
from frames.exports.exporting import export_dataset
from frames.exports.formats import FormatOptions, choose_format
from frames.exports.layout import Format
from frames.exports.pieces import Piece, list_pieces
from frames.exports.rle import count_runs, encode_mask
from frames.exports.source import StoredSource
from frames.record import Frame

NAMES = ("coco", "yolo", "webdataset", "hdf5", "hf")


def make_format(name: str) -> Format:
    small = FormatOptions(frames_per_file=5) if name in ("webdataset", "hf") else FormatOptions()
    return choose_format(name, small)


def sum_files(folder: Path) -> dict[str, str]:
    """Every file and its digest."""
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (frames.exports.coco, frames.exports.yolo, frames.exports.hdf5):
        monkeypatch.setattr(module, "PIECE_ROWS", 5)


@dataclass(frozen=True)
class Stopping:
    """A source that ends a run at a frame: as Ctrl-C does, or a full disk."""

    inner: Any
    stop: int
    error: BaseException

    @property
    def folder(self) -> Path:
        return Path(self.inner.folder)

    def describe(self) -> dict[str, Any]:
        return dict(self.inner.describe())

    def open(self) -> Any:
        opened, outer = self.inner.open(), self

        class Frames:
            meta = opened.meta

            def __len__(self) -> int:
                return len(opened)

            def __getitem__(self, index: int) -> Frame:
                if index == outer.stop:
                    raise outer.error
                return opened[index]

        return Frames()


@pytest.mark.parametrize("name", NAMES)
def test_a_stopped_run_goes_on_to_the_same_bytes(name: str, source: Path, tmp_path: Path) -> None:
    whole = StoredSource(source)
    export_dataset(whole, tmp_path / "whole", make_format(name))
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        export_dataset(Stopping(whole, 12, KeyboardInterrupt()), out, make_format(name))
    assert not out.exists()
    counts = export_dataset(whole, out, make_format(name))
    assert counts == {"written": 14, "found": 10}
    assert sum_files(out) == sum_files(tmp_path / "whole")
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []
    # And once more: it is there.
    assert export_dataset(whole, out, make_format(name)) == {"written": 0, "found": 24}


@pytest.mark.parametrize("name", ["coco", "webdataset", "hf"])
def test_workers_change_no_byte(name: str, source: Path, tmp_path: Path) -> None:
    for workers in (1, 2):
        form = make_format(name)
        export_dataset(SensedSource(source), tmp_path / str(workers), form, workers=workers)
    assert sum_files(tmp_path / "1") == sum_files(tmp_path / "2")


def test_a_split_alone_has_the_same_pieces(source: Path, tmp_path: Path) -> None:
    export_dataset(StoredSource(source), tmp_path / "all", make_format("webdataset"))
    export_dataset(StoredSource(source), tmp_path / "one", make_format("webdataset"), ["my-val"])
    one, every = sum_files(tmp_path / "one"), sum_files(tmp_path / "all")
    tars = {name for name in one if name.endswith(".tar")}
    assert tars == {"my-val-000000.tar", "my-val-000001.tar"}
    assert all(one[name] == every[name] for name in tars)


def test_another_command_begins_anew(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    stopped = Stopping(StoredSource(source), 12, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        export_dataset(stopped, out, make_format("coco"))
    counts = export_dataset(StoredSource(source), out, make_format("webdataset"))
    assert counts["found"] == 0
    assert not (out / "images").exists()


@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk_is_one_line_and_nothing_half_written(
    name: str, source: Path, tmp_path: Path
) -> None:
    full = Stopping(StoredSource(source), 7, OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises((BadInput, OSError)):
        export_dataset(full, tmp_path / "out", make_format(name))
    assert not (tmp_path / "out").exists()


def test_what_is_there_is_not_touched(source: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "diary.txt").write_text("dear diary")
    with pytest.raises(BadInput, match=r"holds something else \(diary.txt\): choose another"):
        export_dataset(StoredSource(source), tmp_path / "out", make_format("coco"))
    export_dataset(StoredSource(source), tmp_path / "tars", make_format("webdataset"))
    with pytest.raises(BadInput, match="holds another export"):
        export_dataset(StoredSource(source), tmp_path / "tars", make_format("coco"))
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="is a file"):
        export_dataset(StoredSource(source), tmp_path / "file", make_format("coco"))
    with pytest.raises(BadInput, match="unknown split 'dev'; known: train, my-val"):
        export_dataset(StoredSource(source), tmp_path / "new", make_format("coco"), ["dev"])
    assert not (tmp_path / "new").exists()


def test_clean_depth_never_passes_for_a_sensors(source: Path, tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Unread(StoredSource):
        def open(self) -> Any:
            return [replace(f, sensor="d435") for f in super().open()]

    frames_ = Unread(source).open()
    for name in NAMES:
        with pytest.raises(BadInput, match="its sensor d435 is applied on"):
            make_format(name).check([Piece("all", 0, 1, 0, 1)], frames_[0])


def test_pieces_cover_every_frame_once() -> None:
    splits = {"a": range(3, 10), "b": range(10, 11)}
    pieces = list_pieces(14, splits, 4, "all")
    assert [(p.name, p.first, p.stop) for p in pieces] == [
        ("unsplit-00000", 0, 3),
        ("a-00000", 3, 7),
        ("a-00001", 7, 10),
        ("b-00000", 10, 11),
        ("unsplit-00001", 11, 14),
    ]
    assert [p.name for p in list_pieces(5, {}, 4, "train")] == ["train-00000", "train-00001"]
    with pytest.raises(BadInput, match="frames-per-file must be >= 1"):
        list_pieces(5, {}, 0, "all")


@settings(deadline=None)
@given(arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_masks_come_back_from_coco(mask: np.ndarray) -> None:
    api = pytest.importorskip("faster_coco_eval.mask_api_new_cpp", reason="its C++ part")
    counts = encode_mask(mask)
    assert sum(count_runs(mask)) == mask.size
    decoded = api.decode([{**counts, "counts": counts["counts"].encode()}])
    np.testing.assert_array_equal(np.asarray(decoded)[..., 0].astype(bool), mask)
