"""Where prediction's depth images come from: datasets and folders of images."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from augment.sensed import SensedDataset, open_sensed
from augment.sensing import read_sensing
from frames.errors import BadInput
from frames.store.dataset import Dataset, open_dataset
from frames.store.folder import META_NAME, read_meta
from train_tiny.prediction.depth_frame import ALONE, DepthFrame, DepthSource, SourceOptions
from train_tiny.prediction.image_folder import ImageFolder

CLEAN: Final = "none"
"""The sensor's name that stands for clean depth as it is."""

_COLUMNS: Final = ("depth", "clean_depth", "hands", "sequence_id", "time_s", "sensor_seed")


def open_source(path: Path, options: SourceOptions) -> DepthSource:
    """The depth images at a path. Raises BadInput for whatever cannot be read as such."""
    if options.frames < 0 or options.fps < 0 or options.depth_scale < 0:
        raise BadInput("frames, fps and depth-scale must be >= 0")
    if not path.is_dir():
        what = "is a file" if path.exists() else "does not exist"
        raise BadInput(f"{path} {what}: it must be a dataset or a folder of depth images")
    if (path / META_NAME).is_file():
        for name in ("camera", "depth_scale", "fps"):
            if getattr(options, name):
                flag = name.replace("_", "-")
                raise BadInput(f"{path} is a dataset and knows its {flag}: leave --{flag} out")
        return StoredFrames(path, options)
    for name in ("split", "sensor"):
        if getattr(options, name):
            raise BadInput(f"{path} is no dataset: it has no {name}")
    return ImageFolder(path, options)


class StoredFrames:
    """The frames of a dataset as its sensor reads them."""

    def __init__(self, folder: Path, options: SourceOptions) -> None:
        """Raises BadInput for a broken dataset, an unknown split or sensor."""
        split, sensor = options.split or None, options.sensor
        self._clean = sensor == CLEAN
        own = read_sensing(read_meta(folder), folder)
        self._data: Dataset | SensedDataset
        if self._clean or (own is None and not sensor):
            self._data = open_dataset(folder, _COLUMNS, split=split)
        else:
            seed = options.seed if sensor else None
            self._data = open_sensed(
                folder, _COLUMNS, split=split, sensor=sensor or None, seed=seed
            )
        self.name, self._most = folder.name, options.frames or len(self._data)
        self.fps = self._find_rate()

    def __len__(self) -> int:
        return min(self._most, len(self._data))

    def __iter__(self) -> Iterator[DepthFrame]:
        for place, frame in enumerate(self._data):
            if place == self._most:
                return
            depth = frame.depth if frame.depth is not None else frame.clean_depth
            if self._clean and frame.clean_depth is not None:
                depth = frame.clean_depth
            if depth is None:
                raise BadInput(f"frame {frame.frame_id} of {self._data.folder} has no depth image")
            sequence = ALONE if frame.sequence_id is None else frame.sequence_id
            yield DepthFrame(
                *(frame.frame_id, "", depth, frame.depth_scale, frame.camera),
                *(sequence, frame.time_s, frame.hands),
            )

    def _find_rate(self) -> float:
        times = [self._data[i].time_s for i in range(min(2, len(self._data)))]
        if len(times) < 2 or times[0] is None or times[1] is None or times[1] <= times[0]:
            return 0.0
        return 1 / (times[1] - times[0])
