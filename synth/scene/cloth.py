"""Soft models: crumpled cloth, wrinkled covers, hanging folds, cushions, bags.

Each fills the unit cube and is closed; what lies rests on z = -0.5. A model is a function of its
number alone, so that a bank of them is the same for every dataset; placing stretches and turns it.
"""

from typing import Final

import numpy as np

from frames.stream import generator
from synth.things.model import Model, make_model

DIGITS: Final = 5
"""Vertices are rounded to so many, so that the last bit of a sine decides nothing."""

Mesh = tuple[np.ndarray, np.ndarray]


def fill_cube(name: str, vertices: np.ndarray, faces: np.ndarray) -> Model:
    """A model moved and stretched to fill the unit cube about the origin."""
    low, high = vertices.min(0), vertices.max(0)
    return make_model(name, np.round((vertices - low) / (high - low) - 0.5, DIGITS), faces)


def join_meshes(parts: list[Mesh]) -> Mesh:
    """Pieces side by side in one mesh."""
    first = np.cumsum([0, *(len(v) for v, _ in parts)])
    faces = [f + n for (_, f), n in zip(parts, first[:-1], strict=True)]
    return np.concatenate([v for v, _ in parts]), np.concatenate(faces)


def close_grid(points: np.ndarray, walled: bool) -> Mesh:
    """A relief (N, M, 3) over the floor z = 0, closed from below.

    Columns run along x, rows along y. walled: its rim is over the floor; otherwise it lies on it.
    """
    n, m = points.shape[:2]
    number = np.arange(n * m).reshape(n, m)
    a, b, c, d = number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1]
    faces = [np.stack(t, -1).reshape(-1, 3) for t in ((a, d, c), (a, c, b))]
    # Counter-clockwise seen from above.
    rim = np.concatenate([number[:-1, 0], number[-1, :-1], number[:0:-1, -1], number[0, :0:-1]])
    vertices = points.reshape(-1, 3)
    after = np.roll(rim, -1)
    if walled:
        floor = vertices[rim] * [1.0, 1.0, 0.0]
        low = n * m + np.arange(len(rim))
        low_after = np.roll(low, -1)
        faces += [np.stack([rim, low, low_after], 1), np.stack([rim, low_after, after], 1)]
        vertices, rim, after = np.concatenate([vertices, floor]), low, low_after
    middle = np.append(vertices[rim, :2].mean(0), 0.0)
    faces.append(np.stack([after, rim, np.full(len(rim), len(vertices))], 1))
    return np.concatenate([vertices, middle[None]]), np.concatenate(faces)


def fold(rng: np.random.Generator, x: np.ndarray, y: np.ndarray, waves: float) -> np.ndarray:
    """Heights from 0 to 1 of cloth at points (x, y): sharp ridges that bend, cross and fade."""
    out = np.zeros_like(x)
    for octave in (1.0, 1.0, 1.9, 3.1):
        way, phase = 2 * np.pi * rng.random(2)
        bend = rng.uniform(0.3, 1.2) * np.sin(rng.uniform(1, 3) * (x - y) + 6 * rng.random())
        along = octave * waves * (np.cos(way) * x + np.sin(way) * y) + phase + bend
        cross = rng.uniform(1, 2.5) * (np.cos(way) * y - np.sin(way) * x) + 6 * rng.random()
        out += (1 - np.abs(np.sin(along))) * (0.6 + 0.4 * np.sin(cross)) / octave
    return np.asarray((out - out.min()) / np.ptp(out))


