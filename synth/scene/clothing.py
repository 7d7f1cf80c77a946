"""What arms and hands may wear, as models: sleeves, watches, rings; and a bare arm's elbow.

Models of the forearm lie in arm coordinates (`synth.scene.girth`), those of the upper arm run from
the elbow (0) to the shoulder (1) with the elbow's radius as unit, straps and rings go round the
unit circle with metres along it. All are closed, and coarse: a batch draws thousands.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from frames.parts import FOREARM
from frames.stream import uniform
from synth.scene.girth import PROFILE, STATIONS
from synth.scene.upper_arm import PROFILE as PROFILE_OF_UPPER_ARM
from synth.things.model import Model, make_model
from synth.things.shapes import Part, loft

SIDES: Final = 12
FIT: Final = 1.0 / np.cos(np.pi / SIDES)
"""A polygon of so many sides about a circle is so much wider at its corners."""

CUFFS: Final = (0.03, 0.1, 0.2, 0.32, 0.45, 0.58, 0.72)
"""Arm coordinates of forearm cuffs."""
SHORT_CUFFS: Final = (0.12, 0.3, 0.5)
"""Cuffs on the upper arm, shares of the way from elbow to shoulder."""
RING_PARTS: Final = (5, 8, 11, 14)
"""Part codes of the proximal phalanges, index to pinky."""


@dataclass(frozen=True)
class Cloth:
    """A kind of sleeve."""

    name: str
    ease: float
    """Width against the arm's that it holds, away from the cuff."""
    cuff: float
    """The same at the cuff."""
    wrinkles: float
    """Depth of wrinkles against the width."""
    rolled: bool = False
    """Ends in a thick roll."""


CLOTHS: Final = (
    Cloth("tight", 1.03, 1.02, 0.015),
    Cloth("shirt", 1.22, 1.04, 0.07),
    Cloth("coat", 1.42, 1.22, 0.05),
    Cloth("rolled", 1.16, 1.12, 0.04, rolled=True),
)

UPPER: Final = np.array(PROFILE_OF_UPPER_ARM[1:-1])
"""(R, 2) place and radius along the upper arm."""


@dataclass(frozen=True)
class Wardrobe:
    """All models and where they are among them."""

    models: tuple[Model, ...]
    elbow: int
    """A bare arm's elbow, in arm coordinates."""
    upper: int
    """A bare upper arm."""
    forearm: np.ndarray
    """(CLOTHS, CUFFS) sleeves of the forearm."""
    upper_long: np.ndarray
    """(CLOTHS,) their upper arms."""
    upper_short: np.ndarray
    """(CLOTHS, SHORT_CUFFS) short sleeves."""
    straps: np.ndarray
    """(STRAPS,) watches and bracelets."""
    rings: np.ndarray
    """(RINGS, 4) rings for index ... pinky."""


@cache
def wardrobe() -> Wardrobe:
    """Everything that there is to wear."""
    models: list[Model] = []

    def add(name: str, part: Part, code: int = FOREARM) -> int:
        vertices, faces = part
        models.append(make_model(name, vertices, faces, np.full(len(faces), code)))
        return len(models) - 1

    elbow = add("elbow", _loft_profile(np.array([0.7, 0.8, 0.88, 0.95, 1.0, 1.08, 1.13])))
    upper = add("upper-arm", loft(_rings(UPPER[:, 0], UPPER[:, 1], UPPER[:, 1])))
    forearm = [[add(f"{c.name}-{cuff}", forearm_sleeve(c, cuff)) for cuff in CUFFS] for c in CLOTHS]
    long = [add(f"{c.name}-upper", _upper_sleeve(c, None)) for c in CLOTHS]
    short = [
        [add(f"{c.name}-short-{cuff}", _upper_sleeve(c, cuff)) for cuff in SHORT_CUFFS]
        for c in CLOTHS
    ]
    straps = [
        add("watch", _join(_band(0.018, 1.07), _disc(0.62, 0.021, 1.36))),
        add("smart-watch", _join(_band(0.022, 1.07), _block(0.56, 0.021, 1.38))),
        add("smart-band", _join(_band(0.016, 1.08), _block(0.36, 0.02, 1.24))),
        add("bracelet", _band(0.006, 1.13)),
        add("bangle", _band(0.028, 1.12)),
    ]
    rings = [
        [add(f"ring-{code}", _band(width, girth), code) for code in RING_PARTS]
        for width, girth in ((0.003, 1.12), (0.006, 1.13), (0.009, 1.18))
    ]
    return Wardrobe(
        tuple(models),
        elbow,
        upper,
        np.array(forearm),
        np.array(long),
        np.array(short),
        np.array(straps),
        np.array(rings),
    )


def cuff_stations(cuff: float) -> np.ndarray:
    """Places of a forearm sleeve's rings, from the cuff to past the elbow."""
    rest = [t for t in (0.1, 0.2, 0.35, 0.5, 0.65, 0.82) if t > cuff + 0.04]
    keep = [
        rest[k]
        for k in np.unique(np.linspace(0, len(rest) - 1, min(3, len(rest))).round()).astype(int)
    ]
    return np.array([cuff, *keep, 1.0, 1.13])


