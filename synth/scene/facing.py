"""Other people: where they stand or sit, so that their hands reach into view."""

from functools import cache
from typing import Final

import numpy as np

from frames.stream import normal
from synth.config import BodyConfig
from synth.hand.angles import rotation
from synth.rigid import multiply, rotate
from synth.scene.elbow import MEAN_HAND_M
from synth.scene.lap import EYES_ABOVE_SEAT_M, TORSO_HALF_M, TORSO_TOP_M, lap_models
from synth.scene.revolve import revolve
from synth.things.model import Model, make_model
from synth.things.shapes import ellipsoid

HEAD_HALF_M: Final = (0.077, 0.098, 0.125)
"""Half breadth, length and height of a head (ANSUR II: 0.15, 0.195; chin to crown 0.23 m)."""
_LEGS: Final = ((0.0, 0.0), (0.01, 0.55), (0.5, 0.8), (0.95, 1.0), (1.05, 0.7), (1.06, 0.0))


def facing_body(config: BodyConfig, u: np.ndarray) -> np.ndarray:
    """(B, 8) uniforms -> (B, 4, 4) T_world_from_body of one other person each.

    Opposite or somewhat beside the wearer, turned towards them: at a bearing of `other_bearing_deg`
    from straight ahead, `other_away_m` between the eyes along the floor, the eyes up to
    `other_height_m` higher or lower, turned up to `other_turn_deg` from looking at the wearer.
    Their body frame is `synth.scene.arm`'s: origin between their eyes, y where they face.
    """
    n = normal(u[:, :2])
    limit = np.radians(config.other_bearing_deg)
    bearing = np.clip(0.5 * limit * n[:, 0], -limit, limit)
    near, far = config.other_away_m
    away = near + u[:, 2] * (far - near)
    turn = np.radians(config.other_turn_deg) * (2 * u[:, 3] - 1)
    out = np.tile(np.eye(4), (len(u), 1, 1))
    out[:, 0, 3] = away * np.sin(bearing)
    out[:, 1, 3] = away * np.cos(bearing)
    out[:, 2, 3] = config.other_height_m * (2 * u[:, 4] - 1)
    out[:, :3, :3] = rotation("z", np.pi - bearing + turn)
    return out


@cache
def bystander_models() -> tuple[Model, ...]:
    """Trunk, head and legs: what stands behind another person's hands."""
    head = make_model("head", *ellipsoid(HEAD_HALF_M, sides=12, rings=6))
    return lap_models()[0], head, make_model("legs", *revolve(_LEGS, 12))


def place_bystanders(T_world_from_body: np.ndarray, hand_length: np.ndarray) -> np.ndarray:
    """(B, 4, 4), (B,) m -> (B, 3, 4, 4) T_world_from_model of `bystander_models`: background."""
    size = hand_length / MEAN_HAND_M
    trunk = TORSO_TOP_M + EYES_ABOVE_SEAT_M
    sizes = ((*TORSO_HALF_M, trunk), (1.0, 1.0, 1.0), (*TORSO_HALF_M, 0.72))
    places = ((0, -0.105, -EYES_ABOVE_SEAT_M), (0, -0.09, 0.015), (0, -0.105, -1.5))
    local = np.zeros((len(size), 3, 4, 4))
    for p, (scale, place) in enumerate(zip(sizes, places, strict=True)):
        local[:, p, (0, 1, 2), (0, 1, 2)] = np.array(scale) * size[:, None]
        local[:, p, :3, 3] = np.array(place) * size[:, None]
    local[:, :, 3, 3] = 1.0
    return multiply(T_world_from_body[:, None], local)


def bystander_capsules(
    T_world_from_body: np.ndarray, hand_length: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Capsules that hold trunk and head: start and end (B, 4, 3), radius (B, 4), world, metres.

    What the wearer's hands and things must not run into; the legs are left to tables.
    """
    size = hand_length / MEAN_HAND_M
    wide, deep = TORSO_HALF_M
    aside = wide - deep
    low, high = -0.70, -0.30
    start = np.array([[-aside, 0, low], [0, 0, low], [aside, 0, low], [0, 0.015, 0.04]])
    end = np.array([[-aside, 0, high], [0, 0, -0.27], [aside, 0, high], [0, 0.015, -0.01]])
    radius = np.array([deep, deep, deep, HEAD_HALF_M[1]])
    back = np.array([0.0, -0.105, 0.0])
    ends = []
    for points in (start, end):
        local = (points + back) * size[:, None, None]
        ends.append(
            rotate(T_world_from_body[:, None, :3, :3], local) + T_world_from_body[:, None, :3, 3]
        )
    return ends[0], ends[1], radius * size[:, None]
