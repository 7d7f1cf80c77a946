"""A trained network as one file for another runtime, compared with torch before it is written."""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np

from frames.errors import BadInput
from frames.store.disk import explain_write_error, make_folder, write_files
from train_tiny.cost import Macs, count_macs, time_calls
from train_tiny.export.bias_correction import correct_biases
from train_tiny.export.checks import Checks, Wanted, load_checks, run_in_parts
from train_tiny.export.interface import Graph, Interface, describe_network
from train_tiny.export.runners import Runner, run_executorch, run_onnx, run_torch
from train_tiny.folding import fold_norms
from train_tiny.losses.tasks import TASKS
from train_tiny.models import build_model
from train_tiny.networks.layers import count_parameters
from train_tiny.run_folder import BEST_NAME, WEIGHTS_NAME, read_run
from train_tiny.training.place import load_net
from train_tiny.weights import DEPLOYED, Deployed, deploy, load_weights

FORMATS: Final = {
    "onnx": (".onnx", False),
    "onnx-int8": (".onnx", True),
    "executorch": (".pte", False),
    "executorch-int8": (".pte", True),
}
"""What a file is called, and whether it computes in 8 bits."""

SAME: Final = 1e-3
"""By how much, of an output's largest value, float32 formats may differ from torch."""

_NEEDED: Final = {
    ".onnx": (("onnx", "onnxscript", "onnxruntime"), "export"),
    ".pte": (("executorch", "torchao"), "executorch"),
}
"""Packages that write and run it, and the extra that brings them."""


@dataclass(frozen=True, eq=False)
class Package:
    """What became of a network."""

    model: str
    format: str
    size: int
    """Bytes."""
    parameters: int
    """Learned numbers, norms folded in."""
    macs: Macs
    ms: float
    """An image, one thread, of the packaged network."""
    torch_ms: float
    compared: int
    """Images on which both ran."""
    differ: dict[str, float]
    """The largest difference of each output."""
    apart_px: float
    """Between keypoints of both, the mean; NaN for whole frames."""
    scores: dict[str, float]
    """Of the packaged network, by the labels."""
    torch_scores: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def check_package(path: Path, format: str) -> None:
    """Raises BadInput for what cannot be made here, before the work is done."""
    if format not in FORMATS:
        raise BadInput(f"unknown format {format!r}: known are {', '.join(FORMATS)}")
    suffix = FORMATS[format][0]
    if path.suffix != suffix:
        raise BadInput(f"{format} is written as {suffix}, got {path}")
    packages, extra = _NEEDED[suffix]
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise BadInput(f"{format} needs {missing[0]}: pip install 'handloom[{extra}]'")
    if path.is_dir():
        raise BadInput(f"cannot write {path}: a folder is in the way")
    make_folder(path.parent)
    try:
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise explain_write_error(path, error) from None


def load_deployed(path: Path, heads: Sequence[str] | None = None) -> Deployed:
    """The best weights of a run's folder, or a file of weights, as they are used.

    heads: auxiliary heads to keep; None for `DEPLOYED`, and of a file of weights what it has.
    Raises BadInput for what is neither, damaged, or without such a head.
    """
    for head in heads or ():
        if head not in TASKS[1:]:
            raise BadInput(f"unknown head {head!r}: known are {', '.join(TASKS[1:])}")
    if path.is_dir():
        run = read_run(path)["run"]["model"]
        model = build_model(run["name"], {k: v for k, v in run.items() if k != "name"})
        if not (path / BEST_NAME).is_file():
            raise BadInput(f"{path} has no {BEST_NAME} yet: train it for longer")
        _check_heads(path, model.config, heads or ())
        load_net(model, path / BEST_NAME)
        weights = path / WEIGHTS_NAME
        told = load_weights(weights).provenance if weights.is_file() else {"run": path.name}
        return deploy(model, model.net, told, DEPLOYED if heads is None else heads)
    deployed = load_weights(path)
    if heads is None:
        return deployed
    _check_heads(path, deployed.config, heads)
    config = dict(deployed.config)
    config.update({k: k in heads for k in TASKS[1:] if config.get(k)})
    net = fold_norms(build_model(deployed.name, config).net)
    state = deployed.net.state_dict()
    net.load_state_dict({name: state[name] for name in net.state_dict()})
    return replace(deployed, config=config, net=net)


