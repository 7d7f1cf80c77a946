"""A recording as a source of depth images for prediction, without making a dataset of it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from labeling.capture.opening import READERS, open_recording
from labeling.capture.recording import NANO, Request
from train_tiny.prediction.depth_frame import ALONE, DepthFrame, SourceOptions


def is_recording(path: Path) -> bool:
    """Whether a path is a device's recording: a file of a known kind, or a ROS 2 bag's folder."""
    return path.suffix.lower() in READERS or (path / "metadata.yaml").is_file()


class RecordedFrames:
    """The frames of a recording: a `train_tiny.prediction.depth_frame.DepthSource`."""

    def __init__(self, path: Path, options: SourceOptions) -> None:
        """Raises BadInput for what cannot be opened, or has no depth, camera or scale."""
        self._recording = open_recording(
            Request(str(path), options.camera, options.depth_scale, options.fps, pictures=False)
        )
        times = self._recording.head.timeline.time_ns
        steps = np.diff(times[:100]) if times is not None else np.empty(0)
        self.name = path.name
        # In the median, for sensors miss frames; a sequence's end would only lengthen one step.
        self.fps = float(NANO / np.median(steps)) if len(steps) else options.fps
        self._most = options.frames

    def __len__(self) -> int:
        count = len(self._recording.head.timeline)
        return min(self._most, count) if self._most else count

    def __iter__(self) -> Iterator[DepthFrame]:
        head = self._recording.head
        timeline = head.timeline
        for place, sight in enumerate(self._recording.read(range(len(self)))):
            sequence, time_s = ALONE, None
            if timeline.time_ns is not None:
                sequence = int(timeline.sequence[place])
                first = int(np.searchsorted(timeline.sequence, sequence))
                time_s = float(timeline.time_ns[place] - timeline.time_ns[first]) / NANO
            yield DepthFrame(
                frame_id=place,
                name=self._recording.name_origin(place),
                depth=sight.depth,
                depth_scale=head.units.depth_scale,
                camera=head.camera,
                sequence=sequence,
                time_s=time_s,
            )
