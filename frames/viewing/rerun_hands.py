"""Hands and things in a rerun recording: skeletons, meshes, boxes, in space and in pixels."""

from collections.abc import Callable
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from frames.parts import VISIBILITY_OUTSIDE, VISIBILITY_VISIBLE
from frames.record import Frame, Hand
from frames.skeleton import BONES, KEYPOINT_NAMES, KEYPOINTS
from frames.viewing import palette

SKIN: Final = (203, 176, 158)
OTHERS_SKIN: Final = (160, 165, 172)
WHITE: Final = (255, 255, 255)

JOINT_M, HIDDEN_M, BONE_M = 0.0035, 0.002, 0.0018
"""Radii of keypoints that are seen and not, and of bones."""


class Mesh(Protocol):
    """A hand's surface (`synth.posed_meshes.PosedMesh` is one)."""

    @property
    def vertices_m(self) -> NDArray[np.float32]:
        """(V, 3) in the camera's axes."""

    @property
    def faces(self) -> NDArray[np.int32]:
        """(F, 3)"""

    @property
    def normals(self) -> NDArray[np.float32]:
        """(V, 3)"""


def log_hands(
    rr: Any,
    recording: Any,
    frame: Frame,
    mesh: Callable[[Hand], Mesh | None],
    camera: str,
    image: str,
) -> None:
    """Hands and things of one frame, in the place of the last one's.

    camera, image: paths of the entities that they hang from.
    """
    for place in (f"{camera}/hands", f"{camera}/things", f"{image}/hands"):
        recording.log(place, rr.Clear(recursive=True))
    for k, hand in enumerate(frame.hands):
        name = f"{hand.side}_{k}" if hand.wearer else f"other_{hand.side}_{k}"
        _log_skeleton(rr, recording, hand, f"{camera}/hands/{name}", f"{image}/hands/{name}")
        surface = mesh(hand)
        if surface is not None:
            skin = rr.Mesh3D(
                vertex_positions=surface.vertices_m,
                triangle_indices=surface.faces,
                vertex_normals=surface.normals,
                albedo_factor=SKIN if hand.wearer else OTHERS_SKIN,
            )
            recording.log(f"{camera}/hands/{name}/mesh", skin)
    if frame.objects:
        poses = [thing.T_camera_from_object for thing in frame.objects]
        boxes = rr.Boxes3D(
            centers=[pose[:3, 3] for pose in poses],
            half_sizes=[thing.size_m / 2 for thing in frame.objects],
            quaternions=[_to_quaternion(pose[:3, :3]) for pose in poses],
            labels=[thing.name or thing.kind for thing in frame.objects],
            show_labels=False,
            colors=palette.PART_COLORS[[thing.part_code for thing in frame.objects]],
        )
        recording.log(f"{camera}/things", boxes)


def _log_skeleton(rr: Any, recording: Any, hand: Hand, in_space: str, in_image: str) -> None:
    seen = hand.visibility == VISIBILITY_VISIBLE
    metres, pixels = np.where(seen, JOINT_M, HIDDEN_M), np.where(seen, -4.0, -2.0)
    width = rr.Radius.ui_points(1.5)
    # A rerun radius below zero is one of the screen: pixels there, whatever the zoom.
    outside = (hand.visibility == VISIBILITY_OUTSIDE)[:, None]
    shown = np.where(outside, np.nan, hand.keypoints_px)
    kinds = (
        (in_space, hand.keypoints_cam_m, metres, BONE_M, rr.Points3D, rr.LineStrips3D),
        (in_image, shown, pixels, width, rr.Points2D, rr.LineStrips2D),
    )
    colors = np.array([palette.color_joint(j, hand.wearer) for j in range(KEYPOINTS)], np.uint8)
    for place, points, radii, bone_radius, joints, lines in kinds:
        known = np.flatnonzero(np.isfinite(points).all(-1))
        if not len(known):
            continue
        marks = joints(
            points[known],
            colors=colors[known],
            radii=radii[known],
            labels=[KEYPOINT_NAMES[k] for k in known],
            show_labels=False,
        )
        recording.log(f"{place}/keypoints", marks)
        ends = [(a, b) for a, b in BONES if a in known and b in known]
        strips = [points[[a, b]] for a, b in ends]
        shades = colors[[b for _, b in ends]] if ends else None
        recording.log(f"{place}/bones", lines(strips, colors=shades, radii=bone_radius))
    if np.isfinite(hand.box_px).all():
        low, high = hand.box_px[:2], hand.box_px[2:]
        box = rr.Boxes2D(mins=[low], sizes=[high - low], labels=[hand.side], colors=WHITE)
        recording.log(f"{in_image}/box", box)


def _to_quaternion(rotation: NDArray[np.float32]) -> NDArray[np.float64]:
    """(4,) x, y, z, w of a rotation matrix, by its eigenvector (Bar-Itzhack 2000)."""
    r = rotation.astype(np.float64)
    k = np.array(
        [
            [r[0, 0] - r[1, 1] - r[2, 2], r[1, 0] + r[0, 1], r[2, 0] + r[0, 2], r[2, 1] - r[1, 2]],
            [r[1, 0] + r[0, 1], r[1, 1] - r[0, 0] - r[2, 2], r[2, 1] + r[1, 2], r[0, 2] - r[2, 0]],
            [r[2, 0] + r[0, 2], r[2, 1] + r[1, 2], r[2, 2] - r[0, 0] - r[1, 1], r[1, 0] - r[0, 1]],
            [r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1], np.trace(r)],
        ]
    )
    return np.asarray(np.linalg.eigh(k / 3)[1][:, -1])
