"""How thick arms, wrists and fingers are, person by person: what clothes and rings must hold.

Arm coordinates run from the wrist (0) to the elbow (1) along a line through the middle of the
flesh; across it everything is measured against half the forearm's width and depth at FULL.
"""

from dataclasses import dataclass
from typing import Final

import numba
import numpy as np

from synth.hand.angles import rotation
from synth.hand.bones import FINGER_START, FOREARM_BONE, PALM
from synth.hand.rig import Rig
from synth.rigid import multiply, rotate

FULL: Final = 0.82
"""Where a forearm is measured: near its thickest."""
WRIST: Final = 0.2
"""Where the line through the middle begins: behind the wrist's bulge towards the thumb."""
STATIONS: Final = np.array([-0.04, 0.03, 0.1, 0.2, 0.35, 0.5, 0.65, 0.82, 1.0, 1.13, 1.17])
"""Arm coordinates at which PROFILE is given."""
PROFILE: Final = np.array(
    [
        *([0.75, 0.65], [0.80, 0.60], [0.73, 0.60], [0.70, 0.63], [0.76, 0.70], [0.86, 0.85]),
        *([0.95, 0.94], [1.0, 1.0], [0.95, 0.95], [0.55, 0.55], [0.05, 0.05]),
    ]
)
"""(S, 2) half width and depth of the mean arm, rounded off beyond the elbow: means of the embedded
hand's people."""

STRAP: Final = (0.13, 0.23)
"""Arm coordinates between which watches and bracelets sit: behind the bones of the wrist."""
KNUCKLE: Final = (0.38, 0.68)
"""Rings sit between these shares of a proximal phalanx."""

_BENDS: Final = np.radians([[0, 0], [60, 0], [-55, 0], [0, 28], [0, -16]])
"""Flexion and deviation of the wrist for which cuffs must be wide enough."""


@dataclass(frozen=True)
class Girths:
    """Measures of a rig's I people, in the rest pose of a right hand."""

    arm: np.ndarray
    """(I, 4, 4) rest wrist frame from arm coordinates, where the forearm at FULL is the unit circle
    or just about."""
    elbow_m: np.ndarray
    """(I,) metres, radius of the elbow."""
    strap: np.ndarray
    """(I, 4, 4) rest wrist frame from a strap's: unit circle on the skin, z to the elbow in m."""
    rings: np.ndarray
    """(I, 4, 4, 4) rest wrist frame from a ring's on index ... pinky: as a strap's, z in m."""
    skin: np.ndarray
    """(I, A, V, 3) arm coordinates of the skin of wrist and forearm, the wrist bent A ways."""


def measure_girths(rig: Rig) -> Girths:
    """Measure all people of a rig."""
    skin = rig.rest_vertices.astype(np.float64)
    joints = rig.rest_joints.astype(np.float64)
    weight = np.where(rig.skin_bone == FOREARM_BONE, rig.skin_weight, 0).sum(1).astype(np.float64)
    rows = np.flatnonzero(weight > 0.05)
    wrist, bone = joints[:, PALM], joints[:, FOREARM_BONE] - joints[:, PALM]
    length = np.sqrt((bone * bone).sum(1))
    turn = _frames_along(bone / length[:, None])

    local = rotate(turn.transpose(0, 2, 1)[:, None], skin[:, rows] - wrist[:, None])
    t = local[..., 2] / length[:, None]
    thin, _ = _section(local, t, WRIST - 0.08, WRIST + 0.08)
    thick, half = _section(local, t, FULL - 0.1, FULL + 0.08)
    arm = np.tile(np.eye(4), (len(skin), 1, 1))
    slope = (thick - thin) / (FULL - WRIST)
    arm[:, :3, 0], arm[:, :3, 1] = turn[:, :, 0] * half[:, :1], turn[:, :, 1] * half[:, 1:]
    arm[:, :3, 2] = bone + rotate(turn, np.pad(slope, ((0, 0), (0, 1))))
    arm[:, :3, 3] = wrist + rotate(turn, np.pad(thin - WRIST * slope, ((0, 0), (0, 1))))

    bent = [_bend(local, weight[rows], turn, bend) for bend in _BENDS]
    inside = np.stack(bent, axis=1)
    inside[..., 2] /= length[:, None, None]
    line = thin[:, None, None] + (inside[..., 2:] - WRIST) * slope[:, None, None]
    inside[..., :2] = (inside[..., :2] - line) / half[:, None, None]
    return Girths(
        arm=arm,
        elbow_m=0.92 * half.mean(1),
        strap=_place_strap(local, t, turn, wrist, length),
        rings=np.stack([_place_ring(rig, start + 1) for start in FINGER_START], axis=1),
        skin=inside,
    )