def heap(k: int) -> Model:
    """A towel or garment as it was dropped: a ragged outline, folds to its rim. 120 faces."""
    rng = generator(0, k, "cloth/heap")
    sides, rings = 12, np.array([0.28, 0.55, 0.78, 0.92, 1.0])
    angle = 2 * np.pi * (np.arange(sides) + rng.uniform(-0.3, 0.3, sides)) / sides
    size = 1.0 + sum(
        rng.uniform(0.1, 0.5) / m * np.cos(m * angle + 6.3 * rng.random()) for m in (2, 3, 5)
    )
    out = rings[:, None] * size * np.array([1, 1, 1, 1, rng.uniform(0.9, 1.1)])[:, None]
    out[1:4] *= rng.uniform(0.9, 1.1, (3, sides))
    x, y = (out * np.cos(angle)).ravel(), (out * np.sin(angle)).ravel()
    x, y = np.append(x, 0.0), np.append(y, 0.0)
    across = np.append(np.repeat(rings, sides), 0.0)
    body = rng.uniform(0.25, 0.7)
    dome = np.sqrt(np.maximum(1 - across**2, 0))
    z = dome * (body * (1 - across) + (1 - body) * fold(rng, x, y, rng.uniform(1.8, 3.2)))
    i, last = np.arange(sides), 5 * sides
    j = (i + 1) % sides
    faces = [np.stack([np.full(sides, last), i, j], 1)]
    for r in range(4):
        a, b = r * sides, (r + 1) * sides
        faces += [np.stack([a + i, b + i, b + j], 1), np.stack([a + i, b + j, a + j], 1)]
    faces.append(np.stack([4 * sides + j, 4 * sides + i, np.full(sides, last + 1)], 1))
    vertices = np.column_stack([np.append(x, 0.0), np.append(y, 0.0), np.append(z, 0.0)])
    return fill_cube(f"heap-{k}", vertices, np.concatenate(faces))


def cover(k: int) -> Model:
    """A wrinkled cover, blanket or cloth, spread out, its rim on the floor. 160 faces."""
    rng = generator(0, k, "cloth/cover")
    n = 8
    u, v = np.meshgrid(np.linspace(-1, 1, n + 1), np.linspace(-1, 1, n + 1), indexing="ij")
    inner = (np.abs(u) < 1) & (np.abs(v) < 1)
    shift = rng.uniform(-0.07, 0.07, (2, n + 1, n + 1))
    # Outlines of cloth pull in, and are hardly ever square.
    pull = 1 - 0.1 * rng.random((2, n + 1, n + 1)) * ~inner
    x = u * pull[0] + shift[0] + rng.uniform(-0.12, 0.12) * v
    y = v * pull[1] + shift[1] + rng.uniform(-0.12, 0.12) * u
    z = np.where(inner, 0.12 + fold(rng, x, y, rng.uniform(1.2, 3.0)), 0.0)
    return fill_cube(f"cover-{k}", *close_grid(np.stack([x, y, z], -1), walled=False))


def drape(k: int) -> Model:
    """A curtain, coat or table cloth's edge: folds along y that widen downwards. 150 faces.

    +y is up and +z out of the wall.
    """
    rng = generator(0, k, "cloth/drape")
    columns, rows = 11, 3
    u = np.linspace(-1, 1, columns + 1)
    turn = np.cumsum(rng.uniform(0.7, 2.3, columns + 1)) + 6 * rng.random()
    y = np.linspace(1, -1, rows + 1)
    x = np.repeat(u[:, None], rows + 1, 1)
    depth = np.linspace(rng.uniform(0.2, 0.9), 1, rows + 1)
    drift = np.linspace(0, rng.uniform(-1, 1), rows + 1)
    wave = 0.5 + 0.5 * np.cos(turn[:, None] + drift) * rng.uniform(0.5, 1, (columns + 1, 1))
    z = 0.15 + depth * wave + rng.uniform(0, 0.12, x.shape)
    x = x + rng.uniform(-0.04, 0.04, x.shape)
    down = np.repeat(y[None], columns + 1, 0)
    down[:, -1] += rng.uniform(0, 0.12, columns + 1)
    # Rows run down; turned about, the grid's outside is +z again.
    points = np.stack([x, down, z], -1)[:, ::-1]
    return fill_cube(f"drape-{k}", *close_grid(points, walled=True))


