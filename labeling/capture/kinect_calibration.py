"""Azure Kinect's factory calibration: the camera of a depth or colour mode.

The file has intrinsics in shares of the sensor's size, the first pixel's corner at 0; a mode takes
a part of the sensor, binned or not (Azure Kinect Sensor SDK, mode_specific_calibration.c).
"""

import json
from typing import Any, Final

import numpy as np

from frames.camera import Camera
from frames.errors import BadInput
from labeling.capture.extras import foreign_errors

_DEPTH_MODES: Final = {
    (320, 288): ((512, 512), (96, 90)),
    (640, 576): ((1024, 1024), (192, 180)),
    (512, 512): ((512, 512), (0, 0)),
    (1024, 1024): ((1024, 1024), (0, 0)),
}
"""Size of the image: the binned sensor's, and where the image begins on it."""

_BROWN: Final = "BrownConrady"
_RADIUS: Final = 1.7
"""What the SDK takes where the calibration could not tell."""


def read_calibration(data: bytes, size: tuple[int, int], place: str) -> Camera:
    """The depth camera of images (width, height). Raises BadInput for a size that is no mode's, and
    a calibration that is broken or of another lens model.
    """
    if size not in _DEPTH_MODES:
        known = ", ".join(f"{w} x {h}" for w, h in _DEPTH_MODES)
        raise BadInput(
            f"{place} has depth of {size[0]} x {size[1]} pixels; Azure Kinect's is {known}"
        )
    found = _find_camera(data, "CALIBRATION_CameraLocationD0", place)
    binned, crop = _DEPTH_MODES[size]
    return _build(found, binned, crop, size, place)


def read_color_calibration(data: bytes, size: tuple[int, int], place: str) -> Camera:
    """The colour camera of pictures (width, height): 16 : 9 ones are the middle of 4 : 3."""
    found = _find_camera(data, "CALIBRATION_CameraLocationPV0", place)
    width, height = size
    whole = width * 3 // 4
    with foreign_errors(f"the calibration in {place}"):
        wide = int(found["SensorWidth"]) * 9 == int(found["SensorHeight"]) * 16
    if wide:
        raise BadInput(f"{place} has a colour calibration of the old kind, in 16 : 9")
    return _build(found, (width, whole), (0, (whole - height) // 2), size, place)


def _find_camera(data: bytes, location: str, place: str) -> dict[str, Any]:
    with foreign_errors(f"the calibration in {place}"):
        values = json.loads(data.rstrip(b"\0"))
        for camera in values["CalibrationInformation"]["Cameras"]:
            if camera["Location"] == location:
                return dict(camera)
    raise BadInput(f"the calibration in {place} has no camera {location}")


def _build(
    found: dict[str, Any],
    binned: tuple[int, int],
    crop: tuple[int, int],
    size: tuple[int, int],
    place: str,
) -> Camera:
    with foreign_errors(f"the calibration in {place}"):
        model = str(found["Intrinsics"]["ModelType"])
        v = [float(x) for x in found["Intrinsics"]["ModelParameters"]]
        cx, cy, fx, fy, k1, k2, k3, k4, k5, k6, codx, cody, p2, p1 = v[:14]
        radius = float(found["MetricRadius"]) or _RADIUS
        if not model.endswith(_BROWN) and (p1 or p2):
            raise BadInput(f"{place} has the lens model {model}: give the camera with --camera")
        if codx or cody:
            raise BadInput(f"{place} has a centre of distortion beside the axis: use --camera")
        return Camera(
            "brown-conrady",
            *size,
            fx * binned[0],
            fy * binned[1],
            cx * binned[0] - crop[0] - 0.5,
            cy * binned[1] - crop[1] - 0.5,
            (k1, k2, p1, p2, k3, k4, k5, k6),
            float(np.arctan(radius)),
        )
