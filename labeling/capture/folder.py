"""Folders of pictures: 16-bit PNG or TIFF, EXR or .npy, colour and infrared beside them."""

import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from augment.calibrate.capture_files import PICTURES, ClipFiles, list_clips, read_file
from augment.calibrate.reading import CAMERA_NAMES, find_camera
from frames.camera import Camera
from frames.errors import BadInput
from frames.store.pictures import encode_picture, measure_picture
from labeling.capture.array_file import ArrayFile, open_npy
from labeling.capture.exr import measure_exr, read_exr
from labeling.capture.pairing import pair_times
from labeling.capture.recording import Head, Request, Sight, build_timeline, check_size
from labeling.capture.stamps import COLOR_LISTS, LISTS, find_lists, parse_name, read_stamps
from labeling.capture.units import Units, choose_units

SUFFIXES: Final = (*PICTURES, ".exr", ".npy", ".jpg", ".jpeg")
_HEADER_BYTES: Final = 1 << 16


@dataclass(frozen=True)
class _Frame:
    """Where one frame is."""

    depth: Path
    place: int
    """Of the frame in its file; -1 for a file of one."""
    color: Path | None
    infrared: Path | None


class FolderRecording:
    """A `labeling.capture.recording.Recording` of picture files."""

    def __init__(self, request: Request) -> None:
        """Raises BadInput for what `list_clips` and `find_camera` refuse, and for pictures of
        several sizes or kinds.
        """
        self._folder = Path(request.source)
        clips = list_clips(self._folder, SUFFIXES, SUFFIXES)
        camera, stated = find_camera(self._folder, request.camera)
        self._arrays: dict[Path, ArrayFile] = {}
        units = self._choose_units(clips, request.depth_scale or stated)
        self._frames: list[_Frame] = []
        counts, times = [], []
        for clip in clips:
            found = self._list_frames(clip, request.pictures)
            counts.append(len(found))
            self._frames += found
            times.append(None if request.fps else _read_times(clip, found))
        timeline = build_timeline(
            [c.name for c in clips], counts, times, request.fps, str(self._folder)
        )
        for path in OrderedDict.fromkeys(f.depth for f in self._frames):
            check_size(*self._measure(path), camera, str(path))
        self.head = Head(
            "folder of pictures", camera, units, timeline, tuple(self._list_files(request))
        )
        self._camera: Camera = camera

    def read(self, positions: Sequence[int]) -> Iterator[Sight]:
        """See `labeling.capture.recording.Recording`."""
        for position in positions:
            frame = self._frames[position]
            yield Sight(
                self._read_depth(frame),
                None if frame.color is None else _read_color(frame.color),
                None if frame.infrared is None else _read_infrared(frame.infrared),
            )

    def name_origin(self, position: int) -> str:
        """The file, and which of its frames."""
        frame = self._frames[position]
        name = str(frame.depth.relative_to(self._folder))
        return name if frame.place < 0 else f"{name} {frame.place}"

    def _list_frames(self, clip: ClipFiles, pictures: bool) -> list[_Frame]:
        color = _index(clip.color if pictures else [])
        infrared = _index(clip.amplitude if pictures else [])
        out = []
        for path in clip.depth:
            array = self._arrays.get(path)
            stack = array is not None and len(array.shape) == 3
            for place in range(array.shape[0]) if array is not None and stack else (-1,):
                # A stack of frames has no file of its own for each of them.
                key = None if stack else _number(path)
                beside = (None, None) if stack else (color.get(key), infrared.get(key))
                out.append(_Frame(path, place, *beside))
        timed = (
            _pair_by_time(clip.color, out)
            if pictures and not color.keys() & set(map(_number, clip.depth))
            else None
        )
        return out if timed is None else timed

    def _choose_units(self, clips: Sequence[ClipFiles], scale: float) -> Units:
        kinds: dict[bool, Path] = {}
        dtype: Any = np.uint16
        for path in (p for clip in clips for p in clip.depth):
            kind: Any = np.uint16
            if path.suffix.lower() == ".npy":
                self._arrays[path] = open_npy(path)
                kind = self._arrays[path].dtype
                if len(self._arrays[path].shape) not in (2, 3):
                    raise BadInput(
                        f"{path} must hold (H, W) or (N, H, W), got {self._arrays[path].shape}"
                    )
            elif path.suffix.lower() == ".exr":
                kind = read_exr(path).dtype if not kinds else dtype
            dtype = kind
            kinds.setdefault(np.dtype(kind).kind == "f", path)
        if len(kinds) > 1:
            raise BadInput(
                f"{kinds[True]} has depth in floats and {kinds[False]} in whole numbers: capture"
                f" them one by one"
            )
        return choose_units(dtype, scale, str(self._folder))

    def _measure(self, path: Path) -> tuple[int, int]:
        """Width and height, by the header alone."""
        if path in self._arrays:
            height, width = self._arrays[path].shape[-2:]
            return width, height
        if path.suffix.lower() == ".exr":
            return measure_exr(path)
        return _measure_file(path)

    def _read_depth(self, frame: _Frame) -> NDArray[np.uint16]:
        path, units = frame.depth, self.head.units
        if path in self._arrays:
            array = self._arrays[path]
            if frame.place < 0:
                return units.store(array.load(), str(path))
            return units.store(next(iter(array.read([frame.place]))), str(path))
        values = read_exr(path) if path.suffix.lower() == ".exr" else read_file(path)[0]
        check_size(values.shape[1], values.shape[0], self._camera, str(path))
        return units.store(values, str(path))

    def _list_files(self, request: Request) -> Iterator[Path]:
        """All that decides what is captured."""
        seen = [p for f in self._frames for p in (f.depth, f.color, f.infrared) if p is not None]
        yield from OrderedDict.fromkeys(seen)
        for name in (*CAMERA_NAMES, *LISTS, *COLOR_LISTS):
            if (self._folder / name).is_file():
                yield self._folder / name


