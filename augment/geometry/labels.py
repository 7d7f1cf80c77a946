"""A geometry applied to labels: points, pixels, and all that a sample says of its hands."""

import math
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from augment.geometry.boxes import enclose_boxes, measure_boxes, unite_boxes
from augment.geometry.images import apply_to_images
from augment.geometry.lens import NO_RAYS, project, tabulate_lens
from augment.geometry.sample import HandLabels, Sample
from augment.geometry.virtual_camera import Geometry
from frames.camera import Camera
from frames.errors import BadInput
from frames.parts import CAUSE_OUTSIDE, VISIBILITY_OUTSIDE
from frames.skeleton import KEYPOINTS

Array = NDArray[np.float64]

AGREEMENT_PX: Final = 0.05
"""A keypoint's pixel and its 3D place agree up to this; else they were measured apart."""


def apply_to_sample(geometry: Geometry, sample: Sample, resampling: str = "surface") -> Sample:
    """The sample that the new camera would have given. docs/geometry.md tells field by field.

    Raises BadInput if the sample is of another camera than the geometry takes.
    """
    if sample.camera is not geometry.source and sample.camera != geometry.source:
        raise BadInput("the geometry takes frames of another camera than the sample's")
    images = apply_to_images(geometry, sample.images, sample.depth_scale, resampling)
    hands = apply_to_hands(geometry, sample.hands, images.parts)
    return Sample(geometry.camera, images, hands, sample.depth_scale)


def apply_to_points(geometry: Geometry, points: ArrayLike) -> Array:
    """Points (..., 3) in the source's axes, metres -> (..., 3) in the new camera's.

    NaN for points that no pixel can show (z <= 0 along the new axis) if there is a depth offset.
    """
    points = np.asarray(points, np.float64)
    q = _turn(geometry.turn, points)
    a, b, stretch = geometry.depth_factor, geometry.depth_offset_m, geometry.stretch
    if b == 0 and stretch == 1:
        return a * q
    with np.errstate(invalid="ignore", divide="ignore"):
        z = q[..., 2:]
        moved = a * z + b
        out = np.concatenate([q[..., :2] * (moved / z / stretch), moved], -1)
        return np.where(z > 0, out, np.nan)


def apply_to_pixels(geometry: Geometry, px: ArrayLike) -> Array:
    """Pixels (..., 2) of the source -> where the new camera sees the same, whatever the depth.

    NaN where the source's lens has no ray or the new one's no pixel.
    """
    rays = geometry.source.unproject(px)
    q = _turn(geometry.turn, rays)
    return geometry.camera.project(q * (1 / geometry.stretch, 1 / geometry.stretch, 1))


def apply_to_hands(
    geometry: Geometry, hands: HandLabels, parts: NDArray[np.uint8] | None = None
) -> HandLabels:
    """Labels of the same hands in the new camera's image.

    parts: the new part image (H', W'), for boxes; without it, boxes are drawn around the old ones.
    """
    count = len(hands)
    px = np.empty((count, KEYPOINTS, 2), np.float32)
    cam = np.empty((count, KEYPOINTS, 3), np.float32)
    surface = np.empty((count, KEYPOINTS), np.float32)
    visibility, occlusion = hands.visibility.copy(), hands.occlusion.copy()
    camera = geometry.camera
    _move_keypoints(
        tabulate_lens(geometry.source),
        tabulate_lens(camera),
        (camera.width, camera.height),
        geometry.turn,
        (geometry.depth_factor, geometry.depth_offset_m, geometry.stretch),
        hands.keypoints_cam_m,
        hands.keypoints_px,
        _find_rays(geometry.source, hands),
        hands.surface_depth_m,
        *(px, cam, surface, visibility, occlusion),
    )
    amodal, whole = enclose_boxes(geometry, hands.box_amodal_px)
    if parts is None:
        box, _ = enclose_boxes(geometry, hands.box_px)
    else:
        box = measure_boxes(parts, hands.part_base)
        # Whole pixels: they may stick out by a fraction of one.
        amodal = unite_boxes(amodal, box)
    return HandLabels(
        left=hands.left ^ geometry.mirrored,
        part_base=hands.part_base,
        keypoints_px=px,
        keypoints_cam_m=cam,
        surface_depth_m=surface,
        visibility=visibility,
        occlusion=occlusion,
        provenance=hands.provenance,
        visible_fraction=np.where(whole, hands.visible_fraction, np.nan).astype(np.float32),
        box_px=box.astype(np.float32),
        box_amodal_px=amodal.astype(np.float32),
        T_camera_from_wrist=_move_wrists(geometry, hands.T_camera_from_wrist),
    )


def _find_rays(source: Camera, hands: HandLabels) -> Array:
    """(N, 21, 2) x/z, y/z of the keypoints' pixels; empty where the kernel needs none.

    Inverting a lens is the slowest step here, and for rendered frames there is nothing to invert.
    """
    cam, px = hands.keypoints_cam_m, hands.keypoints_px
    if source.model == "pinhole" or not _needs_rays(tabulate_lens(source), cam, px):
        return NO_RAYS
    return np.ascontiguousarray(source.unproject(px)[..., :2])


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _goes_by_pixel(lens, x, y, z, u, v):  # type: ignore[no-untyped-def]
    """Whether a keypoint's pixel says something of its own: no 3D, or 3D that lies elsewhere."""
    if math.isnan(x + y + z):
        return True
    if math.isnan(u):
        return False
    own_u, own_v = project(lens, x, y, z)
    return not (abs(own_u - u) <= AGREEMENT_PX and abs(own_v - v) <= AGREEMENT_PX)


