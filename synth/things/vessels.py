"""Open vessels: mugs, cups, glasses, bowls, plates, pans."""

from collections.abc import Callable
from typing import Final

from synth.things.draft import Draft, Pick
from synth.things.handles import X, Y, Z, make_disk, make_plate, make_rod
from synth.things.shapes import arc, revolve, tube
from synth.things.solid import Handle

SIDES: Final = 24


def make_mug(pick: Pick) -> Draft:
    """Hollow, straight or a little tapered, with a ring to the right."""
    r, h, wall = pick(0.034, 0.046), pick(0.075, 0.115), pick(0.0035, 0.005)
    foot = r * pick(0.8, 1.0)
    body = revolve([(foot, 0), (r, h), (r - wall, h), (foot - wall, 1.5 * wall)], SIDES)
    rod, reach = pick(0.0045, 0.0065), pick(0.028, 0.038)
    half, middle = 0.31 * h, 0.51 * h
    # The ring's ends stay within the wall, which leans.
    lean = (r - foot) / h
    start = foot + lean * middle - 0.6 * wall
    path = arc((start, 0, middle), (lean * half, 0, half), (reach, 0, 0), 0, 180, 9)
    loop = tube(path, rod, Y, 8, flat=pick(1.0, 1.6))
    grip = make_rod((start + reach, 0, middle), Z, rod, 1.3 * half)
    return Draft([body, loop], [grip, make_rod((0, 0, h / 2), Z, (r + foot) / 2, h)], True)


def make_cup(pick: Pick) -> Draft:
    """A tapered cup without a handle."""
    r, h, wall = pick(0.034, 0.046), pick(0.07, 0.14), 0.003
    foot = r * pick(0.62, 0.85)
    body = revolve([(foot, 0), (r, h), (r - wall, h), (foot - wall, 1.5 * wall)], SIDES)
    return Draft([body], [make_rod((0, 0, h / 2), Z, (r + foot) / 2, h)], True)


def make_glass(pick: Pick) -> Draft:
    """A straight tumbler with a thick bottom."""
    r, h, wall = pick(0.028, 0.04), pick(0.08, 0.16), 0.003
    foot = r * pick(0.92, 1.0)
    inner = [(r - wall, h), (foot - wall, pick(0.008, 0.02))]
    body = revolve([(foot, 0), (r, h), *inner], SIDES)
    return Draft([body], [make_rod((0, 0, h / 2), Z, (r + foot) / 2, h)], True)


def make_wineglass(pick: Pick) -> Draft:
    """A foot, a stem, and a bowl that narrows to the rim."""
    r, h, foot = pick(0.034, 0.046), pick(0.15, 0.21), pick(0.03, 0.038)
    stem, start, wall = pick(0.0035, 0.005), h * pick(0.42, 0.5), 0.003
    rim, belly = r * pick(0.72, 0.9), start + 0.4 * (h - start)
    body = revolve(
        [
            (foot, 0),
            (foot, 0.0025),
            (stem, 0.009),
            (stem, start),
            (0.72 * r, start + 0.12 * (h - start)),
            (r, belly),
            (rim, h),
            (rim - wall, h),
            (r - wall, belly),
            (0.6 * r, start + 0.17 * (h - start)),
        ],
        20,
    )
    grip = make_rod((0, 0, 0.009 + (start - 0.009) / 2), Z, stem, start - 0.012)
    bowl = make_rod((0, 0, (start + h) / 2), Z, 0.92 * r, 0.7 * (h - start))
    return Draft([body], [grip, bowl], True)


def make_bowl(pick: Pick) -> Draft:
    """A rounded bowl on a narrow foot."""
    r, h, wall = pick(0.055, 0.085), pick(0.04, 0.07), 0.004
    foot = r * pick(0.4, 0.6)
    steps = ((0.0, 0.0), (0.55, 0.22), (0.86, 0.55), (1.0, 1.0))
    outer = [(foot + (r - foot) * a, h * b) for a, b in steps]
    inner = [(x - wall, max(z, 1.5 * wall) + 0.3 * wall) for x, z in outer[:-1]]
    body = revolve([*outer, (r - wall, h), *inner[::-1]], 28)
    rim = _grip_rim(r - wall / 2, wall, h, 0.5 * h)
    return Draft([body], [rim, make_disk((0, 0, h / 2), Z, 0.93 * r, h)], True)


