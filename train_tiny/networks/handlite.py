"""HandLite: a multi-task hand network of 75,000 parameters, 72,805 as it is deployed.

One depth crop in, 21 heatmaps out. Auxiliary tasks make so small an encoder learn more than
keypoints alone would teach it; that idea and the budgets (< 300 KB, < 35 MFLOPs) are those of
arXiv 1909.05897, which gives neither layers nor channels: these are ours. Heads that prediction
uses (visibility, side, depth) are deployed, mask and key pose are not. An encoder of three tiers
of inverted residuals, a decoder that adds depthwise-separable pyramids, and heads that pool
features under a keypoint's own heatmap.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from frames.skeleton import KEYPOINTS
from train_tiny.networks.layers import InvertedResidual, convolve, double, separate

JOINTS: Final = KEYPOINTS


@dataclass(frozen=True)
class HandLiteConfig:
    """Shape of the network; every auxiliary head can be left out."""

    input_px: int = 128
    """Side of the square crop, a multiple of 16."""
    stem: int = 16
    tiers: tuple[int, int, int] = (24, 32, 48)
    """Channels at a quarter, an eighth and a sixteenth of the input's size."""
    blocks: tuple[int, int, int] = (1, 2, 3)
    """Inverted residuals of each tier."""
    expansion: int = 2
    decoder: int = 32
    """Channels of the decoder."""
    kernel: int = 5
    """Of the depthwise convolutions but the first tier's."""
    key_poses: int = 9
    """Classes of the key pose head."""
    mask: bool = True
    visibility: bool = True
    side: bool = True
    key_pose: bool = True
    depth: bool = True
    """Each keypoint's depth below the surface that is read at its pixel, and relative to the root.
    """
    local: bool = True
    """Whether visibility and depth of a keypoint are read from the features under its own heatmap;
    otherwise from those of the whole crop, averaged."""


class JointHead(nn.Module):
    """Outputs of every joint, from the features at its place; the last from the whole crop too."""

    def __init__(self, features: int, outputs: int, whole: int = 0) -> None:
        """features: channels at a joint's place. whole: channels of the whole crop; 0: unused."""
        super().__init__()
        bound = features**-0.5
        self.weight = nn.Parameter(torch.empty(JOINTS, features, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(JOINTS, outputs))
        self.whole = nn.Linear(whole, JOINTS, bias=False) if whole else None

    def forward(self, local: Tensor, pooled: Tensor) -> Tensor:
        """(B, 21, features) and (B, whole) -> (B, 21, outputs)."""
        out = (local[:, :, None] @ self.weight)[:, :, 0] + self.bias
        if self.whole is None:
            return out
        last = out[..., -1:] + self.whole(pooled)[..., None]
        return torch.cat([out[..., :-1], last], -1)


class HandLite(nn.Module):
    """Crops (B, 1, S, S) -> a mapping of task to output.

    keypoints (B, 21, S/4, S/4): unnormalised log heatmaps. With their heads, while training or when
    asked for: mask (B, 1, S/4, S/4) logits of the hand's pixels; visibility (B, 21) logits of being
    seen; side (B,) logit of a right hand; key_pose (B, K) logits; depth (B, 21, 2): below the skin
    and relative to the root, in units of the crop's depth range.
    """

    def __init__(self, config: HandLiteConfig | None = None) -> None:
        super().__init__()
        self.config = c = config or HandLiteConfig()
        one, two, three = c.tiers
        t, k = c.expansion, c.kernel
        self.stem = nn.Sequential(*convolve(1, c.stem, 3, 2), *separate(c.stem, one, 3, 2))
        self.tier1 = nn.Sequential(
            *(InvertedResidual(one, one, 3, 1, t) for _ in range(c.blocks[0]))
        )
        self.down1 = InvertedResidual(one, two, k, 2, t)
        self.tier2 = nn.Sequential(
            *(InvertedResidual(two, two, k, 1, t) for _ in range(c.blocks[1]))
        )
        self.down2 = InvertedResidual(two, three, k, 2, t)
        self.tier3 = nn.Sequential(
            *(InvertedResidual(three, three, k, 1, t) for _ in range(c.blocks[2]))
        )
        self.lateral = nn.ModuleList(
            nn.Sequential(*convolve(width, c.decoder, 1, act=False)) for width in c.tiers
        )
        self.smooth = nn.ModuleList(separate(c.decoder, c.decoder, k) for _ in range(2))
        self.keypoints = nn.Conv2d(c.decoder, JOINTS, 1)
        self.heads = nn.ModuleDict()
        if c.mask:
            self.heads["mask"] = nn.Conv2d(c.decoder, 1, 1)
        if c.visibility:
            self.heads["visibility"] = (
                JointHead(c.decoder, 1) if c.local else nn.Linear(three, JOINTS)
            )
        if c.side:
            self.heads["side"] = nn.Linear(three, 1)
        if c.key_pose:
            self.heads["key_pose"] = nn.Linear(three, c.key_poses)
        if c.depth:
            self.heads["depth"] = (
                JointHead(c.decoder, 2, three) if c.local else nn.Linear(three, 2 * JOINTS)
            )
        self._local = c.local and (c.visibility or c.depth)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        one = self.tier1(self.stem(x))
        two = self.tier2(self.down1(one))
        three = self.tier3(self.down2(two))
        x = self.lateral[2](three)
        x = self.smooth[0](double(x) + self.lateral[1](two))
        x = self.smooth[1](double(x) + self.lateral[0](one))
        maps = self.keypoints(x)
        out, pooled = {"keypoints": maps}, three.mean((2, 3))
        # No gradient goes into the maps: where a keypoint is, its label says, not what is easily
        # read there. Detached only where there are gradients: a captured program would keep it as a
        # copy, and ExecuTorch's runtime refuses one between two layouts.
        under = maps.detach() if self.training else maps
        local = pool_under(under, x) if self._local else x
        for name, head in self.heads.items():
            if isinstance(head, JointHead):
                made = head(local, pooled)
            else:
                made = head(x if name == "mask" else pooled)
            if name == "side":
                made = made[:, 0]
            elif name == "visibility":
                made = made.flatten(1)
            elif name == "depth":
                made = made.reshape(-1, JOINTS, 2)
            out[name] = made
        return out


def pool_under(maps: Tensor, features: Tensor) -> Tensor:
    """Features averaged under each heatmap: (B, J, H, W), (B, C, H, W) -> (B, J, C)."""
    under = maps.flatten(2).softmax(-1)
    return under @ features.flatten(2).transpose(1, 2)
