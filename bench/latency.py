"""Latency, parameters and multiply-adds of the networks, and of others beside HandLite.

python -m bench.latency [WEIGHTS ...]    prints the table; weights of a trained network in the place
                                         of fresh ones, which cost the same

One thread, one image; milliseconds of this process' time, medians, called in turn, so that whatever
else the machine does falls on all alike: twenty calls in a row each, and one after the other, when
each finds the caches full of the others' numbers. Multiply-adds by two counters
(`train_tiny.cost`).
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from bench.render import describe_machine
from train_tiny.cost import count_macs, time_calls
from train_tiny.export.interface import Interface, describe_network
from train_tiny.export.packaging import export_network, load_deployed, open_runner
from train_tiny.export.runners import run_torch
from train_tiny.models import build_model
from train_tiny.networks.layers import count_parameters
from train_tiny.weights import Deployed, deploy

ROUNDS: Final = 300

NAMES: Final = ("mobilenetv2", "handlite", "litepose-xs")

BASE: Final = ("mobilenetv2", "onnx")
"""What the ratio is to."""

FORMATS: Final = {
    "mobilenetv2": ("onnx", "onnx-int8"),
    "handlite": ("onnx", "onnx-int8", "torch"),
    "litepose-xs": ("onnx",),
}


@dataclass(frozen=True, eq=False)
class Entry:
    """One line of the table."""

    name: str
    format: str
    interface: Interface
    size: int
    """Bytes; 0 for torch."""
    call: Callable[[], object]


def main(*paths: str) -> None:
    """Print the table."""
    torch.set_num_threads(1)
    entries = prepare({d.name: d for d in (load_deployed(Path(p)) for p in paths)})
    calls = [entry.call for entry in entries]
    spent, cold = (time_calls(calls, ROUNDS, row) for row in (20, 1))
    kinds = [(entry.name, entry.format) for entry in entries]
    base = kinds.index(BASE)
    table = Table(
        *("network", "as", "input", "parameters", "MMAC by shapes, torch", "bytes"),
        *("ms", f"of {BASE[0]}", "Hz", "alternating: ms", f"of {BASE[0]}"),
        title=f"{describe_machine()}\none thread, medians of {ROUNDS}",
    )
    for entry, ms, alone in zip(entries, spent, cold, strict=True):
        macs = count_macs(entry.interface.graph, entry.interface.example)
        table.add_row(
            entry.name,
            entry.format,
            "x".join(str(n) for n in entry.interface.shape[:1:-1]),
            f"{count_parameters(entry.interface.graph):,}",
            f"{macs.ours / 1e6:.2f}, {macs.torch / 1e6:.2f}",
            f"{entry.size:,}" if entry.size else "",
            *(f"{ms:.3f}", f"{ms / spent[base]:.3f}", f"{1000 / ms:,.0f}"),
            *(f"{alone:.3f}", f"{alone / cold[base]:.3f}"),
        )
    Console(width=150).print(table)


def prepare(given: dict[str, Deployed]) -> list[Entry]:
    """All networks in all their formats, ready to be called."""
    entries, rng = [], np.random.default_rng(0)
    for name in NAMES:
        deployed = given.get(name) or _make(name)
        interface = describe_network(deployed)
        images = rng.random((4, *interface.shape[1:]), np.float32)
        for format in FORMATS[name]:
            if format == "torch":
                run, size = run_torch(interface), 0
            else:
                data = export_network(interface, format, images)
                run, size = open_runner(format, data), len(data)
            call = lambda run=run, image=images[:1]: run(image)  # noqa: E731
            entries.append(Entry(name, format, interface, size, call))
    return entries


def _make(name: str) -> Deployed:
    model = build_model(name)
    return deploy(model, model.net.eval(), {})


if __name__ == "__main__":
    main(*sys.argv[1:])
