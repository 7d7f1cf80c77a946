"""All named poses, in parts: key poses, gestures, numbers, letters, grasps, recordings."""

from dataclasses import replace
from functools import cache
from typing import Final

import numpy as np

from synth.pose.asl import ASL
from synth.pose.counting import NUMBER
from synth.pose.feix import GRASPS, grasp_table, preshape_table
from synth.pose.flesh import Flesh
from synth.pose.gestures import GESTURE
from synth.pose.key_poses import KEY
from synth.pose.likeness import nearest_key
from synth.pose.presets import Preset, Thumb, meet, preset_angles, preset_touch
from synth.pose.recorded import recorded_presets
from synth.pose.settling import settle
from synth.pose.synergy import FLEXION

GRASP_TOUCH: Final = {"palmar pinch": meet(1), "tip pinch": meet(1, thumb=0.85, finger=0.88)}
"""Grasps that close on themselves when nothing is held."""

GRASP_CLOSED: Final = 0.7
"""How far a hand that holds nothing has closed, from the grasp's preshape (0) to its prototype."""

ALIKE_DEG: Final = 6.0
"""A table this near to a key pose, and touching where it does, shows it."""


_LABELLED: Final = [
    preset
    for part in (KEY, GESTURE, NUMBER, ASL, recorded_presets())
    for preset in part
    if preset.key_pose != "none"
]


def _key_of(grasp: Preset) -> Preset:
    """The grasp with the label of the key pose that it shows when nothing is held."""
    alike = [p for p in _LABELLED if bool(p.touch) == bool(grasp.touch)]
    away = nearest_key(np.stack([preset_angles(p) for p in alike]), preset_angles(grasp)[None])
    nearest = alike[int(away.argmin())]
    close = bool(grasp.touch) or away.min() < np.radians(ALIKE_DEG)
    return replace(grasp, key_pose=nearest.key_pose if close else "none")


def _grasp(number: int) -> Preset:
    """A grasp of the taxonomy as it is about an object, nothing held."""
    name = GRASPS[number - 1].name
    touch = GRASP_TOUCH.get(name, ())
    closed = 1.0 if touch else GRASP_CLOSED
    table = closed * grasp_table() + (1.0 - closed) * preshape_table()
    deg = np.degrees(table[number - 1]).round(1)
    thumb: Thumb = tuple(float(deg[k]) for k in (3, 4, 5, 6, 8))  # type: ignore[assignment]
    fingers = [[float(deg[k + j]) for j in (0, 1, 3, 4)] for k in FLEXION]
    index, middle, ring, pinky = ((a, b, c, d) for a, b, c, d in fingers)
    arch = float(deg[2])
    return Preset(f"grasp {number} {name}", "none", thumb, index, middle, ring, pinky, arch, touch)


PARTS: Final[dict[str, tuple[Preset, ...]]] = {
    "key": KEY,
    "gesture": GESTURE,
    "number": NUMBER,
    "asl": ASL,
    "grasp": tuple(_key_of(_grasp(g.number)) for g in GRASPS),
    "recorded": recorded_presets(),
}

PRESETS: Final = tuple(preset for part in PARTS.values() for preset in part)
"""Every named pose; a pose's number is its place here."""

PART_START: Final = np.cumsum([0, *(len(part) for part in PARTS.values())])
"""(7,) part k of PARTS is PRESETS[PART_START[k] : PART_START[k + 1]]."""

NUMBER_OF: Final = {preset.name: k for k, preset in enumerate(PRESETS)}


@cache
def preset_table() -> np.ndarray:
    """(P, 29) rad, one row a preset."""
    return np.stack([preset_angles(p) for p in PRESETS])


@cache
def touch_table() -> np.ndarray:
    """(P, TOUCHES, 2, 3) sites that meet in each preset."""
    return np.stack([preset_touch(p) for p in PRESETS])


def fit_presets(flesh: Flesh, identity: np.ndarray, preset: np.ndarray) -> np.ndarray:
    """(N, 29) rad: presets (N,) as they look on the people identity (N,), touches made."""
    return settle(flesh, identity, preset_table()[preset], touch_table()[preset])[0]


@cache
def key_rows() -> np.ndarray:
    """(K,) the presets that show a key pose."""
    return np.flatnonzero([p.key_pose != "none" for p in PRESETS])
