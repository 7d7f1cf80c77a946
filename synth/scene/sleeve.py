"""Sleeves: tubes of cloth about forearm and upper arm, each fitted to its owner's arm.

A forearm's sleeve is the mean arm's shape, made wider until it holds the arm of the person who
wears it. Wrinkles stand out from it in rings. The cuff's end runs inward like an open sleeve's.
"""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Final

import numpy as np

from frames.parts import FOREARM
from synth.hand.bones import FOREARM_BONE
from synth.hand.rig import Rig
from synth.scene.limb import ROUND_UP, SIDES, build_tube
from synth.scene.section import bone_skin
from synth.scene.upper_arm import PROFILE
from synth.things.model import Model

CUFFS: Final = (0.05, 0.15, 0.28, 0.44, 0.6)
"""Where forearm sleeves may begin, as shares of the way from wrist to elbow."""
STYLES: Final = 4
"""Patterns of wrinkles; the first has none."""

_WAY: Final = (0.0, 0.06, 0.12, 0.18, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95, 1.1)
_WIDE: Final = (0.92, 0.93, 0.92, 0.93, 0.93, 0.96, 1.01, 1.07, 1.15, 1.22, 1.32, 1.32, 1.32)
_DEEP: Final = (0.70, 0.71, 0.74, 0.78, 0.81, 0.86, 0.95, 1.04, 1.13, 1.20, 1.28, 1.28, 1.28)
"""Half width and half depth of the embedded hand's mean forearm against its median radius."""

SLACK_M: Final = 0.0018
"""Cloth and air over the skin, at least."""


@dataclass(frozen=True)
class SleeveFit:
    """How wide each person's forearm sleeves are, one for each of CUFFS."""

    scale: np.ndarray
    """(I, J, 2) metres: factors on the model's x and y that hold the arm."""
    centre: np.ndarray
    """(I, J, 2, 2) metres: the arm's middle line beside the bone at wrist and elbow, x and y."""


@cache
def forearm_sleeves() -> tuple[Model, ...]:
    """Models by cuff and style: z from wrist (0) to elbow (1), radius 1 the arm's median."""
    return tuple(_forearm(j, k) for j in range(len(CUFFS)) for k in range(STYLES))


@cache
def upper_sleeves() -> tuple[Model, ...]:
    """Models by style of whole sleeves about the upper arm, in the upper arm's units."""
    rings = [(z, r, r) for z, r in _finer(PROFILE)]
    out = []
    for k in range(STYLES):
        folds = _wrinkles([z for z, _, _ in rings], 0.09, 40 + k, k)
        out.append(build_tube(f"upper-sleeve-{k}", rings, (-0.16, 1.16), FOREARM, folds))
    return tuple(out)


@cache
def short_sleeves() -> tuple[Model, ...]:
    """Models by style of short sleeves: z from their hem (0) to the shoulder (1)."""
    rings = [(0.0, 1.19, 1.19), (0.25, 1.2, 1.2), (0.5, 1.24, 1.24), (0.8, 1.28, 1.28)]
    rings += [(1.0, 1.32, 1.32), (1.16, 1.05, 1.05)]
    out = []
    for k in range(STYLES):
        folds = _wrinkles([z for z, _, _ in rings], 0.3, 80 + k, k)
        out.append(build_tube(f"short-sleeve-{k}", rings, (0.12, 1.25), FOREARM, folds))
    return tuple(out)


def fit_sleeves(rig: Rig) -> SleeveFit:
    """Measure everybody's forearms. Skin that goes with the hand is left out."""
    weight = np.where(rig.skin_bone == FOREARM_BONE, rig.skin_weight, 0.0).sum(1)
    points, length = bone_skin(rig, FOREARM_BONE, np.flatnonzero(weight > 0.6))
    way = points[..., 2] / length[:, None]
    scale, centre = [], []
    for cuff in CUFFS:
        inside = (way > cuff - 0.02) & (way < 1.0)
        line = _middle_line(points[..., :2], way, inside)
        middle = line[:, None, 0] + way[..., None] * (line[:, 1] - line[:, 0])[:, None]
        shape = np.stack([np.interp(way, _WAY, _WIDE), np.interp(way, _WAY, _DEEP)], axis=-1)
        off = np.where(inside[..., None], np.abs(points[..., :2] - middle) / shape, 0.0)
        scale.append(_least_oval(off))
        centre.append(line)
    return SleeveFit(np.stack(scale, 1), np.stack(centre, 1))


