"""Ways between poses: from end to end, smooth, within limits, fingers one after another."""

import numpy as np

from synth.hand.angles import FINGER_DOF_START, LIMITS, clamp
from synth.pose.library import NUMBER_OF, preset_table
from synth.pose.transition import LATEST, path_angles

RNG = np.random.default_rng(11)
A, B = (preset_table()[RNG.integers(0, len(preset_table()), 300)] for _ in range(2))


def test_ends_are_the_poses() -> None:
    np.testing.assert_allclose(path_angles(A, B, np.zeros(300)), A, atol=1e-12)
    np.testing.assert_allclose(path_angles(A, B, np.ones(300)), B, atol=1e-12)


def test_ways_stay_within_limits_and_between_their_ends() -> None:
    for t in np.linspace(0, 1, 9):
        on = path_angles(A, B, np.full(300, t), LATEST * RNG.random((300, 5)))
        np.testing.assert_array_equal(clamp(on), on)
        assert (on >= LIMITS[:, 0]).all() and (on <= LIMITS[:, 1]).all()
        flexion = [2, 3, 6, 8, *range(FINGER_DOF_START, 29, 5)]
        low, high = np.minimum(A, B), np.maximum(A, B)
        assert (on >= low - 1e-12)[:, flexion].all() and (on <= high + 1e-12)[:, flexion].all()


def test_ways_are_smooth_and_fingers_follow_one_another() -> None:
    open_hand, fist = (preset_table()[NUMBER_OF[n]] for n in ("flat", "fist"))
    t = np.linspace(0, 1, 401)
    way = path_angles(np.tile(open_hand, (401, 1)), np.tile(fist, (401, 1)), t)
    pip = way[:, FINGER_DOF_START + 3 :: 5]
    speed = np.gradient(pip, t, axis=0)
    assert np.abs(speed[[0, -1]]).max() < 0.02
    assert np.abs(np.gradient(speed, t, axis=0)).max() < 25
    half = (pip > (pip[0] + pip[-1]) / 2).argmax(0)
    assert (np.diff(half) > 0).all()  # index first, pinky last


def test_ways_do_not_depend_on_company() -> None:
    t = RNG.random(300)
    whole = path_angles(A, B, t)
    np.testing.assert_array_equal(path_angles(A[5:6], B[5:6], t[5:6])[0], whole[5])
