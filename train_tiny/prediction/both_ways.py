"""A hand network asked twice: of a crop and of its mirror image, the answers averaged.

A mirrored left hand is a right hand, and training shows it as often, so both answers are of equal
worth, and their errors differ (as Newell et al. 2016, arXiv 1603.06937, section 3.3).
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class BothWays(nn.Module):
    """A network of crops, its outputs averaged over both ways to see them."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """(B, 1, S, S) to the network's own outputs, of the crops as they are.

        Heatmaps are the mean of both as probabilities, given as their logarithms.
        """
        both: Mapping[str, Tensor] = self.net(torch.cat([images, images.flip(-1)]))
        out = {}
        for name, value in both.items():
            plain, mirrored = value.chunk(2)
            if name == "keypoints":
                heat = plain.flatten(2).softmax(-1).view_as(plain)
                heat = heat + mirrored.flatten(2).softmax(-1).view_as(plain).flip(-1)
                out[name] = (heat / 2).clamp(min=torch.finfo(heat.dtype).tiny).log()
            elif name == "side":
                out[name] = (plain - mirrored) / 2
            else:
                out[name] = (plain + mirrored) / 2
        return out
