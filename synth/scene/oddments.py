"""Irregular models: plants, cables, piles of paper, rows of books, toys, jars, bowls, old boxes.

Like those of `synth.scene.cloth`: each fills the unit cube, and is a function of its number.
"""

import numpy as np

from frames.stream import generator
from synth.scene.cloth import Mesh, fill_cube, join_meshes
from synth.scene.revolve import revolve
from synth.things.model import Model

CORNERS = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)]) - 0.5
QUADS = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
BOX = np.array([t for a, b, c, d in QUADS for t in ((a, b, c), (a, c, d))])


def slab(size: np.ndarray, middle: np.ndarray, turn: float) -> Mesh:
    """A box of a size about a middle, turned about z."""
    c, s = np.cos(turn), np.sin(turn)
    x, y, z = (CORNERS * size).T
    return np.column_stack([c * x - s * y, s * x + c * y, z]) + middle, BOX


def crate(k: int) -> Model:
    """A box that has seen better days: no corner where it should be. 12 faces."""
    rng = generator(0, k, "oddments/crate")
    pull = 1 - rng.uniform(0, 0.14, (8, 3))
    taper = np.where(CORNERS[:, 2:] > 0, rng.uniform(0.75, 1.0, 2), 1.0)
    vertices = CORNERS * pull
    vertices[:, :2] *= taper
    vertices[CORNERS[:, 2] < 0, 2] = -0.5
    return fill_cube(f"crate-{k}", vertices, BOX)


def pile(k: int) -> Model:
    """Papers, magazines or books on each other, none of them straight. 48 to 72 faces."""
    rng = generator(0, k, "oddments/pile")
    parts, z = [], 0.0
    for n in range(4 + k % 3):
        size = np.array([rng.uniform(0.6, 1.0), rng.uniform(0.7, 1.2), rng.uniform(0.2, 1.0)])
        at = np.array([*rng.uniform(-0.12, 0.12, 2) * min(n, 1), z + size[2] / 2])
        turn = rng.uniform(-0.5, 0.5) * rng.random()
        parts.append(slab(size, at, turn))
        z += size[2] * 0.999
    return fill_cube(f"pile-{k}", *join_meshes(parts))


def book_row(k: int) -> Model:
    """Books side by side, backs towards -y, one or two leaning. 48 to 72 faces."""
    rng = generator(0, k, "oddments/books")
    parts, x = [], 0.0
    for _ in range(4 + k % 3):
        wide, tall = rng.uniform(0.1, 0.5), rng.uniform(0.65, 1.0)
        deep, inset = rng.uniform(0.6, 0.9), rng.uniform(0, 0.12) * rng.random()
        vertices, faces = slab(
            np.array([wide, deep, tall]), np.array([x + wide / 2, inset + deep / 2, tall / 2]), 0.0
        )
        if rng.random() < 0.3:
            lean = rng.uniform(0.03, 0.2)
            vertices[:, 0] += lean * vertices[:, 2]
            x += lean * tall
        parts.append((vertices, faces))
        x += wide
    return fill_cube(f"books-{k}", *join_meshes(parts))


def ball(rng: np.random.Generator, sides: int, rings: int, rough: float) -> Mesh:
    """A ball of radius 1, dented; 2 sides (rings) faces."""
    z = -np.cos(np.pi * np.arange(rings + 2) / (rings + 1))
    r = np.sqrt(np.maximum(1 - z**2, 0))
    vertices, faces = revolve(list(zip(z.tolist(), r.tolist(), strict=True)), sides)
    way = rng.normal(size=(3, 3)) * 1.5
    bumps = np.sin(vertices @ way + 6 * rng.random(3)).sum(1)
    return vertices * (1 + rough * bumps[:, None]), faces


def toy(k: int) -> Model:
    """A lump, or two or three in one: toys, shoes, fruit, crumpled paper. 42 to 126 faces."""
    rng = generator(0, k, "oddments/toy")
    parts = []
    for n in range(1 + k % 3):
        vertices, faces = ball(rng, 7, 3, rng.uniform(0.04, 0.18))
        stretch = rng.uniform(0.6, 1.2, 3) * (1.0 if n == 0 else rng.uniform(0.3, 0.7))
        at = np.zeros(3) if n == 0 else rng.uniform([-0.9, -0.9, -0.2], [0.9, 0.9, 1.6])
        vertices = vertices * stretch + at
        parts.append((vertices, faces))
    vertices, faces = join_meshes(parts)
    # It sits flat.
    low = vertices[:, 2].min()
    vertices[:, 2] = np.maximum(vertices[:, 2], low + 0.12 * np.ptp(vertices[:, 2]))
    return fill_cube(f"toy-{k}", vertices, faces)


