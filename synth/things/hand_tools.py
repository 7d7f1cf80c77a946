"""Tools of a workshop: they lie along x, their working end to +x."""

from collections.abc import Callable
from typing import Final

import numpy as np

from synth.things.draft import Draft, Pick
from synth.things.handles import X, Z, make_plate, make_rod
from synth.things.shapes import arc, box, lay, place, prism, revolve, tube


def make_screwdriver(pick: Pick) -> Draft:
    """A thick grip, a thin shaft, a flat tip."""
    r, long = pick(0.0115, 0.0175), pick(0.08, 0.115)
    rod, shaft = pick(0.0022, 0.0038), pick(0.06, 0.15)
    profile = [(0.6 * r, 0), (0.95 * r, 0.006), (r, 0.3 * long), (0.85 * r, 0.72 * long)]
    profile += [(0.95 * r, 0.85 * long), (0.6 * r, long)]
    grip = lay(revolve(profile, 12))
    steel = lay(revolve([(rod, long - 0.005), (rod, long + shaft)], 8))
    tip = place(box((0.012, 2.6 * rod, 0.0016)), (long + shaft + 0.002, 0, 0))
    return Draft(
        [grip, steel, tip], [make_rod((0.46 * long, 0, 0), X, 0.95 * r, 0.85 * long)], False
    )


def make_hammer(pick: Pick) -> Draft:
    """A round face on one side, a wedge on the other."""
    long, rod = pick(0.22, 0.29), pick(0.0115, 0.0145)
    span, face = pick(0.085, 0.115), pick(0.011, 0.0155)
    spots = [[0.0, 0, 0], [0.008, 0, 0], [0.25 * long, 0, 0], [0.6 * long, 0, 0], [long, 0, 0]]
    grip = tube(spots, [0.8 * rod, rod, 1.0 * rod, 0.75 * rod, 0.75 * rod], Z, 10, flat=0.85)
    block = place(box((1.7 * face, 0.5 * span, 1.7 * face)), (long, 0, 0))
    round_face = place(
        revolve([(0.85 * face, 0), (face, 0.22 * span), (face, 0.38 * span)], 14),
        (long, 0.12 * span, 0),
        z=(0, 1, 0),
    )
    claw = place(
        prism(
            np.array([[-face, 0], [face, 0], [0.2 * face, 0.4 * span], [-0.1 * face, 0.4 * span]]),
            -0.8 * face,
            0.8 * face,
        ),
        (long, -0.2 * span, 0),
        z=(0, 0, -1),
        x=(1, 0, 0),
    )
    handle = make_rod((0.3 * long, 0, 0), X, 0.92 * rod, 0.55 * long)
    neck = make_rod((0.75 * long, 0, 0), X, 0.72 * rod, 0.25 * long)
    return Draft([grip, block, round_face, claw], [handle, neck], False)


def make_pliers(pick: Pick) -> Draft:
    """Two bowed grips, a joint, two jaws."""
    long, jaw, rod = pick(0.1, 0.125), pick(0.04, 0.06), pick(0.0055, 0.0075)
    spread = pick(0.018, 0.026)
    parts = [place(revolve([(0.014, -0.006), (0.014, 0.006)], 14), (long, 0, 0))]
    for sign in (-1.0, 1.0):
        path = np.array(
            [
                [0, 0.8 * spread, 0],
                [0.3 * long, spread, 0],
                [0.65 * long, 0.8 * spread, 0],
                [long, 0.005, 0],
            ]
        )
        path[:, 1] *= sign
        parts.append(tube(path, [0.8 * rod, rod, rod, 0.8 * rod], Z, 8))
        tooth = np.array([[0, 0.0004], [jaw, 0.0004], [jaw, 0.0035], [0, 0.011]])
        # Mirrored, an outline runs the other way round: turned over, it does not.
        parts.append(
            place(prism(tooth, -0.0045, 0.0045), (long + 0.006, 0, 0), z=(0, 0, sign), x=(1, 0, 0))
        )
    both = make_plate((0.42 * long, 0, 0), X, Z, 0.8 * long, 2 * (spread + 0.7 * rod), 1.7 * rod)
    return Draft(parts, [both], False)


