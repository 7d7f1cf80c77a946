"""Pairs of hands in the world: forearms that would run through what both hands hold."""

import numpy as np

from frames.parts import FOREARM
from synth.config import SceneConfig, SituationConfig
from synth.hand.kinematics import pose_hands
from synth.rigid import invert_rigid, multiply
from synth.scene.fitting import ARM_DIP_M
from synth.scene.pairing import arms_enter
from synth.things.distance import solid_distances
from tests.synth.scene.witness import change_scene, generator


def test_forearms_that_enter_the_thing_are_found() -> None:
    """Things moved along the forearms, against the distance of all vertices of the skin."""
    share = SituationConfig(grasp_share=0.0, touch_share=0.0, together_share=1.0, shared_share=1.0)
    maker = change_scene(generator(), SceneConfig(situation=share))
    hands = maker.sample(np.arange(384)).hands
    first = np.flatnonzero((hands.slot == 0) & (hands.solid >= 0))
    first = first[hands.slot[first + 1] == 1]
    assert len(first) > 60
    both = np.stack([first, first + 1], axis=1)
    rng, studio = np.random.default_rng(3), maker.studio
    wrist, elbow = hands.T_world_from_wrist[both], hands.elbow[both]
    thing = hands.T_wrist_from_object[first]

    def measure(place: np.ndarray) -> np.ndarray:
        """(P,) nearest of both forearms' skin to the thing at T_first_from_object."""
        gap = np.full(len(first), np.inf)
        for k in (0, 1):
            rows = both[:, k]
            world = hands.T_world_from_wrist
            skin, _ = pose_hands(
                *(studio.rig, hands.identity[rows], hands.angles[rows]),
                *(np.tile(np.eye(4), (len(rows), 1, 1)), hands.left[rows]),
            )
            inward = invert_rigid(
                multiply(invert_rigid(world[rows]), multiply(world[first], place))
            )
            arm = skin[:, studio.probes.skin_part == FOREARM].astype(np.float64)
            local = np.einsum("pij,pvj->pvi", inward[:, :3, :3], arm) + inward[:, None, :3, 3]
            solids = np.repeat(hands.solid[first], local.shape[1])
            away = solid_distances(studio.stock.distances, solids, local.reshape(-1, 3))
            gap = np.minimum(gap, away.reshape(len(rows), -1).min(1))
        return gap

    def ask(place: np.ndarray) -> np.ndarray:
        return arms_enter(
            *(studio, hands.identity[first], hands.left[both], hands.angles[both], wrist, elbow),
            *(hands.solid[first], place),
        )

    assert (measure(thing) >= -ARM_DIP_M - 1e-4).all()
    assert not ask(thing).any()
    found = 0
    for _ in range(6):
        moved = thing.copy()
        side = rng.integers(0, 2, len(first))
        world = np.take_along_axis(elbow, side[:, None, None], 1)[:, 0]
        inward = invert_rigid(wrist[:, 0])
        goal = np.einsum("nij,nj->ni", inward[:, :3, :3], world) + inward[:, :3, 3]
        spread = rng.normal(0, 0.05, (len(first), 3))
        moved[:, :3, 3] += rng.uniform(0, 0.9, (len(first), 1)) * (goal - thing[:, :3, 3]) + spread
        gap, told = measure(moved), ask(moved)
        assert told[gap < -ARM_DIP_M - 2e-4].all()
        # Probes lie between the vertices of the forearm's large faces as well.
        assert not told[gap > -0.25 * ARM_DIP_M].any()
        found += int(told.sum())
    assert found > 300
