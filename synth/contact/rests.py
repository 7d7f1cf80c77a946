"""Hands on and over a flat surface."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from frames.stream import normal, uniform
from synth.config import GraspConfig
from synth.contact.closing import list_flesh
from synth.contact.feeling import make_state
from synth.contact.grasps import solve_grasps
from synth.contact.holds import PARTS
from synth.contact.probes import Probes
from synth.contact.rest_table import REST_KINDS, list_rests
from synth.contact.settling import hover, rest
from synth.contact.surface import SLAB_M, half_space, slab_pack, slabs
from synth.hand.collision import Capsules
from synth.hand.rig import Rig

ATTEMPTS: Final = 8
EDGE_GRASPS: Final = (
    "prismatic 4 finger:1,extension type:1,parallel extension:1,prismatic 3 finger:0.5,"
    "prismatic 2 finger:0.3,palmar pinch:0.3,lateral:0.3"
)
"""How the edge of a table top or a shelf is gripped."""
KIND_SHARES: Final = (0.22, 0.10, 0.08, 0.08, 0.06, 0.10, 0.11, 0.25)
"""How common each of REST_KINDS is."""
PALM_DOWN: Final = 0.7
"""Share of hovering hands whose palm faces the surface more or less."""


@dataclass(frozen=True)
class Rests:
    """N hands on a surface; everything in the wrist frame of a right hand (see `solve_rests`)."""

    angles: np.ndarray
    """(N, 29) rad; the wrist's are zero."""
    plane: np.ndarray
    """(N, 4) n, d of the surface n.x = d: unit n points out of it, towards the hand; metres."""
    edge: np.ndarray
    """(N, 4) m, e of the plane that ends the surface, for kind "edge": the slab is n.x <= d,
    m.x <= e and n.x >= d - thickness. NaN for the other kinds."""
    thickness_m: np.ndarray
    """(N,) thickness of the slab, for kind "edge"; NaN for the others."""
    kind: np.ndarray
    """(N,) int64 index into REST_KINDS."""
    hover_m: np.ndarray
    """(N,) how far above the surface the hand's nearest point is; 0 in contact."""
    gap_m: np.ndarray
    """(N, 17) float32 signed gap of each part to the surface; NaN beyond 10 mm."""
    ok: np.ndarray
    """(N,) bool"""


def solve_rests(
    config: GraspConfig,
    seed: int,
    frame_ids: np.ndarray,
    stage: str,
    rig: Rig,
    capsules: Capsules,
    probes: Probes,
    identity: np.ndarray,
    angles: np.ndarray,
) -> Rests:
    """A hand on or over a surface, solved as a right hand; for a left hand mirror plane and edge.

    angles (N, 29): the free pose that a hovering hand shows. The forearm is not looked at: the arm
    is yet to come, and `measure_plane_gaps` tells whether it is clear of the surface.
    """
    count = len(frame_ids)
    ids, who = np.asarray(frame_ids), np.ascontiguousarray(identity, np.int64)
    choice = uniform(seed, ids, stage + "/kind", 4)
    kind = np.searchsorted(np.cumsum(KIND_SHARES), choice[:, 0] * sum(KIND_SHARES), side="right")
    kind = np.minimum(kind, len(REST_KINDS) - 1)
    rests = Rests(
        np.array(angles, np.float64),
        np.zeros((count, 4)),
        np.full((count, 4), np.nan),
        np.full(count, np.nan),
        kind,
        np.zeros(count),
        np.full((count, PARTS), np.nan, np.float32),
        np.zeros(count, bool),
    )
    rests.angles[:, :2] = 0.0
    edge, over = REST_KINDS.index("edge"), REST_KINDS.index("hover")
    _lie(config, seed, ids, stage, capsules, probes, who, choice, kind < edge, rests)
    _grip(config, seed, ids, stage, rig, capsules, probes, who, choice, kind == edge, rests)
    # What does not lie as meant hovers.
    rests.kind[~rests.ok] = over
    _float(config, seed, ids, stage, probes, who, np.asarray(angles), ~rests.ok, rests)
    return rests


