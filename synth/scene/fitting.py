"""Does a hand, with what it does, fit where it would go? On tables, in view, its arm in no way."""

from typing import Final

import numpy as np

from synth.config import SceneConfig
from synth.contact.gaps import measure_arm_gaps, measure_arm_plane_gaps
from synth.rigid import dot, invert_rigid, multiply, rotate
from synth.scene.action import Actions
from synth.scene.spans import FOREARM_SPAN
from synth.scene.studio import Studio
from synth.things.distance import solid_distances

TABLE_M: Final = (-0.75, -0.17)
"""Heights of table tops against the eyes: nobody works higher, or lower."""

ARM_GIRTHS: Final = (1.3, 1.4, 1.7, 1.9, 1.9, 1.9)
"""Skin of a forearm against its capsule's radius, at most: at the wrist and at each of these."""
ARM_STEP_M: Final = 0.028
"""Half the way from one of them to the next."""
THICKEST: Final = 1.9
"""Skin of a forearm against the radius of its capsule, at most."""
ARM_DIP_M: Final = 0.002
"""So deep may the skin of a forearm be pressed in."""

ARM_WAYS: Final = (0.2, 0.4, 0.6, 0.8, 1.0)
"""Where along a forearm it is tested against the thing that its hand holds."""

THICK_END: Final = 1.6
"""A forearm stands out so far about its axis by the elbow, against its capsule's radius."""

NEAREST_OBJECT_M: Final = 0.10
"""No thing comes closer to the camera than this."""


