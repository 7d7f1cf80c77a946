"""Rounds: some batches of samples that are made together, well mixed, as many as wanted exactly.

A round is a pure function of its number, so workers make whole rounds, and batches are the same for
any number of workers; and training goes on at any batch.
"""

import multiprocessing
from collections.abc import Iterator, Sequence
from typing import Any, Final, Protocol

from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, get_worker_info

from augment.occlusion.sprites import Sprite
from frames.errors import BadInput
from train_tiny.loading.mixing import Sources
from train_tiny.loading.order import shuffle_slots
from train_tiny.loading.preparation import Preparation, find_sprites
from train_tiny.loading.sources import Source, Taken

Packed = dict[str, Tensor]
"""Tensors with a leading axis B, by name."""

FEW: Final = 48
"""Samples that warm up."""

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


class Rounds(Protocol):
    """Gives the rounds of epochs."""

    batch: int
    """Samples of a batch."""
    each: int
    """Batches of a round."""
    batches: int
    """Of an epoch."""

    def make(self, epoch: int, number: int, shared: bool = False) -> Packed:
        """The samples of a round: `each` batches, in the last one of an epoch fewer.

        shared: in memory that processes share. Raises BadInput for what cannot be loaded.
        """

    def warm(self, epoch: int) -> None:
        """Have compiled code and all that an epoch needs there, for workers that are forked."""


