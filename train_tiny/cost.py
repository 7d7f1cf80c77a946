"""What a network costs: multiply-adds by two counters, milliseconds by the clock."""

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True)
class Macs:
    """Multiply-adds of one image, by layer kind where they are ours."""

    ours: float
    """From the shapes of what goes in and out of every product."""
    torch: float
    """Half of what torch's FlopCounterMode counts."""
    by_kind: dict[str, float]
    """Ours: convolutions, transposed convolutions, linear layers and other matrix products."""


def count_macs(net: nn.Module, image: Tensor) -> Macs:
    """Of a network in evaluation mode for one image (1, C, H, W).

    Transposed convolutions multiply each of their inputs once with the whole kernel: they are
    counted at their input's size, as torch does. (Counted at the output's, as LitePose's published
    figures are, one of stride 2 appears four times as dear.)
    """
    with torch.no_grad():
        with _Counter() as ours:
            net(image)
        with FlopCounterMode(display=False) as theirs:
            net(image)
    return Macs(sum(ours.found.values()), theirs.get_total_flops() / 2, ours.found)


class _Counter(TorchFunctionMode):
    """Sees every call of torch.nn.functional and of tensors' operators."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, float] = {}

    def __torch_function__(
        self,
        function: Any,
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        out = function(*args, **(kwargs or {}))
        kind = _KINDS.get(function)
        if kind is not None:
            given, weight = args[0], args[1]
            self.found[kind] = self.found.get(kind, 0.0) + _COUNTS[kind](given, weight, out)
        return out


_KINDS: dict[Any, str] = {
    **dict.fromkeys((functional.conv2d, torch.conv2d), "convolution"),
    **dict.fromkeys((functional.conv_transpose2d, torch.conv_transpose2d), "transposed"),
    functional.linear: "linear",
    **dict.fromkeys(
        (torch.matmul, Tensor.matmul, Tensor.__matmul__, torch.bmm, Tensor.bmm), "product"
    ),
}

_COUNTS: dict[str, Callable[[Tensor, Tensor, Tensor], float]] = {
    # Every output sums over one filter; every input is spread over one kernel.
    "convolution": lambda given, weight, out: out.numel() * math.prod(weight.shape[1:]),
    "transposed": lambda given, weight, out: given.numel() * math.prod(weight.shape[1:]),
    "linear": lambda given, weight, out: out.numel() * weight.shape[1],
    "product": lambda given, other, out: out.numel() * given.shape[-1],
}


def time_calls(
    calls: Sequence[Callable[[], object]], rounds: int = 200, row: int = 20
) -> list[float]:
    """The median of each call's milliseconds of this process: of what runs on one thread, the
    latency, less what other processes take of its core.

    The calls take turns, so that whatever else the machine does falls on all alike. row: how often
    each is repeated in its turn, after two calls that are not timed, which fill the caches; with 1,
    each is timed at once, the caches full of the others' numbers.
    """
    warm = 2 if row > 1 else 0
    spent: list[list[float]] = [[] for _ in calls]
    for call in calls:
        call()
    while len(spent[0]) < rounds:
        for call, kept in zip(calls, spent, strict=True):
            for number in range(warm + row):
                start = time.process_time()
                call()
                if number >= warm:
                    kept.append(time.process_time() - start)
    return [1000 * statistics.median(kept) for kept in spent]