def bowl(k: int) -> Model:
    """Fruit, or anything, in a bowl. 140 faces."""
    rng = generator(0, k, "oddments/bowl")
    rim = rng.uniform(0.35, 0.6)
    profile = [(0.0, 0.0), (0.0, 0.5), (rim, 1.0), (rim, 0.0)]
    parts: list[Mesh] = [revolve(profile, 10)]
    for n in range(5):
        vertices, faces = ball(rng, 5, 2, 0.04)
        angle, out = 2 * np.pi * n / 4 + rng.random(), 0.0 if n == 4 else rng.uniform(0.35, 0.6)
        at = [out * np.cos(angle), out * np.sin(angle), rim + (0.35 if n == 4 else 0.05)]
        parts.append((vertices * rng.uniform(0.25, 0.42) + at, faces))
    return fill_cube(f"bowl-{k}", *join_meshes(parts))


def tube(path: np.ndarray, radius: np.ndarray | float) -> Mesh:
    """A three-sided tube along a path (P, 3). 6 P - 4 faces."""
    ahead = np.gradient(path, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    up = np.where(np.abs(ahead[:, 2:]) < 0.9, [[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]])
    side = np.cross(ahead, up)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    over = np.cross(side, ahead)
    angle = 2 * np.pi * np.arange(3) / 3 + np.pi / 2
    ring = np.cos(angle)[:, None] * side[:, None] + np.sin(angle)[:, None] * over[:, None]
    points = (path[:, None] + np.reshape(radius, (-1, 1, 1)) * ring).reshape(-1, 3)
    faces = [[0, 1, 2]]
    for n in range(len(path) - 1):
        for i in range(3):
            a, b, c, d = 3 * n + i, 3 * n + (i + 1) % 3, 3 * n + 3 + (i + 1) % 3, 3 * n + 3 + i
            faces += [[a, c, b], [a, d, c]]
    last = 3 * len(path) - 3
    faces.append([last, last + 2, last + 1])
    return points, np.array(faces)


def cable(k: int) -> Model:
    """A cable, strap or headphones' lead that lies about: loops and bends. 98 faces."""
    rng = generator(0, k, "oddments/cable")
    t = np.linspace(0, 1, 17)
    turns = rng.uniform(0.6, 3.0) * rng.choice([-1, 1])
    bends = sum(rng.uniform(0.3, 1.5) * np.sin(m * np.pi * t + 6 * rng.random()) for m in (1, 2, 4))
    way = 2 * np.pi * turns * t + bends
    step = rng.uniform(0.5, 1.5) + t * rng.uniform(-0.4, 0.8)
    path = np.column_stack([np.cumsum(step * np.cos(way)), np.cumsum(step * np.sin(way)), 0 * t])
    path[:, :2] /= np.ptp(path[:, :2], axis=0).max()
    path[:, 2] = 0.006 * np.sin(9 * t + 6 * rng.random()) * rng.random()
    radius = rng.uniform(0.008, 0.02)
    return fill_cube(f"cable-{k}", *tube(path, radius))


def plant(k: int) -> Model:
    """A plant in its pot: a fan of leaves. 116 faces."""
    rng = generator(0, k, "oddments/plant")
    tall = rng.uniform(0.5, 1.0)
    profile = [(0.0, 0.0), (0.0, 0.28), (tall, 0.4), (tall, 0.0)]
    parts: list[Mesh] = [revolve(profile, 10)]
    leaf = np.array([[0, 1, 2], [2, 1, 3], [1, 0, 2], [1, 2, 3]])
    for _ in range(19):
        angle, rise = 2 * np.pi * rng.random(), rng.uniform(0.15, 1.4)
        out = np.array([np.cos(angle), np.sin(angle), 0.0])
        side = np.array([-out[1], out[0], rng.uniform(-0.4, 0.4)])
        long, wide = rng.uniform(0.5, 1.1), rng.uniform(0.08, 0.22)
        start = np.array([0.0, 0.0, tall]) + 0.2 * out * rng.random()
        middle = start + 0.55 * long * (np.cos(rise) * out + [0, 0, np.sin(rise)])
        droop = rise - rng.uniform(0.2, 1.2)
        tip = middle + 0.55 * long * (np.cos(droop) * out + [0, 0, np.sin(droop)])
        start[2], tip[2] = max(start[2], 0.0), max(tip[2], 0.05)
        vertices = np.stack([start, middle + wide * side, middle - wide * side, tip])
        parts.append((vertices, leaf))
    return fill_cube(f"plant-{k}", *join_meshes(parts))


def jar(k: int) -> Model:
    """Pens, brushes or cooking spoons in a jar. 124 faces."""
    rng = generator(0, k, "oddments/jar")
    parts: list[Mesh] = [revolve([(0.0, 0.0), (0.0, 0.45), (1.0, 0.5), (1.0, 0.0)], 10)]
    for n in range(6):
        angle = 2 * np.pi * (n + rng.random()) / 6
        out = np.array([np.cos(angle), np.sin(angle), 0.0])
        long, lean = rng.uniform(0.5, 1.2), rng.uniform(0.15, 0.5)
        foot = 0.25 * out + [0.0, 0.0, 0.9]
        top = foot + long * (lean * out + [0.0, 0.0, 1.0])
        head = rng.uniform(0.05, 0.2)
        path = np.stack([foot, foot + 0.75 * (top - foot), top])
        parts.append(tube(path, np.array([0.05, 0.05, head])))
    return fill_cube(f"jar-{k}", *join_meshes(parts))