def turn_over(model: Model) -> Model:
    """The same, its upper side towards -z: for surfaces that hands are before."""
    return make_model(f"{model.name}-over", model.vertices * [1.0, -1.0, -1.0], model.faces)


def cushion(k: int) -> Model:
    """A cushion or pillow, lying: thick in the middle, corners drawn out, dented. 144 faces."""
    rng = generator(0, k, "cloth/cushion")
    n = 6
    u, v = np.meshgrid(np.linspace(-1, 1, n + 1), np.linspace(-1, 1, n + 1), indexing="ij")
    pull = rng.uniform(0.04, 0.16)
    x, y = u * (1 - pull * (1 - v**2)), v * (1 - pull * (1 - u**2))
    swell = np.sqrt(np.maximum((1 - u**4) * (1 - v**4), 0))
    top = swell * (0.75 + rng.uniform(0.1, 0.5) * fold(rng, x, y, 1.2))
    low = swell * 0.5
    upper, lower = np.stack([x, y, top], -1), np.stack([x, y, -low], -1)
    number = np.arange((n + 1) ** 2).reshape(n + 1, n + 1)
    a, b, c, d = number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1]
    faces = np.concatenate([np.stack(t, -1).reshape(-1, 3) for t in ((a, d, c), (a, c, b))])
    inner = (np.abs(u) < 1) & (np.abs(v) < 1)
    below = number.copy()
    below[inner] = number.size + np.arange(inner.sum())
    vertices = np.concatenate([upper.reshape(-1, 3), lower[inner]])
    return fill_cube(
        f"cushion-{k}", vertices, np.concatenate([faces, below.ravel()[faces[:, ::-1]]])
    )


def bag(k: int) -> Model:
    """A bag that stands, of flour or shopping: bulging, dented, its mouth pressed flat. 120."""
    rng = generator(0, k, "cloth/bag")
    sides, square = 10, rng.uniform(2.2, 5.0)
    z = np.array([0.0, 0.12, 0.4, 0.68, 0.86, 1.0])
    flat = rng.uniform(0.12, 0.7)
    wide = np.array([0.9, 1.0, 1.05, 0.98, 0.92, rng.uniform(0.5, 0.95)])
    deep = np.array([0.9, 1.0, 1.1, 0.9, 0.4 + 0.5 * flat, flat]) * rng.uniform(0.5, 0.9)
    angle = 2 * np.pi * (np.arange(sides) + 0.5) / sides
    c, s = np.cos(angle), np.sin(angle)
    round_ = (np.abs(c) ** square + np.abs(s) ** square) ** (-1 / square)
    dent = rng.uniform(0.82, 1.1, (6, sides))
    lean = rng.uniform(-0.15, 0.15, 2) * z[:, None] ** 2
    x = wide[:, None] * c * round_ * dent + lean[:, :1]
    y = deep[:, None] * s * round_ * dent + lean[:, 1:]
    high = np.repeat(z[:, None], sides, 1) * 1.6
    high[-1] += rng.uniform(-0.2, 0.2, sides)
    points = np.stack([x, y, high], -1).reshape(-1, 3)
    i = np.arange(sides)
    j = (i + 1) % sides
    bottom, top = len(points), len(points) + 1
    faces = [np.stack([j, i, np.full(sides, bottom)], 1)]
    for r in range(5):
        a, b = r * sides, (r + 1) * sides
        faces += [np.stack([a + i, a + j, b + j], 1), np.stack([a + i, b + j, b + i], 1)]
    faces.append(np.stack([5 * sides + i, 5 * sides + j, np.full(sides, top)], 1))
    poles = [[0, 0, 0], [*lean[-1], points[-sides:, 2].mean() - 0.15]]
    return fill_cube(f"bag-{k}", np.concatenate([points, poles]), np.concatenate(faces))
