"""Rounds that are kept on the disk: made once, met again in later epochs.

Rendering, a sensor's noise and occluders cost as much time of a processor as a step of a small
network does. Where processors are few, rounds of the first epochs are kept, and later epochs read
them instead: other rounds follow each other, and samples lie in other batches, but none is new.

A file is a round's arrays in the order of their names, compressed together. Crops' images are
rounded to 16 bits in fresh and kept rounds alike, so both have the same bytes.
"""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
import zstandard

from frames.errors import BadInput
from frames.store.disk import write_file
from frames.stream import uniform
from train_tiny.loading.order import shuffle_slots
from train_tiny.loading.rounds import Packed, RoundMaker

_ROUNDS: Final = "train/kept"
_SAMPLES: Final = "train/kept samples"

STEPS: Final = 65535
"""Of an image from 0 to 1: 5 micrometres of a crop's depth."""


_MOST_BYTES: Final = 4 << 30
"""Of a round."""


class KeptRounds:
    """A maker of rounds that keeps those of the first epochs in a folder.

    The folder belongs to one configuration, data and seed: whoever asks for another names another.
    """

    def __init__(self, maker: RoundMaker, folder: Path, fresh: int, seed: int) -> None:
        """fresh: epochs that are made; later ones repeat them in turn."""
        if fresh < 1:
            raise BadInput(f"fresh epochs must be >= 1 where rounds are kept, got {fresh}")
        self._maker, self._folder, self._fresh, self._seed = maker, folder, fresh, seed
        self.batch, self.each, self.batches = maker.batch, maker.each, maker.batches
        self._whole = maker.batches // maker.each
        """Rounds of full length: only these change places."""

    def make(self, epoch: int, number: int, shared: bool = False) -> Packed:
        """As `RoundMaker.make`. Raises BadInput for a disk that is full and a broken file too."""
        turn, first = divmod(epoch, self._fresh)
        if turn == 0:
            return self._fetch(first, number, shared)
        kept = number
        if number < self._whole:
            u = uniform(self._seed, [epoch], _ROUNDS, self._whole, 0)[0]
            kept = int(np.argsort(u, kind="stable")[number])
        packed = self._fetch(first, kept, shared)
        count = len(next(iter(packed.values())))
        places = torch.from_numpy(shuffle_slots(self._seed, epoch, number, count))
        for tensor in packed.values():
            tensor.copy_(tensor[places])
        return packed

    def warm(self, epoch: int) -> None:
        """As `RoundMaker.warm`, while there is something to make."""
        if epoch < self._fresh:
            self._maker.warm(epoch)

    def _fetch(self, epoch: int, number: int, shared: bool) -> Packed:
        path = self._folder / f"{epoch:04d}-{number:06d}.round"
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            packed = self._maker.make(epoch, number, shared)
            _round_image(packed)
            self._folder.mkdir(parents=True, exist_ok=True)
            write_file(path, _pack(packed))
            return packed
        except OSError as error:
            raise BadInput(f"cannot read the kept round {path}: {error.strerror}") from None
        return _unpack(data, path, shared)


def _round_image(packed: Packed) -> None:
    image = packed["image"]
    image.mul_(STEPS).round_().div_(STEPS)


def _pack(packed: Packed) -> bytes:
    """A JSON line of names, types and shapes, and the arrays' bytes."""
    arrays = {name: tensor.numpy() for name, tensor in sorted(packed.items())}
    arrays["image"] = np.rint(arrays["image"] * np.float32(STEPS)).astype(np.uint16)
    head = [[name, a.dtype.str, list(a.shape)] for name, a in arrays.items()]
    body = b"".join(np.ascontiguousarray(a).tobytes() for a in arrays.values())
    raw = json.dumps(head).encode() + b"\n" + body
    return zstandard.ZstdCompressor(level=1, write_checksum=True).compress(raw)


def _unpack(data: bytes, path: Path, shared: bool) -> Packed:
    try:
        if zstandard.frame_content_size(data) > _MOST_BYTES:
            raise ValueError("it claims more than any round has")
        raw = zstandard.ZstdDecompressor().decompress(data)
        line, _, body = raw.partition(b"\n")
        head: list[Any] = json.loads(line)
    except (zstandard.ZstdError, ValueError, MemoryError):
        raise BadInput(
            f"the kept round {path} is damaged: remove it, and it is made again"
        ) from None
    packed, place = dict[str, torch.Tensor](), 0
    for name, kind, shape in head:
        count = int(np.prod(shape))
        array = np.frombuffer(body, kind, count, place).reshape(shape)
        place += array.nbytes
        if name == "image":
            # The same division as `_round_image`'s: the same floats.
            tensor = torch.from_numpy(array.astype(np.float32)).div_(STEPS)
        else:
            tensor = torch.from_numpy(array.copy())
        packed[name] = tensor.share_memory_() if shared else tensor
    return packed