def package(
    deployed: Deployed,
    path: Path,
    format: str,
    wanted: Wanted,
    decode: bool = False,
    rounds: int = 200,
) -> Package:
    """Write the file, and beside it a .json that says what it takes and gives.

    rounds: calls to time. Raises BadInput for what cannot be written or read, and for a file that
    would not compute what torch does.
    """
    check_package(path, format)
    interface = describe_network(deployed, decode)
    checks, calibration = load_checks(deployed, wanted)
    data = export_network(interface, format, calibration)
    found = compare(interface, format, data, checks, rounds)
    if not FORMATS[format][1]:
        _check_same(found, interface, checks)
    text = json.dumps(interface.text | {"size": len(data)}, indent=2) + "\n"
    write_files([(path, data), (path.with_suffix(".json"), text.encode())])
    return found


def export_network(interface: Interface, format: str, calibration: Any) -> bytes:
    """The file's bytes. calibration: (N, 1, H, W) images for formats of 8 bits."""
    suffix, rounded = FORMATS[format]
    images = None
    if rounded:
        images = calibration
        graph = correct_biases(interface.graph, images)
        assert isinstance(graph, Graph)
        interface = replace(interface, graph=graph)
    if suffix == ".pte":
        from train_tiny.export.executorch_export import export_executorch

        return export_executorch(interface, images)
    from train_tiny.export.onnx_export import export_onnx, finish_model

    model = export_onnx(interface)
    if images is not None:
        from train_tiny.export.onnx_quantisation import quantise_model

        model = quantise_model(model, images)
    return finish_model(model, interface)


def open_runner(format: str, data: bytes) -> Runner:
    """What runs a file."""
    return run_executorch(data) if FORMATS[format][0] == ".pte" else run_onnx(data)


def compare(interface: Interface, format: str, data: bytes, checks: Checks, rounds: int) -> Package:
    """A packaged network beside torch's: outputs, scores, latency."""
    theirs, ours = run_torch(interface), open_runner(format, data)
    truth = run_in_parts(theirs, checks.images, interface.outputs)
    found = run_in_parts(ours, checks.images, interface.outputs)
    differ = {k: float(np.abs(found[k] - v).max(initial=0)) for k, v in truth.items()}
    places = checks.locate(truth), checks.locate(found)
    apart = float("nan")
    if places[0] is not None and places[1] is not None:
        apart = float(np.linalg.norm(places[0] - places[1], axis=-1).mean())
    one = checks.images[:1]
    ms, torch_ms = time_calls([lambda: ours(one), lambda: theirs(one)], rounds)
    return Package(
        model=interface.text["model"],
        format=format,
        size=len(data),
        parameters=count_parameters(interface.graph),
        macs=count_macs(interface.graph, interface.example),
        ms=ms,
        torch_ms=torch_ms,
        compared=len(checks.images),
        differ=differ,
        apart_px=apart,
        scores=checks.score(found),
        torch_scores=checks.score(truth),
    )


def _check_same(found: Package, interface: Interface, checks: Checks) -> None:
    truth = run_in_parts(run_torch(interface), checks.images[:32], interface.outputs)
    for name, most in found.differ.items():
        # Where two cells are equally high, rounding may choose between them.
        if name == "keypoints_px":
            continue
        size = float(np.abs(truth[name]).max(initial=0))
        if not most <= SAME * max(size, 1.0):
            raise BadInput(
                f"{found.format} of {found.model} differs from torch by {most:.3g} in {name}, whose"
                f" largest value is {size:.3g}: nothing was written"
            )


def _check_heads(path: Path, config: dict[str, Any], heads: Sequence[str]) -> None:
    missing = [head for head in heads if not config.get(head)]
    if missing:
        there = [h for h in TASKS[1:] if config.get(h)]
        raise BadInput(f"{path} has no head {missing[0]}: it has {', '.join(there) or 'none'}")
