"""Image codecs side by side: bytes and time a frame, on drawn hands before a room.

python -m bench.codec    prints the table that docs/dataset.md quotes.
"""

import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from frames.store.codec import decode_depth, decode_parts, encode_depth, encode_parts

Image = np.ndarray[Any, Any]


def draw_scene(height: int, width: int, seed: int, noise: bool) -> tuple[Image, Image]:
    """(depth uint16, parts uint8): two hands of spheres with forearms before a wall, floor and
    side.

    noise: depth noise growing with the square of the distance (1 mm at 1 m) and 1 % dropouts.
    """
    rng = np.random.default_rng(seed)
    v, u = np.mgrid[:height, :width]
    rays = np.stack([(u - width / 2), (v - height / 2), np.full(u.shape, 0.526 * width)], -1)
    rays /= 0.526 * width
    z = np.full((height, width), 9.0)
    yaw, pitch = rng.uniform(-0.5, 0.5), rng.uniform(0.1, 0.6)
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    c, s = np.cos(pitch), np.sin(pitch)
    turn = np.array([[1, 0, 0], [0, c, s], [0, -s, c]]) @ turn
    for normal, distance in (
        ((0, 0, 1), rng.uniform(1.2, 4)),
        ((0, 1, 0), rng.uniform(0.4, 1.6)),
        ((1, 0, 0), rng.uniform(1, 3)),
    ):
        facing = rays @ (turn @ np.array(normal, float))
        hit = np.where(facing > 1e-3, distance / np.maximum(facing, 1e-3), 9.0)
        z = np.minimum(z, hit)
    parts = np.zeros((height, width), np.uint8)
    for k in range(2):
        for centre, radius, code in _place_hand(rng, k):
            a = (rays**2).sum(-1)
            b = rays @ centre
            d = b * b - a * (centre @ centre - radius**2)
            hit = np.where(d > 0, (b - np.sqrt(np.maximum(d, 0))) / a, 9.0)
            near = hit < z
            z, parts = np.where(near, hit, z), np.where(near, code, parts).astype(np.uint8)
    if noise:
        z = z + rng.normal(size=z.shape) * 0.001 * z**2
    depth = np.where(z > 6.5, 0, np.round(z * 10_000)).astype(np.uint16)
    if noise:
        depth[rng.random(depth.shape) < 0.01] = 0
    return depth, parts


def _place_hand(rng: np.random.Generator, k: int) -> list[tuple[Image, float, int]]:
    palm = np.array([rng.uniform(-0.25, 0.25), rng.uniform(-0.2, 0.2), rng.uniform(0.3, 0.6)])
    balls: list[tuple[Image, float, int]] = [(palm, 0.045, 32 * k + 1)]
    elbow = np.array([rng.uniform(-0.1, 0.1), 0.3, 0.0])
    balls += [(palm + t * elbow, 0.03, 32 * k + 17) for t in np.linspace(0.15, 1, 20)]
    for finger in range(5):
        angle = -np.pi / 2 + (finger - 2) * 0.35 + rng.normal() * 0.1
        for phalanx in range(3):
            for step in range(4):
                r = 0.05 + 0.022 * phalanx + 0.006 * step
                along = np.array([np.cos(angle) * r, np.sin(angle) * r, -0.01 * phalanx])
                balls.append(
                    (palm + along, 0.009 - 0.001 * phalanx, 32 * k + 2 + 3 * finger + phalanx)
                )
    return balls


def time_best(run: Callable[[Any], Any], items: list[Any], rounds: int = 7) -> float:
    """Seconds an item, the best of some rounds over all."""
    best = np.inf
    for _ in range(rounds):
        start = time.perf_counter()
        for item in items:
            run(item)
        best = min(best, (time.perf_counter() - start) / len(items))
    return float(best)


def list_filters() -> dict[str, Callable[[Image], Image]]:
    """Candidate filters before zstd, in numpy: for their bytes; times are of zstd alone."""

    def split(d: Image) -> Image:
        z = ((d.astype(np.int16) << 1) ^ (d.astype(np.int16) >> 15)).astype(np.uint16).ravel()
        return np.concatenate([z & 255, z >> 8]).astype(np.uint8)

    zero = np.uint16(0)
    return {
        "raw": lambda d: d.view(np.uint8),
        "left difference, byte planes": lambda d: split(np.diff(d, axis=1, prepend=zero)),
        "upper difference, byte planes": lambda d: split(np.diff(d, axis=0, prepend=zero)),
        "second difference, byte planes": lambda d: split(
            np.diff(np.diff(d, axis=0, prepend=zero), axis=1, prepend=zero)
        ),
    }


def main() -> None:
    """Print the table."""
    table = Table("image", "codec", "bytes", "encode us", "decode us")
    for height, width in ((240, 320), (120, 160)):
        for noise in (False, True):
            scenes = [draw_scene(height, width, seed, noise) for seed in range(16)]
            depths = [s[0] for s in scenes]
            name = f"{width}x{height} {'noisy' if noise else 'clean'}"
            for label, level in (("zstd-1", 1), ("zstd-3", 3)):
                codec = pa.Codec("zstd", compression_level=level)
                for kind, apply in list_filters().items():
                    raw = [np.ascontiguousarray(apply(d)) for d in depths]
                    blobs = [codec.compress(r, asbytes=True) for r in raw]
                    seconds = time_best(lambda r, c=codec: c.compress(r, asbytes=True), raw)
                    _add(table, name, f"{label}, {kind}", blobs, seconds, None)
            _add_coder(table, name, "PNG, level 1", depths, _encode_png, _decode_png)
            _add_coder(
                table, name, "ours", depths, encode_depth,
                lambda b, h=height, w=width: decode_depth(b, h, w),
            )  # fmt: skip
        _add_coder(
            table, f"{width}x{height} parts", "ours: zstd-1", [s[1] for s in scenes], encode_parts,
            lambda b, h=height, w=width: decode_parts(b, h, w),
        )  # fmt: skip
    Console(width=110).print(table)


def _encode_png(image: Image) -> bytes:
    return bytes(cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes())


def _decode_png(blob: bytes) -> Image:
    return cv2.imdecode(np.frombuffer(blob, np.uint8), cv2.IMREAD_UNCHANGED)


def _add_coder(
    table: Table, name: str, kind: str, images: list[Image], encode: Any, decode: Any
) -> None:
    blobs = [encode(i) for i in images]
    for image, blob in zip(images, blobs, strict=True):
        np.testing.assert_array_equal(decode(blob), image)
    _add(table, name, kind, blobs, time_best(encode, images), time_best(decode, blobs))


def _add(
    table: Table, name: str, kind: str, blobs: list[bytes], encode: float, decode: float | None
) -> None:
    size = float(np.mean([len(b) for b in blobs]))
    shown = "" if decode is None else f"{decode * 1e6:.0f}"
    table.add_row(name, kind, f"{size:,.0f}", f"{encode * 1e6:.0f}", shown)


if __name__ == "__main__":
    main()
