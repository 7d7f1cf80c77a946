"""ROS 1 and 2 bags and MCAP, those of RealSense's own recorder included, read by rosbags."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from augment.calibrate.reading import find_camera
from frames.camera import Camera
from frames.errors import BadInput
from labeling.capture.extras import foreign_errors, import_extra
from labeling.capture.pairing import pair_times
from labeling.capture.recording import Head, Request, Sight, build_timeline, check_size
from labeling.capture.ros_messages import (
    MILLIMETRES,
    measure_image,
    read_camera_info,
    read_image,
    read_picture,
    read_stamp,
)
from labeling.capture.ros_topics import Topics, choose_topics
from labeling.capture.units import Units, choose_units

_TRAILING: Final = 4
"""Bytes that librealsense leaves after an image message in a .bag."""


@dataclass(frozen=True)
class _Stream:
    """The messages of one topic."""

    log_ns: NDArray[np.int64]
    """(N,) when each was recorded, in order: how they are found again."""

    time_ns: NDArray[np.int64]
    """(N,) when each was taken."""


class RosRecording:
    """A `labeling.capture.recording.Recording` of a bag."""

    def __init__(self, request: Request) -> None:
        """Raises BadInput for a bag that is broken, has no depth or no camera, and for images of
        several sizes.
        """
        self._path = Path(request.source)
        self._place = str(self._path)
        self._first = self._path.suffix == ".bag"
        self._types = _load_types(self._first)
        with self._open() as reader:
            topics = choose_topics(reader.connections, request.topic, self._place)
            if not request.pictures:
                topics = _drop_pictures(topics)
            self._topics = topics
            self._name = f"{self._place} {topics.depth.topic}"
            info, unit = self._read_first(reader, topics.camera), 0.0
            if topics.units is not None:
                found = self._read_first(reader, topics.units)
                unit = 0.0 if found is None else float(found.data)
            camera = self._choose_camera(info, request.camera)
            depth, dtype = self._scan_depth(reader, camera)
            self._streams = {"depth": depth}
            for name in ("color", "infrared"):
                connection = getattr(topics, name)
                if connection is not None:
                    self._streams[name] = self._scan(reader, connection)
            about = self._describe(reader)
        self._pairs = {
            name: pair_times(depth.time_ns, stream.time_ns)
            for name, stream in self._streams.items()
            if name != "depth"
        }
        scale = request.depth_scale or (_find_scale(unit, self._place) if topics.realsense else 0.0)
        if not scale and dtype.kind == "u":
            scale = MILLIMETRES  # REP 118
        units: Units = choose_units(dtype, scale, self._name)
        timeline = build_timeline(
            [self._path.stem], [len(depth.log_ns)], [depth.time_ns], request.fps, self._name
        )
        kind = "RealSense recording" if topics.realsense else "ROS recording"
        files = sorted(self._path.iterdir()) if self._path.is_dir() else [self._path]
        files = [f for f in files if f.is_file()]
        self.head = Head(kind, camera, units, timeline, tuple(files), about)

    def read(self, positions: Sequence[int]) -> Iterator[Sight]:
        """See `labeling.capture.recording.Recording`."""
        wanted: dict[str, dict[int, list[int]]] = {"depth": {p: [p] for p in positions}}
        for name, pairs in self._pairs.items():
            wanted[name] = {}
            for p in positions:
                if pairs[p] >= 0:
                    wanted[name].setdefault(int(pairs[p]), []).append(p)
        missing = {p: 1 + sum(int(v[p]) >= 0 for v in self._pairs.values()) for p in positions}
        found: dict[int, dict[str, Any]] = {p: {} for p in positions}
        waiting = list(positions)
        for name, at, message in self._walk(wanted):
            for p in wanted[name].get(at, ()):
                found[p][name] = self._convert(name, message)
                missing[p] -= 1
            while waiting and not missing[waiting[0]]:
                yield Sight(**found.pop(waiting.pop(0)))
        if waiting:
            raise BadInput(f"{self._name} has changed: frame {waiting[0]} is not there any more")

    def name_origin(self, position: int) -> str:
        """The topic and the message's number."""
        return f"{self._topics.depth.topic} {position}"

    def _walk(self, wanted: dict[str, dict[int, list[int]]]) -> Iterator[tuple[str, int, Any]]:
        """Streams' names, places and messages, over the time that holds all that is wanted."""
        logs = [self._streams[n].log_ns[list(w)] for n, w in wanted.items() if w]
        if not logs:
            return
        start, stop = min(int(v.min()) for v in logs), max(int(v.max()) for v in logs)
        at = {n: int(np.searchsorted(self._streams[n].log_ns, start)) for n in wanted}
        names = {getattr(self._topics, n).topic: n for n in wanted}
        connections = [getattr(self._topics, n) for n in wanted]
        with self._open() as reader, foreign_errors(self._place):
            # Connections of another opening are known by their topics.
            mine = {c.topic for c in connections}
            here = [c for c in reader.connections if c.topic in mine]
            for connection, _, raw in reader.messages(here, start, stop + 1):
                name = names[connection.topic]
                place = at[name]
                at[name] += 1
                if place in wanted[name]:
                    yield name, place, self._parse(connection, raw)

    def _convert(self, name: str, message: Any) -> Any:
        place = f"{self._place} {getattr(self._topics, name).topic}"
        if name != "depth":
            return read_picture(message, place)
        values = read_image(message, place)
        check_size(values.shape[1], values.shape[0], self.head.camera, place)
        return self.head.units.store(values, place)

    def _scan_depth(self, reader: Any, camera: Camera) -> tuple[_Stream, Any]:
        """The depth stream, every message's size and kind checked."""
        kinds: list[Any] = []

        def check(message: Any) -> None:
            width, height, dtype = measure_image(message, self._name)
            check_size(width, height, camera, self._name)
            if kinds and kinds[0] != dtype:
                raise BadInput(f"{self._name} has depth of {kinds[0]} and of {dtype}")
            kinds[:] = [dtype]

        stream = self._scan(reader, self._topics.depth, check)
        if not kinds:
            raise BadInput(f"{self._name} has no depth frame")
        return stream, kinds[0]

    def _scan(self, reader: Any, connection: Any, check: Any = None) -> _Stream:
        log, taken = [], []
        with foreign_errors(self._place):
            for _, time, raw in reader.messages([connection]):
                message = self._parse(connection, raw)
                log.append(time)
                taken.append(read_stamp(message))
                if check is not None:
                    check(message)
        logs, times = np.array(log, np.int64), np.array(taken, np.int64)
        if (np.diff(logs) < 0).any():
            raise BadInput(f"{self._place}: its messages are not in the order of their times")
        return _Stream(logs, logs if (times == 0).any() else times)

    def _parse(self, connection: Any, raw: bytes) -> Any:
        if not self._first:
            return self._types.deserialize_cdr(raw, connection.msgtype)
        try:
            return self._types.deserialize_ros1(raw, connection.msgtype)
        except Exception:
            return self._types.deserialize_ros1(raw[:-_TRAILING], connection.msgtype)

    def _read_first(self, reader: Any, connection: Any | None) -> Any | None:
        """The first message of a topic."""
        if connection is None:
            return None
        with foreign_errors(self._place):
            for _, _, raw in reader.messages([connection]):
                return self._parse(connection, raw)
        return None

    def _choose_camera(self, info: Any | None, camera: str) -> Camera:
        if camera:
            return find_camera(self._path.parent, camera)[0]
        if info is None:
            raise BadInput(
                f"{self._name} has no camera_info beside it: give its camera with --camera"
            )
        with foreign_errors(self._place):
            return read_camera_info(info, self._name)

    def _describe(self, reader: Any) -> dict[str, Any]:
        """What else it says: topics, and the colour camera."""
        topics = self._topics
        about: dict[str, Any] = {"topic": topics.depth.topic}
        for name in ("color", "infrared"):
            if getattr(topics, name) is not None:
                about[f"{name}_topic"] = getattr(topics, name).topic
        info = self._read_first(reader, topics.color_camera)
        if info is not None:
            with suppress(BadInput):  # a lens unknown here is no reason to do without the depth
                about["color_camera"] = read_camera_info(info, self._place).to_dict()
        return about

    @contextmanager
    def _open(self) -> Iterator[Any]:
        name = "rosbags.rosbag1" if self._first else "rosbags.rosbag2"
        library = import_extra(name, "ROS and RealSense recordings")
        with foreign_errors(self._place):
            reader = library.Reader(self._path)
            reader.open()
        try:
            yield reader
        finally:
            with foreign_errors(self._place):
                reader.close()


def _load_types(first: bool) -> Any:
    """Definitions of the few messages that we read: they are the same in every ROS, so that what a
    bag says of its own types is never needed.
    """
    typesys = import_extra("rosbags.typesys", "ROS and RealSense recordings")
    stores = typesys.Stores
    return typesys.get_typestore(stores.ROS1_NOETIC if first else stores.ROS2_HUMBLE)


def _drop_pictures(topics: Topics) -> Topics:
    return Topics(topics.depth, None, None, topics.camera, None, topics.units, topics.realsense)


def _find_scale(unit_m: float, place: str) -> float:
    """Steps a metre for RealSense's depth unit in metres; a millimetre if it does not say."""
    if not unit_m:
        return MILLIMETRES
    if not (np.isfinite(unit_m) and 1e-6 <= unit_m <= 1.0):
        raise BadInput(f"{place} has a depth unit of {unit_m:g} m: give --depth-scale")
    scale = 1.0 / unit_m
    # A float32 of 0.001 is not quite a thousandth.
    return float(round(scale)) if abs(scale - round(scale)) < 1e-4 * scale else scale
