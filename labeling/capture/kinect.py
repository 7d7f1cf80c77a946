"""Azure Kinect recordings: Matroska with tracks DEPTH, IR and COLOR, read by PyAV.

Depth and infrared are raw frames of big-endian 16 bits (b16g), depth in millimetres; colour is
MJPG, kept as it is, or raw. The factory calibration is attached.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from augment.calibrate.reading import find_camera
from frames.camera import MAX_IMAGE_SIDE, Camera
from frames.errors import BadInput
from frames.store.pictures import encode_picture, measure_picture
from labeling.capture.extras import foreign_errors, import_extra
from labeling.capture.kinect_calibration import read_calibration, read_color_calibration
from labeling.capture.pairing import pair_times
from labeling.capture.recording import (
    NANO,
    Head,
    Request,
    Sight,
    build_timeline,
    check_size,
)
from labeling.capture.units import choose_units

MILLIMETRES: Final = 1000.0
_TRACKS: Final = {"depth": "DEPTH", "infrared": "IR", "color": "COLOR"}
_CALIBRATION: Final = "calibration.json"


@dataclass(frozen=True)
class _Track:
    index: int
    """Of the stream in the file."""

    pts: NDArray[np.int64]
    """(N,) in the stream's own ticks, as in the file."""

    time_ns: NDArray[np.int64]


