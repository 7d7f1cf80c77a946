"""How the head is held, and where hands are seen."""

import numpy as np
import pytest

from frames.camera import CAMERAS, Camera
from synth.config import BodyConfig
from synth.scene.arm import reach_best, straight_elbows
from synth.scene.body import (
    HEAD_DRAWS,
    WRIST_DRAWS,
    draw_wrists,
    facing_body,
    half_field,
    head_pose,
)
from tests.synth.hand.rigs import people

COUNT = 20_000


def draws(size: int, seed: int = 0, count: int = COUNT) -> np.ndarray:
    return np.random.default_rng(seed).random((count, size))


@pytest.mark.parametrize("works", [False, True])
def test_head_looks_down_at_the_hands(works: bool) -> None:
    config = BodyConfig()
    pose = head_pose(config, draws(HEAD_DRAWS), np.full(COUNT, works))
    turn = pose[:, :3, :3]
    np.testing.assert_allclose(
        turn @ turn.transpose(0, 2, 1), np.eye(3)[None].repeat(COUNT, 0), atol=1e-12
    )
    assert np.allclose(np.linalg.det(turn), 1)
    pitch = np.degrees(np.arcsin(-turn[:, 2, 2]))
    mean, sd = config.work_pitch_deg if works else config.pitch_deg
    # The clipped tails move the mean by less than the tolerance.
    assert abs(pitch.mean() - mean) < 4 * sd / np.sqrt(COUNT) + 0.1
    assert pitch.min() >= -30.01 and pitch.max() <= 75.01
    # Right of the image is right of the wearer, its lower edge is down.
    assert (turn[:, 0, 0] > 0.4).all() and (turn[:, 2, 1] < -0.1).all()
    sway = pose[:, :3, 3]
    assert np.abs(sway).max() <= 2.5 * config.sway_sd_m + 1e-12
    assert np.abs(sway.std(0) - config.sway_sd_m).max() < 0.1 * config.sway_sd_m


def test_head_alone_is_the_one_of_a_batch() -> None:
    u = draws(HEAD_DRAWS)
    works = u[:, 0] < 0.5
    whole = head_pose(BodyConfig(), u, works)
    for k in (0, 99, COUNT - 1):
        row = slice(k, k + 1)
        np.testing.assert_array_equal(head_pose(BodyConfig(), u[row], works[row]), whole[row])


def test_others_stand_around_and_face_the_wearer() -> None:
    config = BodyConfig()
    pose = facing_body(config, draws(6))
    away = np.hypot(pose[:, 0, 3], pose[:, 1, 3])
    near, far = config.other_distance_m
    assert away.min() >= near and away.max() <= far and np.ptp(away) > 0.9 * (far - near)
    ahead = pose[:, :3, 1]
    toward = -pose[:, :2, 3] / away[:, None]
    cosine = (ahead[:, :2] * toward).sum(1)
    assert cosine.min() > np.cos(np.radians(30)) - 1e-9
    np.testing.assert_allclose(pose[:, 2, 2], 1, atol=1e-12)


def test_hands_are_seen_where_the_options_say() -> None:
    config, rig = BodyConfig(), people(8)
    u = draws(WRIST_DRAWS)
    left = np.arange(COUNT) % 2 == 0
    who = np.arange(COUNT) % 8
    camera = head_pose(config, draws(HEAD_DRAWS, 1), np.zeros(COUNT, bool))
    field = half_field(CAMERAS["ego"])
    length, elbows = rig.hand_length[who], straight_elbows(rig)[who]
    pose, swivels = draw_wrists(config, field, camera, left, length, elbows, u)
    assert np.allclose(np.linalg.det(pose[:, :3, :3]), 1)
    middle = pose[:, :3, 3] - 0.5 * length[:, None] * pose[:, :3, 2]
    seen = np.einsum("nji,nj->ni", camera[:, :3, :3], middle - camera[:, :3, 3])
    distance = np.linalg.norm(seen, axis=1)
    near, far = config.distance_m
    # The wrist bends about the drawn place of the middle: a few centimetres more or less.
    assert np.quantile(distance, 0.01) > near - 0.06 and np.quantile(distance, 0.99) < far + 0.06
    side = np.sign(seen[:, 0]) == np.where(left, -1, 1)
    assert 0.55 < side.mean() < 0.85 and (seen[:, 2] > 0).mean() > 0.999
    arms = reach_best(pose, left, length, elbows, swivels)
    assert arms.fits.mean() > 0.25  # so many draws are arms that somebody could have
    assert (arms.elbow[arms.fits, 2] < 0.1).mean() > 0.98  # elbows hang below the eyes


def test_half_field_of_known_cameras() -> None:
    square = Camera("pinhole", 101, 101, 50.0, 50.0, 50.0, 50.0)
    np.testing.assert_allclose(half_field(square), np.radians(45), atol=1e-9)
    ahat = CAMERAS["ahat"]
    assert ahat.max_theta_rad is not None
    assert (half_field(ahat) <= ahat.max_theta_rad).all() and (half_field(ahat) > 0.8).all()
    for name, camera in CAMERAS.items():
        assert (half_field(camera) > 0.3).all() and (half_field(camera) < 1.4).all(), name
