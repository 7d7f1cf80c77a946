"""HDF5 exports, read by h5py and compared with the dataset."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import frames.exports.hdf5
from augment.export_source import SensedSource
from frames.errors import BadInput
from frames.exports.exporting import export_dataset
from frames.exports.hdf5 import Hdf5
from frames.exports.pieces import Piece
from frames.exports.unfinished import PIECES
from frames.record import Frame
from frames.store.schema import HAND_COLUMNS, OBJECT_COLUMNS, Column

h5py = pytest.importorskip("h5py")


@pytest.fixture(scope="module")
def exported(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In pieces of five frames: what is joined is tested too."""
    out = tmp_path_factory.mktemp("hdf5") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frames.exports.hdf5, "PIECE_ROWS", 5)
        export_dataset(SensedSource(source), out, Hdf5())
    return out


def compare(column: Column, stored: object, value: object) -> None:
    if isinstance(stored, bytes):
        assert stored.decode() == (value or "")
    elif value is None:
        absent = np.isnan(stored) if np.asarray(stored).dtype.kind == "f" else stored == -1
        assert np.all(absent)
    elif column.shape == ():
        np.testing.assert_array_equal(stored[: len(value)], value)
        assert np.isnan(stored[len(value) :]).all()
    else:
        np.testing.assert_array_equal(stored, value)


@pytest.mark.parametrize(("split", "first"), [("train", 0), ("my-val", 14), ("unsplit", 22)])
def test_files_are_the_splits(exported: Path, shown: list[Frame], split: str, first: int) -> None:
    with h5py.File(exported / f"{split}.h5") as file:
        count = len(file["frame_id"])
        assert count == {"train": 14, "my-val": 8, "unsplit": 2}[split]
        some = shown[first : first + count]
        assert file["depth"].chunks == (1, *some[0].reading.shape)
        np.testing.assert_array_equal(file["depth"][:], [f.reading for f in some])
        np.testing.assert_array_equal(file["parts"][:], [f.parts for f in some])
        assert file["depth"].dtype == np.uint16
        assert "clean_depth" not in file
        np.testing.assert_array_equal(file["frame_id"][:], [f.frame_id for f in some])
        np.testing.assert_array_equal(file["time_s"][:], [f.time_s for f in some])
        assert file["situation"].asstr()[:].tolist() == [f.situation for f in some]
        assert set(file["camera/fx"][:]) == {some[0].camera.fx}
        for group, columns in (("hands", HAND_COLUMNS), ("objects", OBJECT_COLUMNS)):
            offsets = file[f"{group.removesuffix('s')}_offsets"][:]
            assert len(offsets) == count + 1 and offsets[0] == 0
            for frame, a, b in zip(some, offsets, offsets[1:], strict=False):
                things = getattr(frame, group)
                assert b - a == len(things)
                for column in columns:
                    rows = file[f"{group}/{column.name}"][a:b]
                    for stored, thing in zip(rows, things, strict=True):
                        compare(column, stored, getattr(thing, column.name))


def test_pictures_of_two_sizes_are_refused(tmp_path: Path, shown: list[Frame]) -> None:
    (tmp_path / PIECES).mkdir()
    camera = replace(shown[1].camera, height=100)
    small = replace(
        shown[1], camera=camera, clean_depth=shown[1].clean_depth[:100], parts=shown[1].parts[:100]
    )
    with pytest.raises(BadInput, match="one size: frame 1 has 160 x 100 pixels, others 160 x 120"):
        Hdf5().write_piece(tmp_path, Piece("all", 0, 1, 0, 2), iter([shown[0], small]))


def test_without_h5py_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, shown: list[Frame]
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(BadInput, match=r"pip install 'handloom\[hdf5\]'"):
        Hdf5().check([Piece("all", 0, 1, 0, 1)], shown[0])