class KinectRecording:
    """A `labeling.capture.recording.Recording` of an .mkv file."""

    def __init__(self, request: Request) -> None:
        """Raises BadInput for a file that is broken or ends early, and without depth."""
        self._path = Path(request.source)
        self._place = str(self._path)
        with self._open() as container, foreign_errors(self._place):
            streams = self._find_streams(container, request.pictures)
            size = self._check_depth(streams["depth"])
            calibration = _find_calibration(container)
            self._tracks = self._scan(container, streams)
            self._check_end(container)
            color = streams.get("color")
            color_size = (color.width, color.height) if color is not None else None
        self._size = size
        depth = self._tracks["depth"]
        camera = self._choose_camera(calibration, size, request.camera)
        check_size(*size, camera, self._place)
        self._pairs = {
            name: pair_times(depth.time_ns, track.time_ns)
            for name, track in self._tracks.items()
            if name != "depth"
        }
        about: dict[str, Any] = {"device": "Azure Kinect"}
        if calibration is not None and color_size is not None:
            with suppress(BadInput):  # no reason to do without the depth
                found = read_color_calibration(calibration, color_size, self._place)
                about["color_camera"] = found.to_dict()
        timeline = build_timeline(
            [self._path.stem], [len(depth.pts)], [depth.time_ns], request.fps, self._place
        )
        units = choose_units(np.uint16, request.depth_scale or MILLIMETRES, self._place)
        self.head = Head("Azure Kinect recording", camera, units, timeline, (self._path,), about)

    def read(self, positions: Sequence[int]) -> Iterator[Sight]:
        """See `labeling.capture.recording.Recording`."""
        if not len(positions):
            return
        wanted: dict[tuple[int, int], list[tuple[int, str]]] = {}
        missing = dict.fromkeys(positions, 0)
        for name, track in self._tracks.items():
            for p in positions:
                k = p if name == "depth" else int(self._pairs[name][p])
                if k >= 0:
                    wanted.setdefault((track.index, int(track.pts[k])), []).append((p, name))
                    missing[p] += 1
        found: dict[int, dict[str, Any]] = {p: {} for p in positions}
        waiting = list(positions)
        start_ns = min(int(self._tracks["depth"].time_ns[p]) for p in positions)
        for index, pts, value in self._walk(set(wanted), start_ns):
            for p, name in wanted.pop((index, pts), ()):
                found[p][name] = value if name != "depth" else self._store(value)
                missing[p] -= 1
            while waiting and not missing[waiting[0]]:
                yield Sight(**found.pop(waiting.pop(0)))
        if waiting:
            raise BadInput(f"{self._place} has changed: frame {waiting[0]} is not there any more")

    def name_origin(self, position: int) -> str:
        """The track and the frame's time in the file."""
        return f"{self._path.name} {self._tracks['depth'].time_ns[position] / NANO:.6f} s"

    def _store(self, values: NDArray[Any]) -> NDArray[np.uint16]:
        return self.head.units.store(values, self._place)

    def _walk(self, wanted: set[tuple[int, int]], start_ns: int) -> Iterator[tuple[int, int, Any]]:
        """Packets that are wanted, converted: from about start_ns, else from the beginning."""
        names = {track.index: name for name, track in self._tracks.items()}
        left = set(wanted)
        with foreign_errors(self._place):
            # A margin of a second, for colour that was taken earlier; then all over again, should
            # the file's index have led too far.
            for start in (max(0, start_ns // 1000 - 1_000_000), 0):
                if not left:
                    return
                with self._open() as container:
                    if start:
                        try:
                            container.seek(start)
                        except Exception:  # without an index there is no seeking
                            continue
                    streams = [container.streams[i] for i in names]
                    for packet in container.demux(streams):
                        key = (packet.stream.index, packet.pts)
                        if packet.size and key in left:
                            left.remove(key)
                            yield *key, self._convert(names[key[0]], packet)
                            if not left:
                                return

    def _convert(self, name: str, packet: Any) -> Any:
        if name != "color":
            values = _read_gray(packet, self._size, self._place)
            return values if name == "depth" else encode_picture(values)
        if packet.stream.codec_context.name == "mjpeg":
            data = bytes(packet)
            measure_picture(data)
            return data
        frames = packet.decode()
        if len(frames) != 1:
            raise BadInput(f"{self._place} has a broken colour picture")
        return encode_picture(frames[0].to_ndarray(format="rgb24"))

    def _find_streams(self, container: Any, pictures: bool) -> dict[str, Any]:
        titled = {s.metadata.get("title", ""): s for s in container.streams.video}
        names = _TRACKS if pictures else {"depth": "DEPTH"}
        found = {name: titled[title] for name, title in names.items() if title in titled}
        if "depth" not in found:
            listed = ", ".join(filter(None, titled)) or f"{len(container.streams)} without names"
            raise BadInput(
                f"{self._place} has no track DEPTH, it has {listed}: was the depth camera on?"
            )
        return found

    def _check_depth(self, stream: Any) -> tuple[int, int]:
        width, height = int(stream.width), int(stream.height)
        if not (1 <= width <= MAX_IMAGE_SIDE and 1 <= height <= MAX_IMAGE_SIDE):
            raise BadInput(
                f"{self._place} says {width} x {height} pixels: sides of 1 to {MAX_IMAGE_SIDE}"
                f" can be"
            )
        if stream.codec_context.name != "rawvideo":
            raise BadInput(
                f"{self._place} has depth as {stream.codec_context.name}: Azure Kinect's is raw"
            )
        return width, height

    def _scan(self, container: Any, streams: dict[str, Any]) -> dict[str, _Track]:
        """All packets' times, the sizes of depth frames checked."""
        pts: dict[int, list[int]] = {s.index: [] for s in streams.values()}
        depth = streams["depth"]
        size = 2 * depth.width * depth.height
        for packet in container.demux(list(streams.values())):
            if not packet.size:
                continue
            if packet.pts is None:
                raise BadInput(f"{self._place} has frames without a time")
            if packet.stream.index == depth.index and packet.size != size:
                raise BadInput(
                    f"{self._place} has a depth frame of {packet.size:,} bytes where"
                    f" {depth.width} x {depth.height} pixels take {size:,}"
                )
            pts[packet.stream.index].append(int(packet.pts))
        out = {}
        for name, stream in streams.items():
            ticks = np.array(pts[stream.index], np.int64)
            tick_ns = Fraction(stream.time_base) * NANO
            times = ticks * tick_ns.numerator // tick_ns.denominator
            out[name] = _Track(stream.index, ticks, times)
        return out

    def _check_end(self, container: Any) -> None:
        """Raises BadInput for a file that ends before the time that its header says."""
        times = self._tracks["depth"].time_ns
        if len(times) < 2 or not container.duration:
            return
        end_ns, period = int(container.duration) * 1000, int(np.median(np.diff(times)))
        last = max(int(t.time_ns.max()) for t in self._tracks.values() if len(t.time_ns))
        if last + 3 * abs(period) < end_ns:
            raise BadInput(
                f"{self._place} is truncated: it ends at {last / NANO:.2f} s of"
                f" {end_ns / NANO:.2f} s; ffmpeg -i IN -map 0 -c copy OUT.mkv makes a whole file"
                f" of what is there"
            )

    def _choose_camera(self, data: bytes | None, size: tuple[int, int], camera: str) -> Camera:
        if camera:
            return find_camera(self._path.parent, camera)[0]
        if data is None:
            raise BadInput(
                f"{self._place} has no {_CALIBRATION} attached: give the camera with --camera"
            )
        return read_calibration(data, size, self._place)

    @contextmanager
    def _open(self) -> Iterator[Any]:
        library = import_extra("av", "Azure Kinect recordings")
        library.logging.set_level(library.logging.PANIC)
        with foreign_errors(self._place):
            container = library.open(self._place, format="matroska")
        try:
            yield container
        finally:
            container.close()


def _find_calibration(container: Any) -> bytes | None:
    attached = [s for s in container.streams if s.type == "attachment"]
    named = [s for s in attached if s.name == _CALIBRATION]
    return bytes(named[0].data) if named and named[0].data else None


def _read_gray(packet: Any, size: tuple[int, int], place: str) -> NDArray[np.uint16]:
    width, height = size
    data = bytes(packet)
    if len(data) != 2 * width * height:
        raise BadInput(f"{place} has a frame of {len(data):,} bytes, not {width} x {height} pixels")
    return np.frombuffer(data, ">u2").reshape(height, width).astype(np.uint16)
