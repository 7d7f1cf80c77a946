"""Packaged networks run as their users run them: by onnxruntime, by ExecuTorch, on one thread."""

import contextlib
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from train_tiny.export.interface import INPUT, Interface

Images = NDArray[np.float32]
"""(B, 1, H, W)"""

Runner = Callable[[Images], tuple[NDArray[np.float32], ...]]
"""Images to the outputs, in order."""


def run_torch(interface: Interface) -> Runner:
    """The network itself, laid out as prediction has it."""
    graph = interface.graph.to(memory_format=torch.channels_last)

    def run(images: Images) -> tuple[NDArray[np.float32], ...]:
        with torch.inference_mode():
            return tuple(np.asarray(value) for value in graph(torch.from_numpy(images)))

    return run


def run_onnx(data: bytes) -> Runner:
    """An ONNX file, by onnxruntime on the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return lambda images: tuple(session.run(None, {INPUT: images}))


def run_executorch(data: bytes) -> Runner:
    """An ExecuTorch program, one image after the other."""
    method = _load_program(data)

    def run(images: Images) -> tuple[NDArray[np.float32], ...]:
        rows = [_copy(method.execute([torch.from_numpy(image)[None]])) for image in images]
        return tuple(np.concatenate(parts) for parts in zip(*rows, strict=True))

    return run


def _copy(values: list[Tensor]) -> list[NDArray[np.float32]]:
    # They lie where the next call writes.
    return [value.numpy().copy() for value in values]


def _load_program(data: bytes) -> Any:
    with _hushed(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import executorch.extension.pybindings.portable_lib as library
        from executorch.runtime import Runtime

        # Before any program is loaded: one that is keeps hold of the threads it was loaded with.
        if library._threadpool_get_thread_count() != 1:
            library._unsafe_reset_threadpool(1)
        program = Runtime.get().load_program(data)
        return _Held(program, program.load_method("forward"), data)


@contextlib.contextmanager
def _hushed() -> Iterator[None]:
    """Its C++ tells of the processor on the standard error."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


class _Held:
    """A method with all it needs to stay in memory."""

    def __init__(self, program: Any, method: Any, data: bytes) -> None:
        self._kept = program, data
        self.execute = method.execute