def forearm_sleeve(cloth: Cloth, cuff: float) -> Part:
    """A sleeve in arm coordinates, open at the cuff by a shallow hollow."""
    z = cuff_stations(cuff)
    half = girth_at(z)
    ease = np.full(len(z), cloth.ease)
    ease[0] = cloth.cuff
    if cloth.rolled:
        z = np.insert(z, 1, cuff + 0.1)
        half = np.insert(half, 1, girth_at(z[1:2])[0], axis=0)
        ease = np.insert(ease, 1, cloth.ease + 0.12)
        ease[0] = cloth.ease + 0.14
        order = np.argsort(z, kind="stable")
        z, half, ease = z[order], half[order], ease[order]
    wave = _wrinkles(cloth, len(z), f"{cloth.name}{cuff}")
    rings = _rings(z, half[:, 0] * ease, half[:, 1] * ease, wave)
    hollow = rings[:1] * [0.93, 0.93, 1.0] + [0.0, 0.0, 0.025]
    return loft(np.concatenate([hollow, rings]))


def girth_at(z: np.ndarray) -> np.ndarray:
    """(R, 2) half width and depth of the mean arm at arm coordinates z (R,)."""
    return np.stack([np.interp(z, STATIONS, PROFILE[:, k]) for k in (0, 1)], axis=1)


def _loft_profile(z: np.ndarray) -> Part:
    half = girth_at(z)
    # Inside the skin where it begins, then flush with it.
    sink = np.interp(z, [0.7, 0.8, 0.9, 1.0], [0.75, 0.88, 0.98, 1.0])
    return loft(_rings(z, half[:, 0] * sink, half[:, 1] * sink))


def _upper_sleeve(cloth: Cloth, cuff: float | None) -> Part:
    """Over the whole upper arm, or from a cuff above the elbow."""
    if cuff is None:
        z = np.array([-0.16, -0.11, -0.04, 0.06, 0.35, 0.7, 1.0, 1.1])
        ease = np.ones(len(z))  # its unit is the sleeve's elbow, which has its ease
    else:
        z = np.array([cuff, *np.linspace(cuff + 0.1, 0.9, 3), 1.0, 1.1])
        ease = np.array([1.1 + cloth.ease, *np.full(3, 0.1 + cloth.ease), 1.05, 1.05])
        ease[0] = cloth.ease + 0.16
    radius = np.interp(z, UPPER[:, 0], UPPER[:, 1]) * ease
    rings = _rings(z, radius, radius, _wrinkles(cloth, len(z), f"{cloth.name}-upper{cuff}"))
    if cuff is not None:
        rings = np.concatenate([rings[:1] * [0.92, 0.92, 1.0] + [0.0, 0.0, 0.03], rings])
    return loft(rings)


def _wrinkles(cloth: Cloth, count: int, name: str) -> np.ndarray:
    """(count, SIDES) factors >= 1: folds that run round and along, always the same by name."""
    u = uniform(0, np.arange(count), f"wrinkles/{name}", 2 + SIDES)
    angle = 2 * np.pi * np.arange(SIDES) / SIDES
    fold = 0.5 + 0.5 * np.sin(angle * (2 + np.arange(count)[:, None] % 2) + 6.3 * u[:, :1])
    wave = 1 + cloth.wrinkles * (0.45 * fold + 0.35 * u[:, 1:2] + 0.2 * u[:, 2:])
    wave[[0, -1]] = 1.0
    return np.asarray(wave)


def _rings(
    z: np.ndarray, half_x: np.ndarray, half_y: np.ndarray, wave: np.ndarray | float = 1.0
) -> np.ndarray:
    """(R, SIDES, 3) polygons that hold the ellipses."""
    angle = 2 * np.pi * np.arange(SIDES) / SIDES
    out = np.empty((len(z), SIDES, 3))
    out[..., 0] = FIT * half_x[:, None] * np.cos(angle) * wave
    out[..., 1] = FIT * half_y[:, None] * np.sin(angle) * wave
    out[..., 2] = z[:, None]
    return out


def _band(width: float, girth: float) -> Part:
    """A drum about the unit circle: what is inside is inside the arm."""
    z = np.array([-0.5, -0.36, 0.36, 0.5]) * width
    radius = np.array([girth - 0.03, girth, girth, girth - 0.03])
    return loft(_rings(z, radius, radius))


def _disc(half_x: float, half_z: float, top: float) -> Part:
    """A round case on the back of the wrist, from within the skin to `top` (in half depths)."""
    angle = 2 * np.pi * np.arange(SIDES) / SIDES
    y = np.array([0.7, top - 0.06, top])
    size = np.array([1.0, 1.0, 0.86])
    ring = [
        np.column_stack(
            [s * half_x * np.cos(angle), np.full(SIDES, h), -s * half_z * np.sin(angle)]
        )
        for h, s in zip(y, size, strict=True)
    ]
    return loft(np.stack(ring))


def _block(half_x: float, half_z: float, top: float) -> Part:
    """A case with rounded corners on the back of the wrist."""
    x = np.array([1.0, 0.8, -0.8, -1.0, -1.0, -0.8, 0.8, 1.0]) * half_x
    z = np.array([0.75, 1.0, 1.0, 0.75, -0.75, -1.0, -1.0, -0.75]) * half_z
    ring = [
        np.column_stack([s * x, np.full(8, h), -s * z])
        for h, s in ((0.7, 1.0), (top - 0.05, 1.0), (top, 0.9))
    ]
    return loft(np.stack(ring))


def _join(*parts: Part) -> Part:
    start = np.cumsum([0, *(len(v) for v, _ in parts)])
    return (
        np.concatenate([v for v, _ in parts]),
        np.concatenate([f + s for (_, f), s in zip(parts, start, strict=False)]),
    )