def _least_oval(off: np.ndarray) -> np.ndarray:
    """(I, 2) half widths of about the least oval that holds points (I, K, 2)."""
    least = np.full((len(off), 2), np.inf)
    ranked = np.sort(off, axis=1)
    for way in (0.75, 0.85, 0.92, 0.97, 1.0):
        for deep in (0.75, 0.85, 0.92, 0.97, 1.0):
            at = [min(int(share * off.shape[1]), off.shape[1] - 1) for share in (way, deep)]
            own = np.stack([ranked[:, at[0], 0], ranked[:, at[1], 1]], axis=1)
            most = np.sqrt(((off / own[:, None]) ** 2).sum(-1)).max(1)
            own = own * most[:, None]
            smaller = own[:, 0] * own[:, 1] < least[:, 0] * least[:, 1]
            least[smaller] = own[smaller]
    return least


def _middle_line(points: np.ndarray, way: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """(I, 2, 2) middle of the skin at wrist and elbow: a line through those of its two halves."""
    low = np.where(inside, way, np.inf).min(1, keepdims=True)
    high = np.where(inside, way, -np.inf).max(1, keepdims=True)
    at, middle = [], []
    for a, b in ((0.0, 0.45), (0.55, 1.0)):
        part = inside & (way >= low + a * (high - low)) & (way <= low + b * (high - low))
        held = np.where(part[..., None], points, np.nan)
        middle.append((np.nanmin(held, axis=1) + np.nanmax(held, axis=1)) / 2)
        at.append(np.where(part, way, np.nan))
    t = np.stack([np.nanmean(part, axis=1) for part in at], axis=1)
    slope = (middle[1] - middle[0]) / (t[:, 1] - t[:, 0])[:, None]
    start = middle[0] - t[:, :1] * slope
    return np.stack([start, start + slope], axis=1)


def _forearm(j: int, style: int) -> Model:
    cuff = CUFFS[j]
    count = max(4, round(10 * (1 - cuff)))
    z = [cuff, cuff + 0.03, *np.linspace(cuff + 0.03, 1.0, count)[1:], 1.09]
    wide, deep = np.interp(z, _WAY, _WIDE), np.interp(z, _WAY, _DEEP)
    taper = np.ones(len(z))
    taper[-1] = 0.8
    rings = list(zip(z, ROUND_UP * taper * wide, ROUND_UP * taper * deep, strict=True))
    folds = _wrinkles(z, 0.11, 10 * j + style, style)
    return build_tube(f"sleeve-{j}-{style}", rings, (cuff + 0.05, 1.16), FOREARM, folds)


def _wrinkles(z: list[float], spacing: float, seed: int, style: int) -> np.ndarray:
    """(rings, SIDES) factors of at least 1: folds that run aslant around the arm."""
    if not style:
        return np.ones((len(z), SIDES))
    rng = np.random.Generator(np.random.Philox(seed))
    angle = 2 * np.pi * np.arange(SIDES) / SIDES
    place = np.array(z)[:, None]
    out = np.zeros((len(z), SIDES))
    for turns in (1, 2, 1):
        a, b = rng.random(2)
        wave = np.cos(2 * np.pi * (place / (spacing * (1.2 + 1.5 * a)) + b) + turns * angle)
        out += 0.5 * (1 + wave) * (0.5 + 0.5 * np.cos(angle - 2 * np.pi * a))
    out += 0.6 * rng.random(out.shape)
    depth = (0.0, 0.04, 0.07, 0.10)[style]
    factors = 1 + depth * out / 1.8
    factors[:2] = 1 + 0.3 * (factors[:2] - 1)  # cuffs and hems lie smoother
    return np.asarray(factors)


def _finer(profile: tuple[tuple[float, float], ...]) -> list[tuple[float, float]]:
    """The profile with a ring more between those that are far apart: for wrinkles."""
    out = [profile[0]]
    for (a, r), (b, s) in pairwise(profile):
        steps = max(1, round((b - a) / 0.12))
        out += [(a + (b - a) * k / steps, r + (s - r) * k / steps) for k in range(1, steps + 1)]
    return out
