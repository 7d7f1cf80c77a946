"""Several processes that train one network, as torchrun starts them; one process without it.

Every process has batches of its own and the same weights; after the backward pass gradients are
averaged in one go. Networks here are small, so one buffer for all gradients is quicker than the
machinery that overlaps many, and tasks that a stage leaves out need no special case.
"""

import os
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn

from frames.errors import BadInput


@dataclass(frozen=True)
class Ranks:
    """This process among those that train together."""

    rank: int = 0
    local_rank: int = 0
    """Among those of this machine."""
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether it is the one that writes and speaks."""
        return self.rank == 0

    def average_gradients(self, net: nn.Module) -> None:
        """Every process then has the mean of all."""
        if self.count == 1:
            return
        gradients = [p.grad for p in net.parameters() if p.grad is not None]
        self._average(gradients)

    def average_statistics(self, net: nn.Module) -> None:
        """The same of the running statistics of norms."""
        if self.count > 1:
            self._average([b for b in net.buffers() if b.is_floating_point()])

    def average_value(self, value: Tensor) -> Tensor:
        """The mean over all processes of a tensor, in place."""
        if self.count > 1:
            distributed.all_reduce(value)
            value /= self.count
        return value

    def share(self, value: float, device: torch.device) -> float:
        """The first process' number, for all."""
        if self.count == 1:
            return value
        there = torch.tensor([value], dtype=torch.float64, device=device)
        distributed.broadcast(there, 0)
        return float(there.item())

    def _average(self, tensors: list[Tensor]) -> None:
        if not tensors:
            return
        flat = torch.cat([t.reshape(-1) for t in tensors])
        distributed.all_reduce(flat)
        flat /= self.count
        first = 0
        for tensor in tensors:
            tensor.copy_(flat[first : first + tensor.numel()].view_as(tensor))
            first += tensor.numel()


def join_ranks() -> Ranks:
    """The place of this process, from the variables that torchrun sets; a single one without them.

    Raises BadInput for variables that make no sense.
    """
    names = ("RANK", "LOCAL_RANK", "WORLD_SIZE")
    found = [os.environ.get(name) for name in names]
    if found[2] is None or found[0] is None:
        return Ranks()
    try:
        rank, local, count = (int(v or 0) for v in found)
    except ValueError:
        raise BadInput(
            f"{', '.join(names)} must be numbers, as torchrun sets them: {found}"
        ) from None
    return Ranks(rank, local, count)


def connect(ranks: Ranks, device: torch.device) -> None:
    """Open the processes' connection: NCCL between GPUs, else gloo."""
    if ranks.count == 1 or distributed.is_initialized():
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")


def disconnect(ranks: Ranks) -> None:
    """Close it."""
    if ranks.count > 1 and distributed.is_initialized():
        distributed.destroy_process_group()
