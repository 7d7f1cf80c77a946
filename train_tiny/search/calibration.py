"""Norms' statistics measured anew: a subnet's are not those of the supernet that it is cut from."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn


@torch.no_grad()
def calibrate_norms(net: nn.Module, batches: Iterable[Tensor]) -> int:
    """Put the means and variances that a net sees on some batches of images into its norms.

    Every batch counts the same (Yu and Huang 2019, "Universally slimmable networks", arXiv
    1903.05134, section 3.3). The net is left in evaluation mode. Returns how many images there
    were; with none, its norms stay as they were.
    """
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    kept = [(n.momentum, n.running_mean, n.running_var) for n in norms]
    for norm in norms:
        norm.momentum = None  # a plain mean over the batches
        norm.running_mean = torch.zeros_like(norm.running_mean)
        norm.running_var = torch.ones_like(norm.running_var)
        norm.num_batches_tracked.zero_()
    device, count = next(net.parameters()).device, 0
    net.train()
    for images in batches:
        net(images.to(device).contiguous(memory_format=torch.channels_last))
        count += len(images)
    net.eval()
    for norm, (momentum, mean, var) in zip(norms, kept, strict=True):
        norm.momentum = momentum
        if not count:
            norm.running_mean, norm.running_var = mean, var
    return count
