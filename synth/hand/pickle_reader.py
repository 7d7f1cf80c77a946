"""Read arrays out of a pickle that nobody vouches for, such as a MANO model file.

A pickle is a program: its opcodes may call anything that can be imported. Here every global that it
names is looked up in a fixed table of inert stand-ins, and anything else is refused, so that no
code but this module's runs. The stand-ins only keep what they are given; `to_array` turns them into
numpy arrays afterwards, with every length checked.

MANO's files come from Python 2: chumpy objects, scipy sparse matrices, latin-1 strings. chumpy no
longer builds, and scipy is not needed to read three index arrays.
"""

import io
import pickle
import pickletools
from pathlib import Path
from typing import Any, Final

import numpy as np

from frames.errors import BadInput
from frames.whole_file import read_whole

MAX_BYTES: Final = 256 * 2**20
"""A MANO file has about 4 MB."""

_MAX_DEPTH: Final = 32
"""chumpy expressions may nest; a file that nests deeper is not a hand model."""


class _RefusedError(Exception):
    """What the file asks for is not in the table."""


class _Stub:
    """Keeps its arguments and its state; calls nothing."""

    args: tuple[Any, ...] = ()
    state: Any = None

    def __init__(self, *args: Any) -> None:
        self.args = args

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Dtype(_Stub):
    """numpy.dtype: (spec, align, copy), state (version, byte order, ...)."""


class _Array(_Stub):
    """numpy.ndarray: state (version, shape, dtype, Fortran order, bytes)."""


class _Scalar(_Stub):
    """numpy scalar: (dtype, bytes)."""


class _Buffer(_Stub):
    """Array of pickle protocol 5: (bytes, dtype, shape, order)."""


class _Sparse(_Stub):
    """Compressed sparse columns or rows: state {data, indices, indptr, _shape}."""


class _Rows(_Sparse):
    """Compressed by rows."""


class _Chumpy(_Stub):
    """Any chumpy object: state is its dictionary; chumpy.ch.Ch holds its value in x."""


class _Select(_Chumpy):
    """chumpy.reordering.Select: a.ravel()[idxs].reshape(preferred_shape)."""


class _Discarded(_Stub):
    """Bookkeeping of chumpy (sets, plain objects) that no array is made of."""


class _Encode(_Stub):
    """_codecs.encode: how Python 3 writes bytes in protocols 0 to 2."""

    def __new__(cls, text: str = "", encoding: str = "latin1") -> Any:
        if not isinstance(text, str) or encoding != "latin1":
            raise _RefusedError("_codecs.encode of anything but latin-1 text")
        return text.encode("latin1")


class _Bytes(_Stub):
    """bytes(): how Python 3 writes empty bytes in protocols 0 to 2."""

    def __new__(cls) -> Any:
        return b""


class _Reconstructor(_Stub):
    """copyreg._reconstructor(cls, object, None): a Python 2 object before its state."""

    def __new__(cls, kind: Any = None, base: Any = None, state: Any = None) -> Any:
        if not (isinstance(kind, type) and issubclass(kind, _Stub)):
            raise _RefusedError("copyreg._reconstructor of a foreign class")
        return kind()


def _table() -> dict[tuple[str, str], type[_Stub]]:
    table: dict[tuple[str, str], type[_Stub]] = {
        ("numpy", "ndarray"): _Array,
        ("numpy", "dtype"): _Dtype,
        ("_codecs", "encode"): _Encode,
    }
    for core in ("numpy.core", "numpy._core"):
        table[f"{core}.multiarray", "_reconstruct"] = _Array
        table[f"{core}.multiarray", "scalar"] = _Scalar
        table[f"{core}.numeric", "_frombuffer"] = _Buffer
    for form, stub in (("csc", _Sparse), ("csr", _Rows)):
        for module in (f"scipy.sparse.{form}", f"scipy.sparse._{form}"):
            table[module, f"{form}_matrix"] = stub
            table[module, f"{form}_array"] = stub
    for module in ("copy_reg", "copyreg"):
        table[module, "_reconstructor"] = _Reconstructor
    for module in ("__builtin__", "builtins"):
        table[module, "bytes"] = _Bytes
        table[module, "object"] = _Discarded
        table[module, "set"] = _Discarded
    return table


_TABLE: Final = _table()


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _TABLE:
            return _TABLE[module, name]
        if module.split(".")[0] == "chumpy" and "." not in name:
            return _Select if name == "Select" else _Chumpy
        raise _RefusedError(f"{module}.{name}")

    def persistent_load(self, pid: Any) -> Any:
        raise _RefusedError("a persistent object")


