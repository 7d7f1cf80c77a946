"""The wearer's own body below the arms: trunk and legs, seated or standing; and others' trunks.

Hands keep out of the lap: its thighs are capsules among the others of a scene. The trunk and
standing legs lie where the inverse kinematics lets no hand be (`synth.scene.arm.TORSO_M`).
"""

from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from frames.stream import normal, uniform
from synth.config import OutfitConfig
from synth.scene.arm import TORSO_BACK_M
from synth.scene.elbow import MEAN_HAND_M
from synth.scene.limb import build_tube, limb_poses
from synth.scene.props import Props, join_props
from synth.scene.spans import Spans
from synth.things.model import Model

if TYPE_CHECKING:  # they draw a lap themselves
    from synth.scene.composition import Composition
    from synth.scene.studio import Studio

DRAWS: Final = 12

HIP_M: Final = np.array([0.09, -0.08, -0.70])
"""Right hip joint of a seated person from between the eyes. ANSUR II, mean of men and women: eye
height sitting 0.79 m; the joint lies 9 cm above the seat."""
THIGH_M: Final = 0.42
"""Hip to knee (ANSUR II: buttock-knee length 0.61 m, of which 0.13 are behind the hip and 0.06
before the knee)."""
SHANK_M: Final = 0.40
"""Knee to ankle (ANSUR II: popliteal height 0.42 m)."""
THIGH_RADII_M: Final = (0.085, 0.064)
"""At the hip and at the knee (ANSUR II: thigh clearance 0.17 m, knee circumference 0.38 m), with
trousers."""
ANKLE_RADIUS: Final = 0.72
"""Against the knee's."""


@cache
def thigh() -> Model:
    """From hip (z = 0) to knee (z = 1), radius 1 at the hip."""
    knee = THIGH_RADII_M[1] / THIGH_RADII_M[0]
    profile = [(-0.17, 0.5), (-0.1, 0.85), (0.0, 1.0), (0.25, 0.99), (0.6, 0.87), (0.9, knee)]
    profile += [(1.0, 0.97 * knee), (1.08, 0.8 * knee), (1.13, 0.45 * knee)]
    return build_tube("thigh", [(z, r, r) for z, r in profile], (-0.2, 1.15))


@cache
def shank() -> Model:
    """From knee (z = 0) to ankle (z = 1), radius 1 at the knee."""
    profile = [(-0.13, 0.5), (-0.08, 0.85), (0.0, 1.0), (0.25, 0.98), (0.6, 0.84)]
    profile += [(1.0, ANKLE_RADIUS), (1.06, 0.6 * ANKLE_RADIUS)]
    return build_tube("shank", [(z, r, r) for z, r in profile], (-0.15, 1.1))


@cache
def trunk() -> Model:
    """From hips to shoulders, metres, in the frame of a body of mean size, about its own axis.

    ANSUR II: waist breadth 0.31 m and depth 0.24 m, chest breadth 0.29 m and depth 0.25 m, hip
    breadth 0.35 m; a little slimmer than that, for hands keep out by their middle lines (TORSO_M).
    Without a neck: eyes that sway would come near it.
    """
    rings = [(-0.84, 0.13, 0.08), (-0.79, 0.16, 0.105), (-0.70, 0.165, 0.11), (-0.58, 0.145, 0.105)]
    rings += [(-0.42, 0.155, 0.115), (-0.32, 0.16, 0.105), (-0.25, 0.15, 0.085)]
    rings += [(-0.222, 0.09, 0.06)]
    return build_tube("trunk", rings, (-0.86, -0.215), sides=20)


@cache
def head() -> Model:
    """A head with its neck, metres, about an axis 9 cm behind the eyes."""
    rings = [(-0.23, 0.07, 0.06), (-0.18, 0.055, 0.055), (-0.11, 0.056, 0.06), (-0.09, 0.06, 0.085)]
    rings += [(-0.04, 0.070, 0.098), (0.02, 0.075, 0.10), (0.07, 0.07, 0.092), (0.105, 0.045, 0.06)]
    return build_tube("head", rings, (-0.24, 0.12), sides=16)


