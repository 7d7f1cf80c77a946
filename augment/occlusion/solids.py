"""Simple bodies as rows of numbers, and where a ray from the camera first meets one.

A ray is (x, y, 1), so that its parameter is the depth z itself. All lengths are metres in camera
axes; `math.inf` is a miss. The formulas are those of any textbook on ray casting (quadratics and
slabs); each is solved for the whole body at once, nothing is marched or sampled.

A row has ROW numbers, the kind first:

- capsule: 1-3 and 4-6 the ends of its axis, 7 the radius
- the others: 1-3 the centre, 4-12 the local axes x, y, z in camera axes, one after the other
- box, ellipsoid: 13-15 half extents along them
- sheet, a rectangle without thickness, bent about its local y by half a turn at most: 13 half
  length (along x), 14 half width (along y), 15 curvature 1/m (towards local z; 0 is flat), 16 the
  cosine of half the angle that it spans
- blob, a pillow with a wavy outline that faces the camera: 13 radius, 14 how far its middle stands
  out towards the camera, 15-20 cosine and sine part of the outline's 2nd, 3rd and 4th harmonic
"""

import math
from typing import Final

from numba import njit

CAPSULE, BOX, ELLIPSOID, SHEET, BLOB = range(5)
"""Kinds of rows."""

ROW: Final = 21
"""Numbers of a row."""

FLAT: Final = 1e-4
"""Curvatures below this, 1/m, count as none."""


@njit(cache=True, nogil=True, error_model="numpy")
def unpack_row(row):  # type: ignore[no-untyped-def]
    """A row as a tuple: what depends on it alone is then worked out once, not for every ray."""
    return (
        row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7], row[8], row[9], row[10],
        row[11], row[12], row[13], row[14], row[15], row[16], row[17], row[18], row[19], row[20],
    )  # fmt: skip


@njit(cache=True, nogil=True, error_model="numpy")
def meet_row(row, x, y):  # type: ignore[no-untyped-def]
    """Depth at which the ray (x, y, 1) first meets the body of an unpacked row."""
    kind = int(row[0])
    if kind == CAPSULE:
        return _meet_capsule(row, x, y)
    # The ray in local axes: from o in direction d.
    dx = row[4] * x + row[5] * y + row[6]
    dy = row[7] * x + row[8] * y + row[9]
    dz = row[10] * x + row[11] * y + row[12]
    ox = -(row[4] * row[1] + row[5] * row[2] + row[6] * row[3])
    oy = -(row[7] * row[1] + row[8] * row[2] + row[9] * row[3])
    oz = -(row[10] * row[1] + row[11] * row[2] + row[12] * row[3])
    if kind == BOX:
        return _meet_box(ox, oy, oz, dx, dy, dz, row[13], row[14], row[15])
    if kind == ELLIPSOID:
        a, b, c = 1.0 / row[13], 1.0 / row[14], 1.0 / row[15]
        return _meet_ball(ox * a, oy * b, oz * c, dx * a, dy * b, dz * c, 1.0)
    if kind == SHEET:
        return _meet_sheet(ox, oy, oz, dx, dy, dz, row[13], row[14], row[15], row[16])
    return _meet_blob(row, ox, oy, oz, dx, dy, dz)


@njit(cache=True, nogil=True, error_model="numpy")
def _meet_ball(ox, oy, oz, dx, dy, dz, radius):  # type: ignore[no-untyped-def]
    a = dx * dx + dy * dy + dz * dz
    b = ox * dx + oy * dy + oz * dz
    c = ox * ox + oy * oy + oz * oz - radius * radius
    h = b * b - a * c
    if h < 0.0:
        return math.inf
    t = (-b - math.sqrt(h)) / a
    return t if t > 0.0 else math.inf


