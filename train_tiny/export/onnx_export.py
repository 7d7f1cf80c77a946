"""A network as an ONNX file: captured by torch, slimmed, and saying what it takes and gives."""

import contextlib
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Final

import torch
from onnx import ModelProto

from train_tiny.export.interface import INPUT, Interface
from train_tiny.export.onnx_graph import set_property, slim_model

OPSET: Final = 18
"""Of ONNX 1.13, December 2022: runtimes since then take it."""

PROPERTY: Final = "handloom"
"""Under which the model's properties hold `Interface.text` as JSON."""


def export_onnx(interface: Interface) -> ModelProto:
    """The graph with float32 weights, for any number of images at a time."""
    batch = torch.export.Dim("batch", min=1, max=1 << 16)
    # With one image, what is captured would hold for one alone.
    example = interface.example.expand(2, -1, -1, -1).contiguous()
    with _quiet():
        program = torch.onnx.export(
            interface.graph.eval(),
            (example,),
            dynamo=True,
            external_data=False,
            input_names=[INPUT],
            output_names=list(interface.outputs),
            dynamic_shapes=({0: batch},),
            opset_version=OPSET,
            verbose=False,
        )
    assert program is not None
    return slim_model(program.model_proto, interface.text["model"])


def finish_model(model: ModelProto, interface: Interface) -> bytes:
    """The file's bytes, its interface among its properties."""
    set_property(model, PROPERTY, json.dumps(interface.text, separators=(",", ":")))
    return model.SerializeToString(deterministic=True)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Torch's exporter tells of packages that nothing here needs."""
    talker = logging.getLogger("torch.onnx")
    level = talker.level
    talker.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        talker.setLevel(level)
