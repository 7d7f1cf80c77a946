"""A pickle is read without running it: arrays come out equal, anything else is refused."""

import os
import pickle
import struct
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from frames.errors import BadInput
from synth.hand.pickle_reader import read_pickle, to_array
from tests.synth.hand.mano_format import make_fields, write_pickle

ARRAYS = {
    "float": np.arange(12.0).reshape(3, 4) / 7,
    "fortran": np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    "big_endian": np.arange(5, dtype=">i4"),
    "small": np.arange(5, dtype=np.uint8),
    "empty": np.zeros((0, 3)),
    "flag": np.array([True, False]),
    "scalar": np.float64(2.5),
    "number": 3,
    "nested": [[1, 2], [3, 4]],
}


@pytest.mark.parametrize("protocol", range(6))
def test_arrays_come_out_equal(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "arrays.pkl"
    path.write_bytes(pickle.dumps(ARRAYS, protocol=protocol))
    found = read_pickle(path)
    assert found.keys() == ARRAYS.keys()
    for name, expected in ARRAYS.items():
        np.testing.assert_array_equal(to_array(found[name], name), expected)


@pytest.mark.parametrize("protocol", range(6))
def test_chumpy_and_sparse_come_out_equal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: int
) -> None:
    fields = make_fields()
    path = tmp_path / "model.pkl"
    path.write_bytes(write_pickle(fields, monkeypatch, protocol))
    found = read_pickle(path)
    for name in ("v_template", "shapedirs", "J_regressor", "posedirs", "f", "kintree_table"):
        np.testing.assert_array_equal(to_array(found[name], name), fields[name])


class _Calls:
    """Pickles as a call, the way hostile files do."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.call = (function, args)

    def __reduce__(self) -> Any:
        return self.call


def _hostile(marker: Path) -> dict[str, Any]:
    code = f"__import__('pathlib').Path({str(marker)!r}).touch()"
    return {
        "system": _Calls(os.system, f"touch {marker}"),
        "eval": _Calls(eval, code),
        "exec": _Calls(exec, code),
        "popen": _Calls(subprocess.Popen, ["touch", str(marker)]),
        "getattr": _Calls(getattr, print, "__self__"),
        "load": _Calls(pickle.loads, pickle.dumps(_Calls(eval, code))),
        "numpy": _Calls(np.load, "other.npy"),
    }


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("kind", sorted(_hostile(Path("x"))))
@pytest.mark.parametrize("nested", [False, True])
def test_hostile_pickle_is_refused_without_effect(
    tmp_path: Path, kind: str, protocol: int, nested: bool
) -> None:
    marker = tmp_path / "owned"
    attack: Any = _hostile(marker)[kind]
    if nested:
        attack = {"v_template": ARRAYS["float"], "f": [[{"deep": (1, attack)}]]}
    path = tmp_path / "MANO_RIGHT.pkl"
    path.write_bytes(pickle.dumps(attack, protocol=protocol))
    with pytest.raises(BadInput, match="refused to load") as error:
        read_pickle(path)
    assert not marker.exists()
    assert "\n" not in str(error.value) and str(path) in str(error.value)


HANDMADE = {
    "global in text": b"cos\nsystem\n(S'true'\ntR.",
    "dotted name": b"\x80\x04\x8c\x05numpy\x8c\x10ndarray.__reduce__\x93.",
    "dotted chumpy": b"\x80\x04\x8c\tchumpy.ch\x8c\x0bos.path.sep\x93.",
    "instance opcode": b"(S'true'\nios\nsystem\n.",
    "extension": b"\x80\x02\x82\x01.",
    "persistent": b"\x80\x02X\x01\x00\x00\x00aQ.",
    "class state": b"\x80\x02cnumpy\nndarray\n}X\x01\x00\x00\x00aK\x01sb.",
    "memo bomb": b"\x80\x02Nr" + struct.pack("<I", 2**32 - 1) + b".",
    "bytes bomb": b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b".",
    "deep nesting": b"(" * 3000 + b"l" * 3000 + b".",
    "stack underflow": b"\x80\x02R.",
    "list": pickle.dumps([1, 2]),
    "text": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
    "page": b"<!DOCTYPE html><html><body>Log in</body></html>",
    "empty": b"",
    "zeros": bytes(1000),
}


@pytest.mark.parametrize("kind", HANDMADE)
def test_handmade_stream_gives_one_line(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "MANO_RIGHT.pkl"
    path.write_bytes(HANDMADE[kind])
    with pytest.raises(BadInput) as error:
        to_array(read_pickle(path), "all")
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


def test_truncated_anywhere_gives_one_line(tmp_path: Path) -> None:
    data = pickle.dumps(ARRAYS, protocol=2)
    path = tmp_path / "MANO_RIGHT.pkl"
    for end in range(0, len(data), 7):
        path.write_bytes(data[:end])
        with pytest.raises(BadInput) as error:
            read_pickle(path)
        assert "\n" not in str(error.value)


def test_flipped_bits_give_arrays_or_one_line(tmp_path: Path) -> None:
    data = bytearray(pickle.dumps(ARRAYS, protocol=2))
    rng = np.random.default_rng(0)
    path = tmp_path / "MANO_RIGHT.pkl"
    for _ in range(600):
        flipped = data.copy()
        for place in rng.integers(0, len(data), 3):
            flipped[place] ^= 1 << rng.integers(8)
        path.write_bytes(flipped)
        try:
            for name, value in read_pickle(path).items():
                to_array(value, str(name))
        except BadInput as error:
            assert "\n" not in str(error)


def test_object_arrays_are_no_arrays(tmp_path: Path) -> None:
    path = tmp_path / "objects.pkl"
    path.write_bytes(pickle.dumps({"a": np.array([None, "x"], dtype=object)}, protocol=2))
    with pytest.raises(BadInput, match="a: not an array"):
        to_array(read_pickle(path)["a"], "a")