def read_pickle(path: Path) -> dict[str, Any]:
    """The dictionary in a pickle, its arrays still as stand-ins: pass them through `to_array`.

    Raises BadInput, in one line, for a file that is missing, too large, truncated or not a pickle,
    that holds something else than a dictionary, or that names anything outside the table.
    """
    try:
        data = read_whole(path, MAX_BYTES)
        _check_memo(data)
        found = _Reader(io.BytesIO(data), encoding="latin1").load()
    except BadInput:
        raise
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}") from None
    except _RefusedError as refused:
        raise BadInput(
            f"{path}: refused to load {str(refused)[:80]!r}; a hand model holds only numpy, scipy "
            "and chumpy arrays: is this file from where you think?"
        ) from None
    except Exception as error:  # a hostile stream can make the unpickler raise anything
        reason = " ".join(str(error).split())[:80]
        raise BadInput(
            f"{path}: not a readable pickle ({type(error).__name__}: {reason}); is it complete?"
        ) from None
    if not isinstance(found, dict):
        raise BadInput(f"{path}: holds a {type(found).__name__}; expected a dictionary of arrays")
    return found


def _check_memo(data: bytes) -> None:
    """Refuse memo slots beyond the file's own length: five bytes could ask for 64 GB."""
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT") and int(argument or 0) > len(data):
            raise _RefusedError("a memo slot beyond the file")


def to_array(value: Any, name: str) -> np.ndarray:
    """A stand-in (or a number, or nested lists) as a numpy array of numbers.

    Raises BadInput naming the field for anything that is no array or contradicts itself.
    """
    try:
        return _to_array(value, 0)
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, MemoryError) as error:
        reason = " ".join(str(error).split())[:100]
        raise BadInput(f"{name}: not an array that can be read ({reason})") from None


def _to_array(value: Any, depth: int) -> np.ndarray:
    if depth > _MAX_DEPTH:
        raise ValueError("nested too deep")
    if isinstance(value, _Array):
        _, shape, dtype, fortran, data = value.state
        return _shaped(data, _dtype(dtype), shape, "F" if fortran else "C")
    if isinstance(value, _Buffer):
        data, dtype, shape, order = value.args
        return _shaped(data, _dtype(dtype), shape, order)
    if isinstance(value, _Scalar):
        return _shaped(value.args[1], _dtype(value.args[0]), (), "C")
    if isinstance(value, _Sparse):
        return _dense(value, depth)
    if isinstance(value, _Select):
        state = value.state
        flat = _to_array(state["a"], depth + 1).ravel()
        chosen = flat[_to_array(state["idxs"], depth + 1).astype(np.int64)]
        return chosen.reshape([int(n) for n in state["preferred_shape"]])
    if isinstance(value, _Chumpy):
        if not isinstance(value.state, dict) or "x" not in value.state:
            raise ValueError("a chumpy expression; expected chumpy.ch.Ch or Select")
        return _to_array(value.state["x"], depth + 1)
    if isinstance(value, bool | int | float | list | tuple):
        found = np.array(value)
        if found.dtype.kind not in "biuf":
            raise ValueError("not numbers")
        return found
    raise ValueError(f"a {type(value).__name__.strip('_')}")


def _dtype(stub: Any) -> np.dtype:
    if not isinstance(stub, _Dtype):
        raise ValueError("no dtype")
    spec = stub.args[0]
    order = stub.state[1] if isinstance(stub.state, tuple) else "="
    if isinstance(spec, bytes):
        spec = spec.decode("latin1")
    if not (isinstance(spec, str) and spec[:1] in "biuf" and spec[1:].isdigit()):
        raise ValueError(f"dtype {spec!r:.20}; expected numbers")
    return np.dtype((">" if order == ">" else "<") + spec)


def _shaped(data: Any, dtype: np.dtype, shape: Any, order: str) -> np.ndarray:
    if isinstance(data, str):
        data = data.encode("latin1")
    if not isinstance(data, bytes | bytearray) or order not in ("C", "F"):
        raise ValueError("no bytes")
    flat = np.frombuffer(bytes(data), dtype)
    native = flat.astype(dtype.newbyteorder("="))
    return native.reshape([int(n) for n in shape], order=order)  # type: ignore[call-overload]


def _dense(stub: _Sparse, depth: int) -> np.ndarray:
    state = stub.state
    data, index, start = (_to_array(state[k], depth + 1) for k in ("data", "indices", "indptr"))
    rows, columns = (int(n) for n in (state["_shape"] if "_shape" in state else state["shape"]))
    lines = rows if isinstance(stub, _Rows) else columns
    if rows * columns * 8 > MAX_BYTES or len(start) != lines + 1 or len(index) != len(data):
        raise ValueError("a sparse matrix that contradicts itself")
    line = np.repeat(np.arange(lines), start[1:].astype(np.int64) - start[:-1].astype(np.int64))
    at = (line, index) if isinstance(stub, _Rows) else (index, line)
    out = np.zeros((rows, columns))
    np.add.at(out, at, data)
    return out
