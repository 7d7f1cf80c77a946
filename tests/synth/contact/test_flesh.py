"""The flesh of balls is the skin within a millimetre, whoever's hand and however bent."""

from functools import cache

import numba
import numpy as np

from synth.contact.flesh import Balls, Flesh, build_flesh, flesh_distance, place_flesh
from synth.contact.together_holds import CUPPED, FLAT, HOLLOW, RELAXED, SPREAD, WRAP, hold_angles
from synth.hand.bones import FOREARM_BONE
from synth.hand.kinematics import bone_transforms, skin_hands
from tests.synth.hand.rigs import people, random_angles, random_placement
from tests.synth.hand.winding import winding_numbers


@cache
def flesh() -> Flesh:
    return build_flesh(people())


def posed(angles: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, Balls]:
    rig, who = people(), np.arange(len(angles)) % 16
    transforms, _ = bone_transforms(rig, who, angles, place, np.zeros(len(angles), bool))
    return skin_hands(rig, who, transforms), place_flesh(flesh(), who, transforms)


@numba.njit
def distances(ball, bound, group, points):  # type: ignore[no-untyped-def]
    out = np.empty(points.shape[0])
    for k in range(points.shape[0]):
        out[k] = flesh_distance(ball, bound, group, points[k, 0], points[k, 1], points[k, 2], 0.05)
    return out


def test_flesh_is_the_skin_within_a_millimetre() -> None:
    """Skin vertices, whose true distance is zero, of open and of curled hands."""
    hand = people().skin_bone[:, 0] != FOREARM_BONE
    still = np.tile(np.eye(4), (16, 1, 1))
    for hold in (FLAT, SPREAD, RELAXED, CUPPED, HOLLOW, WRAP):
        skin, balls = posed(np.tile(hold_angles(hold), (16, 1)), still)
        error = np.array(
            [
                distances(balls.ball[h], balls.bound[h], balls.group, skin[h][hand].astype(float))
                for h in range(16)
            ]
        )
        # Where fingers lie side by side, skin is within the neighbour's flesh: that is no error.
        outward = np.maximum(error, 0.0)
        assert np.abs(error).mean() <= 0.0007
        assert np.quantile(outward, 0.99) <= 0.002
        assert np.quantile(np.abs(error), 0.98) <= 0.002


def test_distance_is_that_of_the_nearest_ball() -> None:
    rng = np.random.default_rng(0)
    _, balls = posed(random_angles(rng, 4), random_placement(rng, 4))
    for h in range(4):
        ball = balls.ball[h]
        centre = ball[rng.integers(0, len(ball), 300), :3]
        points = centre + rng.normal(0, 0.02, (300, 3))
        every = np.linalg.norm(points[:, None] - ball[None, :, :3], axis=2) - ball[:, 3]
        found = distances(ball, balls.bound[h], balls.group, points)
        np.testing.assert_allclose(found, np.minimum(every.min(1), 0.05), atol=1e-12)


def test_inside_is_inside_the_mesh() -> None:
    rng = np.random.default_rng(1)
    still = np.tile(np.eye(4), (1, 1, 1))
    skin, balls = posed(np.tile(hold_angles(SPREAD), (1, 1)), still)
    corners = skin[0][people().faces].astype(np.float64)
    points = rng.uniform(skin[0].min(0), skin[0].max(0), (900, 3))
    away = distances(balls.ball[0], balls.bound[0], balls.group, points)
    # But for the elbow's end, whose mesh is coarse and which touches nothing.
    clear = (np.abs(away) > 0.0035) & (points[:, 2] < 0.16)
    inside = winding_numbers(points[clear], corners) > 0.5
    assert inside.sum() > 10
    np.testing.assert_array_equal(inside, away[clear] < 0)


def test_balls_move_rigidly_with_the_hand() -> None:
    rng = np.random.default_rng(2)
    angles, place = random_angles(rng, 3), random_placement(rng, 3)
    _, here = posed(angles, np.tile(np.eye(4), (3, 1, 1)))
    _, there = posed(angles, place)
    moved = np.einsum("nij,nsj->nsi", place[:, :3, :3], here.ball[..., :3]) + place[:, None, :3, 3]
    np.testing.assert_allclose(there.ball[..., :3], moved, atol=2e-6)
    np.testing.assert_array_equal(there.ball[..., 3], here.ball[..., 3])


def test_a_person_and_a_frame_do_not_depend_on_company() -> None:
    rng = np.random.default_rng(3)
    angles, place = random_angles(rng, 5), random_placement(rng, 5)
    _, all_of_them = posed(angles, place)
    _, alone = posed(angles[:1], place[:1])
    np.testing.assert_array_equal(alone.ball[0], all_of_them.ball[0])