def _frames_along(axis: np.ndarray) -> np.ndarray:
    """(I, 3) -> (I, 3, 3) frames with z along the axis and x as near to the wrist's as may be."""
    x = np.array([1.0, 0.0, 0.0]) - axis[:, :1] * axis
    x /= np.sqrt((x * x).sum(1))[:, None]
    return np.stack([x, np.cross(axis, x), axis], axis=-1)


def _section(
    local: np.ndarray, t: np.ndarray, low: float, high: float
) -> tuple[np.ndarray, np.ndarray]:
    """Middle and half extent (I, 2) across the arm of skin (I, V, 3) with low < t < high."""
    near = ((t > low) & (t < high))[..., None]
    least = np.where(near, local[..., :2], np.inf).min(1)
    most = np.where(near, local[..., :2], -np.inf).max(1)
    return (least + most) / 2, (most - least) / 2


def _bend(local: np.ndarray, weight: np.ndarray, turn: np.ndarray, bend: np.ndarray) -> np.ndarray:
    """Skin (I, V, 3) about a bent wrist, the forearm at rest: linear blend of palm and forearm."""
    bent = multiply(rotation("x", bend[0]), rotation("y", bend[1])).T
    carried = rotate(multiply(turn.transpose(0, 2, 1), bent, turn)[:, None], local)
    return np.asarray(weight[:, None] * local + (1 - weight[:, None]) * carried)


def _place_strap(
    local: np.ndarray, t: np.ndarray, turn: np.ndarray, wrist: np.ndarray, length: np.ndarray
) -> np.ndarray:
    middle, half = _section(local, t, *STRAP)
    out = np.tile(np.eye(4), (len(local), 1, 1))
    out[:, :3, 0], out[:, :3, 1] = turn[:, :, 0] * half[:, :1], turn[:, :, 1] * half[:, 1:]
    out[:, :3, 2] = turn[:, :, 2]
    along = (STRAP[0] + STRAP[1]) / 2 * length
    out[:, :3, 3] = wrist + rotate(turn, np.column_stack([middle, along]))
    return out


def _place_ring(rig: Rig, bone: int) -> np.ndarray:
    """(I, 4, 4) as `Girths.rings` of one proximal phalanx."""
    joints, frame = rig.rest_joints.astype(np.float64), rig.frames[bone]
    own = (rig.skin_bone[:, 0] == bone) & (rig.skin_weight[:, 0] > 0.5)
    skin = rig.rest_vertices[:, own].astype(np.float64)
    local = rotate(frame.T, skin - joints[:, None, bone])
    bone_vector = joints[:, bone + 1] - joints[:, bone]
    length = np.sqrt((bone_vector * bone_vector).sum(1))
    middle, half = _section(local, -local[..., 2] / length[:, None], *KNUCKLE)
    out = np.tile(np.eye(4), (len(skin), 1, 1))
    out[:, :3, 0], out[:, :3, 1] = frame[:, 0] * half[:, :1], frame[:, 1] * half[:, 1:]
    out[:, :3, 2] = frame[:, 2]
    along = -0.52 * length
    out[:, :3, 3] = joints[:, bone] + rotate(frame, np.column_stack([middle, along]))
    return out


@numba.njit(cache=True, nogil=True)
def hold_skin(skin, z, radius):  # type: ignore[no-untyped-def]
    """How much wider than its profile a tube must be to hold each person's skin beyond its cuff.

    skin (I, A, V, 3) arm coordinates, z (R,) rising places of the tube's rings from the cuff on,
    radius (R, 2) their half width and depth -> (I,) factors.
    """
    out = np.zeros(skin.shape[0])
    for i in range(skin.shape[0]):
        for a in range(skin.shape[1]):
            for v in range(skin.shape[2]):
                t = skin[i, a, v, 2]
                if t < z[0] or t >= z[-1]:
                    continue
                k = 0
                while z[k + 1] <= t:
                    k += 1
                share = (t - z[k]) / (z[k + 1] - z[k])
                x = skin[i, a, v, 0] / (radius[k, 0] + share * (radius[k + 1, 0] - radius[k, 0]))
                y = skin[i, a, v, 1] / (radius[k, 1] + share * (radius[k + 1, 1] - radius[k, 1]))
                out[i] = max(out[i], x * x + y * y)
        out[i] = np.sqrt(out[i])
    return out
