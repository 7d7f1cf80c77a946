"""Biases that make up for rounded weights (Nagel et al. 2019, arXiv 1906.04721, section 4.2).

Rounding a weight w to q shifts what a convolution gives by (w - q) E[x] on average: its bias can
take that back, for it is not rounded to 8 bits.
"""

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, numpy_helper

from train_tiny.interface import INPUT

Floats = NDArray[np.float32]

_BATCH = 16


def correct_biases(model: ModelProto, images: Floats) -> ModelProto:
    """The same network, its convolutions' biases moved by what rounding their weights to int8, a
    scale for each output channel, would shift their outputs.

    images: (N, 1, H, W) over which inputs are averaged.
    """
    out = ModelProto()
    out.CopyFrom(model)
    constants = {c.name: c for c in out.graph.initializer}
    layers = [n for n in out.graph.node if n.op_type == "Conv" and len(n.input) == 3]
    means = _average_inputs(model, sorted({n.input[0] for n in layers}), images)
    for node in layers:
        weights = numpy_helper.to_array(constants[node.input[1]])
        bias = constants[node.input[2]]
        moved = numpy_helper.to_array(bias) + _find_shift(node, weights, means[node.input[0]])
        bias.CopyFrom(numpy_helper.from_array(moved.astype(np.float32), bias.name))
    return out


def _find_shift(node: NodeProto, weights: Floats, mean: Floats) -> Floats:
    """(outputs,) by which outputs become smaller on average. mean: (inputs,) of each channel."""
    scale = np.abs(weights).max((1, 2, 3), keepdims=True) / 127
    scale = np.where(scale > 0, scale, 1)
    lost = (weights - np.round(weights / scale) * scale).sum((2, 3))
    groups = next((a.i for a in node.attribute if a.name == "group"), 1)
    # Each group of outputs sees its own stretch of the inputs.
    seen = np.repeat(mean.reshape(groups, -1), len(lost) // groups, 0)
    return np.asarray((lost * seen).sum(1))


def _average_inputs(model: ModelProto, names: list[str], images: Floats) -> dict[str, Floats]:
    """(C,) of each tensor (B, C, H, W) over images and pixels."""
    probe = ModelProto()
    probe.CopyFrom(model)
    there = {value.name for value in probe.graph.output}
    wanted = [name for name in names if name != INPUT]
    for name in wanted:
        if name not in there:
            probe.graph.output.add().name = name
    session = onnxruntime.InferenceSession(
        probe.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    sums = dict.fromkeys(names, np.zeros(1))
    for first in range(0, len(images), _BATCH):
        part = images[first : first + _BATCH]
        found = dict(zip(wanted, session.run(wanted, {INPUT: part}), strict=True)) | {INPUT: part}
        for name in names:
            sums[name] = sums[name] + found[name].mean((2, 3)).sum(0)
    return {name: (value / len(images)).astype(np.float32) for name, value in sums.items()}
