"""Digits that close until they touch; jitter of holds; a hand against itself."""

from collections.abc import Callable
from typing import Final

import numpy as np

from synth.contact.flesh import Balls, Flesh, place_flesh
from synth.contact.together_holds import DIGITS, digit_angles
from synth.hand.angles import DOFS, FINGER_DOF_START, clamp
from synth.hand.collision import Capsules, place_capsules, self_penetration
from synth.hand.kinematics import bone_transforms
from synth.hand.rig import Rig

RELEASE: Final = -0.5
"""Digits that are pressed too deep open again, at most by this share of their closing."""

PRESS_M: Final = -0.0003
"""Gap at which digits stop."""

CLOSE_ENOUGH_M: Final = 0.0002
"""Error of that gap at which a digit is left where it is."""

FAR_M: Final = 0.1
"""Gaps beyond this are not told apart."""

OWN_LIMIT_M: Final = 0.003
"""Deepest overlap of the capsules of one hand."""

CURLED: Final = np.radians(55.0)
"""A finger whose knuckle is bent farther than this has little room: half of the jitter."""

Measure = Callable[[Balls, np.ndarray, np.ndarray], np.ndarray]
"""The posed hand's balls, (N, 5) which digits are asked about, (N, 5) m beyond which nothing need
be told -> (N, 5) gap of each digit to what it closes on, m."""


def close_digits(
    rig: Rig,
    flesh: Flesh,
    identity: np.ndarray,
    angles: np.ndarray,
    T: np.ndarray,
    left: np.ndarray,
    closing: np.ndarray,
    way: np.ndarray,
    steps: int,
    measure: Measure,
) -> tuple[np.ndarray, np.ndarray]:
    """Digits of one hand move along `closing` until they touch.

    identity (N,), angles, closing (N, 29), T (N, 4, 4), left (N,), way (N, 5) how far they have
    gone -> angles (N, 29) and way. Conservative advancement (Mirtich 1996): a step never goes
    farther than the gap divided by the greatest speed of the digit's skin; digits that are pressed
    go back the same way.
    """
    moving = _moves(closing)
    speed = _speed(closing) * (rig.hand_length[identity] / 0.19)[:, None]
    posed = clamp(angles + _spread(way) * closing)
    far = np.full(way.shape, FAR_M)
    for _ in range(steps):
        if not moving.any():
            break
        gap = measure(pose_flesh(rig, flesh, identity, posed, T, left), moving, far)
        over = gap - PRESS_M
        stuck = ((way >= 1.0) & (over > 0)) | ((way <= RELEASE) & (over < 0))
        moving = moving & ~stuck & (np.abs(over) > CLOSE_ENOUGH_M)
        step = np.where(moving, over / np.maximum(speed, 1e-9), 0.0)
        way = np.clip(way + step, RELEASE, 1.0)
        # A step moves the skin by no more than the gap was.
        far = np.where(moving, np.maximum(gap, 0.0) + np.abs(over) + 1e-4, FAR_M)
        posed = clamp(angles + _spread(way) * closing)
    return posed, way


def pose_flesh(
    rig: Rig,
    flesh: Flesh,
    identity: np.ndarray,
    angles: np.ndarray,
    T: np.ndarray,
    left: np.ndarray,
) -> Balls:
    """The flesh of posed hands."""
    return place_flesh(flesh, identity, bone_transforms(rig, identity, angles, T, left)[0])


def jitter_holds(jitter_deg: float, hold: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """(N, 2, 29) holds with jitter, within the limits."""
    spread = np.full(len(DOFS), np.radians(jitter_deg))
    spread[:2] = 0.0
    spread[2] *= 0.5
    abduction = np.arange(FINGER_DOF_START, len(DOFS), 5) + 1
    spread[abduction] *= 0.4
    spread[abduction + 1] *= 0.3
    tight = np.ones(hold.shape)
    for k in range(1, DIGITS):
        knuckle = FINGER_DOF_START + 5 * (k - 1)
        tight[..., digit_angles(k)] = np.where(hold[..., knuckle, None] > CURLED, 0.5, 1.0)
    return clamp((hold + tight * spread * noise).reshape(-1, len(DOFS))).reshape(hold.shape)


def self_depth(
    rig: Rig, capsules: Capsules, identity: np.ndarray, angles: np.ndarray, left: np.ndarray
) -> np.ndarray:
    """(N,) deepest overlap of the capsules of each hand, m."""
    still = np.broadcast_to(np.eye(4), (len(angles), 4, 4))
    transforms, _ = bone_transforms(rig, identity, angles, still, left)
    return np.asarray(
        self_penetration(*place_capsules(capsules, identity, transforms), capsules.pairs)
    )


def _moves(closing: np.ndarray) -> np.ndarray:
    """(N, 29) -> (N, 5) whether each digit closes."""
    return np.stack([(closing[:, digit_angles(k)] != 0).any(1) for k in range(DIGITS)], axis=1)


_ARM_M: Final = (0.0, 0.0, 0.0, *(0.11, 0.11, 0.02, 0.065, 0.065, 0.032)) + 4 * (
    *(0.095, 0.095, 0.012, 0.052, 0.028),
)
"""How far from each joint's axis the farthest skin that it moves is, on a hand of 0.19 m."""


def _speed(closing: np.ndarray) -> np.ndarray:
    """(N, 29) -> (N, 5) greatest way of each digit's skin over the whole closing, m."""
    out = np.zeros((len(closing), DIGITS))
    for k in range(DIGITS):
        span = digit_angles(k)
        for j in range(span.start, span.stop):
            out[:, k] += np.abs(closing[:, j]) * _ARM_M[j]
    return out


def _spread(way: np.ndarray) -> np.ndarray:
    """(N, 5) a number a digit -> (N, 29) a number an angle."""
    out = np.zeros((len(way), len(DOFS)))
    for k in range(DIGITS):
        out[:, digit_angles(k)] = way[:, k, None]
    return out