def make_dinner_plate(pick: Pick) -> Draft:
    """From a saucer to a dinner plate, with a raised rim."""
    r, h, wall = pick(0.07, 0.135), pick(0.014, 0.026), 0.0045
    well = r * pick(0.6, 0.72)
    inner = (well - 0.3 * wall, 1.3 * wall)
    body = revolve([(well, 0), (r, h - wall), (r, h), inner], 32)
    slope = (wall - h, 0, r - well)
    middle = ((r + well) / 2, 0, (h + 0.3 * wall) / 2)
    rim = make_plate(middle, Y, slope, 0.5 * r, 0.9 * (r - well), wall)
    return Draft([body], [rim, make_disk((0, 0, h / 2), Z, r, h)], True)


def make_pan(pick: Pick) -> Draft:
    """A small frying pan with a long grip, a little raised."""
    r, h, wall = pick(0.07, 0.1), pick(0.03, 0.05), 0.004
    foot, long, rod = r * pick(0.75, 0.95), pick(0.12, 0.15), pick(0.009, 0.012)
    body = revolve([(foot, 0), (r, h), (r - wall, h), (foot - wall, wall)], 28)
    lift = pick(0.0, 0.025)
    start = r - 0.002
    spots = [(start, 0, 0.75 * h), (start + 0.025, 0, 0.8 * h), (start + long, 0, 0.8 * h + lift)]
    grip = tube(
        [*spots[:2], _between(spots[1], spots[2], 0.12), *_ends(spots[1], spots[2])],
        [0.55 * rod, 0.5 * rod, 0.9 * rod, rod, 0.7 * rod],
        Y,
        8,
        flat=1.3,
    )
    axis = [b - a for a, b in zip(spots[1], spots[2], strict=True)]
    handle = make_rod(_between(spots[1], spots[2], 0.55), axis, rod, 0.8 * (long - 0.025))
    return Draft([body, grip], [handle], True)


def make_kettle(pick: Pick) -> Draft:
    """A closed pot with a spout in front and a grip over the top."""
    r, h, rod = pick(0.062, 0.08), pick(0.09, 0.12), pick(0.007, 0.01)
    top = r * pick(0.4, 0.6)
    knob = [(0.013, h + 0.002), (0.016, h + 0.014)]
    body = revolve([(0.95 * r, 0), (r, 0.3 * h), (0.85 * r, 0.75 * h), (top, h), *knob], SIDES)
    spout = tube(
        [(0.8 * r, 0, 0.35 * h), (1.25 * r, 0, 0.6 * h), (1.5 * r, 0, 0.95 * h)],
        [0.02, 0.013, 0.009],
        Y,
        8,
    )
    rise = pick(0.055, 0.075)
    path = arc((0, 0, 0.86 * h), (0.72 * r, 0, 0), (0, 0, rise + 0.14 * h), 0, 180, 11)
    bail = tube(path, rod, Y, 8, flat=1.3)
    grip = make_rod((0, 0, h + rise), X, rod, 0.7 * r)
    return Draft([body, spout, bail], [grip], True)


def _grip_rim(radius: float, wall: float, top: float, depth: float) -> Handle:
    """A piece of an upright rim, to be pinched between thumb and fingers."""
    return make_plate((radius, 0, top - depth / 2), Z, X, depth, 0.5 * radius, wall)


def _between(a: tuple[float, ...], b: tuple[float, ...], share: float) -> tuple[float, ...]:
    return tuple(p + share * (q - p) for p, q in zip(a, b, strict=True))


def _ends(a: tuple[float, ...], b: tuple[float, ...]) -> tuple[tuple[float, ...], ...]:
    """Just before b, and b: a blunt end."""
    return _between(a, b, 0.95), b


KINDS: Final[dict[str, Callable[[Pick], Draft]]] = {
    "mug": make_mug,
    "cup": make_cup,
    "glass": make_glass,
    "wineglass": make_wineglass,
    "bowl": make_bowl,
    "plate": make_dinner_plate,
    "pan": make_pan,
    "kettle": make_kettle,
}
"""Makers by the names of the kinds."""
