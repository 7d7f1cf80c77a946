"""Closed containers: bottles, cans, jars, sprays."""

from collections.abc import Callable
from typing import Final

from synth.things.draft import Draft, Pick
from synth.things.handles import X, Y, Z, make_disk, make_plate, make_rod
from synth.things.shapes import box, place, prism, revolve, rounded, tube

SIDES: Final = 20


def make_bottle(pick: Pick) -> Draft:
    """Shoulders, a neck and a cap."""
    r, h = pick(0.028, 0.042), pick(0.16, 0.28)
    neck, cap = pick(0.010, 0.014), pick(0.013, 0.017)
    shoulder, throat, lid = h * pick(0.58, 0.7), h * pick(0.82, 0.88), h - pick(0.014, 0.022)
    profile = [
        (0.9 * r, 0),
        (r, 0.006),
        (r, shoulder),
        (0.55 * (r + neck), (shoulder + throat) / 2),
        (neck, throat),
        (neck, lid),
        (cap, lid),
        (cap, h),
    ]
    body = make_rod((0, 0, shoulder / 2), Z, r, shoulder)
    top = make_disk((0, 0, (lid + h) / 2), Z, cap, h - lid)
    throat_rod = make_rod((0, 0, (throat + h) / 2), Z, neck, h - throat)
    return Draft([revolve(profile, SIDES)], [body, throat_rod, top], True)


def make_can(pick: Pick) -> Draft:
    """A drinks can, its rims drawn in."""
    r, h = pick(0.026, 0.0335), pick(0.09, 0.17)
    edge = 0.82 * r
    profile = [(edge, 0), (r, 0.008), (r, h - 0.012), (edge, h - 0.002), (edge, h)]
    return Draft([revolve(profile, 24)], [make_rod((0, 0, h / 2), Z, r, h)], True)


def make_jar(pick: Pick) -> Draft:
    """A preserve or pill jar with a screw lid."""
    r, h, lid = pick(0.02, 0.043), pick(0.06, 0.14), pick(0.012, 0.02)
    cap, neck = r * pick(0.82, 0.98), 0.78 * r
    profile = [(0.94 * r, 0), (r, 0.005), (r, h - lid - 0.012), (neck, h - lid - 0.002)]
    profile += [(neck, h - lid), (cap, h - lid), (cap, h)]
    body = make_rod((0, 0, (h - lid) / 2), Z, r, h - lid - 0.01)
    return Draft([revolve(profile, 24)], [body, make_disk((0, 0, h - lid / 2), Z, cap, lid)], True)


def make_spray(pick: Pick) -> Draft:
    """A cleaner's spray: held by the neck, a finger on the lever."""
    r, h = pick(0.032, 0.04), pick(0.13, 0.17)
    neck, throat, head = pick(0.012, 0.015), pick(0.035, 0.045), pick(0.03, 0.038)
    profile = [(0.95 * r, 0), (r, 0.008), (r, 0.6 * h), (0.7 * r, 0.85 * h), (neck, h)]
    body = revolve([*profile, (neck, h + throat)], SIDES)
    top = h + throat + head / 2
    block = place(box((0.085, 0.026, head), bevel=0.004), (0.012, 0, top))
    nozzle = place(
        revolve([(0.009, 0), (0.007, 0.015)], 10),
        (0.053, 0, top + 0.003),
        z=(1, 0, 0),
        x=(0, 0, -1),
    )
    lever = tube(
        [
            (0.04, 0, h + throat + 0.004),
            (0.038, 0, h + throat - 0.015),
            (0.046, 0, h + throat - 0.035),
        ],
        [0.006, 0.005, 0.004],
        Y,
        6,
        flat=1.6,
    )
    grip = make_rod((0, 0, h + throat / 2 - 0.01), Z, neck, throat + 0.02)
    return Draft(
        [body, block, nozzle, lever], [grip, make_rod((0, 0, 0.3 * h), Z, r, 0.6 * h)], True
    )


def make_pump(pick: Pick) -> Draft:
    """A soap dispenser: an oval body, a stem and a beak to press."""
    wide, deep, h = pick(0.06, 0.08), pick(0.04, 0.055), pick(0.11, 0.17)
    outline = rounded(wide, deep, 0.45 * deep, 5)
    body = prism(outline, 0, h, bevel=0.006)
    stem = pick(0.03, 0.045)
    collar = place(
        revolve([(0.015, -0.003), (0.015, 0.014), (0.005, 0.015), (0.005, stem)], 14), (0, 0, h)
    )
    head = place(revolve([(0.011, 0), (0.012, 0.012)], 14), (0, 0, h + stem - 0.002))
    beak = tube(
        [(0, 0, h + stem + 0.005), (0.03, 0, h + stem + 0.006), (0.042, 0, h + stem - 0.001)],
        [0.006, 0.005, 0.004],
        Y,
        6,
    )
    grip = make_plate((0, 0, h / 2), Z, Y, h, wide, deep)
    return Draft(
        [body, collar, head, beak],
        [grip, make_disk((0, 0, h + stem + 0.004), Z, 0.0115, 0.012)],
        True,
    )


def make_carton(pick: Pick) -> Draft:
    """A drinks carton with a gable and a ridge."""
    wide, deep, h = pick(0.06, 0.095), pick(0.045, 0.07), pick(0.1, 0.19)
    body = place(box((wide, deep, h)), (0, 0, h / 2))
    rise = 0.55 * deep
    gable = prism(
        [[-deep / 2, -0.001], [deep / 2, -0.001], [0.0015, rise], [-0.0015, rise]],
        -wide / 2,
        wide / 2,
    )
    roof = place(gable, (0, 0, h), z=(1, 0, 0), x=(0, 1, 0))
    ridge = place(box((wide, 0.003, 0.018)), (0, 0, h + rise + 0.007))
    grip = make_plate((0, 0, h / 2), Z, Y, h, wide, deep)
    pinch = make_plate((0, 0, h + rise + 0.008), X, Y, wide, 0.016, 0.003)
    return Draft([body, roof, ridge], [grip, pinch], True)


KINDS: Final[dict[str, Callable[[Pick], Draft]]] = {
    "bottle": make_bottle,
    "can": make_can,
    "jar": make_jar,
    "spray": make_spray,
    "pump": make_pump,
    "carton": make_carton,
}
"""Makers by the names of the kinds."""
