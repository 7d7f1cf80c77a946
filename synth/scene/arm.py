"""Arms by inverse kinematics: where the elbow is and how the wrist bends, given where a hand is.

Body frame: origin between the eyes of a person who looks ahead, x right, y forward, z up; for the
wearer it is the world. All arms are solved as right arms; a left arm is the mirror image (x -> -x).
"""

import math
from dataclasses import dataclass
from typing import Final

import numba
import numpy as np

from frames.kernels import BORROWING
from synth.hand.angles import DOF, LIMITS
from synth.hand.bones import FOREARM_BONE, PALM
from synth.hand.rig import Rig
from synth.rigid import rotate
from synth.scene.elbow import MEAN_HAND_M, SHOULDER, bend_elbow

PRONATION: Final = (math.radians(-95.0), math.radians(95.0))
"""Turn of the hand about the forearm against the elbow's hinge; palm down with the elbow at the
side is 90. The radius turns by 76 and 82 degrees (Boone and Azen 1979), the carpus a little on."""

NEAREST_M: Final = 0.15
"""The middle lines of hand and forearm stay this far from between the eyes."""

TORSO_M: Final = (0.195, 0.15)
"""Half width and half depth of what the middle lines of forearm and hand keep out of below the
shoulders: the trunk (ANSUR II: chest breadth 0.29 m, depth 0.22 m) and their own thickness."""
TORSO_BACK_M: Final = -0.105
"""The trunk's axis from between the eyes."""

NATURAL_SWIVEL: Final = math.radians(30.0)
"""Where the elbow hangs at ease: strain is counted from here."""


@dataclass(frozen=True)
class Arms:
    """N arms."""

    wrist_angles: np.ndarray
    """(N, 2) rad, flexion and deviation of the hand against the forearm: the first two of the 29
    degrees of freedom. They bring the forearm's elbow to `elbow`."""
    elbow: np.ndarray
    """(N, 3) body frame, metres."""
    shoulder: np.ndarray
    """(N, 3) body frame, metres: it follows a hand that reaches far."""
    swivel: np.ndarray
    """(N,) rad, the elbow's turn outward about the line from shoulder to wrist, from below."""
    pronation: np.ndarray
    """(N,) rad, turn of the hand about the forearm, palm down positive."""
    cost: np.ndarray
    """(N,) how far outside the limits, rad (0.1 m too far or too near counts as 1); 0 within."""
    strain: np.ndarray
    """(N,) how far from the middle of the ranges: 0 at ease, about 1 at a limit."""
    fits: np.ndarray
    """(N,) bool: reachable, within all limits, clear of one's own head and trunk."""


def straight_elbows(rig: Rig) -> np.ndarray:
    """(I, 3) where each person's elbow is in the wrist frame when both wrist angles are zero."""
    bone = rig.rest_joints[:, FOREARM_BONE].astype(np.float64) - rig.rest_joints[:, PALM]
    return rotate(rig.frames[FOREARM_BONE].T, bone)


def reach(
    T_body_from_wrist: np.ndarray,
    left: np.ndarray,
    hand_length: np.ndarray,
    forearm: np.ndarray,
    swivel: np.ndarray,
) -> Arms:
    """The arms of N hands whose elbows are turned outward by `swivel` (N,) rad.

    T_body_from_wrist (N, 4, 4), left (N,) bool, hand_length (N,) m, forearm (N, 3) from
    `straight_elbows`, or (N,) its length where the direction does not matter.
    """
    return reach_best(T_body_from_wrist, left, hand_length, forearm, swivel[:, None])


