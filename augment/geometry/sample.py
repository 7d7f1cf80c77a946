"""A frame as arrays, as training takes it: images, camera, and the labels of all its hands."""

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augment.geometry.images import Images
from augment.geometry.virtual_camera import camera_matrix
from frames.camera import Camera
from frames.errors import BadInput
from frames.record import Frame
from frames.skeleton import KEYPOINTS

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class HandLabels:
    """Labels of N hands, conventions as in `frames.record.Hand`."""

    left: NDArray[np.bool_]
    """(N,) whether it is the person's left hand."""

    part_base: Bytes
    """(N,) its codes in the part image are this + 1 .. this + 17."""

    keypoints_px: Floats
    """(N, 21, 2) NaN where there is none."""

    keypoints_cam_m: Floats
    """(N, 21, 3) camera axes, metres; NaN where it is not known."""

    surface_depth_m: Floats
    """(N, 21) depth of what is seen at the keypoint; NaN for none."""

    visibility: Bytes
    """(N, 21) 0 outside or not labelled, 1 occluded, 2 visible."""

    occlusion: Bytes
    """(N, 21) cause, `frames.parts.CAUSE_NAMES`."""

    provenance: Bytes
    """(N, 21) where each label comes from; 255: there is none."""

    visible_fraction: Floats
    """(N,) share of its pixels that nothing covers; NaN where that is not known."""

    box_px: Floats
    """(N, 4) x0, y0, x1, y1 around its visible pixels; NaN for none."""

    box_amodal_px: Floats
    """(N, 4) the same around all its pixels, covered or not."""

    T_camera_from_wrist: Floats
    """(N, 4, 4) pose of the wrist; NaN where it is not known."""

    def __len__(self) -> int:
        return len(self.left)


_SHAPES: dict[str, tuple[tuple[int, ...], str]] = {
    "left": ((), "bool"),
    "part_base": ((), "uint8"),
    "keypoints_px": ((KEYPOINTS, 2), "float32"),
    "keypoints_cam_m": ((KEYPOINTS, 3), "float32"),
    "surface_depth_m": ((KEYPOINTS,), "float32"),
    "visibility": ((KEYPOINTS,), "uint8"),
    "occlusion": ((KEYPOINTS,), "uint8"),
    "provenance": ((KEYPOINTS,), "uint8"),
    "visible_fraction": ((), "float32"),
    "box_px": ((4,), "float32"),
    "box_amodal_px": ((4,), "float32"),
    "T_camera_from_wrist": ((4, 4), "float32"),
}


@dataclass(frozen=True)
class Sample:
    """One frame for training."""

    camera: Camera
    """Whose images these are."""

    images: Images
    """Depth, part codes, reasons."""

    hands: HandLabels
    """In the frame's order."""

    depth_scale: float = field(default=1.0)
    """Units of the depth image in a metre: 1 for float32 metres."""

    @property
    def K(self) -> NDArray[np.float64]:  # noqa: N802
        """(3, 3) camera matrix."""
        return camera_matrix(self.camera)


def make_hands(count: int, **given: Any) -> HandLabels:
    """Labels of `count` hands from what a source has; the rest says that it is not there.

    Whatever is left out is NaN, no side counts as left, part_base goes 0, 32 ...; a keypoint
    without given visibility is visible, and provenance human, where its pixel is given, else 0 and
    255. Types are converted. Raises BadInput for an unknown name or another shape.
    """
    unknown = sorted(set(given) - set(_SHAPES))
    if unknown:
        raise BadInput(f"hands have no {unknown[0]}: {', '.join(_SHAPES)}")
    values: dict[str, Any] = {}
    for name, (shape, kind) in _SHAPES.items():
        if name in given:
            values[name] = np.asarray(given[name], kind)
        elif kind == "float32":
            values[name] = np.full((count, *shape), np.nan, np.float32)
        elif name == "left":
            values[name] = np.zeros(count, bool)
        elif name == "part_base":
            values[name] = (32 * np.arange(count)).astype(np.uint8)
    if "keypoints_px" in values and values["keypoints_px"].shape == (count, KEYPOINTS, 2):
        there = np.isfinite(values["keypoints_px"]).all(-1)
        values.setdefault("visibility", np.where(there, 2, 0).astype(np.uint8))
        values.setdefault("occlusion", np.where(there, 0, 4).astype(np.uint8))
        values.setdefault("provenance", np.where(there, 1, 255).astype(np.uint8))
    for name, (shape, _) in _SHAPES.items():
        wanted = (count, *shape)
        if values[name].shape != wanted:
            raise BadInput(f"{name} of {count} hands must be {wanted}, got {values[name].shape}")
    return HandLabels(**values)


def read_sample(frame: Frame) -> Sample:
    """A frame's reading (the sensor's depth, else the clean one), part codes, reasons and hands."""
    hands = frame.hands
    given: dict[str, Any] = {"left": np.array([h.side == "left" for h in hands], bool)}
    nowhere = np.full((4, 4), np.nan, np.float32)
    for name, (shape, kind) in _SHAPES.items():
        if name == "left":
            continue
        values = [getattr(h, name) for h in hands]
        if name == "T_camera_from_wrist":
            values = [nowhere if T is None else T for T in values]
        given[name] = np.array(values, kind).reshape(len(hands), *shape)
    assert set(given) == {f.name for f in fields(HandLabels)}
    images = Images(frame.reading, frame.parts, frame.invalid)
    return Sample(frame.camera, images, HandLabels(**given), frame.depth_scale)
