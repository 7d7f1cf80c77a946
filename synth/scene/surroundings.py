"""Surroundings: what stands around and behind the hands, for a batch of scenes."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from frames.camera import Camera
from frames.stream import uniform
from synth.config import RoomConfig
from synth.pools import Pools
from synth.scene.arrangement import DICE, KINDS, arrange
from synth.scene.backdrop import Backdrops, fit_backdrops, no_backdrops
from synth.scene.background_folder import Background
from synth.scene.bank import build_bank
from synth.scene.clutter import MOST
from synth.scene.pieces import new_pieces
from synth.split import choose
from synth.things.solid import Solid

MODELS: Final = build_bank()
"""What surroundings are made of, by number; higher numbers are solids of the catalogue."""

MOST_FACES: Final = 200
"""Things with more faces stand in no background: they would cost more than they show."""

PLANES: Final = 6


@dataclass(frozen=True)
class Surroundings:
    """Of U scenes, in the world."""

    present: np.ndarray
    """(U,) bool: are there walls?"""
    planes: np.ndarray
    """(U, PLANES, 4) outward unit normals n and distances d of the walls, floor and ceiling,
    opposite ones in pairs: n . x <= d inside."""
    kind: np.ndarray
    """(U,) index into `synth.scene.arrangement.KINDS`."""
    frame: np.ndarray
    """(M,) which scene each piece is in, not falling."""
    model: np.ndarray
    """(M,) index into MODELS; from len(MODELS) on, that of a solid."""
    T: np.ndarray
    """(M, 4, 4) affine T_world_from_model."""
    backdrops: Backdrops
    """Real rooms behind."""
    backgrounds: tuple[Background, ...]
    """What backdrops may show."""

    def names(self) -> np.ndarray:
        """(U,) object: what kind each scene's are, or which background image."""
        out = np.array(KINDS, object)[self.kind]
        shown = np.flatnonzero(self.backdrops.image >= 0)
        named = np.array([*(b.name for b in self.backgrounds), ""], object)
        out[shown] = named[self.backdrops.image[shown]]
        return np.asarray(out)


def build_surroundings(
    config: RoomConfig,
    seed: int,
    ids: np.ndarray,
    points: np.ndarray,
    radius: np.ndarray,
    table: np.ndarray,
    table_point: np.ndarray,
    T_world_from_camera: np.ndarray,
    solids: tuple[Solid, ...],
    camera: Camera | None = None,
    backgrounds: tuple[Background, ...] = (),
    pools: Pools | None = None,
    split: np.ndarray | None = None,
    seated: np.ndarray | None = None,
) -> Surroundings:
    """Surroundings of scenes `ids` (U,) that leave everything in the foreground free.

    points (U, P, 3), radius (U, P): balls of the world, NaN for none; points of radius 0 come in
    eights, each the corners of a box. table (U,): height of a top that something stands or rests
    on, NaN for none; table_point (U, 3) on it, below the hand. T_world_from_camera (U, 4, 4).
    split (U,) of each scene with `pools`: whose backgrounds and solids it may show; none: any.
    seated (U,) bool: does the wearer sit? None: drawn.
    """
    count = len(ids)
    none = np.zeros(count, np.int64)
    split = none if split is None else split
    backdrops = no_backdrops(count)
    if backgrounds and camera is not None and pools is not None:
        backdrops = fit_backdrops(
            config.backgrounds_share, seed, ids, camera, backgrounds, pools, split, points, radius,
            T_world_from_camera,
        )  # fmt: skip
    things = _draw_solids(seed, ids, solids, pools, split)
    sizes = np.array([s.extent_m for s in solids]).reshape(-1, 3)
    pieces = new_pieces(count)
    planes = np.zeros((count, PLANES, 4))
    present, kind = np.zeros(count, bool), none.copy()
    arrange(
        np.array(
            [
                config.close_share,
                config.empty_share,
                config.table_share,
                config.shelves_share,
                config.furniture_share,
                config.clutter_share,
                config.soft_share,
            ]
        ),
        np.array([*config.close_m, *config.wall_m]),
        np.array([config.max_clutter, config.max_soft]),
        tuple(uniform(seed, ids, f"surroundings/{name}", n) for name, n in DICE.items()),
        np.ascontiguousarray(points, np.float64),
        np.ascontiguousarray(radius, np.float64),
        table,
        table_point,
        T_world_from_camera,
        np.full(count, -1) if seated is None else seated.astype(np.int64),
        backdrops.image >= 0,
        things,
        sizes[things] if len(sizes) else np.zeros((count, MOST, 3)),
        len(MODELS),
        pieces,
        planes,
        present,
        kind,
    )
    frame, place = np.nonzero(pieces[1] >= 0)
    return Surroundings(
        present,
        planes,
        kind,
        frame,
        pieces[1][frame, place],
        pieces[2][frame, place],
        backdrops,
        backgrounds,
    )


def _draw_solids(
    seed: int, ids: np.ndarray, solids: tuple[Solid, ...], pools: Pools | None, split: np.ndarray
) -> np.ndarray:
    """(U, MOST) things with few faces of each scene's own split; -1 where it has none."""
    small = np.array([i for i, s in enumerate(solids) if len(s.model.faces) <= MOST_FACES], int)
    own = np.zeros(len(small), np.int64) if pools is None else pools.solid[small]
    split = np.zeros(len(ids), np.int64) if pools is None else split
    u = uniform(seed, ids, "surroundings/things", MOST)
    out = np.full(u.shape, -1)
    has = np.flatnonzero(np.bincount(own, minlength=int(split.max(initial=0)) + 1)[split] > 0)
    if len(has):
        picked = choose(own, np.repeat(split[has], MOST), u[has].reshape(-1))
        out[has] = small[picked].reshape(-1, MOST)
    return out


def take_surroundings(around: Surroundings, index: np.ndarray) -> Surroundings:
    """Surroundings of frames that each show scene index[b], index (B,)."""
    first = np.searchsorted(around.frame, np.arange(len(around.present) + 1))
    sizes = (first[1:] - first[:-1])[index]
    frame = np.repeat(np.arange(len(index)), sizes)
    begin = np.cumsum(sizes) - sizes
    rows = first[index][frame] + np.arange(len(frame)) - begin[frame]
    return Surroundings(
        around.present[index],
        around.planes[index],
        around.kind[index],
        frame,
        around.model[rows],
        around.T[rows],
        Backdrops(around.backdrops.image[index], around.backdrops.T_background_from_world[index]),
        around.backgrounds,
    )
