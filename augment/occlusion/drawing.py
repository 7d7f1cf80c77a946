"""One occluder onto a frame's images: aimed at a hand, cast, settled in depth, written."""

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from augment.occlusion.bodies import NUMBERS as LUMP_NUMBERS
from augment.occlusion.bodies import Body, make_sphere, shape_lump
from augment.occlusion.canvas import Canvas
from augment.occlusion.casting import cast_rows, cast_triangles
from augment.occlusion.config import BEHIND, KINDS, SIZES, Occlusion
from augment.occlusion.inserting import nearest, put_body, settle_before, settle_behind
from augment.occlusion.occluders import draw_length, draw_normal, face_point, fill_rows, slant
from augment.occlusion.pasting import hold_hand
from augment.occlusion.plan import AIM
from augment.occlusion.sprites import Sprite, aim_sprite, cast_sprite, keep_fingers
from frames.parts import HAND_STRIDE, MAX_HANDS
from frames.record import SceneObject
from frames.skeleton import KEYPOINTS

_LARGEST: Final = 1.6
"""What is behind a hand may be scaled up by so much in settling."""
_SMALLEST: Final = 0.6
"""What is cut from another frame may be scaled down by so much."""
_TRIES: Final = 4
"""So many hands of other frames are tried."""

_NO_CODES: Final = np.zeros((0, 0), np.uint8)


