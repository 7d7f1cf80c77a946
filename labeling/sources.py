"""The datasets that frames were pushed from, found again."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from augment.sensed import SensedDataset, open_sensed
from augment.sensing import read_sensing
from frames.camera import Camera
from frames.errors import BadInput
from frames.record import Frame
from frames.store.dataset import Dataset, open_dataset
from frames.store.folder import META_NAME, read_meta
from labeling.keys import key_of
from labeling.ledger import KnownFrame

AnyDataset = Dataset | SensedDataset


def open_source(folder: Path, columns: Sequence[str] | None = None) -> AnyDataset:
    """A dataset to push from or to label, as its sensor reads it. Raises BadInput if it is none."""
    if read_sensing(read_meta(folder), folder) is not None:
        return open_sensed(folder, columns, partial=True)
    return open_dataset(folder, columns, partial=True)


class Sources:
    """Datasets by where they were when they were pushed from."""

    def __init__(self, moved: Iterable[Path] = ()) -> None:
        """moved: where datasets of the same name are now."""
        self._moved = {p.resolve().name: p for p in moved}
        self._open: dict[str, AnyDataset] = {}
        self._rows: dict[str, list[tuple[Camera, int | None]]] = {}

    def find(self, known: KnownFrame) -> AnyDataset:
        """The dataset of a frame. Raises BadInput if it is not there."""
        folder = self._moved.get(known.dataset, Path(known.folder))
        if str(folder) not in self._open:
            if not (folder / META_NAME).is_file():
                raise BadInput(f"the dataset {folder} is not there: name it with --data")
            self._open[str(folder)] = open_source(folder)
        return self._open[str(folder)]

    def read(self, known: KnownFrame) -> Frame:
        """A frame. Raises BadInput where it is not the one that was pushed."""
        dataset = self.find(known)
        if known.frame >= len(dataset):
            raise BadInput(f"{dataset.folder} has no frame {known.frame}")
        frame = dataset[known.frame]
        if key_of(frame)[0] != known.key:
            raise BadInput(
                f"frame {known.frame} of {dataset.folder} is not the one that was pushed: was the"
                " dataset made again?"
            )
        return frame

    def find_camera(self, known: KnownFrame) -> Camera:
        """A frame's camera, without reading its images."""
        return self._find_row(known)[0]

    def find_sequence(self, known: KnownFrame) -> int | None:
        """A frame's sequence in its dataset, likewise; None if it is of none."""
        return self._find_row(known)[1]

    def _find_row(self, known: KnownFrame) -> tuple[Camera, int | None]:
        dataset = self.find(known)
        key = str(dataset.folder)
        if key not in self._rows:
            bare = open_dataset(dataset.folder, partial=True)
            rows: list[tuple[Camera, int | None]] = []
            for batch in bare.batches(["camera", "sequence_id"], size=1024):
                told = [None if n < 0 else int(n) for n in batch["sequence_id"].tolist()]
                rows += zip(batch["camera"], told, strict=True)
            self._rows[key] = rows
        if known.frame >= len(self._rows[key]):
            raise BadInput(f"{dataset.folder} has no frame {known.frame}")
        return self._rows[key][known.frame]