def make_scissors(pick: Pick) -> Draft:
    """Two eyes, two shanks, two blades that cross."""
    eye, shank, blade = pick(0.014, 0.019), pick(0.035, 0.05), pick(0.07, 0.1)
    wire, thin, spread = 0.0032, 0.0022, pick(0.0, 4.0)
    pivot = 2 * eye * 1.25 + shank
    parts, handles = [place(revolve([(0.005, -0.0035), (0.005, 0.0035)], 12), (pivot, 0, 0))], []
    for sign in (-1.0, 1.0):
        y = sign * (eye + 0.004 + 0.001 * spread)
        path = arc((1.25 * eye, y, 0), (1.25 * eye, 0, 0), (0, eye, 0), 0, 330, 12)
        parts.append(tube(path, wire, Z, 6, flat=1.2, looped=True))
        # Each eye's blade is on the other side of the joint.
        lift = sign * thin / 2
        steps = [[2.4 * eye, 0.8 * y, 0], [pivot - 0.012, 0.25 * y, lift], [pivot, 0, lift]]
        parts.append(tube(steps, [0.0035, 0.0045, 0.005], Z, 6, flat=0.4))
        lean = -sign * np.radians(2 + spread)
        outline = np.array(
            [
                [-0.008, -0.0055],
                [0.6 * blade, -0.0045],
                [blade, 0],
                [0.6 * blade, 0.0045],
                [-0.008, 0.0055],
            ]
        )
        parts.append(
            place(
                prism(outline, lift - thin / 2, lift + thin / 2),
                (pivot, 0, 0),
                x=(np.cos(lean), np.sin(lean), 0),
            )
        )
    wide = 4 * eye + 0.008
    handles.append(make_plate((1.25 * eye, 0, 0), X, Z, 2.4 * eye, wide, 0.007))
    handles.append(make_plate((pivot - 0.4 * shank, 0, 0), X, Z, 0.6 * shank, 0.014, 0.005))
    return Draft(parts, handles, False)


def make_wrench(pick: Pick) -> Draft:
    """A flat shank with a jaw at one end and an eye at the other."""
    long, wide, thin = pick(0.11, 0.17), pick(0.011, 0.016), pick(0.005, 0.0075)
    shank = prism(
        np.array([[0, -0.4 * wide], [long, -0.5 * wide], [long, 0.5 * wide], [0, 0.4 * wide]]),
        -thin / 2,
        thin / 2,
        bevel=0.001,
    )
    eye = wide * pick(0.75, 0.95)
    loop = revolve(
        [(0.6 * eye, -thin / 2), (eye, -thin / 2), (eye, thin / 2), (0.6 * eye, thin / 2)],
        18,
        looped=True,
    )
    parts = [shank, place(loop, (-0.75 * eye, 0, 0))]
    for sign in (-1.0, 1.0):
        prong = place(
            box((1.9 * wide, 0.5 * wide, thin)), (long + 0.75 * wide, sign * 0.6 * wide, 0)
        )
        parts.append(prong)
    parts.append(place(box((0.5 * wide, 1.5 * wide, thin)), (long, 0, 0)))
    return Draft(parts, [make_plate((long / 2, 0, 0), X, Z, 0.9 * long, 0.9 * wide, thin)], False)


def make_dumbbell(pick: Pick) -> Draft:
    """A bar with a weight at each end."""
    rod, long, r, disk = pick(0.012, 0.016), pick(0.1, 0.12), pick(0.028, 0.045), pick(0.025, 0.045)
    end = long / 2
    profile = [(0.85 * r, -end - disk), (r, -end - 0.8 * disk), (r, -end), (rod, -end), (rod, end)]
    profile += [(r, end), (r, end + 0.8 * disk), (0.85 * r, end + disk)]
    return Draft([lay(revolve(profile, 16))], [make_rod((0, 0, 0), X, rod, long)], False)


KINDS: Final[dict[str, Callable[[Pick], Draft]]] = {
    "screwdriver": make_screwdriver,
    "hammer": make_hammer,
    "pliers": make_pliers,
    "scissors": make_scissors,
    "wrench": make_wrench,
    "dumbbell": make_dumbbell,
}
"""Makers by the names of the kinds."""