@njit(cache=True, nogil=True, error_model="numpy")
def _meet_capsule(row, x, y):  # type: ignore[no-untyped-def]
    px, py, pz, radius = row[1], row[2], row[3], row[7]
    ax, ay, az = row[4] - px, row[5] - py, row[6] - pz
    axis, along = ax * ax + ay * ay + az * az, ax * x + ay * y + az
    from_end = -(ax * px + ay * py + az * pz)
    norm, toward = x * x + y * y + 1.0, -(px * x + py * y + pz)
    a = axis * norm - along * along
    b = axis * toward - from_end * along
    c = axis * (px * px + py * py + pz * pz) - from_end * from_end - radius * radius * axis
    h = b * b - a * c
    if h < 0.0:
        return math.inf  # past the endless cylinder, hence past the caps
    # Along the axis both caps are met through the nearer end alone.
    place = from_end + along * ((-b - math.sqrt(h)) / a) if a > 1e-12 * axis * norm else -along
    if a > 1e-12 * axis * norm and 0.0 < place < axis:
        t = (-b - math.sqrt(h)) / a
        return t if t > 0.0 else math.inf
    if place <= 0.0:
        return _meet_ball(-px, -py, -pz, x, y, 1.0, radius)
    return _meet_ball(-row[4], -row[5], -row[6], x, y, 1.0, radius)


@njit(cache=True, nogil=True, error_model="numpy")
def _cut_slab(o, d, half, first, last):  # type: ignore[no-untyped-def]
    if d == 0.0:
        return (first, last) if abs(o) <= half else (math.inf, -math.inf)
    near, far = (-half - o) / d, (half - o) / d
    if near > far:
        near, far = far, near
    return max(first, near), min(last, far)


@njit(cache=True, nogil=True, error_model="numpy")
def _meet_box(ox, oy, oz, dx, dy, dz, hx, hy, hz):  # type: ignore[no-untyped-def]
    first, last = _cut_slab(ox, dx, hx, -math.inf, math.inf)
    first, last = _cut_slab(oy, dy, hy, first, last)
    first, last = _cut_slab(oz, dz, hz, first, last)
    return first if 0.0 < first <= last else math.inf


@njit(cache=True, nogil=True, error_model="numpy")
def _meet_sheet(ox, oy, oz, dx, dy, dz, length, width, bend, cosine):  # type: ignore[no-untyped-def]
    if abs(bend) < FLAT:
        t = -oz / dz if dz != 0.0 else math.inf
        flat = abs(ox + t * dx) <= length and abs(oy + t * dy) <= width
        return t if t > 0.0 and flat else math.inf
    # A part of a cylinder whose axis runs along local y through (0, 0, 1 / bend).
    middle = 1.0 / bend
    a = dx * dx + dz * dz
    b = ox * dx + (oz - middle) * dz
    c = ox * ox + oz * oz - 2.0 * middle * oz
    h = b * b - a * c
    if h < 0.0 or a == 0.0:
        return math.inf
    h, a = math.sqrt(h), 1.0 / a
    # A point is on the circle: its angle shows in its cosine alone.
    t = (-b - h) * a
    if t > 0.0 and abs(oy + t * dy) <= width and 1.0 - bend * (oz + t * dz) >= cosine:
        return t
    t = (-b + h) * a
    if t > 0.0 and abs(oy + t * dy) <= width and 1.0 - bend * (oz + t * dz) >= cosine:
        return t
    return math.inf


@njit(cache=True, nogil=True, error_model="numpy")
def _meet_blob(row, ox, oy, oz, dx, dy, dz):  # type: ignore[no-untyped-def]
    t = -oz / dz if dz != 0.0 else math.inf
    if not 0.0 < t < math.inf:
        return math.inf
    px, py, radius = ox + t * dx, oy + t * dy, row[13]
    away = px * px + py * py
    if away > 4.0 * radius * radius:
        return math.inf
    edge, r = 1.0, math.sqrt(away)
    if r > 0.0:
        # cos and sin of 2, 3, 4 times the angle, each from the last.
        c, s = px / r, py / r
        ck, sk = c, s
        ck, sk = c * ck - s * sk, s * ck + c * sk
        edge += row[15] * ck + row[16] * sk
        ck, sk = c * ck - s * sk, s * ck + c * sk
        edge += row[17] * ck + row[18] * sk
        ck, sk = c * ck - s * sk, s * ck + c * sk
        edge += row[19] * ck + row[20] * sk
    edge = max(edge, 0.1) * radius
    if away > edge * edge:
        return math.inf
    # The middle of the image of the blob is nearer by `row[14]`, its rim is in the plane.
    return t * (1.0 - row[14] / -oz * (1.0 - away / (edge * edge))) if oz < 0.0 else math.inf
