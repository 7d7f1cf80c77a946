"""Rounds: some batches of crops that are made together, exactly as many as wanted, well mixed."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from augment.occlusion.sprites import Sprite
from frames.errors import BadInput
from train_tiny.mixing import Sources
from train_tiny.order import Numbers, shuffle_slots
from train_tiny.packing import Packed, Packing, allocate_crops
from train_tiny.preparation import (
    AGAIN,
    Preparation,
    Prepared,
    find_sprites,
    prepare_frames,
    prepare_hands,
)
from train_tiny.sources import Source, Taken

CHUNK = 16
"""Frames that are prepared together: many enough to share numpy's calls, few enough for a cache."""


class RoundMaker:
    """Makes the rounds of an epoch; each is a pure function of its number."""

    def __init__(self, sources: Sources, how: Preparation, epoch: int, size: int) -> None:
        """size: crops of a round."""
        self.size = size
        self._sources, self._how, self._epoch = sources, how, epoch
        self._sprites: dict[int, list[Sprite]] = {}

    def make(self, number: int, shared: bool = False) -> Packed:
        """The crops of a round. Raises BadInput for what cannot be loaded."""
        packed = allocate_crops(self.size, self._how.geometry.size[0], shared)
        packing = Packing(packed)
        places = shuffle_slots(self._how.seed, self._epoch, number, self.size)
        begin = 0
        for k, (first, stop) in enumerate(self._sources.split_round(number, self.size)):
            if stop > first:
                self._fill(packing, places[begin : begin + stop - first], k, first, stop)
                begin += stop - first
        return packed

    def _fill(self, packing: Packing, places: Numbers, k: int, first: int, stop: int) -> None:
        """Write exactly stop - first crops of one source."""
        source, how = self._sources.sources[k], self._how
        if k not in self._sprites:
            self._sprites[k] = find_sprites(source, how, self._epoch)
        taken = source.take(how.seed, self._epoch, first, stop)
        crops = make_exactly(len(places), taken, source, how, self._sprites[k])
        for place, one in zip(places, crops, strict=True):
            packing.put(int(place), one)


def make_exactly(
    count: int,
    taken: Iterable[Taken],
    source: Source,
    how: Preparation,
    sprites: Sequence[Sprite] = (),
) -> Iterator[Prepared]:
    """`count` crops of the frames. A hand that takes no part leaves its place to another view of
    one that does, near it in the order. Raises BadInput if none does.
    """
    asked = made = 0
    last: list[Prepared] = []
    for chunk in _chunk(taken):
        asked += sum(len(t.hands) for t in chunk)
        ready: list[Prepared] = []
        for one, frame in zip(chunk, prepare_frames(chunk, source, how, sprites), strict=True):
            ready += prepare_hands(frame, one.hands, one.epoch, how)
        ready = ready[: count - made]
        yield from ready
        made += len(ready)
        last = ready or last
        # One more view of each at most, so that no frame stands for many.
        for view in ready[: min(asked, count) - made]:
            yield _view_again(view, 1, how)
            made += 1
    if not last and count:
        raise BadInput(f"of {count} hands of {source.name} {_explain_none(how)}")
    turn = 2
    while made < count:
        for view in last[: count - made]:
            yield _view_again(view, turn, how)
            made += 1
        turn += 1


def _view_again(one: Prepared, turn: int, how: Preparation) -> Prepared:
    return next(prepare_hands(one.frame, [one.hand], one.epoch + turn * AGAIN, how), one)


def _chunk(taken: Iterable[Taken]) -> Iterator[list[Taken]]:
    iterator = iter(taken)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


def _explain_none(how: Preparation) -> str:
    name = "its sensor" if how.sensing is None else f"the sensor {how.sensing.profile.name}"
    return (
        f"{name} reads {how.taking.least_read:.0%} of none: are they within its range? Try another"
        f" sensor, or hands at other distances"
    )
