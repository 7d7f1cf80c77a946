"""Where a network runs: CPU, a CUDA GPU or Apple's, and in which precision."""

import contextlib
from typing import Any

import torch

from frames.errors import BadInput


def choose_device(name: str = "auto", local_rank: int = 0) -> torch.device:
    """ "auto": a GPU if there is one, else the CPU; or "cpu", "cuda", "cuda:1", "mps".

    local_rank: which GPU "cuda" is, where several processes share a machine. Raises BadInput for a
    device that is not there.
    """
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if name == "auto":
        name = "cuda" if cuda else "mps" if mps else "cpu"
    kind, _, number = name.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (number and not number.isdecimal()):
        raise BadInput(f"device must be auto, cpu, cuda, cuda:N or mps, got {name!r}")
    if (kind == "cuda" and not cuda) or (kind == "mps" and not mps):
        built = "" if kind == "mps" or torch.version.cuda else ", and this torch is built for CPUs"
        raise BadInput(f"device {name}: no such GPU is found here{built}; try --device cpu")
    if kind == "cuda":
        place = int(number) if number else local_rank
        if place >= torch.cuda.device_count():
            raise BadInput(
                f"device cuda:{place}: there are {torch.cuda.device_count()} GPUs here, counted"
                " from 0"
            )
        return torch.device("cuda", place)
    return torch.device(kind)


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """The type that the forward pass computes in: "auto", "float32", "bfloat16" or "float16".

    On a CPU the lower types are slower for so small a network, so auto is float32 there.
    """
    if name == "auto":
        if device.type != "cuda":
            return torch.float32
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    kind: torch.dtype = getattr(torch, name)
    if kind == torch.float16 and device.type == "cpu":
        raise BadInput("precision float16 needs a GPU; a CPU takes float32 or bfloat16")
    return kind


def lower_precision(device: torch.device, kind: torch.dtype) -> Any:
    """A context in which torch computes in that type where this is safe."""
    if kind == torch.float32:
        return contextlib.nullcontext()
    return torch.autocast(device.type, kind)


def list_random_states(device: torch.device) -> dict[str, torch.Tensor]:
    """The states of torch's generators, for a checkpoint."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        states["mps"] = torch.mps.get_rng_state()
    return states


def restore_random_states(states: dict[str, torch.Tensor], device: torch.device) -> None:
    """Those of a checkpoint; another device's are left out."""
    torch.set_rng_state(states["cpu"].cpu())
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"].cpu(), device)
    elif device.type == "mps" and "mps" in states:
        torch.mps.set_rng_state(states["mps"].cpu())
