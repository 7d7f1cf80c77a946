"""Whose hand: sizes after ANSUR II, shapes after the asset's principal components.

ANSUR II (2012, US Army; men n=4082, women n=1986) gives hand length and breadth as a bivariate
normal per sex. A sampled hand is the asset's shape, scaled to the length, thickened to the breadth,
with fingers a little longer or shorter than the palm foretells.
"""

from dataclasses import dataclass

import numpy as np

from frames.stream import normal, uniform
from synth.hand.bones import BONES, FINGER_START, FOREARM_BONE, PALM, PARENT, THUMB
from synth.rigid import rotate

HAND_LENGTH_M = {"male": (0.1933, 0.00995), "female": (0.1811, 0.01006)}
"""ANSUR II mean and standard deviation."""
HAND_BREADTH_M = {"male": (0.0883, 0.0044), "female": (0.0782, 0.0038)}
LENGTH_BREADTH_CORRELATION = {"male": 0.58, "female": 0.57}

FOREARM_PER_HAND = 0.146 / 0.108
"""Wrist to elbow against hand length (Drillis and Contini 1966: shares of the body's height)."""
FOREARM_LENGTH_SD = 0.04
"""Residual standard deviation of the forearm's length, given the hand's (choice)."""

FINGER_LENGTH_SD = 0.035
"""Residual standard deviation of a finger's length, given the hand's."""
PHALANGES = [
    [THUMB, THUMB + 1, THUMB + 2],
    *([s + 1, s + 2, s + 3] for s in FINGER_START),
]
PALM_SOLID = [PALM, *FINGER_START]
COMPONENT_LIMIT = 2.5
BONE_SCALE_LIMITS = (0.85, 1.25)
"""Skinned meshes stay smooth, even in a fist, for bone scales in this range."""
GIRTH_LIMITS = (0.8, 1.5)
"""Wider: the template is slim (its people need 1.12 in the median, 0.84-1.45 in 3,000 draws), and
what is scaled so far was that much too slim."""


@dataclass(frozen=True)
class Bodies:
    """Measures of I people, all arrays of length I."""

    female: np.ndarray
    """bool"""
    length_m: np.ndarray
    """Hand length, wrist to middle fingertip."""
    breadth_m: np.ndarray
    """Hand breadth across the metacarpal heads."""
    finger_scale: np.ndarray
    """(I, 5) length of thumb, index, ... pinky against the template's proportions."""
    components: np.ndarray
    """(I, C) coefficients of the shape basis, standard normal, clipped."""
    forearm_m: np.ndarray
    """Wrist to elbow."""


def sample_bodies(seed: int, count: int, components: int) -> Bodies:
    """Draw `count` people; person i is the same whatever `count` is."""
    people = np.arange(count, dtype=np.int64)
    female = uniform(seed, people, "identity/sex", 1)[:, 0] < 0.5
    n = normal(uniform(seed, people, "identity/body", 2 * (8 + components)))

    def pick(table: dict[str, tuple[float, float]], k: int) -> np.ndarray:
        return np.where(female, table["female"][k], table["male"][k])

    r = np.where(female, LENGTH_BREADTH_CORRELATION["female"], LENGTH_BREADTH_CORRELATION["male"])
    z = np.clip(n, -COMPONENT_LIMIT, COMPONENT_LIMIT)
    length = pick(HAND_LENGTH_M, 0) + pick(HAND_LENGTH_M, 1) * n[:, 0]
    breadth = pick(HAND_BREADTH_M, 0) + pick(HAND_BREADTH_M, 1) * (
        r * n[:, 0] + np.sqrt(1 - r**2) * n[:, 1]
    )
    return Bodies(
        female=female,
        length_m=length,
        breadth_m=breadth,
        finger_scale=1 + FINGER_LENGTH_SD * z[:, 2:7],
        components=z[:, 7:-1],
        forearm_m=FOREARM_PER_HAND * (1 + FOREARM_LENGTH_SD * z[:, -1]) * length,
    )


def hand_length(joints: np.ndarray, middle_tip: np.ndarray) -> np.ndarray:
    """(..., 21, 3), (..., 3) -> (...,) wrist to middle tip along the straightened bones."""
    start = FINGER_START[1]
    chain = np.stack(
        [joints[..., 0, :], *(joints[..., start + k, :] for k in (1, 2, 3)), middle_tip], axis=-2
    )
    return np.linalg.norm(np.diff(chain, axis=-2), axis=-1).sum(-1)


def breadth_extremes(
    vertices: np.ndarray, joints: np.ndarray, skin_bone: np.ndarray
) -> tuple[int, int]:
    """Indices of the vertices between which hand breadth is measured on the template.

    The farthest apart along the line of the knuckles, among palm skin near that line.
    """
    index, pinky = joints[FINGER_START[0] + 1], joints[FINGER_START[3] + 1]
    across = (pinky - index) / np.linalg.norm(pinky - index)
    fingers = [b for s in FINGER_START for b in (s, s + 1)]
    near = np.isin(skin_bone[:, 0], fingers) & (
        np.abs((vertices - index) @ np.cross(across, [0.0, 1.0, 0.0])) < 0.06
    )
    side = np.where(near, (vertices - index) @ across, np.nan)
    return int(np.nanargmin(side)), int(np.nanargmax(side))


def scale_bones(
    vertices: np.ndarray,
    joints: np.ndarray,
    frames: np.ndarray,
    weights: np.ndarray,
    finger_scale: np.ndarray,
    girth: np.ndarray,
    forearm_scale: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Lengthen fingers and forearm and thicken all, blended over the skin by its weights.

    A bone with direction b scales by s b b' + t (I - b b'): s = `finger_scale` for the phalanges,
    `forearm_scale` for the forearm and 1 elsewhere, t = `girth` everywhere. The palm and its
    metacarpals move as one solid.

    vertices (I, V, 3), joints (I, 21, 3), frames (21, 3, 3), weights (V, 21) dense,
    finger_scale (I, 5), girth (I,), forearm_scale (I,) -> the new vertices and joints.
    """
    low, high = BONE_SCALE_LIMITS
    s = np.ones((len(vertices), len(BONES)))
    for finger, chain in enumerate(PHALANGES):
        s[:, chain] = np.clip(finger_scale[:, [finger]], low, high)
    s[:, FOREARM_BONE] = forearm_scale
    t = np.clip(girth, *GIRTH_LIMITS)[:, None, None, None]
    b = frames[:, :, 2].copy()
    b[PALM_SOLID] = [0.0, 0.0, 1.0]
    along = b[:, :, None] * b[:, None, :]
    matrices = s[:, :, None, None] * along + t * (np.eye(3) - along)
    moved = joints.copy()
    for bone in range(1, len(BONES)):
        parent = PARENT[bone]
        matrix = matrices[:, bone if bone == FOREARM_BONE else parent]
        offset = joints[:, bone] - joints[:, parent]
        moved[:, bone] = moved[:, parent] + rotate(matrix, offset)
    skin = np.zeros_like(vertices)
    for bone in range(len(BONES)):
        own = np.flatnonzero(weights[:, bone])
        offset = vertices[:, own] - joints[:, None, bone]
        m = matrices[:, bone, None]
        local = (m[..., 0] * offset[..., :1] + m[..., 1] * offset[..., 1:2]) + (
            m[..., 2] * offset[..., 2:]
        )
        skin[:, own] += weights[own, bone, None] * (local + moved[:, None, bone])
    return skin, moved
