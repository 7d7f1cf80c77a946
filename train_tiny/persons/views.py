"""A picture of persons as a network sees it: turned, sized and mirrored with all its labels."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from frames.stream import uniform
from train_tiny.persons.annotations import Picture
from train_tiny.persons.joint_layout import JointLayout
from train_tiny.persons.regions import draw_regions

Floats = NDArray[np.float32]

_STAGE = "train/persons"

_FAR = 0.5
"""Pictures smaller than this share of their size are averaged first: reading alone skips rows."""


@dataclass(frozen=True)
class PersonGeometry:
    """What may happen to a picture; the ranges are those that LitePose was trained with."""

    roll_range_rad: tuple[float, float] = (-math.pi / 6, math.pi / 6)
    zoom_range: tuple[float, float] = (0.75, 1.5)
    """Evenly by ratio; 1: the whole picture just fits."""
    shift_px: float = 40.0
    """Each way by itself, at most."""
    flip_share: float = 0.5


@dataclass(frozen=True, eq=False)
class View:
    """A picture through `warp`, in pixels of the view."""

    image: NDArray[np.uint8]
    """(H, W, 3) RGB."""
    keypoints_px: Floats
    """(N, J, 2) NaN for what is not labelled or outside."""
    visible: Floats
    """(N, J) 1 seen, 0 hidden, NaN not labelled or outside."""
    right: Floats
    """(N,) 1 right, 0 left, NaN neither."""
    unknown: NDArray[np.bool_]
    """(H, W) where nobody says what there is."""
    warp: NDArray[np.float64]
    """(2, 3) from pixels of the picture to those of the view."""


def draw_warp(
    picture: tuple[int, int],
    size_px: tuple[int, int],
    geometry: PersonGeometry | None,
    seed: int,
    number: int,
    epoch: int,
) -> tuple[NDArray[np.float64], bool]:
    """(2, 3) from pixels of a picture of (width, height) to those of a view, and whether it
    mirrors: a pure function of (seed, number, epoch). None: the picture in the view's middle.
    """
    width, height = size_px
    scale = min(width / picture[0], height / picture[1])
    roll = right = down = 0.0
    flip = False
    if geometry is not None:
        u = uniform(seed, [number], _STAGE, 5, epoch)[0].tolist()
        low, high = geometry.roll_range_rad
        roll = low + u[0] * (high - low)
        low, high = geometry.zoom_range
        scale *= low * (high / low) ** u[1]
        right, down = ((2 * v - 1) * geometry.shift_px for v in u[2:4])
        flip = u[4] < geometry.flip_share
    c, s = scale * math.cos(roll), scale * math.sin(roll)
    turn = np.array([[c, -s], [s, c]])
    if flip:
        turn[:, 0] *= -1
    middle = (np.array(picture) - 1) / 2
    there = (np.array(size_px) - 1) / 2 + (right, down)
    return np.column_stack([turn, there - turn @ middle]), flip


def view_picture(
    image: NDArray[np.uint8],
    picture: Picture,
    layout: JointLayout,
    warp: NDArray[np.float64],
    flip: bool,
    size_px: tuple[int, int],
) -> View:
    """What `warp` shows of an image (H, W, 3). A mirror swaps left and right: joints by the
    layout's pairs, hands by their side; the joints of a hand keep their order."""
    width, height = size_px
    joints = len(layout.names)
    triples = np.array(picture.keypoints, np.float64).reshape(-1, joints, 3)
    right = np.array(picture.right, np.float32).reshape(-1)
    if flip:
        triples = triples[:, list(layout.mirror)]
        right = 1 - right
    px = triples[..., :2] @ warp[:, :2].T + warp[:, 2]
    inside = (px >= -0.5).all(-1) & (px < np.array(size_px) - 0.5).all(-1)
    known = inside & (triples[..., 2] > 0)
    unknown = np.zeros((height, width), bool)
    if picture.unknown:
        mask = draw_regions(picture.unknown, picture.width, picture.height)
        unknown = cv2.warpAffine(mask, warp, size_px, flags=cv2.INTER_NEAREST) > 0
    return View(
        image=_warp_image(image, warp, size_px),
        keypoints_px=np.where(known[..., None], px, np.nan).astype(np.float32),
        visible=np.where(known, triples[..., 2] == 2, np.nan).astype(np.float32),
        right=right,
        unknown=unknown,
        warp=warp,
    )


def _warp_image(
    image: NDArray[np.uint8], warp: NDArray[np.float64], size_px: tuple[int, int]
) -> NDArray[np.uint8]:
    scale = math.sqrt(abs(np.linalg.det(warp[:, :2])))
    if scale < _FAR:
        height, width = image.shape[:2]
        small = max(1, round(2 * scale * width)), max(1, round(2 * scale * height))
        image = np.asarray(cv2.resize(image, small, interpolation=cv2.INTER_AREA), np.uint8)
        back = np.diag([width / small[0], height / small[1]])
        # The centre of a small pixel lies between those that it is the mean of.
        shift = back @ (0.5, 0.5) - 0.5
        warp = np.column_stack([warp[:, :2] @ back, warp[:, :2] @ shift + warp[:, 2]])
    return np.asarray(cv2.warpAffine(image, warp, size_px, flags=cv2.INTER_LINEAR), np.uint8)
