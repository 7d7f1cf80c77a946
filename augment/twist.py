"""How every part of a frame moves, as the camera sees it: a rigid twist for each part code.

A point p of a part moves with v + w x p (camera axes). The palm's twist is the least-squares rigid
motion of the wrist and the four knuckles; a finger's segment has that which takes both its
keypoints along, turning about its own axis as the palm does. A forearm moves with the palm, for no
keypoint tells its own turn. What has no label rests in the world.
"""

import math

import numpy as np
from numba import njit

from frames.parts import FOREARM, HAND_STRIDE


@njit(cache=True, nogil=True, error_model="numpy")
def fill_rest(camera_velocity, out):  # type: ignore[no-untyped-def]
    """The twist of what rests in the world before a moving camera, for all codes of (B, 256, 6).

    camera_velocity (B, 6): linear and angular, in the camera's axes; frames with NaN stay as
    they are.
    """
    for b in range(out.shape[0]):
        if math.isnan(camera_velocity[b, 0]):
            continue
        for code in range(256):
            for k in range(6):
                out[b, code, k] = -camera_velocity[b, k]


@njit(cache=True, nogil=True, error_model="numpy")
def fill_objects(frame, code, pose, velocity, out):  # type: ignore[no-untyped-def]
    """Twists of M objects from their poses (M, 4, 4) and velocities (M, 6) of their origins."""
    for m in range(frame.shape[0]):
        if not math.isnan(velocity[m, 0]):
            _place(velocity[m, :3], velocity[m, 3:], pose[m, :3, 3], out[frame[m], code[m]])


@njit(cache=True, nogil=True, error_model="numpy")
def fill_hands(frame, slot, points, velocity, out):  # type: ignore[no-untyped-def]
    """Twists of the 17 parts of N hands from keypoints and velocities (N, 21, 3)."""
    turn = np.empty(3)
    spin = np.empty(3)
    centre = np.empty(3)
    mean = np.empty(3)
    for n in range(frame.shape[0]):
        if math.isnan(velocity[n, 0, 0]) or math.isnan(points[n, 0, 0]):
            continue
        twists = out[frame[n], HAND_STRIDE * slot[n] : HAND_STRIDE * slot[n] + FOREARM + 1]
        _fit_palm(points[n], velocity[n], centre, mean, turn)
        _place(mean, turn, centre, twists[1])
        _place(mean, turn, centre, twists[FOREARM])
        for finger in range(5):
            for j in range(3):
                a = 4 * finger + 1 + j
                _fit_bone(points[n], velocity[n], a, a + 1, turn, centre, mean, spin)
                _place(mean, spin, centre, twists[3 * finger + 2 + j])


@njit(cache=True, nogil=True, error_model="numpy")
def _place(linear, angular, at, twist):  # type: ignore[no-untyped-def]
    """The twist of a motion that is known at one point: v = linear - angular x at."""
    twist[0] = linear[0] - (angular[1] * at[2] - angular[2] * at[1])
    twist[1] = linear[1] - (angular[2] * at[0] - angular[0] * at[2])
    twist[2] = linear[2] - (angular[0] * at[1] - angular[1] * at[0])
    twist[3], twist[4], twist[5] = angular[0], angular[1], angular[2]


@njit(cache=True, nogil=True, error_model="numpy")
def _fit_palm(points, velocity, centre, mean, turn):  # type: ignore[no-untyped-def]
    """Rigid motion of wrist and knuckles: (sum |r|^2 I - r r') w = sum r x v about the mean."""
    chosen = (0, 5, 9, 13, 17)
    for k in range(3):
        centre[k] = 0.0
        mean[k] = 0.0
        for i in chosen:
            centre[k] += points[i, k] / 5.0
            mean[k] += velocity[i, k] / 5.0
    xx = yy = zz = xy = xz = yz = 0.0
    bx = by = bz = 0.0
    for i in chosen:
        x, y, z = points[i, 0] - centre[0], points[i, 1] - centre[1], points[i, 2] - centre[2]
        u, v, w = velocity[i, 0] - mean[0], velocity[i, 1] - mean[1], velocity[i, 2] - mean[2]
        xx += y * y + z * z
        yy += x * x + z * z
        zz += x * x + y * y
        xy -= x * y
        xz -= x * z
        yz -= y * z
        bx += y * w - z * v
        by += z * u - x * w
        bz += x * v - y * u
    # Cramer's rule; a hand of a few centimetres has a determinant of about 1e-8.
    cx, cy, cz = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
    det = xx * cx + xy * cy + xz * cz
    turn[:] = 0.0
    if det > 1e-15:
        turn[0] = (bx * cx + by * cy + bz * cz) / det
        turn[1] = (
            bx * (yz * xz - xy * zz) + by * (xx * zz - xz * xz) + bz * (xy * xz - xx * yz)
        ) / det
        turn[2] = (
            bx * (xy * yz - xz * yy) + by * (xy * xz - xx * yz) + bz * (xx * yy - xy * xy)
        ) / det


@njit(cache=True, nogil=True, error_model="numpy")
def _fit_bone(points, velocity, a, b, palm, centre, mean, spin):  # type: ignore[no-untyped-def]
    """Motion of a segment between two keypoints: across it theirs, about it the palm's."""
    dx, dy, dz = (
        points[b, 0] - points[a, 0],
        points[b, 1] - points[a, 1],
        points[b, 2] - points[a, 2],
    )
    ux, uy, uz = (
        velocity[b, 0] - velocity[a, 0],
        velocity[b, 1] - velocity[a, 1],
        velocity[b, 2] - velocity[a, 2],
    )
    for k in range(3):
        centre[k] = (points[a, k] + points[b, k]) / 2.0
        mean[k] = (velocity[a, k] + velocity[b, k]) / 2.0
    square = dx * dx + dy * dy + dz * dz
    spin[:] = palm
    if square > 1e-12:
        along = (palm[0] * dx + palm[1] * dy + palm[2] * dz) / square
        spin[0] = (dy * uz - dz * uy) / square + along * dx
        spin[1] = (dz * ux - dx * uz) / square + along * dy
        spin[2] = (dx * uy - dy * ux) / square + along * dz
