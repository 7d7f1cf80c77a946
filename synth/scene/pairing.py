"""Where two hands that do something with each other go: both arms have to reach."""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from frames.stream import uniform
from synth.config import SceneConfig
from synth.contact.together import meet_again
from synth.contact.together_gaps import measure_pairs
from synth.contact.together_meeting import Pairs
from synth.contact.together_table import draw_pair_pose
from synth.hand.angles import rotation
from synth.hand.collision import mutual_penetration
from synth.rigid import invert_rigid, multiply, rotate
from synth.scene.arm import reach, reach_best
from synth.scene.body import WRIST_DRAWS, draw_wrists
from synth.scene.couples import Couples
from synth.scene.fitting import arm_dips, is_in_range
from synth.scene.placing import GAP_M
from synth.scene.spans import (
    FOREARM_SPAN,
    SPANS,
    UPPER_ARM_SPAN,
    Spans,
    empty_spans,
    hand_spans,
    object_span,
)
from synth.scene.studio import Studio

ROUNDS: Final = (4, 12, 32)
"""Places that are tried at once for a pair."""
YAW_DEG: Final = 25.0
"""Standard deviation of the heading in which both hands hold one thing, degrees."""
LIMIT_M: Final = 0.003
"""Deepest overlap of two hands."""


@dataclass(frozen=True)
class PlacedPair:
    """N pairs in the world; arrays (N, 2, ...) of first and second hand."""

    found: np.ndarray
    """(N,) bool"""
    angles: np.ndarray
    T_world_from_wrist: np.ndarray
    elbow: np.ndarray
    shoulder: np.ndarray
    swivel: np.ndarray
    spans: tuple[Spans, Spans]
    """Capsules of first and second, (N, SPANS)."""


def place_pairs(
    config: SceneConfig,
    studio: Studio,
    seed: int,
    ids: np.ndarray,
    T_world_from_camera: np.ndarray,
    first_left: np.ndarray,
    identity: np.ndarray,
    couples: Couples,
    obstacles: Spans,
) -> PlacedPair:
    """A place before the wearer for each of N pairs; obstacles (N, ...) of their scenes."""
    count = len(ids)
    sides = np.stack([first_left, ~first_left], axis=1)
    placed = PlacedPair(
        np.zeros(count, bool), couples.angles.copy(), np.tile(np.eye(4), (count, 2, 1, 1)),
        np.zeros((count, 2, 3)), np.zeros((count, 2, 3)), np.zeros((count, 2)),
        (empty_spans(count, SPANS), empty_spans(count, SPANS)),
    )  # fmt: skip
    length, bone = studio.rig.hand_length[identity], studio.elbows[identity]
    start = 0
    for size in ROUNDS:
        rest = np.flatnonzero(couples.ok & ~placed.found)
        if not len(rest):
            break
        rows = np.repeat(rest, size)
        attempt = np.tile(np.arange(start, start + size), len(rest))
        u = uniform(seed, ids[rows], "pair/place", WRIST_DRAWS + 6, attempt)
        camera = T_world_from_camera[rows]
        first, swivels = draw_wrists(
            config.body, studio.field, camera, first_left[rows], length[rows], bone[rows],
            u[:, :WRIST_DRAWS],
        )  # fmt: skip
        first[:, :3, :3] = _turn(couples, rows, u[:, WRIST_DRAWS:], first_left[rows])
        poses = first, multiply(first, couples.T_first_from_second[rows])
        arms = [
            reach_best(T, sides[rows, k], length[rows], bone[rows], swivels)
            for k, T in enumerate(poses)
        ]
        fits = arms[0].fits & arms[1].fits
        for T in poses:
            fits &= is_in_range(config, T, camera[:, :3, 3], length[rows])
        free = fits.reshape(len(rest), size)
        hit = free.any(1)
        pick = (np.arange(len(rest)) * size + free.argmax(1))[hit]
        at = rest[hit]
        placed.found[at] = True
        for k, T in enumerate(poses):
            placed.T_world_from_wrist[at, k] = T[pick]
            placed.angles[at, k, :2] = arms[k].wrist_angles[pick]
            placed.elbow[at, k] = arms[k].elbow[pick]
            placed.shoulder[at, k] = arms[k].shoulder[pick]
            placed.swivel[at, k] = arms[k].swivel[pick]
        _meet(config, studio, identity, couples, sides, at, placed)
        _test(studio, identity, couples, sides, obstacles, at, placed)
        start += size
    return placed


def _turn(couples: Couples, rows: np.ndarray, u: np.ndarray, first_left: np.ndarray) -> np.ndarray:
    """(T, 3, 3) how the first hands are turned in the wearer's frame."""
    paired = draw_pair_pose(np.maximum(couples.kind[rows], 0), u, first_left)
    yaw = rotation("z", np.radians(YAW_DEG) * (2 * u[:, 0] - 1) * np.sqrt(3.0))
    shared = multiply(yaw, couples.R_body_from_first[rows])
    return np.where((couples.kind[rows] < 0)[:, None, None], shared, paired)