def reach_best(
    T_body_from_wrist: np.ndarray,
    left: np.ndarray,
    hand_length: np.ndarray,
    forearm: np.ndarray,
    swivels: np.ndarray,
) -> Arms:
    """As `reach`, with the best of several swivels (N, K) for each arm.

    One that fits comes before one that does not, then the smaller cost, then the smaller strain.
    """
    count = len(left)
    if forearm.ndim == 1:
        forearm = forearm[:, None] * np.array([0.0, 0.0, 1.0])
    numbers = np.empty((count, 12))
    fits = np.empty(count, np.bool_)
    _reach(
        np.ascontiguousarray(T_body_from_wrist, dtype=np.float64),
        np.asarray(left, np.bool_),
        np.asarray(hand_length, np.float64),
        np.ascontiguousarray(forearm, dtype=np.float64),
        np.ascontiguousarray(swivels, dtype=np.float64),
        _WRIST,
        numbers,
        fits,
    )
    return Arms(
        wrist_angles=numbers[:, 0:2],
        elbow=numbers[:, 2:5],
        shoulder=numbers[:, 5:8],
        swivel=numbers[:, 8],
        pronation=numbers[:, 9],
        cost=numbers[:, 10],
        strain=numbers[:, 11],
        fits=fits,
    )


_WRIST: Final = LIMITS[[DOF["wrist_flexion"], DOF["wrist_deviation"]]]


@numba.njit(**BORROWING)
def _excess(value, low, high):  # type: ignore[no-untyped-def]
    return max(low - value, value - high, 0.0)


@numba.njit(**BORROWING)
def _share(value, low, high):  # type: ignore[no-untyped-def]
    return (2.0 * value - low - high) / (high - low)


@numba.njit(cache=True, nogil=True)
def _reach(pose, left, hand_length, forearm, swivels, wrist_limits, out, fits):  # type: ignore[no-untyped-def]
    scratch = (np.empty(out.shape[1]), np.empty((3, 3)), np.empty(3))
    _reach_all(pose, left, hand_length, forearm, swivels, wrist_limits, scratch, out, fits)


@numba.njit(**BORROWING)
def _reach_all(  # type: ignore[no-untyped-def]
    pose, left, hand_length, forearm, swivels, wrist_limits, scratch, out, fits
):
    row, turn, wrist = scratch
    for n in range(pose.shape[0]):
        side = -1.0 if left[n] else 1.0
        for i in range(3):
            wrist[i] = pose[n, i, 3] * (side if i == 0 else 1.0)
            for j in range(3):
                turn[i, j] = pose[n, i, j] * (side if (i == 0) != (j == 0) else 1.0)
        best = False
        for k in range(swivels.shape[1]):
            good = _solve(turn, wrist, hand_length[n], forearm[n], swivels[n, k], wrist_limits, row)
            better = k == 0 or (good and not best)
            if good == best and not better:
                better = row[10] < out[n, 10] or (row[10] == out[n, 10] and row[11] < out[n, 11])
            if better:
                best = good
                for i in range(row.shape[0]):
                    out[n, i] = row[i]
        out[n, 2] *= side
        out[n, 5] *= side
        fits[n] = best