def stand_up(pose: np.ndarray, up: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Turn hands about their middle by the least angle that brings `up` to the world's z.

    pose (T, 4, 4), up (T, 3) in the wrist frame, NaN for any; length (T,) m.
    """
    asked = ~np.isnan(up[:, 0])
    a = rotate(pose[:, :3, :3], np.where(asked[:, None], up, [0.0, 0.0, 1.0]))
    a = np.where(asked[:, None], a, [0.0, 0.0, 1.0])
    # Rodrigues: I + [v] + [v]^2 / (1 + c) for v = a x z, c = a . z.
    vx, vy, c = a[:, 1], -a[:, 0], np.maximum(a[:, 2], -1 + 1e-6)
    turn = np.zeros((len(pose), 3, 3))
    turn[:, 0, 0] = 1 - vy * vy / (1 + c)
    turn[:, 0, 1] = turn[:, 1, 0] = vx * vy / (1 + c)
    turn[:, 1, 1] = 1 - vx * vx / (1 + c)
    turn[:, 2, 2] = 1 - (vx * vx + vy * vy) / (1 + c)
    turn[:, 0, 2], turn[:, 2, 0] = vy, -vy
    turn[:, 1, 2], turn[:, 2, 1] = -vx, vx
    out = pose.copy()
    half = -0.5 * length[:, None]
    middle = pose[:, :3, 3] + half * pose[:, :3, 2]
    out[:, :3, :3] = multiply(turn, pose[:, :3, :3])
    out[:, :3, 3] = middle - half * out[:, :3, 2]
    return out


def set_down(
    studio: Studio, pose: np.ndarray, actions: Actions, there: np.ndarray, eye: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tables under what stands or rests on one; a hand moves along its view to one that is `there`.

    Returns the poses (T, 4, 4), the heights of tables (T,) that are needed, NaN for none, and (T,)
    whether that can be.
    """
    rests = ~np.isnan(actions.plane[:, 0]) & ~np.isnan(actions.up[:, 0])
    rests &= np.isnan(actions.edge[:, 0])  # an edge has a board of its own
    thing = multiply(pose, actions.T_wrist_from_object)
    bottom = thing[:, 2, 3] - studio.extents[actions.solid, 2] / 2
    surface = actions.plane[:, 3] + pose[:, 2, 3]
    height = np.where(rests, surface, np.where(actions.stands, bottom, np.nan))
    joins = ~np.isnan(height) & ~np.isnan(there)
    drop = pose[:, 2, 3] - eye[:, 2]
    stretch = np.where(joins, 1 + (there - height) / np.where(drop < -0.05, drop, np.inf), 1.0)
    near = (stretch > 0.6) & (stretch < 1.6)
    out = pose.copy()
    out[:, :3, 3] = eye + np.where(near, stretch, 1.0)[:, None] * (pose[:, :3, 3] - eye)
    height = np.where(joins, there, height)
    fits = np.isnan(height) | ((height > TABLE_M[0]) & (height < TABLE_M[1]))
    # A stretch of 1 where there is a difference means that the view does not lead down to it.
    return out, height, fits & near & ~(joins & (drop >= -0.05))


def is_in_range(
    config: SceneConfig, pose: np.ndarray, eye: np.ndarray, length: np.ndarray
) -> np.ndarray:
    """(T,) is the hand's middle as far from the camera as it may be?"""
    away = pose[:, :3, 3] - 0.5 * length[:, None] * pose[:, :3, 2] - eye
    distance = np.sqrt(dot(away, away))
    return (distance > config.body.distance_m[0]) & (distance < config.body.distance_m[1])


def faces_eye(studio: Studio, pose: np.ndarray, actions: Actions, eye: np.ndarray) -> np.ndarray:
    """(T,) is the surface seen from the hand's side, and the thing not right before the eye?"""
    local = rotate(np.swapaxes(pose[:, :3, :3], 1, 2), eye - pose[:, :3, 3])
    over = dot(actions.plane[:, :3], local) - actions.plane[:, 3]
    seen = np.isnan(over) | (over > 0.12)
    away = multiply(pose, actions.T_wrist_from_object)[:, :3, 3] - eye
    clear = np.sqrt(dot(away, away)) - studio.reaches[actions.solid] > NEAREST_OBJECT_M
    return seen & (clear | (actions.solid < 0))


def arm_is_clear(
    studio: Studio,
    pose: np.ndarray,
    actions: Actions,
    identity: np.ndarray,
    elbow: np.ndarray,
    table: np.ndarray,
) -> np.ndarray:
    """(T,) does the forearm stay over the surface or table, and out of the thing?"""
    radius = studio.capsules.radius[identity, FOREARM_SPAN]
    thick = THICK_END * radius
    local = rotate(np.swapaxes(pose[:, :3, :3], 1, 2), elbow - pose[:, :3, 3])
    over = dot(actions.plane[:, :3], local) - actions.plane[:, 3]
    clear = (np.isnan(over) | (over > thick)) & (np.isnan(table) | (elbow[:, 2] - thick > table))
    T_object_from_wrist = invert_rigid(actions.T_wrist_from_object)
    for way in ARM_WAYS:
        spot = rotate(T_object_from_wrist[:, :3, :3], way * local) + T_object_from_wrist[:, :3, 3]
        gap = solid_distances(studio.stock.distances, np.maximum(actions.solid, 0), spot)
        clear &= (actions.solid < 0) | (gap > 0.96 * radius)
    return clear


def arm_dips(
    studio: Studio,
    identity: np.ndarray,
    left: np.ndarray,
    angles: np.ndarray,
    solid: np.ndarray,
    T_wrist_from_object: np.ndarray,
    plane: np.ndarray,
    elbow: np.ndarray,
) -> np.ndarray:
    """(T,) does the skin of the forearm enter the thing or the surface that its hand is at?

    Hands were closed before their wrists were bent: angles (T, 29) have these now, and elbow (T, 3)
    is where it is in the wrist frame.
    """
    out = np.zeros(len(identity), bool)
    reach = THICKEST * studio.capsules.radius[identity, FOREARM_SPAN]
    over = np.minimum(0.0, dot(plane[:, :3], elbow)) - plane[:, 3]
    rows = np.flatnonzero(over < reach)
    gap = measure_arm_plane_gaps(
        studio.probes, identity[rows], angles[rows], plane[rows], left[rows]
    )
    out[rows] = gap < -ARM_DIP_M
    near = np.zeros(len(identity), bool)
    holds = np.flatnonzero(solid >= 0)
    girth = studio.capsules.radius[identity[holds], FOREARM_SPAN]
    T_object_from_wrist = invert_rigid(T_wrist_from_object[holds])
    for way, thick in zip((0.0, *ARM_WAYS), ARM_GIRTHS, strict=True):
        spot = rotate(T_object_from_wrist[:, :3, :3], way * elbow[holds])
        gap = solid_distances(
            studio.stock.distances, solid[holds], spot + T_object_from_wrist[:, :3, 3]
        )
        near[holds] |= gap < thick * girth + ARM_STEP_M
    rows = np.flatnonzero(near)
    gap = measure_arm_gaps(
        studio.probes, studio.stock.distances, identity[rows], angles[rows],
        T_wrist_from_object[rows], solid[rows], left[rows],
    )  # fmt: skip
    out[rows] |= gap < -ARM_DIP_M
    return out
