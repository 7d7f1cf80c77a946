"""An ONNX graph with 8-bit weights and activations (Jacob et al. 2018, arXiv 1712.05877).

Static quantisation by onnxruntime in ONNX' own QuantizeLinear and DequantizeLinear, which other
runtimes read too: weights symmetric int8 with a scale each output channel, activations uint8 with
ranges met on calibration images. What a clip to 0 .. 6 does, the range of what follows it does.
The layers that give the outputs stay as they are.
"""

import contextlib
import logging
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)

from train_tiny.export.interface import INPUT
from train_tiny.export.onnx_graph import slim_model

QUANTISED: Final = ("Conv", "ConvTranspose", "Clip", "Relu", "Add", "Resize")
"""Operators that compute in 8 bits. Small matrix products of heads stay as they are: there is
little to save, and depth has more than 256 steps."""

_OPTIONS: Final = {"QuantizeBias": False}
"""Biases stay float32: as int32 they are as large, and their scales would be larger still. The
runtime rounds them when it loads the file."""

_BATCH: Final = 16
"""Images at a time while calibrating."""


def quantise_model(model: ModelProto, images: NDArray[np.float32]) -> ModelProto:
    """images: (N, 1, H, W) to calibrate on."""
    with tempfile.TemporaryDirectory() as folder, _quiet():
        named = _name_nodes(model)
        place = Path(folder) / "quantised.onnx"
        quantize_static(
            named,
            place,
            _Images(images),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(QUANTISED),
            nodes_to_exclude=_find_last(named.graph),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            extra_options=_OPTIONS,
        )
        return slim_model(onnx.load(place), model.graph.name)


def _find_last(graph: GraphProto) -> list[str]:
    """Names of the nodes after which nothing computes in 8 bits: what they give is not rounded."""
    followed = {name for n in graph.node if n.op_type in QUANTISED for name in n.input}
    return [
        n.name
        for n in graph.node
        if n.op_type in QUANTISED and not any(name in followed for name in n.output)
    ]


class _Images(CalibrationDataReader):
    def __init__(self, images: NDArray[np.float32]) -> None:
        self._parts = iter(np.array_split(images, -(-len(images) // _BATCH)))

    def get_next(self) -> dict[str, Any] | None:
        part = next(self._parts, None)
        return None if part is None else {INPUT: part}


def _name_nodes(model: ModelProto) -> ModelProto:
    """The quantiser tells nodes apart by their names."""
    out = ModelProto()
    out.CopyFrom(model)
    for number, node in enumerate(out.graph.node):
        node.name = f"{node.op_type}{number}"
    return out


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """It advises a preparation of the graph that the exporter has made already."""
    level = logging.root.level
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
        logging.root.setLevel(level)