def aim_occluder(
    canvas: Canvas, config: Occlusion, u: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """A point (3,) in camera axes beside a random keypoint of a random hand in the image; without
    hands that of a random pixel; None where there is none to be had."""
    frame = canvas.frame
    hands = [hand for hand in frame.hands if (hand.visibility > 0).any()]
    if hands:
        hand = hands[int(u[0] * len(hands))]
        inside = np.flatnonzero(hand.visibility)
        k = int(inside[int(u[1] * len(inside))])
        point = np.asarray(hand.keypoints_cam_m[k], np.float64)
        if not np.isfinite(point).all():
            column, row = (math.floor(c + 0.5) for c in hand.keypoints_px[k].tolist())
            point = _find_point(canvas, row, column)
    else:
        height, width = canvas.depth.shape
        point = _find_point(canvas, int(u[0] * height), int(u[1] * width))
    if not (np.isfinite(point).all() and point[2] > 1.1 * canvas.near_m):
        return None
    across = face_point(point, 2 * math.pi * u[2])[0]
    return np.asarray(point + config.spread_m * draw_normal(u[3], u[4]) * across)


def _find_point(canvas: Canvas, row: int, column: int) -> NDArray[np.float64]:
    height, width = canvas.depth.shape
    row, column = min(max(row, 0), height - 1), min(max(column, 0), width - 1)
    x, y = canvas.lines.rays[row, column]
    z = float(canvas.depth[row, column]) * canvas.step_m
    return np.array([x, y, 1.0]) * z


def draw_kind(
    canvas: Canvas,
    config: Occlusion,
    kind: str,
    point: NDArray[np.float64],
    u: NDArray[np.float64],
    sprites: Sequence[Sprite],
    bodies: Sequence[Body],
) -> bool:
    """Put one occluder of a kind in; False if none of it would show or it finds no room.

    u: the aim's numbers, then the kind's own.
    """
    own = u[AIM:]
    behind = kind in BEHIND
    clearance = float(draw_length(np.array(config.gap_m if behind else config.clearance_m), u[5]))
    if behind:
        clearance += config.flesh_m
    else:
        clearance = min(clearance, 0.5 * (float(point[2]) - canvas.near_m))
    if kind.startswith("cut_"):
        return _draw_sprite(canvas, kind, point, clearance, u, sprites)
    lines = canvas.lines
    if kind == "body":
        mesh, pose, size = _place_mesh(config, point, clearance, own, bodies)
        cast = cast_triangles(lines.rays, lines.centres, lines.spreads, *mesh, 0.5 * canvas.near_m)
    else:
        rows, pose, size = fill_rows(KINDS.index(kind), point, clearance, config.sizes, own)
        cast = cast_rows(lines.rays, lines.centres, lines.spreads, rows, 0.5 * canvas.near_m)
    ratio = _settle(canvas, cast, clearance, behind)
    if ratio is None:
        return False
    covered = put_body(
        *cast, ratio, canvas.next_code, _NO_CODES, canvas.frame.depth_scale, canvas.fill,
        canvas.depth, canvas.parts, canvas.removed,
    )  # fmt: skip
    _list_object(canvas, kind, pose, size, ratio, covered)
    return bool(covered)


def _settle(canvas: Canvas, cast: Any, clearance: float, behind: bool) -> float | None:
    """The ratio to scale a cast body by; None if it cannot be where it should."""
    settle = settle_behind if behind else settle_before
    ratio = settle(
        *cast, canvas.depth, canvas.parts, canvas.solid, canvas.far, canvas.step_m, clearance
    )
    if behind:
        return ratio if ratio <= _LARGEST else None
    return ratio if ratio * nearest(cast[2]) >= canvas.near_m else None


def _list_object(
    canvas: Canvas,
    name: str,
    pose: NDArray[np.float64],
    size: NDArray[np.float64],
    ratio: float,
    covered: int,
) -> None:
    canvas.covered += covered
    code = canvas.next_code
    if covered and code:
        placed = pose.astype(np.float32)
        placed[:3, 3] *= ratio
        extents = (size * ratio).astype(np.float32)
        canvas.objects.append(SceneObject("occluder", code, placed, extents, name))


def _place_mesh(
    config: Occlusion,
    point: NDArray[np.float64],
    clearance: float,
    u: NDArray[np.float64],
    bodies: Sequence[Body],
) -> tuple[tuple[NDArray[np.float64], NDArray[np.int64]], NDArray[np.float64], NDArray[np.float64]]:
    """A mesh before a point: (vertices, faces), pose, extents."""
    half = 0.5 * float(draw_length(config.sizes[SIZES.index("body_size_m")], u[0]))
    if bodies:
        body = bodies[int(u[1] * len(bodies))]
        vertices, faces = body.vertices, body.faces
        half = body.half_side_m if math.isfinite(body.half_side_m) else half
    else:
        sphere, faces = make_sphere()
        vertices = shape_lump(sphere, u[8 : 8 + LUMP_NUMBERS], 0.9 * u[1])
    axes = face_point(point, 2 * math.pi * u[2])
    turn = 2 * math.pi * u[5]
    off = half * (0.2 + 0.8 * u[6])
    middle = point - (clearance + half) * axes[2]
    middle = middle + off * (math.cos(turn) * axes[0] + math.sin(turn) * axes[1])
    axes = slant(axes, 2 * math.pi * u[3], math.asin(2 * u[4] - 1))
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = axes.T, middle
    size = half * (vertices.max(0) - vertices.min(0))
    # No matrix product: its last bit may depend on the machine's library.
    placed = half * (
        vertices[:, :1] * axes[0] + vertices[:, 1:2] * axes[1] + vertices[:, 2:] * axes[2]
    )
    return (placed + middle, faces), pose, size


def _draw_sprite(
    canvas: Canvas,
    kind: str,
    point: NDArray[np.float64],
    clearance: float,
    u: NDArray[np.float64],
    sprites: Sequence[Sprite],
) -> bool:
    """A hand of another frame, or a finger of it."""
    whole = kind == "cut_hand"
    slot = canvas.next_slot
    if not sprites or (whole and slot >= MAX_HANDS):
        return False
    own = u[AIM:]
    for attempt in range(_TRIES):
        # Spread evenly whatever the first choice is.
        choice = (u[6] + 0.618 * attempt) % 1.0
        sprite = sprites[int(choice * len(sprites))]
        keypoint = int(own[4 * attempt] * KEYPOINTS)
        finger = int(own[4 * attempt + 1] * 5)
        if not whole:
            keypoint = 4 * finger + 2 + int(own[4 * attempt] * 3)
            # At times the next one too.
            two = own[4 * attempt + 2] < 0.4 and 1 <= finger <= 3
            sprite = keep_fingers(sprite, (finger, finger + 1) if two else (finger,))
        # Forearms keep pointing roughly where they did; fingers may come from anywhere.
        roll = (0.8 if whole else 2 * math.pi) * (own[4 * attempt + 3] - 0.5)
        turn = aim_sprite(sprite, keypoint, point, roll)
        lines = canvas.lines
        *cast, codes = cast_sprite(
            lines.rays, lines.centres, lines.spreads, sprite.depth_m, sprite.parts,
            sprite.focal_px, *sprite.centre_px, turn,
        )  # fmt: skip
        # Begin before the point, at most a little larger than it was.
        start = min(1.25, float(point[2]) / float(turn[:, 2] @ sprite.keypoints_m[keypoint]))
        cast[2] *= start
        ratio = _settle(canvas, tuple(cast), clearance, behind=False)
        if ratio is not None and start * ratio >= _SMALLEST:
            break
    else:
        return False
    covered = put_body(
        *cast, ratio, HAND_STRIDE * slot if whole else canvas.next_code,
        codes if whole else _NO_CODES, canvas.frame.depth_scale, canvas.fill,
        canvas.depth, canvas.parts, canvas.removed,
    )  # fmt: skip
    ratio *= start
    if whole:
        canvas.covered += covered
        if covered:
            camera, window = canvas.frame.camera, (cast[0], cast[1])
            paste = hold_hand(sprite, camera, turn, ratio, slot, window, codes)
            canvas.pasted.append(paste)
        return bool(covered)
    pose = np.eye(4)
    pose[:3, :3] = turn.T
    pose[:3, 3] = turn.T @ sprite.keypoints_m[keypoint]
    reach = sprite.keypoints_m[4 * finger + 1 : 4 * finger + 5]
    _list_object(canvas, kind, pose, np.ptp(reach, 0) + 0.018, ratio, covered)
    return bool(covered)
