"""Building blocks that the networks share."""

from torch import Tensor, nn
from torch.nn.functional import interpolate


def convolve(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, act: bool = True
) -> list[nn.Module]:
    """Convolution and batch normalisation, with ReLU6 unless told otherwise."""
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return [*layers, nn.ReLU6(inplace=True)] if act else layers


def separate(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """A depthwise convolution, then one across channels (MobileNet, arXiv 1704.04861)."""
    return nn.Sequential(
        *convolve(inputs, inputs, kernel, stride, inputs), *convolve(inputs, outputs, 1)
    )


def double(x: Tensor) -> Tensor:
    """Twice the size, every pixel repeated."""
    return interpolate(x, scale_factor=2.0, mode="nearest")


class InvertedResidual(nn.Module):
    """Widen, convolve each channel, narrow (MobileNetV2, arXiv 1801.04381); a shortcut where shapes
    agree.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.layers = nn.Sequential(
            *(convolve(inputs, wide, 1) if expansion > 1 else ()),
            *convolve(wide, wide, kernel, stride, wide),
            *convolve(wide, outputs, 1, act=False),
        )
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layers(x)
        return x + out if self.shortcut else out


def count_parameters(net: nn.Module) -> int:
    """Learned numbers, buffers not counted."""
    return sum(p.numel() for p in net.parameters())
