"""The subnets of a LitePose supernet: which there are, drawn evenly, and what each one costs.

A subnet is a row of genes, each the place of one value among a gene's options: the input's size,
the widths of stem, stages and transposed convolutions, the depths of the stages.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np

from frames.errors import BadInput
from frames.stream import uniform
from train_tiny.networks.litepose import STRIDES, LitePoseConfig

Genes = tuple[int, ...]

LARGEST: Final = LitePoseConfig(512, 24, (32, 64, 96, 160), (64, 48, 32))
"""The widest net of the published search; all four published ones are among its subnets."""

CHANNELS: Final = 8
"""Widths are multiples of it."""

_STAGE: Final = "train/subnet"


@dataclass(frozen=True)
class Space:
    """All subnets of a supernet. Raises BadInput for values that cannot be."""

    largest: LitePoseConfig = LARGEST
    widths: tuple[float, ...] = (1.0, 0.75, 0.5, 0.25)
    """Shares of the largest one's channels, for every stage by itself."""
    fewer: tuple[int, ...] = (0,)
    """Blocks that a stage may leave out at its end. (0,): depths are not searched."""
    sizes_px: tuple[int, ...] = (256, 320, 384, 448, 512)
    """Widths of the input; its height has the proportions of the data's."""

    def __post_init__(self) -> None:
        if not self.widths or not all(0 < w <= 1 for w in self.widths) or 1.0 not in self.widths:
            raise BadInput(f"widths must be shares of 1, with 1 among them, got {self.widths}")
        least = min(self.largest.blocks)
        if 0 not in self.fewer or not all(0 <= n < least for n in self.fewer):
            raise BadInput(
                f"fewer must be blocks that a stage of {least} can spare, with 0 among them, got"
                f" {self.fewer}"
            )
        if not self.sizes_px or any(n < 32 or n % 16 for n in self.sizes_px):
            raise BadInput(
                f"sizes_px must be multiples of 16, at least 32 each, got {self.sizes_px}"
            )

    @cached_property
    def options(self) -> tuple[tuple[int, ...], ...]:
        """Of each gene its values, the largest first: size, stem, 4 stages, 3 transposed
        convolutions, 4 depths."""
        big = self.largest
        widths = [self._narrow(c) for c in (big.stem, *big.stages, *big.deconv)]
        depths = [tuple(sorted({n - f for f in self.fewer}, reverse=True)) for n in big.blocks]
        return (tuple(sorted(set(self.sizes_px), reverse=True)), *widths, *depths)

    @property
    def count(self) -> int:
        """How many subnets there are."""
        return int(np.prod([len(o) for o in self.options], dtype=object))

    def shape(self, genes: Sequence[int]) -> LitePoseConfig:
        """The architecture that a row of genes stands for."""
        v = [options[g] for options, g in zip(self.options, genes, strict=True)]
        return replace(
            self.largest,
            input_px=v[0],
            stem=v[1],
            stages=(v[2], v[3], v[4], v[5]),
            deconv=(v[6], v[7], v[8]),
            blocks=(v[9], v[10], v[11], v[12]),
        )

    def genes(self, shape: LitePoseConfig) -> Genes:
        """The row of an architecture. Raises BadInput for one that is no subnet."""
        values = (shape.input_px, shape.stem, *shape.stages, *shape.deconv, *shape.blocks)
        same = replace(self.largest, **_open_genes(shape)) == shape
        if not same or not all(v in o for v, o in zip(values, self.options, strict=True)):
            raise BadInput(f"{shape} is no subnet of {self}")
        return tuple(o.index(v) for v, o in zip(values, self.options, strict=True))

    def draw(self, seed: int, number: int) -> Genes:
        """One of all subnets, each as likely: a pure function of (seed, number)."""
        counts = np.array([len(o) for o in self.options])
        u = uniform(seed, [number], _STAGE, len(counts))[0]
        return tuple(int(g) for g in np.floor(u * counts))

    def _narrow(self, channels: int) -> tuple[int, ...]:
        wanted = {max(CHANNELS, _round(w * channels)) if w < 1 else channels for w in self.widths}
        return tuple(sorted(wanted, reverse=True))


def count_macs(
    shape: LitePoseConfig, size_px: tuple[int, int], joints: int, channels: int = 1
) -> int:
    """Multiply-adds of one image of size_px (width, height), transposed convolutions counted at
    their input's resolution, as they are computed."""
    width, height = size_px
    cells = (width // 2) * (height // 2)
    total = cells * (channels * 32 * 9 + 32 * 9 + 32 * shape.stem)
    inside, areas, k2 = shape.stem, [cells], shape.kernel**2
    for outside, blocks, stride in zip(shape.stages, shape.blocks, STRIDES, strict=True):
        for b in range(blocks):
            wide = inside * shape.expansion
            total += cells * inside * wide
            cells //= stride**2 if b == 0 else 1
            total += cells * wide * (k2 + outside)
            inside = outside
        areas.append(cells)
    skips = (shape.stages[2], shape.stages[1], shape.stages[0], shape.stem)
    for i, outside in enumerate(shape.deconv):
        both = inside + (skips[i] if shape.fusion else 0)
        total += cells * both * outside * 16
        cells, inside = 4 * cells, outside
        if i > 0:
            maps = 2 * joints if i == 1 else joints
            both = inside + (skips[i + 1] if shape.fusion else 0)
            total += cells * both * (25 + maps)
    return total


def fit_size(size_px: tuple[int, int], width: int) -> tuple[int, int]:
    """(width, height) of about the proportions of size_px, both multiples of 16."""
    return width, max(16, round(width * size_px[1] / size_px[0] / 16) * 16)


def describe_shape(shape: LitePoseConfig) -> dict[str, Any]:
    """What distinguishes a subnet, as plain values."""
    return {k: list(v) if isinstance(v, tuple) else v for k, v in _open_genes(shape).items()}


def _open_genes(shape: LitePoseConfig) -> dict[str, Any]:
    names = ("input_px", "stem", "stages", "deconv", "blocks")
    return {name: getattr(shape, name) for name in names}


def _round(channels: float) -> int:
    """To the nearest multiple, but no tenth less than asked for (as MobileNetV2 does)."""
    near = int(channels + CHANNELS / 2) // CHANNELS * CHANNELS
    return near + CHANNELS if near < 0.9 * channels else near