class RoundMaker:
    """Makes rounds from sources."""

    def __init__(self, sources: Sources, kind: Kind, how: Preparation, batch: int) -> None:
        self._sources, self._kind, self._how = sources, kind, how
        self.batch = batch
        """Samples of a batch."""
        self.each = max(1, ROUND // batch)
        while self.each * batch % kind.views:
            self.each += 1
        """Batches of a round."""
        self.batches = max(1, sources.crops * kind.views // batch)
        """Of an epoch."""
        self._sprites: dict[tuple[int, int], list[Sprite]] = {}

    def make(self, epoch: int, number: int, shared: bool = False) -> Packed:
        """The samples of a round: `each` batches, in the last one of an epoch fewer.

        shared: in memory that processes share. Raises BadInput for what cannot be loaded.
        """
        views, whole = self._kind.views, self.each * self.batch
        # The last round is cut short, so that an epoch has nothing twice.
        size = min(whole, (self.batches - number * self.each) * self.batch)
        packed = self._kind.allocate(size, shared)
        arrays = {name: tensor.numpy() for name, tensor in packed.items()}
        places = shuffle_slots(self._how.seed, epoch, number, size)
        begin = 0
        spans = self._sources.split_round(number, whole // views, -(-size // views))
        for k, (first, stop) in enumerate(spans):
            end = min(size, begin + (stop - first) * views)
            if end > begin:
                made = self._make_part(epoch, k, first, stop, end - begin)
                for place, one in zip(places[begin:end], made, strict=True):
                    self._kind.put(arrays, int(place), one)
                begin = end
        return packed

    def warm(self, epoch: int) -> None:
        """Make a few samples of every source for nothing: compiled code and all that an epoch needs
        is then there, and workers that are forked have it too. Raises BadInput as `make` does."""
        for k, source in enumerate(self._sources.sources):
            few = min(FEW, source.crops)
            for _ in self._make_part(epoch, k, 0, few, few * self._kind.views):
                pass

    def _make_part(self, epoch: int, k: int, first: int, stop: int, count: int) -> Iterator[Any]:
        """`count` samples of one source."""
        source, how = self._sources.sources[k], self._how
        if (epoch, k) not in self._sprites:
            for old in [key for key in self._sprites if key[0] != epoch]:
                del self._sprites[old]
            self._sprites[epoch, k] = find_sprites(source, how, epoch)
        taken = source.take(how.seed, epoch, first, stop)
        return self._kind.make(count, taken, source, self._sprites[epoch, k])


def deliver(
    maker: Rounds,
    start: int,
    workers: int,
    pin: bool = False,
    endless: bool = False,
    rank: int = 0,
    ranks: int = 1,
) -> Iterator[Packed]:
    """The batches start, start + 1, ... of all epochs, up to the end of the first one's epoch, or
    without end.

    rank, ranks: of training processes, each of which has a stretch of every epoch; start counts a
    process's own. Raises BadInput in one line, whichever process it was raised in.
    """
    if workers < 0 or start < 0:
        raise BadInput(f"workers and start_batch must be >= 0, got {workers} and {start}")
    rounds = _Rounds(maker, start, rank, ranks)
    if workers and multiprocessing.get_start_method() == "fork":
        maker.warm(start // rounds.count)
    loader: Any = DataLoader(
        rounds,
        batch_size=None,
        sampler=rounds.list_units(endless),
        num_workers=workers,
        pin_memory=pin,
        prefetch_factor=2 if workers else None,
    )
    for packed in check_items(loader):
        whole = len(next(iter(packed.values())))
        for first in range(0, whole, maker.batch):
            yield {name: t[first : first + maker.batch] for name, t in packed.items()}


def check_start(start: int, batches: int) -> None:
    """Raises BadInput for a batch that an epoch does not have; its end is allowed."""
    if not 0 <= start <= batches:
        raise BadInput(f"an epoch of {batches} batches has no batch {start} to start with")


def check_items(loader: Any) -> Iterator[Any]:
    """What a loader gives, with one line for what went wrong in a worker."""
    try:
        for made in loader:
            if isinstance(made, BadInput):
                raise made
            yield made
    except RuntimeError as error:
        raise explain_loss(error) from error


def explain_loss(error: RuntimeError) -> Exception:
    """An error in one line if it is that of a loader's process that was killed; else as it is."""
    if "DataLoader worker" not in str(error):
        return error
    return BadInput(
        "a worker that loads training data was killed: is there enough memory and /dev/shm? Fewer"
        " workers need less"
    )


def share_batches(batches: int, ranks: int) -> int:
    """Batches of each of some processes that share an epoch; what is left over is left out.

    Raises BadInput if there is none for each.
    """
    if batches < ranks:
        raise BadInput(
            f"an epoch of {batches} batches cannot be shared by {ranks} processes: take smaller"
            " batches, fewer processes or more data"
        )
    return batches // ranks


class _Rounds(Dataset[Any]):
    """The rounds of a training process, epoch after epoch: units of work."""

    def __init__(self, maker: Rounds, start: int, rank: int, ranks: int) -> None:
        self.count = share_batches(maker.batches, ranks)
        """Batches of an epoch."""
        self._maker, self._start, self._begin = maker, start, rank * self.count
        self._first = self._begin // maker.each
        self._units = -(-(self._begin + self.count) // maker.each) - self._first

    def list_units(self, endless: bool) -> range:
        """What is to be made, from the start's round on."""
        epoch, batch = divmod(self._start, self.count)
        unit = epoch * self._units + (self._begin + batch) // self._maker.each - self._first
        return range(unit, 1 << 60 if endless else (epoch + 1) * self._units)

    def __getitem__(self, unit: int) -> Any:
        """A round's batches, or an error that users can mend, as it is: raised in a worker, it
        would come with its trace."""
        epoch, number = divmod(unit, self._units)
        number += self._first
        maker = self._maker
        try:
            packed = maker.make(epoch, number, shared=get_worker_info() is not None)
        except BadInput as error:
            return error
        begin, end = self._begin, self._begin + self.count
        if epoch == self._start // self.count:
            begin += self._start % self.count
        # Of this process's stretch, in batches of the round.
        first = max(begin - number * maker.each, 0) * maker.batch
        stop = (end - number * maker.each) * maker.batch
        return {name: tensor[first:stop] for name, tensor in packed.items()}
