"""Vessels: mugs, cups, glasses, bowls, plates."""

from collections.abc import Callable
from typing import Final

from synth.things.draft import Draft, Pick
from synth.things.handles import Y, Z, make_disk, make_plate, make_rod
from synth.things.shapes import arc, revolve, tube


def make_mug(pick: Pick) -> Draft:
    """Hollow, straight or a little tapered, with a ring to the right."""
    r, h, wall = pick(0.034, 0.046), pick(0.075, 0.115), pick(0.0035, 0.005)
    foot = r * pick(0.8, 1.0)
    body = revolve([(foot, 0), (r, h), (r - wall, h), (foot - wall, 1.5 * wall)], 24)
    rod, reach = pick(0.0045, 0.0065), pick(0.026, 0.036)
    high, low = 0.82 * h, 0.2 * h
    middle = (high + low) / 2
    side = foot + (r - foot) * middle / h
    # The ring's ends stay within the wall.
    path = arc((side - 0.6 * wall, 0, middle), (0, 0, (high - low) / 2), (reach, 0, 0), 0, 180, 9)
    ring = tube(path, rod, Y, 8, flat=pick(1.0, 1.6))
    grip = make_rod((side - 0.6 * wall + reach, 0, middle), Z, rod, 0.7 * (high - low))
    return Draft([body, ring], [grip, make_rod((0, 0, h / 2), Z, (r + foot) / 2, h)], True)


def make_dinner_plate(pick: Pick) -> Draft:
    """From a saucer to a dinner plate, with a raised rim."""
    r, h, wall = pick(0.07, 0.135), pick(0.014, 0.026), 0.0045
    well = r * pick(0.6, 0.72)
    body = revolve([(well, 0), (r, h - wall), (r, h), (well - 0.3 * wall, 1.3 * wall)], 32)
    slope = (wall - h, 0, r - well)
    rim = make_plate(((r + well) / 2, 0, (h + wall) / 2), Y, slope, 0.5 * r, r - well, wall)
    return Draft([body], [rim, make_disk((0, 0, h / 2), Z, r, h)], True)


KINDS: Final[dict[str, Callable[[Pick], Draft]]] = {
    "mug": make_mug,
    "plate": make_dinner_plate,
}
"""Makers by the names of the kinds."""
