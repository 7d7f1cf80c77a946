"""Channels in the order of their importance, so that a supernet's narrow subnets have the best.

A channel's importance is the sum of the absolute weights that read it (Li et al. 2017, "Pruning
filters for efficient convnets", arXiv 1608.08710, and the order of "Once for all", arXiv
1908.09791, section 4). Every tensor that has the channel is put in the new order at once, so the
whole net computes what it did.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from train_tiny.networks.litepose import LitePose

_NORM = ("weight", "bias", "running_mean", "running_var")


@dataclass(frozen=True)
class Channels:
    """Channels that have one order in all the tensors that they are in."""

    name: str
    makers: tuple[tuple[str, int], ...]
    """(tensor, axis) of what makes, normalises or filters them."""
    readers: tuple[tuple[str, int], ...]
    """(tensor, axis) of the weights that read them."""


@torch.no_grad()
def sort_channels(net: LitePose) -> None:
    """Put the channels of every layer of a trained net in order, the most important first."""
    state = net.state_dict()
    for group in list_channels(net):
        order = torch.argsort(weigh_channels(state, group), descending=True, stable=True)
        for name, axis in (*group.makers, *group.readers):
            state[name].copy_(state[name].index_select(axis, order))


def weigh_channels(state: dict[str, Tensor], group: Channels) -> Tensor:
    """(C,) the importance of each."""
    parts = []
    for name, axis in group.readers:
        weight = state[name].abs()
        parts.append(weight.sum([k for k in range(weight.ndim) if k != axis]))
    return torch.stack(parts).sum(0)


def list_channels(net: LitePose) -> list[Channels]:
    """All channels of which a subnet may take fewer."""
    config, stages = net.config, len(net.config.stages)
    makers: list[list[tuple[str, int]]] = [[] for _ in range(stages + 1)]
    readers: list[list[tuple[str, int]]] = [[] for _ in range(stages + 1)]
    out = []
    makers[0] += [("first.2.weight", 0), *_norm("first.3")]
    for s, blocks in enumerate(config.blocks):
        for b in range(blocks):
            at = f"stage.{s}.{b}"
            readers[s if b == 0 else s + 1].append((f"{at}.inv.0.weight", 1))
            makers[s + 1] += [(f"{at}.point_conv.0.weight", 0), *_norm(f"{at}.point_conv.1")]
            inner = [(f"{at}.inv.0.weight", 0), *_norm(f"{at}.inv.1")]
            inner += [(f"{at}.depth_conv.0.weight", 0), *_norm(f"{at}.depth_conv.1")]
            out.append(Channels(at, tuple(inner), ((f"{at}.point_conv.0.weight", 1),)))
    readers[stages].append(("deconv_refined.0.weight", 0))
    for i in range(len(config.deconv)):
        head = [(f"deconv_refined.{i}.weight", 1), *_norm(f"deconv_bnrelu.{i}.0")]
        below = []
        if config.fusion:
            head.append((f"deconv_raw.{i}.weight", 1))
            readers[3 - i].append((f"deconv_raw.{i}.weight", 0))
        if i + 1 < len(config.deconv):
            below.append((f"deconv_refined.{i + 1}.weight", 0))
        if i > 0:
            head += _filter(f"final_refined.{i - 1}")
            below.append((f"final_refined.{i - 1}.conv.3.weight", 1))
            if config.fusion:
                makers[2 - i] += _filter(f"final_raw.{i - 1}")
                readers[2 - i].append((f"final_raw.{i - 1}.conv.3.weight", 1))
        out.append(Channels(f"deconv.{i}", tuple(head), tuple(below)))
    names = ("stem", *(f"stage.{s}" for s in range(stages)))
    pairs = zip(names, makers, readers, strict=True)
    return [*(Channels(name, tuple(m), tuple(r)) for name, m, r in pairs), *out]


def _filter(name: str) -> list[tuple[str, int]]:
    """A convolution of each channel, and its norm."""
    return [(f"{name}.conv.0.weight", 0), *_norm(f"{name}.conv.1")]


def _norm(name: str) -> list[tuple[str, int]]:
    return [(f"{name}.{part}", 0) for part in _NORM]
