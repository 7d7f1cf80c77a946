"""The solver: its chain is the hand's, its slopes are true, it leaves alone what is fine."""

import numpy as np

from synth.hand.angles import DOFS, LIMITS, clamp
from synth.hand.collision import build_capsules, place_capsules, self_penetration
from synth.hand.kinematics import bone_transforms
from synth.pose.chain import place_bones, slopes
from synth.pose.flesh import TIP_MARGIN_M
from synth.pose.library import NUMBER_OF, preset_table, touch_table
from synth.pose.presets import TOUCHES
from synth.pose.settling import TOUCHED_M, WANTED_M, settle
from tests.synth.hand.rigs import people
from tests.synth.pose.fitted import COUNT, flesh

NOTHING = np.full((1, TOUCHES, 2, 3), -1.0)


def _wild(count: int, spread: float) -> np.ndarray:
    rng = np.random.default_rng(5)
    table = preset_table()[rng.integers(0, len(preset_table()), count)]
    return clamp(table + spread * rng.normal(size=table.shape) * (np.arange(29) > 1))


def _place(angles: np.ndarray, who: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    f = flesh()
    turn, origin = np.empty((21, 3, 3)), np.empty((21, 3))
    axis = np.empty((len(f.turns), 3))
    place_bones(angles, f.offset[who], f.zero, f.turns, f.factors, turn, origin, axis)
    return turn, origin, axis


def test_chain_is_that_of_the_kinematics() -> None:
    rig, angles = people(COUNT), _wild(40, 0.3)
    who = np.arange(40)
    still = np.tile(np.eye(4), (40, 1, 1))
    transforms, joints = bone_transforms(rig, who, angles, still, np.zeros(40, bool))
    for k in range(40):
        turn, origin, _ = _place(angles[k], k)
        np.testing.assert_allclose(origin[2:], joints[k, 2:], atol=1e-6)
        carried = turn @ rig.frames.transpose(0, 2, 1)
        np.testing.assert_allclose(carried, transforms[k, :, :, :3], atol=1e-6)


def test_slopes_are_differences() -> None:
    f, angles = flesh(), _wild(8, 0.2)
    point, direction = np.array([0.003, -0.005, -0.01]), np.array([0.48, -0.6, 0.64])
    for k, a in enumerate(angles):
        for bone in (4, 8, 14, 20):
            turn, origin, axis = _place(a, k)
            out = np.zeros(len(DOFS))
            at = origin[bone] + turn[bone] @ point
            slopes(at, bone, direction, 1.0, f.turns, f.moves, origin, axis, out)
            for d in range(2, len(DOFS)):
                ends = []
                for step in (-1e-5, 1e-5):
                    moved = a.copy()
                    moved[d] += step
                    turn, origin, _ = _place(moved, k)
                    ends.append(direction @ (origin[bone] + turn[bone] @ point))
                np.testing.assert_allclose(out[d], (ends[1] - ends[0]) / 2e-5, atol=1e-7)


def test_clear_hands_stay_and_tight_ones_clear_up() -> None:
    angles = _wild(2000, 0.1)
    who = np.arange(2000) % COUNT
    rig, capsules = people(COUNT), build_capsules(people(COUNT))

    def depth_of(a: np.ndarray) -> np.ndarray:
        still = np.tile(np.eye(4), (len(a), 1, 1))
        transforms, _ = bone_transforms(rig, who, a, still, np.zeros(len(a), bool))
        return np.asarray(
            self_penetration(*place_capsules(capsules, who, transforms), capsules.pairs)
        )

    settled, depth, gap = settle(flesh(), who, angles, np.repeat(NOTHING, 2000, axis=0))
    before, after = depth_of(angles), depth_of(settled)
    stayed = (settled == angles).all(1)
    assert 0.3 < stayed.mean() < 0.95
    assert before[stayed].max() <= WANTED_M + 1e-6 and before[~stayed].max() > 0.006
    clear = before == 0.0
    assert stayed[clear].mean() > 0.9  # the margin about the palm moves a few
    # What it says of itself is true, and on the side of caution.
    assert (depth >= after - 1e-6).all() and (depth <= after + TIP_MARGIN_M + 1e-6).all()
    assert (after < 0.003).mean() > 0.99 and not gap.any()
    assert (settled >= LIMITS[:, 0] - 1e-12).all() and (settled <= LIMITS[:, 1] + 1e-12).all()
    np.testing.assert_allclose(clamp(settled), settled, atol=1e-12)


def test_touch_is_made_from_afar() -> None:
    """Even an open hand comes to a pinch, without leaving its limits."""
    who = np.arange(COUNT)
    start = np.repeat(preset_table()[[NUMBER_OF["relaxed"]]], COUNT, axis=0)
    touch = np.repeat(touch_table()[[NUMBER_OF["pinch"]]], COUNT, axis=0)
    _, depth, gap = settle(flesh(), who, start, touch)
    assert (gap <= TOUCHED_M).mean() > 0.9
    assert (depth < 0.003).all()


def test_a_hand_alone_is_the_hand_among_others() -> None:
    names = ("pinch", "ok-round", "fist", "asl-o", "crossed-fingers")
    rows = np.array([NUMBER_OF[n] for n in names])
    who = np.arange(len(rows)) * 3
    table = preset_table()[rows]
    whole = settle(flesh(), who, table, touch_table()[rows])
    for k in range(len(rows)):
        alone = settle(flesh(), who[[k]], table[[k]], touch_table()[rows[[k]]])
        for a, b in zip(alone, whole, strict=True):
            np.testing.assert_array_equal(a[0], b[k])
