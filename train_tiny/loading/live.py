"""Frames rendered as they are consumed: `live:CONFIG.toml`, nothing on disk, none seen twice."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from augment.sensing import Sensing
from frames.errors import BadInput
from frames.record import Frame
from frames.store.rows import Rows
from synth.config_file import load_config
from synth.generator import Generator
from synth.split import parse_split
from train_tiny.loading.sources import PASSES, WHOLE, Taken
from train_tiny.loading.taking import Taking, list_hands
from train_tiny.specs import LIVE

LONGER: Final = 1 << 20
"""So many times the configuration's frames can be rendered before any comes again."""

_YIELD: Final = 0.95
"""Hands that take part, of those that a configuration puts into a frame."""


class LiveSource:
    """A configuration of `synth`, rendered."""

    def __init__(self, path: Path, split: str | None, taking: Taking | None) -> None:
        """split: draws from this split's people, things and backgrounds only. taking: None for
        whole frames.

        Raises BadInput for a file that is no configuration, or has no such split.
        """
        self.path, self._taking = path, taking
        config = load_config(path)
        # A shard is nothing here; a unit of one frame puts splits where their shares say.
        self.config = replace(
            config, frames=config.frames * LONGER, frames_per_shard=1, sensor="", bake=False
        )
        generator = Generator(config)
        self._sensing = generator.sensing
        if self._sensing is not None and self._sensing.needs_pair:
            raise BadInput(
                f"{LIVE}{path} names {config.sensor}, which matches rendered pairs: generate a"
                f" dataset with it, or train with another --sensor"
            )
        names = parse_split(config.split).names if config.split else ()
        if split == WHOLE and not names:
            split = None
        if split is not None and split not in names:
            known = f"known: {', '.join(names)}" if names else "the configuration has none"
            raise BadInput(f"unknown split {split!r}; {known} ({path})")
        self._frames = range(self.config.frames)
        if split is not None:
            ranges = parse_split(config.split).ranges(self.config.frames, config.sequence_length)
            self._frames = range(*ranges[split])
        own = len(self._frames) // LONGER
        self._each = 1.0
        if taking is not None:
            self._each = max(1.0, _YIELD * min(taking.hands, 1 + config.scene.two_hands_share))
        self._crops = max(1, math.floor(own * self._each))
        self._generator: Generator | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_generator": None}

    @property
    def name(self) -> str:
        """As it was asked for."""
        return f"{LIVE}{self.path}"

    @property
    def crops(self) -> int:
        """About as many as the configuration's frames have hands."""
        return self._crops

    @property
    def sensing(self) -> Sensing | None:
        """The configuration's sensor."""
        return self._sensing

    def take(self, seed: int, epoch: int, first: int, stop: int) -> Iterator[Taken]:
        """Frames of about so many crops, stop - first at most; other ones in every epoch.

        The crops first, first + 1, ... are those of frames of their own: how many hands a frame
        has shows when it is made, so there may be fewer.
        """
        begin = epoch * self._crops + first
        a, b = math.floor(begin / self._each), math.floor((begin + stop - first) / self._each)
        left = stop - first
        for frame in self._render(a, max(b, a + 1)):
            hands: tuple[int, ...] = ()
            if self._taking is not None:
                hands = tuple(list_hands(frame, self._taking))[:left]
            if hands or self._taking is None:
                left -= len(hands)
                yield Taken(frame, hands, epoch * PASSES)

    def take_in_order(self, first: int, stop: int) -> Iterator[Taken]:
        """The frames of the first crops, always the same ones."""
        return self.take(0, 0, first, stop)

    def _render(self, first: int, stop: int) -> Iterator[Frame]:
        if self._generator is None:
            self._generator = Generator(self.config)
        count = len(self._frames)
        while first < stop:
            begin = first % count
            end = min(begin + stop - first, count)
            for table in self._generator.make_tables(
                self._frames.start + begin, self._frames.start + end
            ):
                rows = Rows(table)
                for i in range(len(rows)):
                    yield rows.frame(i)
            first += end - begin