def _read_times(clip: ClipFiles, found: Sequence[_Frame]) -> NDArray[np.int64] | None:
    if any(f.place >= 0 for f in found):
        return None
    return read_stamps(clip.depth, find_lists(clip.depth[0].parent, LISTS))


def _pair_by_time(colors: Sequence[Path], found: list[_Frame]) -> list[_Frame] | None:
    """The frames with the colour pictures nearest in time, where files are named by times."""
    depth = [parse_name(f.depth) for f in found]
    other = [parse_name(p) for p in colors]
    if not other or any(t is None for t in (*depth, *other)):
        return None
    pairs = pair_times(np.array(depth, np.int64), np.array(other, np.int64))
    return [
        _Frame(f.depth, f.place, colors[k] if k >= 0 else None, f.infrared)
        for f, k in zip(found, pairs.tolist(), strict=True)
    ]


def _index(paths: Sequence[Path]) -> dict[str | None, Path]:
    """Files by the number that they share with their depth image."""
    return {_number(path): path for path in paths}


def _number(path: Path) -> str | None:
    if parse_name(path) is not None:
        return path.stem
    numbers = re.findall(r"\d+", path.stem)
    return str(int(numbers[-1])) if numbers else ""


def _measure_file(path: Path) -> tuple[int, int]:
    try:
        with path.open("rb") as file:
            head = file.read(_HEADER_BYTES)
            if head[:2] in (b"II", b"MM"):  # a TIFF's sizes may be at its end
                head += file.read()
        return measure_picture(head)
    except BadInput as error:
        raise BadInput(f"{path} cannot be read as a picture: {error}") from None
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from None


def _read_color(path: Path) -> bytes:
    """The picture's own file if it is JPEG or PNG, else as PNG."""
    _measure_file(path)
    if path.suffix.lower() in (".jpg", ".jpeg", ".png"):
        return path.read_bytes()
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise BadInput(f"{path} cannot be read as a picture")
    return encode_picture(np.asarray(image)[..., ::-1])


def _read_infrared(path: Path) -> bytes:
    _measure_file(path)
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None or image.dtype not in (np.uint8, np.uint16):
        raise BadInput(f"{path} cannot be read as an infrared picture of 8 or 16 bits")
    return encode_picture(np.asarray(image if image.ndim == 2 else image[..., 0]))
