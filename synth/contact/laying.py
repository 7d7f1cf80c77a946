"""Where a thing is laid in the open hand, for each of the ways to take hold."""

# mypy: allow-untyped-defs

from typing import Final

from numba import njit

from synth.contact.choosing import BALL, RIM, ROD
from synth.contact.classes import AXES
from synth.contact.placing import (
    FAR_M,
    PALM_BONES,
    SEAT_BONES,
    attach,
    bring,
    cross,
    find_aperture,
    normalize,
    opposing_places,
    orient,
    push_out,
    reject,
)
from synth.contact.posture import JIT, LINKS, mark_point

SLACK_M: Final = 0.0008
PALM_CLASS, PADS_CLASS, SIDE_CLASS = 0, 1, 2
GRIP_M: Final = 0.040
"""Half the width of a hand: a long thing is held where all of it is on the thing."""


@njit(**JIT)
def draw_angles(ways, g, noise, jitter, state):
    """start and way (29,) of every digit: from its open to its closed posture, with deviations."""
    start, way = state.start, state.way
    angles = state.angles
    for i in range(29):
        angles[i] = 0.0
        start[i] = ways.opened[g, i]
        way[i] = ways.closed[g, i] - ways.opened[g, i]
    angles[2] = ways.closed[g, 2]
    for i in range(3, 7):
        start[i] += 0.9 * jitter * noise[i - 3]
    start[8] += 0.9 * jitter * noise[4]
    for f in range(4):
        b = 9 + 5 * f
        start[b] += 0.5 * jitter * (noise[5] + noise[6 + 2 * f])
        way[b] += 0.4 * jitter * noise[6 + 2 * f]
        start[b + 1] += 0.25 * jitter * noise[7 + 2 * f]
        start[b + 3] += 0.6 * jitter * (noise[5] + noise[7 + 2 * f])