@numba.njit(**BORROWING)
def _solve(turn, wrist, hand_length, bone, swivel, wrist_limits, row):  # type: ignore[no-untyped-def]
    """One right arm with one swivel: fills `row`, returns whether it fits."""
    fore = math.sqrt((bone[0] * bone[0] + bone[1] * bone[1]) + bone[2] * bone[2])
    size = hand_length / MEAN_HAND_M
    shoulder, elbow, hinge, too_far = bend_elbow(wrist, hand_length, fore, swivel)
    ex, ey, ez = elbow

    # Wrist angles: Rx(flexion) Ry(deviation) bone = elbow, all in the wrist frame.
    fx, fy, fz = ex - wrist[0], ey - wrist[1], ez - wrist[2]
    lx = (turn[0, 0] * fx + turn[1, 0] * fy) + turn[2, 0] * fz
    ly = (turn[0, 1] * fx + turn[1, 1] * fy) + turn[2, 1] * fz
    lz = (turn[0, 2] * fx + turn[1, 2] * fy) + turn[2, 2] * fz
    radius = math.sqrt(bone[0] * bone[0] + bone[2] * bone[2])
    tilt = math.asin(min(max(lx / radius, -1.0), 1.0))
    deviation = tilt - math.atan2(bone[0], bone[2])
    flexion = math.atan2(lz, ly) - math.atan2(radius * math.cos(tilt), bone[1])
    if flexion > math.pi:
        flexion -= 2 * math.pi
    elif flexion < -math.pi:
        flexion += 2 * math.pi

    # Pronation: the forearm's dorsal side against the elbow's hinge, which is normal to the arm.
    cf, sf, cd, sd = math.cos(flexion), math.sin(flexion), math.cos(deviation), math.sin(deviation)
    hx, hy, hz = hinge
    # Columns of Rx(flexion) Ry(deviation): y is (0, cf, sf), z is (sd, -sf cd, cf cd).
    yx = turn[0, 1] * cf + turn[0, 2] * sf
    yy = turn[1, 1] * cf + turn[1, 2] * sf
    yz = turn[2, 1] * cf + turn[2, 2] * sf
    zx = (turn[0, 0] * sd - turn[0, 1] * sf * cd) + turn[0, 2] * cf * cd
    zy = (turn[1, 0] * sd - turn[1, 1] * sf * cd) + turn[1, 2] * cf * cd
    zz = (turn[2, 0] * sd - turn[2, 1] * sf * cd) + turn[2, 2] * cf * cd
    px, py, pz = hy * zz - hz * zy, hz * zx - hx * zz, hx * zy - hy * zx
    pronation = math.atan2(-((yx * px + yy * py) + yz * pz), (yx * hx + yy * hy) + yz * hz)

    cost = _excess(flexion, wrist_limits[0, 0], wrist_limits[0, 1])
    cost += _excess(deviation, wrist_limits[1, 0], wrist_limits[1, 1])
    cost += _excess(pronation, PRONATION[0], PRONATION[1])
    cost += 10.0 * too_far
    strain = _share(flexion, wrist_limits[0, 0], wrist_limits[0, 1]) ** 2
    strain += _share(deviation, wrist_limits[1, 0], wrist_limits[1, 1]) ** 2
    strain += _share(pronation, PRONATION[0], PRONATION[1]) ** 2
    strain += (swivel - NATURAL_SWIVEL) ** 2
    row[0], row[1] = flexion, deviation
    row[2], row[3], row[4] = ex, ey, ez
    row[5], row[6], row[7] = shoulder
    row[8], row[9], row[10], row[11] = swivel, pronation, cost, strain / 3.0
    return cost < 1e-9 and _is_clear(turn, wrist, hand_length, ex, ey, ez, size)


@numba.njit(**BORROWING)
def _is_clear(turn, wrist, hand_length, ex, ey, ez, size):  # type: ignore[no-untyped-def]
    """Are forearm and hand clear of the head, and of the trunk below the shoulders?"""
    tip_x = wrist[0] - turn[0, 2] * hand_length
    tip_y = wrist[1] - turn[1, 2] * hand_length
    tip_z = wrist[2] - turn[2, 2] * hand_length
    if _nearest(wrist[0], wrist[1], wrist[2], ex, ey, ez) < NEAREST_M:
        return False
    if _nearest(wrist[0], wrist[1], wrist[2], tip_x, tip_y, tip_z) < NEAREST_M:
        return False
    wide, deep = TORSO_M[0] * size, TORSO_M[1] * size
    for k in range(7):
        if k < 5:
            t = k / 4.0
            x, y, z = ex + t * (wrist[0] - ex), ey + t * (wrist[1] - ey), ez + t * (wrist[2] - ez)
        else:
            t = (k - 4) / 2.0
            x = wrist[0] + t * (tip_x - wrist[0])
            y = wrist[1] + t * (tip_y - wrist[1])
            z = wrist[2] + t * (tip_z - wrist[2])
        if z < SHOULDER[2] * size:
            a, b = x / wide, (y - TORSO_BACK_M * size) / deep
            if a * a + b * b < 1.0:
                return False
    return True


@numba.njit(**BORROWING)
def _nearest(ax, ay, az, bx, by, bz):  # type: ignore[no-untyped-def]
    """Distance of a segment from the origin."""
    x, y, z = bx - ax, by - ay, bz - az
    t = -((ax * x + ay * y) + az * z) / max((x * x + y * y) + z * z, 1e-18)
    t = min(max(t, 0.0), 1.0)
    x, y, z = ax + t * x, ay + t * y, az + t * z
    return math.sqrt((x * x + y * y) + z * z)