@njit(cache=True, nogil=True, error_model="numpy")
def _needs_rays(lens, points, px):  # type: ignore[no-untyped-def]
    for n in range(points.shape[0]):
        for k in range(points.shape[1]):
            p, q = points[n, k], px[n, k]
            if not math.isnan(q[0]) and _goes_by_pixel(lens, p[0], p[1], p[2], q[0], q[1]):
                return True
    return False


@njit(cache=True, nogil=True, error_model="numpy")
def _move_keypoints(  # type: ignore[no-untyped-def]
    lens, new_lens, size, turn, depth, points, px, rays, surface,
    new_px, new_points, new_surface, visibility, occlusion,
):  # fmt: skip
    a, b, stretch = depth
    for n in range(points.shape[0]):
        for k in range(points.shape[1]):
            x, y, z = float(points[n, k, 0]), float(points[n, k, 1]), float(points[n, k, 2])
            u, v = float(px[n, k, 0]), float(px[n, k, 1])
            by_pixel = _goes_by_pixel(lens, x, y, z, u, v)
            qx = turn[0, 0] * x + turn[0, 1] * y + turn[0, 2] * z
            qy = turn[1, 0] * x + turn[1, 1] * y + turn[1, 2] * z
            qz = turn[2, 0] * x + turn[2, 1] * y + turn[2, 2] * z
            if b == 0.0 and stretch == 1.0:
                nx, ny, nz = a * qx, a * qy, a * qz
            elif qz > 0:
                nz = a * qz + b
                nx, ny = qx * (nz / qz / stretch), qy * (nz / qz / stretch)
            else:
                nx = ny = nz = math.nan
            new_points[n, k, 0], new_points[n, k, 1], new_points[n, k, 2] = nx, ny, nz
            if by_pixel:
                z = 1.0
                if rays.shape[0] > 0:
                    x, y = rays[n, k, 0], rays[n, k, 1]
                else:
                    x, y = (u - lens[3]) / lens[1], (v - lens[4]) / lens[2]
                qx = turn[0, 0] * x + turn[0, 1] * y + turn[0, 2] * z
                qy = turn[1, 0] * x + turn[1, 1] * y + turn[1, 2] * z
                qz = turn[2, 0] * x + turn[2, 1] * y + turn[2, 2] * z
            nu, nv = project(new_lens, qx, qy, qz * stretch)
            new_px[n, k, 0], new_px[n, k, 1] = nu, nv
            # As stored: labels hold for the number that a reader sees.
            nu, nv = float(new_px[n, k, 0]), float(new_px[n, k, 1])
            inside = -0.5 <= nu < size[0] - 0.5 and -0.5 <= nv < size[1] - 0.5
            if not inside or visibility[n, k] == VISIBILITY_OUTSIDE:
                visibility[n, k] = VISIBILITY_OUTSIDE
                occlusion[n, k] = CAUSE_OUTSIDE
            along = qz / z if z > 0 else math.nan
            new_surface[n, k] = a * surface[n, k] * along + b if inside else math.nan


def _turn(turn: Array, vectors: Array) -> Array:
    """T times vectors (..., 3)."""
    x, y, z = vectors[..., 0], vectors[..., 1], vectors[..., 2]
    rows = [row[0] * x + row[1] * y + row[2] * z for row in turn]
    return np.stack(rows, -1)


def _move_wrists(geometry: Geometry, T: NDArray[np.float32]) -> NDArray[np.float32]:
    """Poses (N, 4, 4): places as points; axes turned, and mirrored within the hand's own frame.

    A left hand is the mirror image of a right one in x of its wrist (docs/hand.md), so both
    mirrors leave a rotation.
    """
    out = T.copy()
    depth = geometry.depth_factor, geometry.depth_offset_m, geometry.stretch
    _move_poses(geometry.turn, geometry.mirrored, depth, out)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _move_poses(turn, mirrored, depth, T):  # type: ignore[no-untyped-def]
    a, b, stretch = depth
    for n in range(T.shape[0]):
        for j in range(4):
            x, y, z = float(T[n, 0, j]), float(T[n, 1, j]), float(T[n, 2, j])
            sign = -1.0 if mirrored and j == 0 else 1.0
            for i in range(3):
                T[n, i, j] = sign * (turn[i, 0] * x + turn[i, 1] * y + turn[i, 2] * z)
        x, y, z = float(T[n, 0, 3]), float(T[n, 1, 3]), float(T[n, 2, 3])
        across = a
        if b != 0.0 or stretch != 1.0:
            across = (a * z + b) / z / stretch if z > 0 else math.nan
        T[n, 0, 3], T[n, 1, 3], T[n, 2, 3] = x * across, y * across, z * across * stretch