def _meet(
    config: SceneConfig,
    studio: Studio,
    identity: np.ndarray,
    couples: Couples,
    sides: np.ndarray,
    at: np.ndarray,
    placed: PlacedPair,
) -> None:
    """A hand on the other's forearm follows it, now that wrists are bent; its arm follows, too."""
    at = at[couples.kind[at] >= 0]
    pairs = Pairs(
        **{
            f.name: getattr(couples, f.name)[at]
            if f.name != "gap_m"
            else np.zeros((len(at), 2, 17), np.float32)
            for f in fields(Pairs)
        }
    )
    again = meet_again(
        config.together, studio.rig, studio.capsules, studio.flesh, identity[at], pairs,
        placed.angles[at, :, :2], sides[at, 0],
    )  # fmt: skip
    second = multiply(placed.T_world_from_wrist[at, 0], again.T_first_from_second)
    arms = reach(
        second, sides[at, 1], studio.rig.hand_length[identity[at]], studio.elbows[identity[at]],
        placed.swivel[at, 1],
    )  # fmt: skip
    placed.T_world_from_wrist[at, 1] = second
    placed.angles[at] = again.angles
    placed.angles[at, 1, :2] = arms.wrist_angles
    placed.elbow[at, 1], placed.shoulder[at, 1] = arms.elbow, arms.shoulder
    placed.found[at] = again.ok & arms.fits


def _test(
    studio: Studio,
    identity: np.ndarray,
    couples: Couples,
    sides: np.ndarray,
    obstacles: Spans,
    at: np.ndarray,
    placed: PlacedPair,
) -> None:
    """Drop pairs whose arms cross, that run into something, or into each other."""
    everyone = np.arange(len(at))
    spans = []
    for k in (0, 1):
        pose = placed.T_world_from_wrist[at, k]
        thing = object_span(
            multiply(pose, couples.T_first_from_object[at]),
            studio.extents[couples.solid[at]],
            (couples.solid[at] >= 0) & (k == 0),
        )
        spans.append(
            hand_spans(
                studio.rig, studio.capsules, identity[at], placed.angles[at, k], pose,
                sides[at, k], placed.shoulder[at, k], thing,
            )
        )  # fmt: skip
        for whole, part in zip(placed.spans[k], spans[k], strict=True):
            whole[at] = part
    arms = [tuple(part[:, FOREARM_SPAN : UPPER_ARM_SPAN + 1] for part in s) for s in spans]
    bad = mutual_penetration(*arms[0], *arms[1], everyone) > 0
    for s in spans:
        bad |= mutual_penetration(*s, *obstacles, at) > -GAP_M
    # Hands were solved clear of each other; now that wrists are bent, forearms may be in the way.
    rows = at[~bad & placed.found[at]]
    depth = np.zeros(len(at))
    depth[~bad & placed.found[at]] = measure_pairs(
        studio.rig, studio.flesh, identity[rows], placed.angles[rows],
        placed.T_world_from_wrist[rows], sides[rows], far_m=0.0,
    )[1]  # fmt: skip
    holds = placed.found[at] & (couples.solid[at] >= 0)
    rows = at[holds]
    bad[holds] |= arms_enter(
        studio, identity[rows], sides[rows], placed.angles[rows], placed.T_world_from_wrist[rows],
        placed.elbow[rows], couples.solid[rows], couples.T_first_from_object[rows],
    )  # fmt: skip
    placed.found[at] &= ~bad & (depth <= LIMIT_M)


def arms_enter(
    studio: Studio,
    identity: np.ndarray,
    sides: np.ndarray,
    angles: np.ndarray,
    T_world_from_wrist: np.ndarray,
    elbow: np.ndarray,
    solid: np.ndarray,
    T_first_from_object: np.ndarray,
) -> np.ndarray:
    """(T,) does a forearm enter the thing that both hands of a pair hold?

    sides (T, 2), angles (T, 2, 29), T_world_from_wrist (T, 2, 4, 4), elbow (T, 2, 3): of both.
    """
    out = np.zeros(len(solid), bool)
    thing = multiply(T_world_from_wrist[:, 0], T_first_from_object)
    nothing = np.full((len(solid), 4), np.nan)
    for k in (0, 1):
        wrist = T_world_from_wrist[:, k]
        local = rotate(np.swapaxes(wrist[:, :3, :3], 1, 2), elbow[:, k] - wrist[:, :3, 3])
        out |= arm_dips(
            studio, identity, sides[:, k], angles[:, k], solid,
            multiply(invert_rigid(wrist), thing), nothing, local,
        )  # fmt: skip
    return out
