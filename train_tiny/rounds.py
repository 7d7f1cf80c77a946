"""Rounds: some batches of samples that are made together, well mixed, as many as wanted exactly.

A round is a pure function of its number, so workers make whole rounds, and batches are the same for
any number of workers; and training goes on at any batch.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, Protocol

from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, get_worker_info

from augment.occlusion.sprites import Sprite
from frames.errors import BadInput
from train_tiny.mixing import Sources
from train_tiny.order import Numbers, shuffle_slots
from train_tiny.preparation import Preparation, find_sprites
from train_tiny.sources import Source, Taken

Packed = dict[str, Tensor]
"""Tensors with a leading axis B, by name."""

ROUND: Final = 512
"""Samples of a round, about: enough to mix the two hands of a frame into many others."""


class Kind(Protocol):
    """What samples are: crops of hands, whole frames."""

    @property
    def views(self) -> int:
        """Samples that are made of each one that a source gives."""

    def allocate(self, count: int, shared: bool) -> Packed:
        """Room for `count` samples."""

    def make(
        self, count: int, taken: Iterator[Taken], source: Source, sprites: Sequence[Sprite]
    ) -> Iterator[Any]:
        """Exactly `count` samples of the frames."""

    def put(self, arrays: dict[str, NDArray[Any]], place: int, one: Any) -> None:
        """Write a sample into its place."""


class RoundMaker:
    """Makes the rounds of an epoch."""

    def __init__(
        self, sources: Sources, kind: Kind, how: Preparation, epoch: int, batch: int
    ) -> None:
        self._sources, self._kind, self._how, self._epoch = sources, kind, how, epoch
        self.batch = batch
        """Samples of a batch."""
        self.each = max(1, ROUND // batch)
        while self.each * batch % kind.views:
            self.each += 1
        """Batches of a round."""
        self.batches = max(1, sources.crops * kind.views // batch)
        """Of an epoch."""
        self._sprites: dict[int, list[Sprite]] = {}

    def make(self, number: int, shared: bool = False) -> Packed:
        """The samples of a round: `each` batches, in the last one fewer.

        shared: in memory that processes share. Raises BadInput for what cannot be loaded.
        """
        views, whole = self._kind.views, self.each * self.batch
        # The last round is cut short, so that an epoch has nothing twice.
        size = min(whole, (self.batches - number * self.each) * self.batch)
        packed = self._kind.allocate(size, shared)
        arrays = {name: tensor.numpy() for name, tensor in packed.items()}
        places = shuffle_slots(self._how.seed, self._epoch, number, size)
        begin = 0
        spans = self._sources.split_round(number, whole // views, -(-size // views))
        for k, (first, stop) in enumerate(spans):
            end = min(size, begin + (stop - first) * views)
            if end > begin:
                self._fill(arrays, places[begin:end], k, first, stop)
                begin = end
        return packed

    def _fill(
        self, arrays: dict[str, NDArray[Any]], places: Numbers, k: int, first: int, stop: int
    ) -> None:
        source, how, kind = self._sources.sources[k], self._how, self._kind
        if k not in self._sprites:
            self._sprites[k] = find_sprites(source, how, self._epoch)
        taken = source.take(how.seed, self._epoch, first, stop)
        made = kind.make(len(places), taken, source, self._sprites[k])
        for place, one in zip(places, made, strict=True):
            kind.put(arrays, int(place), one)


def deliver(maker: RoundMaker, start: int, workers: int, pin: bool = False) -> Iterator[Packed]:
    """The batches start, start + 1, ... of an epoch.

    Raises BadInput in one line, whichever process it was raised in.
    """
    if workers < 0 or start < 0:
        raise BadInput(f"workers and start_batch must be >= 0, got {workers} and {start}")
    loader: Any = DataLoader(
        _Rounds(maker, start),
        batch_size=None,
        num_workers=workers,
        pin_memory=pin,
        prefetch_factor=2 if workers else None,
    )
    for packed in check_items(loader):
        whole = len(next(iter(packed.values())))
        for first in range(0, whole, maker.batch):
            yield {name: t[first : first + maker.batch] for name, t in packed.items()}


def check_items(loader: Any) -> Iterator[Any]:
    """What a loader gives, with one line for what went wrong in a worker."""
    try:
        for made in loader:
            if isinstance(made, BadInput):
                raise made
            yield made
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise BadInput(
            "a worker that loads training data was killed: is there enough memory and /dev/shm?"
            " Fewer workers need less"
        ) from error


class _Rounds(Dataset[Any]):
    """The rounds of an epoch from a batch on, for workers."""

    def __init__(self, maker: RoundMaker, start: int) -> None:
        """start: a batch."""
        self._maker, self._start = maker, start
        self._first = start // maker.each

    def __len__(self) -> int:
        return max(0, -(-self._maker.batches // self._maker.each) - self._first)

    def __getitem__(self, index: int) -> Any:
        """A round's batches, or an error that users can mend, as it is: raised in a worker, it
        would come with its trace."""
        number, maker = self._first + index, self._maker
        try:
            packed = maker.make(number, shared=get_worker_info() is not None)
        except BadInput as error:
            return error
        first = max(self._start - number * maker.each, 0) * maker.batch
        return {name: tensor[first:] for name, tensor in packed.items()}