def lap_spans(config: OutfitConfig, seed: int, ids: np.ndarray) -> tuple[np.ndarray, Spans]:
    """(U,) bool whether the wearer sits, and (U, 4) capsules of both thighs.

    Thighs taper: each is two capsules, the thick half and the thin one.
    """
    seated, hip, knee, _, size = _draw_legs(config, seed, ids)
    middle = (hip + knee) / 2
    start = np.concatenate([hip, middle], axis=1)
    end = np.concatenate([middle, knee], axis=1)
    girth = np.repeat(np.array([1.0, 0.91]) * THIGH_RADII_M[0], 2)
    return seated, (start, end, size[:, None] * girth)


def place_lap(
    config: OutfitConfig, studio: "Studio", seed: int, scene: "Composition", layer: int
) -> Props:
    """Trunk and legs of every wearer, trunk and head of others: drawn with the background.

    layer: the background's.
    """
    first, hands, count = studio.stock.first, scene.hands, len(scene.ids)
    _, hip, knee, ankle, size = _draw_legs(config, seed, scene.ids)
    build = studio.rig.hand_length[hands.identity] / MEAN_HAND_M
    bulk = np.ones(count)
    own = np.flatnonzero(hands.wearer)
    bulk[hands.frame[own]] = build[own]
    everyone = np.arange(count)
    parts = [_list("trunk", everyone, _about_axis(np.tile(np.eye(4), (count, 1, 1)), bulk))]
    for k in (0, 1):
        radius = THIGH_RADII_M[0] * size
        parts.append(_list("thigh", everyone, limb_poses(hip[:, k], knee[:, k], radius)))
        radius = THIGH_RADII_M[1] * size
        parts.append(_list("shank", everyone, limb_poses(knee[:, k], ankle[:, k], radius)))
    # Others' hands follow the wearer's in each frame; one body for one or two of them.
    other = ~hands.wearer
    other[1:] &= ~(other[:-1] & (hands.frame[1:] == hands.frame[:-1]))
    rows = np.flatnonzero(other)
    for name in ("trunk", "head"):
        pose = _about_axis(hands.T_world_from_body[rows], build[rows])
        parts.append(_list(name, hands.frame[rows], pose))
    return join_props(
        [
            Props(
                frame,
                np.full(len(frame), first[name]),
                pose,
                np.full(len(frame), layer),
                np.zeros(len(frame), np.int64),
            )
            for name, frame, pose in parts
        ]
    )


def _list(name: str, frame: np.ndarray, pose: np.ndarray) -> tuple[str, np.ndarray, np.ndarray]:
    return name, frame, pose


def _about_axis(pose: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Bodies' frames moved to the trunk's axis and scaled: (N, 4, 4)."""
    out = pose.copy()
    out[:, :3, 3] += TORSO_BACK_M * size[:, None] * pose[:, :3, 1]
    out[:, :3, :3] *= size[:, None, None]
    return out


def _draw_legs(
    config: OutfitConfig, seed: int, ids: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Seated (U,), hips, knees and ankles (U, 2, 3) with the right leg first, size (U,)."""
    u = uniform(seed, ids, "outfit/legs", DRAWS)
    n = np.clip(normal(u[:, 4:]), -2.0, 2.0)
    seated = u[:, 0] < config.seated_share
    size = 1 + 0.05 * n[:, 0]
    mirror = np.array([[1.0, 1.0, 1.0], [-1.0, 1.0, 1.0]])
    hip = size[:, None, None] * HIP_M * mirror
    hip[..., 2] += 0.02 * n[:, 1:2]
    # Knees apart or together, one somewhat higher than the other.
    apart = np.where(seated, 0.02 + 0.17 * u[:, 1] ** 1.5, 0.01 + 0.03 * u[:, 1])
    rise = np.where(seated[:, None], 0.02 + 0.035 * n[:, 2:4], 0.0)
    length = size * THIGH_M
    out = mirror[:, 0] * apart[:, None]
    ahead = np.sqrt(length[:, None] ** 2 - out**2 - rise**2)
    flat = np.stack([out, ahead, rise], axis=-1)
    down = np.stack([out, np.full_like(out, 0.02), -ahead], axis=-1)
    knee = hip + np.where(seated[:, None, None], flat, down)
    # Feet under the knees, or drawn back; standing legs go straight down.
    back = np.where(seated, 0.12 - 0.3 * u[:, 2], -0.02)
    shank = np.sqrt((size * SHANK_M) ** 2 - back**2)
    ankle = knee.copy()
    ankle[..., 0] += 0.02 * mirror[:, 0]
    ankle[..., 1] += back[:, None]
    ankle[..., 2] -= shank[:, None]
    return seated, hip, knee, ankle, size
