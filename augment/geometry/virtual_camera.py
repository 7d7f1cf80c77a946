"""What a sample's geometry is: a virtual camera in the place of the real one (docs/geometry.md).

    turned = compose(aim_camera(camera, (u, v)), roll_camera(camera, 0.3))  # geometry_steps.py

The virtual camera stands where the real one stands, so both see along the same rays: no surface is
uncovered or hidden by the change, and a depth image, the pixels of keypoints and their 3D places
all follow exactly. With T the turn between the axes, q = T p of a point p, a factor a and an offset
b of depth:

    pixel   the virtual camera's of q, whatever the depth
    z'      a q_z + b
    x', y'  q_x / q_z and q_y / q_z times z' / stretch

`stretch` is 1 unless there is an offset; the camera's focal length has it in it, so that the new
point projects to the new pixel.
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from frames.camera import Camera
from frames.errors import BadInput

Array = NDArray[np.float64]


SAME = np.eye(3)
"""No turn."""
SAME.setflags(write=False)


@dataclass(frozen=True, eq=False)
class Geometry:
    """The change from one camera's frame to another's, for images and labels alike."""

    source: Camera
    """Whose frames it takes."""

    camera: Camera
    """Whose frames it makes: size, K and lens of the result."""

    turn: Array
    """(3, 3) orthogonal T, axes of `camera` from axes of `source`; determinant -1: mirrored."""

    depth_factor: float = 1.0
    """a: the world grows by it about the camera. No unit."""

    depth_offset_m: float = 0.0
    """b, metres along the virtual camera's axis."""

    stretch: float = 1.0
    """How much longer the lens became with the offset (`offset_depth`). No unit."""

    @property
    def mirrored(self) -> bool:
        """Whether left hands become right ones."""
        return determinant(self.turn) < 0

    @property
    def K(self) -> Array:  # noqa: N802
        """(3, 3) camera matrix of the result."""
        return camera_matrix(self.camera)


def camera_matrix(camera: Camera) -> Array:
    """(3, 3) K: fx, fy, cx, cy in their places, pixels."""
    return np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1]], np.float64)


def keep_camera(camera: Camera) -> Geometry:
    """No change."""
    return Geometry(camera, camera, SAME)


def compose(first: Geometry, second: Geometry) -> Geometry:
    """First one, then the other: the change from first.source to second.camera; associative.

    Raises BadInput if the second does not start at the camera where the first ends, or turns its
    axis away after depths were offset: no virtual camera shows that.
    """
    if first.camera is not second.source and first.camera != second.source:
        raise BadInput(
            "geometries compose only end to end: the first makes frames of"
            f" {_name(first.camera)}, the second takes those of {_name(second.source)}"
        )
    offset = first.depth_offset_m != 0 or first.stretch != 1
    if offset and abs(second.turn[2, 2] - 1) > 1e-12:
        raise BadInput("a depth offset must come after all turns of the camera but the roll")
    return Geometry(
        first.source,
        second.camera,
        first.turn if second.turn is SAME else freeze(multiply(second.turn, first.turn)),
        second.depth_factor * first.depth_factor,
        second.depth_factor * first.depth_offset_m + second.depth_offset_m,
        second.stretch * first.stretch,
    )


def turn_camera(camera: Camera, turn: Array, to: Camera | None = None) -> Geometry:
    """Turn the camera about its centre: turn (3, 3), new axes from old, orthogonal.

    to: the camera that looks afterwards, the same if None. Raises BadInput for another matrix.
    """
    turn = np.array(turn, np.float64)
    if (
        turn.shape != (3, 3)
        or not np.abs(multiply(turn, np.ascontiguousarray(turn.T)) - np.eye(3)).max() < 1e-9
    ):
        raise BadInput(f"a camera's turn must be an orthogonal 3 x 3 matrix, got {turn.tolist()}")
    return Geometry(camera, camera if to is None else to, freeze(turn))


def look_along(ray: Array) -> Array:
    """(3, 3) the shortest turn after which the direction ray (3,), z > 0, lies along z."""
    x, y, z = (float(c) for c in ray)
    length = math.sqrt(x * x + y * y + z * z)
    x, y, z = x / length, y / length, z / length
    # Rodrigues' formula about (y, -x, 0), whose length is the angle's sine.
    f = 1 / (1 + z)
    return np.array(
        [[1 - x * x * f, -x * y * f, -x], [-x * y * f, 1 - y * y * f, -y], [x, y, z]], np.float64
    )


def roll_matrix(angle_rad: float) -> Array:
    """(3, 3) turn of x to y about z."""
    c, s = math.cos(angle_rad), math.sin(angle_rad)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]], np.float64)


@njit(cache=True, nogil=True, error_model="numpy")
def multiply(a, b):  # type: ignore[no-untyped-def]
    """(3, 3) a b, by a fixed order of sums on every machine."""
    out = np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            out[i, j] = (a[i, 0] * b[0, j] + a[i, 1] * b[1, j]) + a[i, 2] * b[2, j]
    return out


def determinant(a: Array) -> float:
    """Of (3, 3)."""
    (a00, a01, a02), (a10, a11, a12), (a20, a21, a22) = a.tolist()
    minors = a11 * a22 - a12 * a21, a10 * a22 - a12 * a20, a10 * a21 - a11 * a20
    return float(a00 * minors[0] - a01 * minors[1] + a02 * minors[2])


def freeze(turn: Array) -> Array:
    """The same array, not to be written to."""
    turn.setflags(write=False)
    return turn


def _name(camera: Camera) -> str:
    return f"a {camera.model} of {camera.width} x {camera.height}, fx {camera.fx:g}"
