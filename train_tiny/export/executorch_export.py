"""A network as an ExecuTorch program, for phones and headsets: computed by XNNPACK.

https://docs.pytorch.org/executorch: captured by torch.export, parts that XNNPACK knows delegated to
it, the rest left to portable kernels. 8 bits as `train_tiny.export.onnx_quantisation` has them, by
torchao's quantisation of captured graphs: weights int8 for each output channel, activations int8.
"""

import contextlib
import logging
import warnings
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from train_tiny.export.interface import Interface
from train_tiny.export.runners import run_executorch

_WHOLE: Final = ("net.keypoints", "net.heads")
"""Layers whose outputs are not rounded: those that give a network's own."""


def export_executorch(interface: Interface, images: NDArray[np.float32] | None = None) -> bytes:
    """The program for one image at a time; 8 bits if calibrated on images (N, 1, H, W).

    It has run once. Raises RuntimeError, the runtime's own, if it does not.
    """
    with _quiet():
        from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
        from executorch.exir import to_edge_transform_and_lower

        graph: torch.nn.Module = interface.graph.eval()
        example = (interface.example,)
        if images is not None:
            graph = _quantise(graph, example, images)
        captured = torch.export.export(graph, example)
        lowered = to_edge_transform_and_lower(captured, partitioner=[XnnpackPartitioner()])
        data = bytes(lowered.to_executorch().buffer)
    run_executorch(data)(np.zeros(interface.shape, np.float32))
    return data


def _quantise(graph: torch.nn.Module, example: Any, images: NDArray[np.float32]) -> torch.nn.Module:
    from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
        XNNPACKQuantizer,
        get_symmetric_quantization_config,
    )
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    quantizer = XNNPACKQuantizer()
    quantizer.set_global(get_symmetric_quantization_config(is_per_channel=True))
    quantizer.set_filter_function(_is_rounded)
    prepared = prepare_pt2e(torch.export.export(graph, example).module(), quantizer)
    with torch.no_grad():
        for image in images:
            prepared(torch.from_numpy(image)[None])
    _clip_ranges(prepared)
    quantised: torch.nn.Module = convert_pt2e(prepared)
    return quantised


def _is_rounded(node: Any) -> bool:
    """Whether a node of the captured graph computes in 8 bits."""
    homes = node.meta.get("nn_module_stack", {}).values()
    return not any(whole in home for home, _ in homes for whole in _WHOLE)


def _clip_ranges(prepared: Any) -> None:
    """Give convolutions the range of the clip to 0 .. 6 that follows them: rounding to it clips.

    The quantiser knows of ReLU alone; what comes out before ReLU6 reaches much farther, and steps
    over that would be as much wider.
    """
    from torchao.quantization.pt2e import MinMaxObserver
    from torchao.quantization.pt2e.observer import ObserverBase

    calls = [n for n in prepared.graph.nodes if n.op == "call_module"]
    # One observer may go by several names: what moves numbers about keeps their range.
    watching = {n.target: getattr(prepared, n.target) for n in calls}
    clipped: dict[int, Any] = {}
    for node in prepared.graph.nodes:
        if "hardtanh" not in str(node.target):
            continue
        low, high = (float(n) for n in (*node.args, -1.0, 1.0)[1:3])
        before = node.args[0]
        for one in (*([before] if len(before.users) == 1 else []), *node.users):
            seen = watching.get(one.target)
            if not isinstance(seen, ObserverBase):
                continue
            known: Any = seen
            range_ = MinMaxObserver(
                dtype=known.dtype,
                qscheme=known.qscheme,
                quant_min=known.quant_min,
                quant_max=known.quant_max,
                eps=float(known.eps),
            )
            met = float(known.min_val), float(known.max_val)
            range_.min_val, range_.max_val = (torch.tensor(min(max(n, low), high)) for n in met)
            clipped[id(seen)] = range_
    for name, module in watching.items():
        if id(module) in clipped:
            setattr(prepared, name, clipped[id(module)])


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Both packages tell at length of kernels for GPUs that are not there."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