@njit(**JIT)
def place_solid(ways, g, f, h, hand, flesh, who, handles, mirrored, u, noise, press, pack, solid,
                state, T, inward, vectors):  # fmt: skip
    """Put the solid into the open hand. Returns the share of the way from which the digits close,
    or less than -5 where there is no place.

    T, inward (3, 4) are filled; vectors (8, 3), R: scratch.
    """
    across, outward, along = vectors[0], vectors[1], vectors[2]
    one, two, point, centre, away = vectors[3], vectors[4], vectors[5], vectors[6], vectors[7]
    R = vectors[9:12]
    size = hand.size[who]
    shape = ways.fit_shape[f]
    half = handles.half[h]
    thick, deep, long = half[AXES[shape, 0]], half[AXES[shape, 1]], half[AXES[shape, 2]]
    tilt = ways.tilt[g]
    for i in range(3):
        along[i] = ways.along[g, i] + tilt * noise[i]
    normalize(along)
    begin = 0.0
    mode = ways.mode[g]
    if mode == PALM_CLASS:
        for i in range(3):
            across[i] = ways.normal[g, i] + 0.7 * tilt * noise[3 + i]
        normalize(across)
        reject(along, across)
        cross(across, along, outward)
        # The middle of the knuckles and of the PIP joints, weighted by where the thing lies.
        spot = ways.spot[g] + 0.06 * (u[0] - 0.5)
        knuckle, pip = min(spot, 2.0 - spot), max(spot - 1.0, 0.0)
        for i in range(3):
            total = 0.0
            for d in range(4):
                total += knuckle * state.origin[6 + 4 * d, i] + pip * state.origin[7 + 4 * d, i]
            centre[i] = 0.25 * total
        centre[0] += ways.sideways[g]
        room = max(long - GRIP_M * size, 0.0)
        shift = (2 * u[1] - 1) * room
        lift = thick + FAR_M
        for i in range(3):
            centre[i] += shift * along[i] + lift * across[i]
        orient(shape, handles.round[h], across, outward, along, u[2], u[3], u[4], R)
        attach(R, centre, handles.T[h], mirrored, T, inward)
        for i in range(3):
            across[i] = -across[i]
        met = bring(hand, who, state, PALM_BONES, len(PALM_BONES), T, mirrored, inward, across,
                    FAR_M + 0.05, 0.5 * press, pack, solid)  # fmt: skip
        return 0.0 if met == 1 else -10.0
    wanted = 2 * thick
    begin = find_aperture(ways, g, hand, who, wanted + SLACK_M, state, one, two, point)
    if begin < -5.0:
        return -11.0
    for i in range(3):
        across[i] = two[i] - one[i]
        if mode == SIDE_CLASS:
            # Square to the side of the index finger, whatever the thumb does.
            across[i] = state.turn[7, i, 0] + 0.7 * tilt * noise[3 + i]
    normalize(across)
    # Away from the hand: from the knuckles of index and thumb to the opposing places and beyond.
    for i in range(3):
        knuckles = 0.0
        for d in range(4):
            knuckles += 0.25 * state.origin[6 + 4 * d, i]
        away[i] = 0.5 * (one[i] + two[i]) - 0.5 * (knuckles + state.origin[3, i])
    normalize(away)
    if ways.to_web[g]:
        for i in range(3):
            web = 0.75 * state.origin[6, i] + 0.25 * state.origin[3, i]
            along[i] = web - 0.5 * (one[i] + two[i])
        along[0] -= 0.008 * size
        along[1] += 0.014 * size
        normalize(along)
        for i in range(3):
            along[i] += tilt * noise[i]
        normalize(along)
        reject(across, along)
    elif ways.along_pads[g, 0] >= 0:
        mark_point(hand, who, ways.along_pads[g, 0], state.bones, point)
        mark_point(hand, who, ways.along_pads[g, 1], state.bones, along)
        for i in range(3):
            along[i] -= point[i]
        normalize(along)
        for i in range(3):
            along[i] += 0.7 * tilt * noise[i]
        normalize(along)
        reject(across, along)
    else:
        if ways.away[g]:
            for i in range(3):
                along[i] = away[i] + tilt * noise[i]
        reject(along, across)
    cross(across, along, outward)
    side = 0.0
    for i in range(3):
        side += outward[i] * away[i]
    if side < 0.0:
        for i in range(3):
            outward[i] = -outward[i]
    inset = (ways.inset[g, 0] + (ways.inset[g, 1] - ways.inset[g, 0]) * u[0]) * size
    spread = 2 * u[1] - 1
    if ways.to_web[g]:
        tip = (ways.reach[g, 0] + (ways.reach[g, 1] - ways.reach[g, 0]) * u[1]) * size
        shift, out = max(long - tip, 0.0), 0.0
    elif ways.away[g]:
        shift, out = max(long - inset, 0.0), 0.6 * spread * max(deep - 0.012 * size, 0.0)
    else:
        shift, out = spread * max(long - 0.4 * GRIP_M * size, 0.0), max(deep - inset, 0.0)
    if shape in (ROD, RIM, BALL):
        # The places lie at the ends of a diameter.
        out = 0.0
    for i in range(3):
        place = 0.5 * (one[i] + two[i])
        if mode == SIDE_CLASS:
            place = two[i] - (thick + 0.03) * across[i]
        centre[i] = place + out * outward[i] + shift * along[i]
    orient(shape, handles.round[h], across, outward, along, u[2], u[3], u[4], R)
    attach(R, centre, handles.T[h], mirrored, T, inward)
    open_by = 0.012 if not ways.seat[g] else 0.022
    start = find_aperture(ways, g, hand, who, wanted + open_by, state, one, two, point)
    if start < -5.0:
        start = -0.6
        opposing_places(ways, g, hand, who, start, state, one, two, point)
    if mode == SIDE_CLASS:
        met = bring(hand, who, state, PALM_BONES, len(PALM_BONES), T, mirrored, inward, across,
                    0.07, 0.5 * press, pack, solid)  # fmt: skip
        return start if met == 1 else -12.0
    count = SEAT_BONES.shape[0]
    for k in range(count):
        state.listed[k] = SEAT_BONES[k]
    for d in range(1, 5):
        if ways.moving[g, d]:
            state.listed[count], state.listed[count + 1] = LINKS[d, 0], LINKS[d, 1]
            count += 2
    free = along if ways.away[g] else outward
    if not push_out(hand, who, state, state.listed, count, T, mirrored, inward, free,
                    0.03 + 0.3 * deep, 0.5 * press, pack, solid):  # fmt: skip
        return -13.0
    if ways.seat[g]:
        for i in range(3):
            outward[i] = -outward[i]
        bring(hand, who, state, state.listed, count, T, mirrored, inward, outward,
              0.02 + 0.6 * deep, 0.5 * press, pack, solid)  # fmt: skip
    return start
