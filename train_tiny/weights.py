"""The file of a deployed network: its weights, norms folded in, and what they are.

A file of the safetensors format (8 bytes of length, a JSON header, numbers as they lie in memory),
so that other programs read it too; nothing in it is ever run. Under the header's `__metadata__`:

    format      "handloom weights 1"
    model       its name and shape, JSON
    layout      a hash of the names and shapes of the network's tensors
    provenance  how it was trained, JSON
    sha256      of the numbers

All numbers are one tensor, in the order of the network's state: a header with the name of every
layer would take two percent of so small a file. They are float32 (F32), and float16 (F16) of
LitePose, whose file is half as large then.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import nn

from frames.errors import BadInput
from frames.store.disk import write_file
from frames.whole_file import MOST_WEIGHTS, read_whole
from train_tiny.folding import fold_norms
from train_tiny.models import FRAME_MODELS, Model, build_model

FORMAT: Final = "handloom weights 1"

DEPLOYED: Final = ("visibility", "side", "depth")
"""Auxiliary heads that prediction uses: depth for 3D, the others for what it tells of a hand."""

MOST_BYTES: Final = 300_000
"""What HandLite's file may have."""

_NUMBERS: Final = "weights"

_MOST: Final = 8192
"""Of channels, pixels, layers of a network."""

_KINDS: Final = (("F32", "<f4"), ("F16", "<f2"))
"""Names in safetensors and in numpy, by whether a file is of half precision."""


@dataclass(frozen=True, eq=False)
class Deployed:
    """A network as it is used: no norms, evaluation only."""

    name: str
    config: dict[str, Any]
    """Its shape, as `build_model` takes it; heads that were left out are off."""
    net: nn.Module
    provenance: dict[str, Any]
    """How it was trained."""
    half: bool = False
    """Whether its file has float16 numbers. They are computed with in float32 all the same."""


def deploy(
    model: Model, net: nn.Module, provenance: dict[str, Any], heads: Sequence[str] = DEPLOYED
) -> Deployed:
    """The part of a trained network that is used.

    net: the weights, a network of the model's shape (such as its moving average). heads: auxiliary
    heads that stay.
    """
    config = dict(model.config)
    for task in model.tasks:
        if task in config and task not in heads:
            config[task] = False
    bare = build_model(model.name, config).net
    wanted = bare.state_dict()
    bare.load_state_dict({k: v.cpu() for k, v in net.state_dict().items() if k in wanted})
    return Deployed(model.name, config, fold_norms(bare), provenance, model.name in FRAME_MODELS)


def pack_weights(deployed: Deployed) -> bytes:
    """The file's bytes; the same for the same network and provenance.

    Raises BadInput for weights that float16 has no number for.
    """
    state = deployed.net.state_dict()
    dtype, kind = _KINDS[deployed.half]
    with np.errstate(over="ignore"):
        numbers = [t.detach().cpu().numpy().astype(kind) for t in state.values()]
    for name, array in zip(state, numbers, strict=True):
        if deployed.half and not np.isfinite(array).all():
            raise BadInput(
                f"{name} of {deployed.name} has weights that are no numbers or beyond float16's"
                f" 65,504: train it anew, or save it with half=False"
            )
    data = b"".join(array.tobytes() for array in numbers)
    meta = {
        "format": FORMAT,
        "model": _pack({"name": deployed.name, "config": deployed.config}),
        "layout": _hash_layout(deployed.net),
        "provenance": _pack(deployed.provenance),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    count = len(data) // np.dtype(kind).itemsize
    tensor = {"dtype": dtype, "shape": [count], "data_offsets": [0, len(data)]}
    text = _pack({"__metadata__": meta, _NUMBERS: tensor}).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data


def save_weights(path: Path, deployed: Deployed) -> int:
    """Write the file, whole or not at all; returns its size in bytes.

    Raises BadInput for a place that cannot be written.
    """
    data = pack_weights(deployed)
    write_file(path, data)
    return len(data)


def load_weights(path: Path) -> Deployed:
    """A network ready for use, on the CPU.

    Raises BadInput, one line, for a file that is not there, is none of these, or was damaged.
    """
    try:
        data = read_whole(path, MOST_WEIGHTS)
    except OSError as error:
        raise BadInput(f"cannot read the weights {path}: {error.strerror}") from None
    meta, dtype, start = _read_header(data, path)
    if hashlib.sha256(data[start:]).hexdigest() != meta.get("sha256"):
        raise BadInput(
            f"the weights {path} are damaged: their SHA-256 differs from the header's; copy the"
            " file anew"
        )
    half = dtype == _KINDS[True][0]
    kind = np.dtype(_KINDS[half][1])
    try:
        model, provenance = json.loads(meta["model"]), json.loads(meta["provenance"])
        _check_numbers(model["config"])
        with torch.device("meta"):  # a shape without memory: the file may ask for any
            shape = fold_norms(build_model(model["name"], model["config"]).net)
        wanted = kind.itemsize * sum(t.numel() for t in shape.state_dict().values())
        if _hash_layout(shape) != meta.get("layout") or len(data) - start != wanted:
            raise BadInput(
                f"they are of another {model['name']} than this handloom builds: use the handloom"
                " that wrote them"
            )
        net = fold_norms(build_model(model["name"], model["config"]).net)
    except BadInput as error:
        raise BadInput(f"the weights {path} cannot be used: {error}") from None
    except Exception as error:  # a shape that cannot be makes torch raise almost anything
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise BadInput(f"the header of {path} lacks or mistakes {reason}") from None
    numbers, state = np.frombuffer(data[start:], kind).astype(np.float32), {}
    for name, tensor in net.state_dict().items():
        state[name] = torch.from_numpy(numbers[: tensor.numel()].reshape(tensor.shape).copy())
        numbers = numbers[tensor.numel() :]
    net.load_state_dict(state)
    return Deployed(model["name"], model["config"], net.eval(), provenance, half)


def _check_numbers(value: Any) -> None:
    """Raises BadInput for a number in a network's shape that no network of ours has."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            _check_numbers(inner)
    elif isinstance(value, int | float) and not -1 <= value <= _MOST:
        raise BadInput(f"a network of {value!r}")


def _pack(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _hash_layout(net: nn.Module) -> str:
    shapes = [[name, list(t.shape)] for name, t in net.state_dict().items()]
    return hashlib.sha256(_pack(shapes).encode()).hexdigest()[:16]


def _read_header(data: bytes, path: Path) -> tuple[dict[str, Any], str, int]:
    """The metadata, the numbers' type, and where they begin."""
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or not 2 <= length <= len(data) - 8:
        raise BadInput(
            f"{path} is no file of weights, or was cut short: {len(data)} bytes, header of {length}"
        )
    try:
        header = json.loads(data[8 : 8 + length])
        meta, dtype = header["__metadata__"], header[_NUMBERS]["dtype"]
    except (ValueError, RecursionError, KeyError, TypeError):
        raise BadInput(f"{path} is no file of weights: its header has no metadata") from None
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        raise BadInput(f"{path} holds no weights of handloom: its format must be {FORMAT!r}")
    if not isinstance(dtype, str) or dtype not in dict(_KINDS):
        raise BadInput(f"the weights {path} must be F32 or F16, got {dtype!r}")
    return meta, dtype, 8 + length
