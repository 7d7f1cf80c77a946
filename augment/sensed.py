"""Datasets as a sensor reads them: `depth` and `invalid` there in every frame and batch.

    from augment import open_sensed

    data = open_sensed("out/train")  # as frames.open_dataset: len, [i], stream, batches
    data[0].depth  # what the dataset's own sensor reads, stored or made on loading

Where a dataset stores its sensor's depth, that is what one gets; where it stores the clean depth
and names its sensor, the same depth is made on loading, to the bit. Keypoint labels are those of
the sensor's image too (`augment.unread`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from augment.profile import Mixture, Profile
from augment.readings import (
    LABELS,
    MADE,
    SOURCES,
    explain_no_depth,
    sense_batch,
    sense_frame,
)
from augment.sensing import Sensing, check_seed, choose_sensing, read_sensing
from augment.sensor import sense
from augment.shot import Reading
from augment.shots import shot_of_frame
from frames.errors import BadInput
from frames.record import Frame
from frames.store.columns import select_batch_columns, select_frame_columns
from frames.store.dataset import CACHE_MB, Dataset
from frames.store.place import find_place

_DEPENDENT: Final = {"depth", "invalid", "hands"}
"""Columns of a frame that depend on the sensor."""


def open_sensed(
    folder: str | Path,
    columns: Sequence[str] | None = None,
    partial: bool = False,
    cache_mb: int = CACHE_MB,
    split: str | None = None,
    sensor: str | Path | Profile | Mixture | None = None,
    seed: int | None = None,
) -> "SensedDataset":
    """Open a dataset folder for reading as a sensor sees it; arguments as `frames.open_dataset`.

    sensor: another one than the dataset's own: a profile, its name or a TOML file. seed: of another
    noise than the dataset's own, such as the number of an epoch. Either is applied to the clean
    depth, whatever is stored; a frame without clean depth keeps the depth it has. Raises BadInput
    as `open_dataset` does, and for a sensor that cannot be; clean depth that no sensor belongs to
    raises it when it is read.
    """
    return SensedDataset(find_place(folder), columns, partial, cache_mb, split, sensor, seed)


class SensedDataset:
    """A `frames.store.dataset.Dataset` with a sensor before it; may be pickled to, or forked into,
    worker processes.
    """

    def __init__(
        self,
        folder: Path,
        columns: Sequence[str] | None,
        partial: bool,
        cache_mb: int,
        split: str | None,
        sensor: str | Path | Profile | Mixture | None,
        seed: int | None,
    ) -> None:
        """See `open_sensed`."""
        self._wanted = select_frame_columns(columns)
        self._stored = Dataset(folder, _extend_frame(self._wanted), partial, cache_mb, split)
        self.sensing = _choose(read_sensing(self.meta, folder), sensor, seed)
        self._always = sensor is not None or seed is not None
        if self.sensing is not None and (self._always or not self.sensing.baked):
            self.sensing.check()

    @property
    def folder(self) -> Path:
        """The dataset's folder."""
        return self._stored.folder

    @property
    def meta(self) -> dict[str, Any]:
        """The contents of dataset.json."""
        return self._stored.meta

    @property
    def frames(self) -> range:
        """Ids of the frames that are wanted, whether they are there yet or not."""
        return self._stored.frames

    @property
    def shards(self) -> list[int]:
        """Indices of the shards that are there."""
        return self._stored.shards

    def __len__(self) -> int:
        return len(self._stored)

    def __getitem__(self, index: int) -> Frame:
        """The frame at a place, negative ones from the end. Raises IndexError outside."""
        return self._sense_frame(self._stored[index], self._wanted)

    def __iter__(self) -> Iterator[Frame]:
        return self.stream()

    def stream(self, columns: Sequence[str] | None = None) -> Iterator[Frame]:
        """All frames in order, one row group in memory at a time. columns: as in `open_sensed`."""
        wanted = self._wanted if columns is None else select_frame_columns(columns)
        for frame in self._stored.stream(_extend_frame(wanted)):
            yield self._sense_frame(frame, wanted)

    def batches(
        self,
        columns: Sequence[str] | None = None,
        size: int = 256,
        shards: Sequence[int] | None = None,
    ) -> Iterator[dict[str, Any]]:
        """All frames in order as batches of whole arrays, as `Dataset.batches` gives them."""
        wanted = select_batch_columns(columns)
        read = wanted
        if {*wanted} & {*MADE, *LABELS}:
            read = list(dict.fromkeys([*wanted, *SOURCES]))
        kept = {*wanted, *(f"{n.partition('.')[0].removesuffix('s')}_counts" for n in wanted)}
        for batch in self._stored.batches(read, size, shards):
            if read is not wanted and self._is_asked(batch["clean_depth"], batch["depth"]):
                batch.update(sense_batch(self._own_sensing(batch["frame_id"][0]), batch))
            yield {name: value for name, value in batch.items() if name in kept}

    def read(self, index: int) -> Reading:
        """What the sensor makes of the frame at a place, made anew: depth before it is rounded to
        steps, with amplitude and sigma where the model has them.
        """
        frame = self._stored[index]
        sensing = self._own_sensing(frame.frame_id)
        if frame.clean_depth is None:
            raise BadInput(explain_no_depth(frame.frame_id))
        return sense(sensing.profile, shot_of_frame(frame, sensing.seed))

    def _is_asked(self, clean: object, depth: object) -> bool:
        """Whether the sensor is to read these frames; real ones have their own sensor's depth."""
        return clean is not None and (self._always or depth is None)

    def _own_sensing(self, frame_id: int) -> Sensing:
        if self.sensing is None:
            raise BadInput(
                f"frame {frame_id} of {self.folder} has clean depth and no sensor: name one"
                f' (open_sensed(folder, sensor="d435")), or read the clean depth with open_dataset'
            )
        return self.sensing

    def _sense_frame(self, frame: Frame, wanted: Sequence[str]) -> Frame:
        drop: dict[str, Any] = {n: None for n in _FRAME_SOURCES if n not in wanted}
        drop.update({n: () for n in ("hands", "objects") if n not in wanted})
        if {*wanted} & _DEPENDENT and self._is_asked(frame.clean_depth, frame.depth):
            frame = sense_frame(self._own_sensing(frame.frame_id), frame)
        return replace(frame, **drop) if drop else frame


_FRAME_SOURCES: Final = (
    *("depth", "clean_depth", "parts", "invalid", "sensor_seed"),
    *("sequence_id", "time_s", "camera_velocity"),
)


def _choose(
    own: Sensing | None, sensor: str | Path | Profile | Mixture | None, seed: int | None
) -> Sensing | None:
    seed = (0 if own is None else own.seed) if seed is None else check_seed(seed, "the sensor's")
    if isinstance(sensor, Profile | Mixture):
        return Sensing(sensor, seed, False)
    if sensor is not None:
        return choose_sensing(sensor, seed, False)
    return None if own is None else replace(own, seed=seed)


def _extend_frame(columns: Sequence[str]) -> list[str]:
    """Frame columns to be read for a sensor, besides those that are wanted."""
    if not {*columns} & _DEPENDENT:
        return list(columns)
    return select_frame_columns([*columns, *_FRAME_SOURCES, "hands", "objects"])
