"""Hands on surfaces and beside things: no skin below a surface, contact where it is told."""

from functools import cache

import numpy as np

from frames.parts import FOREARM
from synth.config import GraspConfig
from synth.contact.gaps import (
    measure_arm_gaps,
    measure_arm_plane_gaps,
    measure_gaps,
    measure_plane_gaps,
)
from synth.contact.holds import Holds
from synth.contact.rest_table import REST_KINDS
from synth.contact.rests import Rests, solve_rests
from synth.contact.touches import solve_touches
from synth.pose.feix import opened_table
from tests.synth.contact.contact_world import (
    capsules,
    identities,
    left_of,
    pack,
    probes,
    skin,
    solid_of,
    solids,
)
from tests.synth.contact.witness import measure, vertex_parts
from tests.synth.hand.rigs import people

COUNT = 400
FREE = opened_table()[np.arange(COUNT) % 33]


def rest(ids: np.ndarray) -> Rests:
    return solve_rests(
        GraspConfig(), 0, ids, "rest", people(), capsules(), probes(), identities(COUNT)[ids],
        FREE[ids],
    )  # fmt: skip


@cache
def rests() -> Rests:
    return rest(np.arange(COUNT))


@cache
def touches() -> Holds:
    return solve_touches(
        GraspConfig(), 0, np.arange(COUNT), "touch", people(), capsules(), probes(), solids(),
        pack(), identities(COUNT), solid_of(COUNT), left_of(COUNT), FREE,
    )  # fmt: skip


def heights(found: Rests) -> np.ndarray:
    """(N, V) of all vertices but the forearm's, which the arm places."""
    vertices = skin(found.angles, identities(COUNT), np.zeros(COUNT, bool)).astype(np.float64)
    out, d = found.plane[:, None, :3], found.plane[:, 3, None]
    return np.where(vertex_parts(people()) == 17, np.inf, (vertices * out).sum(-1) - d)


def test_every_kind_of_rest_is_shown() -> None:
    found = rests()
    assert found.ok.all()
    shown = np.bincount(found.kind, minlength=len(REST_KINDS)) / COUNT
    assert (shown > 0.02).all(), dict(zip(REST_KINDS, shown, strict=True))
    np.testing.assert_allclose(np.linalg.norm(found.plane[:, :3], axis=1), 1.0, atol=1e-9)


def test_no_skin_lies_below_the_surface() -> None:
    found, edge = rests(), REST_KINDS.index("edge")
    lowest = heights(found).min(1)
    assert lowest[found.kind != edge].min() >= -0.003


def test_hovering_hands_are_as_high_as_told() -> None:
    found = rests()
    over = found.kind == REST_KINDS.index("hover")
    # Probes lie between vertices, too, and the nearest of them counts.
    np.testing.assert_allclose(heights(found).min(1)[over], found.hover_m[over], atol=0.001)
    assert found.hover_m[over].min() >= 0.0 and found.hover_m[over].max() <= 0.05
    assert (found.hover_m[~over] == 0).all()


def test_resting_hands_touch() -> None:
    found = rests()
    touching = (found.gap_m <= 0.002).sum(1)
    for k, kind in enumerate(REST_KINDS[:-1]):
        least = 1 if kind == "one finger" else 2 if kind == "edge" else 3
        assert touching[found.kind == k].min() >= least, kind


def test_a_gripped_edge_lies_between_thumb_and_fingers() -> None:
    found = rests()
    edge = found.kind == REST_KINDS.index("edge")
    vertices = skin(found.angles, identities(COUNT), np.zeros(COUNT, bool))[edge].astype(float)
    vertices[:, vertex_parts(people()) == 17] = np.nan
    above = (vertices * found.plane[edge, None, :3]).sum(-1) - found.plane[edge, 3, None]
    ahead = (vertices * found.edge[edge, None, :3]).sum(-1) - found.edge[edge, 3, None]
    depth = np.minimum(np.minimum(-above, above + found.thickness_m[edge, None]), -ahead)
    assert np.nanmax(depth) <= 0.003
    over, under = (ahead < 0) & (above > 0), (ahead < 0) & (above < -found.thickness_m[edge, None])
    assert over.any(1).all() and under.any(1).all()
    np.testing.assert_allclose((found.plane[edge, :3] * found.edge[edge, :3]).sum(1), 0, atol=1e-9)


def test_touches_keep_out_of_the_solid() -> None:
    found = touches()
    assert found.ok.mean() > 0.95
    assert (found.grasp == -1).all()
    vertices = skin(found.angles, identities(COUNT), left_of(COUNT))
    for n in np.flatnonzero(found.ok)[::10]:
        model = solids()[solid_of(COUNT)[n]].model
        assert measure(people(), vertices[n], model, found.T_wrist_from_object[n]).deepest_m < 0.003


def test_some_touch_and_some_do_not() -> None:
    least = np.nanmin(np.where(np.isnan(touches().gap_m), 1.0, touches().gap_m), axis=1)
    assert 0.25 < (least < 0.002).mean() < 0.5


def test_a_frame_alone_is_the_same() -> None:
    found = rests()
    for n in (1, 5, 9):
        alone = rest(np.array([n]))
        np.testing.assert_array_equal(alone.angles[0], found.angles[n])
        np.testing.assert_array_equal(alone.plane[0], found.plane[n])
        np.testing.assert_array_equal(alone.gap_m[0], found.gap_m[n])


def test_gaps_of_a_plane_and_of_its_mirror() -> None:
    found = rests()
    right = measure_plane_gaps(
        probes(), identities(COUNT), found.angles, found.plane, np.zeros(COUNT, bool)
    )
    mirrored = found.plane * [-1, 1, 1, 1]
    left = measure_plane_gaps(
        probes(), identities(COUNT), found.angles, mirrored, np.ones(COUNT, bool)
    )
    np.testing.assert_array_equal(right, left)


def test_gaps_of_touches_are_those_of_the_pose() -> None:
    found = touches()
    gaps = measure_gaps(
        probes(), pack(), identities(COUNT), found.angles, found.T_wrist_from_object,
        solid_of(COUNT), left_of(COUNT),
    )  # fmt: skip
    np.testing.assert_allclose(gaps[found.ok], found.gap_m[found.ok], atol=2e-6)


def test_gaps_of_forearms_alone_are_those_of_whole_hands() -> None:
    found, left = touches(), left_of(COUNT)
    beside = np.tile(np.eye(4), (COUNT, 1, 1))
    beside[:, :3, 3] = np.random.default_rng(5).uniform(
        (-0.1, -0.1, 0.0), (0.1, 0.1, 0.2), (COUNT, 3)
    )
    hands = probes(), pack(), identities(COUNT), found.angles, beside, solid_of(COUNT), left
    arms = measure_arm_gaps(*hands)
    assert 0.2 < np.isfinite(arms).mean() < 0.8
    np.testing.assert_array_equal(arms, measure_gaps(*hands)[:, FOREARM - 1])
    plane = np.tile([0.0, 1.0, 0.0, -0.035], (COUNT, 1))
    planes = probes(), identities(COUNT), found.angles, plane, left
    arms = measure_arm_plane_gaps(*planes)
    assert 0.2 < np.isfinite(arms).mean() <= 1.0
    np.testing.assert_array_equal(arms, measure_plane_gaps(*planes)[:, FOREARM - 1])
