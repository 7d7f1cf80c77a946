"""What may stand on tables and in rooms: simple pieces of boxes, and things of the catalogue.

All are closed meshes in metres, centred on their bounding box, with z up and their front towards
-y.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

import numpy as np

from synth.things.model import Model, make_model
from synth.things.shapes import ellipsoid, join, revolve

MOST_FACES: Final = 400
"""Things of the catalogue with more faces do not serve as clutter: triangles cost time."""

CUBE, CYLINDER, BALL, FIRST = 0, 1, 2, 3
"""Models that fill the unit cube, for tops, legs, boards and cushions; then what follows."""

Span = tuple[float, float, float, float, float, float]
"""A box: least x, y, z, greatest x, y, z, metres."""


class Thing(Protocol):
    """A `synth.things.solid.Solid`, or anything else with its size."""

    @property
    def model(self) -> Model: ...
    @property
    def extent_m(self) -> np.ndarray: ...
    @property
    def upright(self) -> bool: ...


class Shapes(NamedTuple):
    """Sizes of N models as arrays; one argument of a compiled function."""

    extent_m: np.ndarray
    """(N, 3) size of the bounding box, metres."""
    first_part: np.ndarray
    """(N + 1,) parts of model n are first_part[n] ... first_part[n + 1] - 1."""
    part_middle: np.ndarray
    """(M, 3) metres: the boxes that a model fills."""
    part_half: np.ndarray
    """(M, 3) metres"""
    clutter: np.ndarray
    """(N,) cumulative chance to be drawn as a thing on a table, up to 1."""
    furniture: np.ndarray
    """(N,) cumulative chance to be drawn as a piece of furniture, up to 1."""
    facing: np.ndarray
    """(N,) bool: does its front look at the wearer?"""
    may_lie: np.ndarray
    """(N,) bool: does it lie on its side at times?"""
    stretch: np.ndarray
    """(N,) its size varies by at most this share; things of the catalogue come in their own."""


@dataclass(frozen=True)
class Furnishings:
    """Everything that surroundings are made of."""

    models: tuple[Model, ...]
    """CUBE, CYLINDER and BALL, simple pieces, then things of the catalogue."""
    shapes: Shapes
    """Their sizes."""


def furnish(solids: Sequence[Thing] = (), most_faces: int = MOST_FACES) -> Furnishings:
    """Simple pieces, and of the catalogue what has few faces."""
    units = (
        make_model("cube", *_join_spans([(-0.5, -0.5, -0.5, 0.5, 0.5, 0.5)])),
        make_model("cylinder", *_fill_cube(*revolve([(1.0, -1.0), (1.0, 1.0)], 16))),
        make_model("ball", *_fill_cube(*ellipsoid((1.0, 1.0, 1.0), 10, 5))),
    )
    pieces = {**_tabletop_pieces(), **_room_pieces()}
    drawn = [_centre(name, spans) for name, spans in pieces.items()]
    few = [s for s in solids if len(s.model.faces) <= most_faces]
    models = (*units, *(model for model, _ in drawn), *(s.model for s in few))
    unit = np.array([[0.0, 0, 0, 0.5, 0.5, 0.5]])
    parts = [unit, unit, unit, *(boxes for _, boxes in drawn)]
    parts += [np.concatenate([np.zeros(3), np.asarray(s.extent_m) / 2])[None] for s in few]
    extent = [np.ptp(m.vertices.astype(np.float64), axis=0) for m in models]
    names = [*("", "", ""), *pieces, *("" for _ in few)]
    on_table = np.array([TABLE_WEIGHTS.get(name, 0.0) for name in names])
    if few:
        # Half of what lies about is of the catalogue.
        on_table[-len(few) :] = on_table.sum() / len(few)
    in_room = np.array([ROOM_WEIGHTS.get(name, 0.0) for name in names])
    lying = [name in LYING for name in names[: len(names) - len(few)]]
    shapes = Shapes(
        np.array(extent),
        np.cumsum([0, *map(len, parts)]).astype(np.int64),
        np.concatenate(parts)[:, :3].copy(),
        np.concatenate(parts)[:, 3:].copy(),
        np.cumsum(on_table) / on_table.sum(),
        np.cumsum(in_room) / in_room.sum(),
        np.array([name in FACING for name in names]),
        np.array([*lying, *(not s.upright or s.extent_m[2] > 0.1 for s in few)]),
        np.array([0.18] * len(lying) + [0.0] * len(few)),
    )
    return Furnishings(models, shapes)


TABLE_WEIGHTS: Final = {
    "laptop": 2.0,
    "monitor": 1.6,
    "keyboard": 1.4,
    "books": 2.0,
    "papers": 1.2,
    "tissues": 1.2,
    "packet": 1.5,
    "tray": 0.6,
    "toaster": 0.8,
    "basket": 0.6,
}
ROOM_WEIGHTS: Final = {
    "shelf": 2.0,
    "shelf-low": 1.2,
    "cupboard": 1.6,
    "wardrobe": 1.0,
    "sideboard": 1.2,
    "chair": 1.6,
    "sofa": 1.0,
    "pillar": 0.6,
    "lamp": 0.6,
    "desk": 1.0,
    "screen": 0.9,
    "crates": 0.8,
    "bed": 0.6,
}
FACING: Final = ("laptop", "monitor", "keyboard", "toaster")
LYING: Final = ("tissues", "packet", "basket")


def _tabletop_pieces() -> dict[str, list[Span]]:
    return {
        "laptop": [(-0.16, -0.11, 0, 0.16, 0.11, 0.018), (-0.16, 0.09, 0.018, 0.16, 0.115, 0.22)],
        "monitor": [
            (-0.27, -0.015, 0.11, 0.27, 0.02, 0.44),
            (-0.03, 0.02, 0.01, 0.03, 0.05, 0.3),
            (-0.12, -0.08, 0, 0.12, 0.1, 0.012),
        ],
        "keyboard": [(-0.21, -0.065, 0, 0.21, 0.065, 0.022)],
        "books": [
            (-0.12, -0.085, 0, 0.12, 0.085, 0.03),
            (-0.11, -0.08, 0.03, 0.115, 0.075, 0.052),
            (-0.1, -0.075, 0.052, 0.09, 0.08, 0.085),
        ],
        "papers": [(-0.105, -0.148, 0, 0.105, 0.148, 0.006)],
        "tissues": [(-0.115, -0.06, 0, 0.115, 0.06, 0.09)],
        "packet": [(-0.07, -0.03, 0, 0.07, 0.03, 0.22)],
        "tray": [
            (-0.2, -0.14, 0, 0.2, 0.14, 0.01),
            (-0.2, -0.14, 0.01, 0.2, -0.13, 0.035),
            (-0.2, 0.13, 0.01, 0.2, 0.14, 0.035),
            (-0.2, -0.13, 0.01, -0.19, 0.13, 0.035),
            (0.19, -0.13, 0.01, 0.2, 0.13, 0.035),
        ],
        "toaster": [
            (-0.15, -0.09, 0, 0.15, 0.09, 0.17),
            (-0.14, -0.06, 0.17, 0.14, -0.02, 0.19),
            (-0.14, 0.02, 0.17, 0.14, 0.06, 0.19),
        ],
        "basket": [
            (-0.1, -0.07, 0, 0.1, 0.07, 0.01),
            (-0.1, -0.07, 0.01, -0.09, 0.07, 0.1),
            (0.09, -0.07, 0.01, 0.1, 0.07, 0.1),
            (-0.09, -0.07, 0.01, 0.09, -0.06, 0.1),
            (-0.09, 0.06, 0.01, 0.09, 0.07, 0.1),
        ],
    }


def _room_pieces() -> dict[str, list[Span]]:
    return {
        "shelf": _shelf(0.9, 0.3, 1.9, 5),
        "shelf-low": _shelf(1.2, 0.32, 1.0, 3),
        "cupboard": [
            (-0.5, -0.25, 0, 0.5, 0.25, 1.3),
            (-0.49, -0.27, 0.06, -0.01, -0.25, 1.28),
            (0.01, -0.27, 0.06, 0.49, -0.25, 1.28),
            (-0.05, -0.3, 0.6, -0.03, -0.27, 0.75),
            (0.03, -0.3, 0.6, 0.05, -0.27, 0.75),
        ],
        "wardrobe": [
            (-0.6, -0.3, 0, 0.6, 0.3, 2.1),
            (-0.59, -0.32, 0.08, -0.01, -0.3, 2.06),
            (0.01, -0.32, 0.08, 0.59, -0.3, 2.06),
        ],
        "sideboard": [
            (-0.8, -0.22, 0.1, 0.8, 0.22, 0.8),
            (-0.6, -0.1, 0.8, -0.45, 0.1, 1.1),
            (-0.1, -0.12, 0.8, 0.2, 0.08, 0.92),
            (0.4, -0.05, 0.8, 0.65, 0.05, 1.05),
        ],
        "chair": [
            (-0.22, -0.22, 0.42, 0.22, 0.22, 0.47),
            (-0.21, 0.18, 0.47, 0.21, 0.22, 0.92),
            *(
                (x - 0.02, y - 0.02, 0, x + 0.02, y + 0.02, 0.42)
                for x in (-0.19, 0.19)
                for y in (-0.19, 0.19)
            ),
        ],
        "sofa": [
            (-0.9, -0.42, 0, 0.9, 0.42, 0.42),
            (-0.9, 0.18, 0.42, 0.9, 0.42, 0.82),
            (-0.9, -0.42, 0.42, -0.72, 0.18, 0.6),
            (0.72, -0.42, 0.42, 0.9, 0.18, 0.6),
        ],
        "pillar": [(-0.2, -0.2, 0, 0.2, 0.2, 3.4)],
        "lamp": [
            (-0.13, -0.13, 0, 0.13, 0.13, 0.03),
            (-0.015, -0.015, 0.03, 0.015, 0.015, 1.3),
            (-0.17, -0.17, 1.3, 0.17, 0.17, 1.6),
        ],
        "desk": [
            (-0.7, -0.35, 0.7, 0.7, 0.35, 0.74),
            (-0.68, -0.33, 0, -0.64, 0.33, 0.7),
            (0.64, -0.33, 0, 0.68, 0.33, 0.7),
            (-0.3, 0.05, 0.84, 0.26, 0.09, 1.18),
            (-0.03, 0.06, 0.74, 0.03, 0.1, 0.84),
            (0.4, -0.1, 0.74, 0.55, 0.1, 0.95),
        ],
        "screen": [
            (-0.65, 0.0, 0.75, 0.65, 0.06, 1.5),
            (-0.8, -0.2, 0.0, 0.8, 0.2, 0.5),
            (-0.1, -0.02, 0.5, 0.1, 0.06, 0.75),
        ],
        "crates": [
            (-0.3, -0.22, 0, 0.3, 0.22, 0.35),
            (-0.25, -0.2, 0.35, 0.3, 0.18, 0.62),
            (-0.2, -0.15, 0.62, 0.15, 0.15, 0.9),
        ],
        "bed": [
            (-0.75, -1.0, 0.0, 0.75, 1.0, 0.48),
            (-0.75, 1.0, 0, 0.75, 1.06, 1.0),
            (-0.6, 0.55, 0.48, 0.6, 0.95, 0.62),
        ],
    }


def _shelf(width: float, depth: float, height: float, boards: int) -> list[Span]:
    """An open bookcase with a back, and things of fixed sizes on its boards."""
    x, y = width / 2, depth / 2
    spans: list[Span] = [
        (-x, -y, 0, -x + 0.02, y, height),
        (x - 0.02, -y, 0, x, y, height),
        (-x, y - 0.01, 0, x, y, height),
    ]
    step = (height - 0.02) / boards
    for k in range(boards + 1):
        z = k * step
        spans.append((-x + 0.02, -y, z, x - 0.02, y - 0.01, z + 0.02))
        if k == boards:
            break
        at = -x + 0.05 + 0.07 * (k % 3)
        for i in range(3):
            # Sizes in a fixed pattern without a period that shows.
            wide = 0.09 + 0.04 * ((5 * k + 3 * i) % 5)
            tall = (0.5 + 0.13 * ((3 * k + 2 * i) % 4)) * (step - 0.04)
            deep = y - 0.03 - 0.03 * ((k + 2 * i) % 4)
            if at + wide > x - 0.04:
                break
            spans.append((at, -deep, z + 0.02, at + wide, y - 0.03, z + 0.02 + tall))
            at += wide + 0.02 + 0.05 * ((k + i) % 3)
    return spans


def _centre(name: str, spans: list[Span]) -> tuple[Model, np.ndarray]:
    """The mesh of some boxes and, (n, 6), their middles and half extents."""
    boxes = np.array(spans)
    centre = (boxes[:, :3].min(0) + boxes[:, 3:].max(0)) / 2
    boxes -= np.tile(centre, 2)
    model = make_model(name, *_join_spans(boxes.tolist()))
    if len(boxes) > 5:  # shelves, chairs: clear as a whole
        boxes = np.concatenate([boxes[:, :3].min(0), boxes[:, 3:].max(0)])[None]
    middle, half = (boxes[:, :3] + boxes[:, 3:]) / 2, (boxes[:, 3:] - boxes[:, :3]) / 2
    return model, np.concatenate([middle, half], axis=1)


def _join_spans(spans: Sequence[Sequence[float]]) -> tuple[np.ndarray, np.ndarray]:
    return join([_block(np.array(span[:3]), np.array(span[3:])) for span in spans])


def _block(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Twelve triangles."""
    corner = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)])
    quads = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
    faces = np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))], np.int32)
    return low + corner * (high - low), faces


def _fill_cube(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    low, high = vertices.min(0), vertices.max(0)
    return (vertices - (low + high) / 2) / (high - low), faces
