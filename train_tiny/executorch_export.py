"""A network as an ExecuTorch program, for phones and headsets: computed by XNNPACK.

https://docs.pytorch.org/executorch: captured by torch.export, parts that XNNPACK knows delegated to
it, the rest left to portable kernels. 8 bits as `train_tiny.onnx_quantisation` has them, by
torchao's quantisation of captured graphs: weights int8 for each output channel, activations int8.
"""

import contextlib
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from train_tiny.interface import Interface


def export_executorch(interface: Interface, images: NDArray[np.float32] | None = None) -> bytes:
    """The program for one image at a time; 8 bits if calibrated on images (N, 1, H, W)."""
    with _quiet():
        from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
        from executorch.exir import to_edge_transform_and_lower

        graph: torch.nn.Module = interface.graph.eval()
        example = (interface.example,)
        if images is not None:
            graph = _quantise(graph, example, images)
        captured = torch.export.export(graph, example)
        lowered = to_edge_transform_and_lower(captured, partitioner=[XnnpackPartitioner()])
        return bytes(lowered.to_executorch().buffer)


def _quantise(graph: torch.nn.Module, example: Any, images: NDArray[np.float32]) -> torch.nn.Module:
    from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
        XNNPACKQuantizer,
        get_symmetric_quantization_config,
    )
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    quantizer = XNNPACKQuantizer()
    quantizer.set_global(get_symmetric_quantization_config(is_per_channel=True))
    prepared = prepare_pt2e(torch.export.export(graph, example).module(), quantizer)
    with torch.no_grad():
        for image in images:
            prepared(torch.from_numpy(image)[None])
    quantised: torch.nn.Module = convert_pt2e(prepared)
    return quantised


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
