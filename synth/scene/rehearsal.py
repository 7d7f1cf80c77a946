"""How far a scene may move: the largest motion in which nothing runs through anything."""

from typing import Final

import numpy as np

from synth.config import SceneConfig
from synth.hand.collision import mutual_penetration, place_capsules, self_penetration
from synth.hand.kinematics import bone_transforms
from synth.rigid import multiply, rotate
from synth.scene.composition import Composition
from synth.scene.fitting import arm_dips
from synth.scene.motion import Clip, play
from synth.scene.situation import FREE, SLOTS, TOGETHER
from synth.scene.spans import SPANS, Spans, empty_spans, hand_spans, lowest, object_span
from synth.scene.studio import Studio

AMPLITUDES: Final = (1.0, 0.5, 0.25)
"""Shares of the wanted motion that are tried; the last resort is none."""


def plan_motion(
    config: SceneConfig,
    studio: Studio,
    seed: int,
    scene: Composition,
    times: np.ndarray,
) -> np.ndarray:
    """(U,) the largest amplitude at which nothing runs through anything at `times` (L,) s."""
    count = len(scene.ids)
    out = np.zeros(count)
    pending = np.arange(count)
    for amplitude in AMPLITUDES:
        if not len(pending):
            break
        clip = Clip(np.repeat(pending, len(times)), np.tile(times, len(pending)))
        moved, fits = play(config, studio, seed, scene, np.full(count, amplitude), clip)
        bad = collides(config, studio, moved, fits).reshape(len(pending), len(times)).any(1)
        out[pending[~bad]] = amplitude
        pending = pending[bad]
    return out


def collides(
    config: SceneConfig, studio: Studio, moved: Composition, fits: np.ndarray
) -> np.ndarray:
    """(B,) does an arm not reach, or does anything run through a hand, a thing, a table?

    moved: as `play` gives it, with the spans of the scene at rest; fits (N,) of its arms.
    """
    hands = moved.hands
    bad = np.zeros(len(moved.ids), bool)
    bad[hands.frame[~fits]] = True
    deep = self_overlap(studio, hands.identity, hands.angles)
    tight = (hands.action == FREE) & (deep > config.pose.max_penetration_mm / 1000)
    bad[hands.frame[tight]] = True
    turn = np.swapaxes(hands.T_world_from_wrist[:, :3, :3], 1, 2)
    local = rotate(turn, hands.elbow - hands.T_world_from_wrist[:, :3, 3])
    dips = arm_dips(
        studio, hands.identity, hands.left, hands.angles, hands.solid, hands.T_wrist_from_object,
        hands.plane, local,
    )  # fmt: skip
    bad[hands.frame[dips]] = True
    dense = scene_spans(studio, moved)
    start, end, radius = (_rows(part, hands.frame, hands.slot) for part in dense)
    spans = start, end, radius
    table = np.where(hands.on_table | hands.stands, np.nan, moved.table[hands.frame])
    below = ~np.isnan(table) & (lowest(spans) < table)
    bad[hands.frame[below]] = True
    loose = tuple(part[:, SLOTS * SPANS :] for part in moved.spans)
    for slot in range(SLOTS):
        own = np.flatnonzero(hands.slot == slot)
        mine = tuple(part[own] for part in spans)
        hit = mutual_penetration(*mine, *loose, hands.frame[own]) > 0
        # Each pair of hands once; those that meet on purpose move as one.
        before = tuple(part[:, : slot * SPANS] for part in dense)
        if slot:
            apart = hands.action[own] != TOGETHER
            hit |= apart & (mutual_penetration(*mine, *before, hands.frame[own]) > 0)
        bad[hands.frame[own[hit]]] = True
    return bad


def scene_spans(studio: Studio, moved: Composition) -> Spans:
    """(B, SLOTS * SPANS) capsules of hands, arms and their things where they are now."""
    hands = moved.hands
    things = object_span(
        multiply(hands.T_world_from_wrist, hands.T_wrist_from_object),
        studio.extents[hands.solid],
        (hands.solid >= 0) & (hands.thing == hands.slot),
    )
    spans = hand_spans(
        studio.rig, studio.capsules, hands.identity, hands.angles, hands.T_world_from_wrist,
        hands.left, hands.shoulder, things,
    )  # fmt: skip
    dense = empty_spans(len(moved.ids), SLOTS * SPANS)
    for slot in range(SLOTS):
        own = hands.slot == slot
        for whole, part in zip(dense, spans, strict=True):
            whole[hands.frame[own], slot * SPANS : (slot + 1) * SPANS] = part[own]
    return dense


def _rows(part: np.ndarray, frame: np.ndarray, slot: np.ndarray) -> np.ndarray:
    """Each hand's own capsules among those of its scene."""
    return part.reshape(len(part), SLOTS, SPANS, *part.shape[2:])[frame, slot]


def self_overlap(studio: Studio, identity: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """(N,) deepest overlap of the capsules of each hand, metres."""
    still = np.broadcast_to(np.eye(4), (len(angles), 4, 4))
    right = np.zeros(len(angles), bool)
    transforms, _ = bone_transforms(studio.rig, identity, angles, still, right)
    placed = place_capsules(studio.capsules, identity, transforms)
    return np.asarray(self_penetration(*placed, studio.capsules.pairs))