def _lie(
    config: GraspConfig,
    seed: int,
    ids: np.ndarray,
    stage: str,
    capsules: Capsules,
    probes: Probes,
    who: np.ndarray,
    choice: np.ndarray,
    chosen: np.ndarray,
    rests: Rests,
) -> None:
    """Fill the rows of `rests` where the hand lies on the surface."""
    rows = np.flatnonzero(chosen)
    if not len(rows):
        return
    lies = list_rests()
    share = np.where(lies.kind == rests.kind[rows, None], lies.share, 0.0)
    step = np.cumsum(share, axis=1)
    row = (step <= choice[rows, 1, None] * step[:, -1:]).sum(1)
    attempt = np.tile(np.arange(ATTEMPTS), len(rows))
    keys = np.repeat(ids[rows], ATTEMPTS)
    noise = normal(uniform(seed, keys, stage + "/lie", 40, attempt)).reshape(len(rows), -1, 20)
    u = uniform(seed, keys, stage + "/height", 2, attempt).reshape(len(rows), -1, 2)
    size = len(rows)
    angles, plane, ok = np.zeros((size, 29)), np.zeros((size, 4)), np.zeros(size, bool)
    gaps = np.full((size, PARTS), np.nan)
    rest(
        lies, probes, list_flesh(capsules), half_space(), who[rows], row, u, noise,
        np.radians(config.jitter_deg), config.press_mm / 1000, make_state(probes.bone.shape[0]),
        np.zeros((probes.bone.shape[0], 3)), angles, plane, gaps, ok,
    )  # fmt: skip
    rows = rows[ok]
    rests.angles[rows], rests.plane[rows], rests.ok[rows] = angles[ok], plane[ok], True
    rests.gap_m[rows] = gaps[ok]


def _grip(
    config: GraspConfig,
    seed: int,
    ids: np.ndarray,
    stage: str,
    rig: Rig,
    capsules: Capsules,
    probes: Probes,
    who: np.ndarray,
    choice: np.ndarray,
    chosen: np.ndarray,
    rests: Rests,
) -> None:
    """Fill the rows of `rests` where the hand grips the surface's edge."""
    rows = np.flatnonzero(chosen)
    if not len(rows):
        return
    slab = np.minimum((choice[rows, 1] * len(SLAB_M)).astype(np.int64), len(SLAB_M) - 1)
    edges = GraspConfig(EDGE_GRASPS, config.jitter_deg, config.press_mm)
    holds = solve_grasps(
        edges, seed, ids[rows], stage + "/edge", rig, capsules, probes, slabs(), slab_pack(),
        who[rows], slab, np.zeros(len(rows), bool),
    )  # fmt: skip
    rows, T = rows[holds.ok], holds.T_wrist_from_object[holds.ok]
    thick = np.array(SLAB_M)[slab[holds.ok]]
    rests.angles[rows], rests.ok[rows] = holds.angles[holds.ok], True
    rests.gap_m[rows] = holds.gap_m[holds.ok]
    rests.gap_m[rows, PARTS - 1] = np.nan
    out, edge, at = T[:, :3, 2], T[:, :3, 0], T[:, :3, 3]
    # Either face may be the upper one.
    upper = choice[rows, 2] < 0.5
    top = (out[:, 0] * at[:, 0] + out[:, 1] * at[:, 1]) + out[:, 2] * at[:, 2]
    rests.plane[rows, :3] = np.where(upper[:, None], out, -out)
    rests.plane[rows, 3] = np.where(upper, top, thick - top)
    rests.edge[rows, :3] = edge
    rests.edge[rows, 3] = (edge[:, 0] * at[:, 0] + edge[:, 1] * at[:, 1]) + edge[:, 2] * at[:, 2]
    rests.thickness_m[rows] = thick


def _float(
    config: GraspConfig,
    seed: int,
    ids: np.ndarray,
    stage: str,
    probes: Probes,
    who: np.ndarray,
    angles: np.ndarray,
    chosen: np.ndarray,
    rests: Rests,
) -> None:
    """Fill the rows of `rests` where the hand hovers over the surface."""
    rows = np.flatnonzero(chosen)
    if not len(rows):
        return
    u = uniform(seed, ids[rows], stage + "/hover", 10)
    away = config.hover_m[0] + (config.hover_m[1] - config.hover_m[0]) * u[:, 0]
    out = normal(u[:, 2:8])
    facing = u[:, 1] < PALM_DOWN
    out[facing] = 0.35 * out[facing] + [0.0, 1.0, 0.0]
    out /= np.sqrt((out * out).sum(1, keepdims=True))
    posed = np.ascontiguousarray(angles[rows], np.float64)
    posed[:, :2] = 0.0
    plane, gaps = np.zeros((len(rows), 4)), np.full((len(rows), PARTS), np.nan)
    hover(probes, who[rows], posed, out, away, make_state(probes.bone.shape[0]), plane, gaps)
    rests.angles[rows], rests.plane[rows], rests.hover_m[rows] = posed, plane, away
    rests.gap_m[rows], rests.ok[rows] = gaps, True
