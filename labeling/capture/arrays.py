"""NumPy recordings: an .npy file of depth, or an .npz with what belongs to it."""

from collections.abc import Iterator, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from augment.calibrate.reading import find_camera
from frames.camera import Camera
from frames.errors import BadInput
from frames.store.pictures import encode_picture
from labeling.capture.array_file import ArrayFile, open_npy, open_npz
from labeling.capture.recording import NANO, Head, Request, Sight, build_timeline, check_size
from labeling.capture.units import choose_units

KEYS: Final = ("depth", "color", "infrared", "time_s", "time_ns", "K", "distortion", "depth_scale")
"""Arrays that an .npz may have; depth it must."""


class ArrayRecording:
    """A `labeling.capture.recording.Recording` of arrays (N, H, W)."""

    def __init__(self, request: Request) -> None:
        """Raises BadInput for arrays that are broken, of several lengths or other shapes, and
        without a camera and a scale.
        """
        path = Path(request.source)
        arrays = {"depth": open_npy(path)} if path.suffix == ".npy" else open_npz(path)
        if "depth" not in arrays:
            raise BadInput(
                f"{path} has no array depth, it has {', '.join(arrays) or 'none'}; known are"
                f" {', '.join(KEYS)}"
            )
        self._path = path
        self._depth = arrays["depth"]
        self._color = arrays.get("color") if request.pictures else None
        self._infrared = arrays.get("infrared") if request.pictures else None
        self._check_shapes()
        height, width = self._depth.shape[-2:]
        camera, scale = _find_camera(path, arrays, (width, height), request)
        check_size(width, height, camera, self._depth.place)
        units = choose_units(self._depth.dtype, scale, str(path))
        count = self._depth.shape[0] if len(self._depth.shape) == 3 else 1
        times = None
        given = arrays.get("time_ns", arrays.get("time_s"))
        if given is not None and not request.fps:
            times = _read_times(given, count)
        timeline = build_timeline([path.stem], [count], [times], request.fps, str(path))
        self.head = Head("NumPy arrays", camera, units, timeline, (path,))

    def read(self, positions: Sequence[int]) -> Iterator[Sight]:
        """See `labeling.capture.recording.Recording`."""
        colors = repeat(None) if self._color is None else self._color.read(positions)
        infrared = repeat(None) if self._infrared is None else self._infrared.read(positions)
        if len(self._depth.shape) == 2:
            depth: Iterator[NDArray[Any]] = iter([self._depth.load()] if len(positions) else [])
        else:
            depth = self._depth.read(positions)
        # The streams without an end last: zip stops at the first that ends.
        for values, color, ir in zip(depth, colors, infrared, strict=False):
            yield Sight(
                self.head.units.store(values, self._depth.place),
                None if color is None else encode_picture(color),
                None if ir is None else encode_picture(ir),
            )

    def name_origin(self, position: int) -> str:
        """The file and the frame's number in it."""
        return f"{self._path.name} {position}"

    def _check_shapes(self) -> None:
        depth = self._depth
        if len(depth.shape) not in (2, 3):
            raise BadInput(f"{depth.place} must hold (H, W) or (N, H, W), got {depth.shape}")
        count = depth.shape[0]
        for array, kinds, ends in (
            (self._color, (np.uint8,), (3,)),
            (self._infrared, (np.uint8, np.uint16), ()),
        ):
            if array is None:
                continue
            good = len(array.shape) == 3 + len(ends) and array.shape[3:] == ends
            if not good or array.dtype not in kinds or array.shape[0] != count:
                wanted = "(N, H, W, 3) uint8" if ends else "(N, H, W) uint8 or uint16"
                raise BadInput(
                    f"{array.place} must hold {wanted} with N = {count}, got {array.shape}"
                    f" {array.dtype}"
                )


def _find_camera(
    path: Path, arrays: dict[str, ArrayFile], size: tuple[int, int], request: Request
) -> tuple[Camera, float]:
    """The camera and the scale: what the user says, what the file has, what lies beside it."""
    scale = request.depth_scale
    if not scale and "depth_scale" in arrays:
        found = arrays["depth_scale"].load().ravel()
        if found.size != 1 or not (np.isfinite(found[0]) and found[0] > 0):
            raise BadInput(f"{arrays['depth_scale'].place} must be one number > 0, got {found}")
        scale = float(found[0])
    if request.camera or "K" not in arrays:
        camera, stated = find_camera(path.parent, request.camera)
        return camera, scale or stated
    K = arrays["K"].load()
    if K.shape != (3, 3):
        raise BadInput(f"{arrays['K'].place} must be the 3 x 3 intrinsics, got {K.shape}")
    distortion: tuple[float, ...] = ()
    if "distortion" in arrays:
        distortion = tuple(float(k) for k in arrays["distortion"].load().ravel())
    bent = any(k != 0 for k in distortion)
    try:
        fx, fy, cx, cy = (float(v) for v in (K[0, 0], K[1, 1], K[0, 2], K[1, 2]))
        model, bends = ("brown-conrady", distortion) if bent else ("pinhole", ())
        camera = Camera(model, *size, fx, fy, cx, cy, bends)
    except BadInput as error:
        raise BadInput(f"{error} (in {path})") from None
    return camera, scale


def _read_times(array: ArrayFile, count: int) -> NDArray[np.int64]:
    """Floats are seconds, whole numbers nanoseconds: floats since 1970 are good to 0.2 us only."""
    kind, size = array.dtype.kind, array.dtype.itemsize
    if array.shape != (count,) or not (kind == "f" or (kind in "ui" and size == 8)):
        raise BadInput(
            f"{array.place} must be ({count},) seconds in floats or ns in int64, got"
            f" {array.shape} {array.dtype}"
        )
    values = array.load()
    if kind != "f":
        return values.astype(np.int64)
    seconds = values.astype(np.float64)
    if not (np.abs(seconds) < 9e9).all():
        raise BadInput(f"{array.place} must be finite seconds")
    return np.round(seconds * NANO).astype(np.int64)
