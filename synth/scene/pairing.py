"""Where two hands that do something with each other go: both arms have to reach."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from frames.stream import uniform
from synth.config import SceneConfig
from synth.contact.together import Pairs
from synth.contact.together_table import draw_pair_pose
from synth.hand.collision import mutual_penetration
from synth.rigid import multiply
from synth.scene.arm import reach_best
from synth.scene.body import WRIST_DRAWS, draw_wrists
from synth.scene.placing import GAP_M, is_in_range
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
    pairs: Pairs,
    obstacles: Spans,
) -> PlacedPair:
    """A place before the wearer for each of N pairs; obstacles (N, ...) of their scenes."""
    count = len(ids)
    sides = np.stack([first_left, ~first_left], axis=1)
    found = np.zeros(count, bool)
    angles = pairs.angles.copy()
    pose = np.tile(np.eye(4), (count, 2, 1, 1))
    elbow, shoulder, swivel = np.zeros((count, 2, 3)), np.zeros((count, 2, 3)), np.zeros((count, 2))
    spans = [empty_spans(count, SPANS), empty_spans(count, SPANS)]
    length, bone = studio.rig.hand_length[identity], studio.elbows[identity]
    start = 0
    for size in ROUNDS:
        rest = np.flatnonzero(~found)
        if not len(rest):
            break
        rows = np.repeat(rest, size)
        attempt = np.tile(np.arange(start, start + size), len(rest))
        u = uniform(seed, ids[rows], "pair/place", WRIST_DRAWS + 6, attempt)
        camera = T_world_from_camera[rows]
        wanted, swivels = draw_wrists(
            config.body, studio.field, camera, first_left[rows], length[rows], bone[rows],
            u[:, :WRIST_DRAWS],
        )  # fmt: skip
        first = wanted.copy()
        first[:, :3, :3] = draw_pair_pose(pairs.kind[rows], u[:, WRIST_DRAWS:], first_left[rows])
        second = multiply(first, pairs.T_first_from_second[rows])
        arms = [
            reach_best(T, sides[rows, k], length[rows], bone[rows], swivels)
            for k, T in enumerate((first, second))
        ]
        fits = arms[0].fits & arms[1].fits
        for T in (first, second):
            fits &= is_in_range(config, T, camera[:, :3, 3], length[rows])
        free = fits.reshape(len(rest), size)
        hit = free.any(1)
        pick = (np.arange(len(rest)) * size + free.argmax(1))[hit]
        at = rest[hit]
        found[at] = True
        for k, T in enumerate((first, second)):
            pose[at, k] = T[pick]
            angles[at, k, :2] = arms[k].wrist_angles[pick]
            elbow[at, k], shoulder[at, k] = arms[k].elbow[pick], arms[k].shoulder[pick]
            swivel[at, k] = arms[k].swivel[pick]
        spans = [
            _spans(studio, identity, angles[:, k], pose[:, k], sides[:, k], shoulder[:, k])
            for k in (0, 1)
        ]
        everyone = np.arange(count)
        arms_only = [tuple(part[:, FOREARM_SPAN : UPPER_ARM_SPAN + 1] for part in s) for s in spans]
        crossed = mutual_penetration(*arms_only[0], *arms_only[1], everyone) > 0
        for s in spans:
            crossed |= mutual_penetration(*s, *obstacles, everyone) > -GAP_M
        found &= ~crossed
        start += size
    return PlacedPair(found, angles, pose, elbow, shoulder, swivel, (spans[0], spans[1]))


def _spans(
    studio: Studio,
    identity: np.ndarray,
    angles: np.ndarray,
    pose: np.ndarray,
    left: np.ndarray,
    shoulder: np.ndarray,
) -> Spans:
    nothing = object_span(pose, np.ones((len(pose), 3)), np.zeros(len(pose), bool))
    return hand_spans(
        studio.rig, studio.capsules, identity, angles, pose, left, shoulder, nothing
    )
