"""The wearer's body: sizes, what hands keep out of, what the eyes may see."""

from functools import cache

import numpy as np

from synth.config import OutfitConfig, SceneConfig, SynthConfig
from synth.generator import Generator
from synth.hand.collision import segment_distance
from synth.hand.kinematics import pose_hands
from synth.scene.composition import compose
from synth.scene.lap import lap_spans, place_lap
from synth.scene.props import Props
from synth.scene.scene import LAYERS
from tests.synth.hand.winding import winding_numbers

NAMES = ("trunk", "head", "thigh", "shank")


@cache
def maker() -> Generator:
    return Generator(SynthConfig(frames=1 << 20, seed=6, identities=32))


def triangles(props: Props, k: int) -> np.ndarray:
    stock = maker().studio.stock
    m = props.model[k]
    vertices = stock.vertices[stock.vertex_start[m] : stock.vertex_start[m + 1]]
    T = props.T_world_from_model[k]
    world = vertices.astype(np.float64) @ T[:3, :3].T + T[:3, 3]
    return world[stock.faces[stock.face_start[m] : stock.face_start[m + 1]]]


def test_thighs_are_as_long_and_thick_as_peoples() -> None:
    seated, (start, end, radius) = lap_spans(OutfitConfig(seated_share=1.0), 0, np.arange(2000))
    assert seated.all() and start.shape == (2000, 4, 3) and radius.shape == (2000, 4)
    # Right hip, left hip, then both middles; from there to the knees.
    np.testing.assert_array_equal(end[:, :2], start[:, 2:])
    length = np.linalg.norm(end[:, 2:] - start[:, :2], axis=-1)
    assert 0.40 < length.mean() < 0.44 and length.min() > 0.36 and length.max() < 0.48
    assert (start[:, 0, 0] > 0.07).all() and (start[:, 1, 0] < -0.07).all()
    knees = end[:, 2:]
    assert (knees[..., 1] > 0.2).all() and (np.abs(knees[..., 2] + 0.70) < 0.2).all()
    apart = knees[:, 0, 0] - knees[:, 1, 0]
    assert apart.min() > 0.19 and apart.max() > 0.45 and np.ptp(apart) > 0.25
    # Hip breadth 0.35 m, thigh clearance 0.17 m (ANSUR II).
    assert abs(2 * radius[:, 0].mean() - 0.17) < 0.01
    assert (radius[:, 2:] < radius[:, :2]).all()


def test_who_stands_has_legs_below() -> None:
    seated, (start, end, radius) = lap_spans(OutfitConfig(seated_share=0.0), 0, np.arange(50))
    assert not seated.any() and (radius > 0.05).all()
    # From hip to knee, downwards.
    assert (end[:, 2:, 2] < start[:, :2, 2] - 0.3).all()
    some = lap_spans(OutfitConfig(seated_share=0.4), 0, np.arange(4000))[0]
    assert abs(some.mean() - 0.4) < 4 * np.sqrt(0.24 / 4000)


def test_capsules_hold_the_thighs_that_are_drawn() -> None:
    config = SceneConfig(outfit=OutfitConfig(seated_share=0.5))
    studio = maker().studio
    scene = compose(config, studio, 6, np.arange(30))
    props = place_lap(config.outfit, studio, 6, scene, LAYERS)
    _, (start, end, radius) = lap_spans(config.outfit, 6, scene.ids)
    rows = np.flatnonzero(props.model == studio.stock.first["thigh"])
    assert len(rows) == 60
    for k in rows:
        points = triangles(props, k).reshape(-1, 3)
        b = props.frame[k]
        away = [
            min(segment_distance(p, p, start[b, c], end[b, c]) - radius[b, c] for c in range(4))
            for p in points[::7]
        ]
        assert max(away) < 0.02  # behind the hip and before the knee the ends are longer


def test_hands_keep_out_of_lap_and_trunk() -> None:
    maker_ = maker()
    scenes = maker_.sample(np.arange(800))
    hands, props, first = scenes.hands, scenes.props, maker_.studio.stock.first
    skin = pose_hands(
        maker_.rig, hands.identity, hands.angles, hands.T_world_from_wrist, hands.left
    )[0].astype(np.float64)
    flesh = np.unique(maker_.rig.faces[maker_.rig.face_parts < 17])
    near, inside = dict.fromkeys(NAMES, 0), dict.fromkeys(NAMES, 0)
    for name in ("trunk", "thigh"):
        for k in np.flatnonzero(props.model == first[name]):
            body = triangles(props, k)
            low, high = body.min((0, 1)), body.max((0, 1))
            for n in np.flatnonzero((hands.frame == props.frame[k]) & hands.wearer):
                points = skin[n, flesh]
                points = points[((points > low) & (points < high)).all(1)]
                if len(points):
                    near[name] += 1
                    inside[name] += bool((winding_numbers(points, body) > 0.5).any())
    # Capsules keep hands off the thighs; off the trunk it is the hand's middle line alone, so that
    # a curled finger may touch it.
    assert near["thigh"] and not inside["thigh"]
    assert inside["trunk"] <= 0.005 * len(hands.frame)


def test_nothing_of_the_body_comes_before_the_eyes() -> None:
    scenes = maker().sample(np.arange(300))
    first = maker().studio.stock.first
    seen = set()
    for k in np.flatnonzero(np.isin(scenes.props.model, [first[name] for name in NAMES])):
        body = triangles(scenes.props, k)
        eye = scenes.T_world_from_camera[scenes.props.frame[k], :3, 3]
        assert np.linalg.norm(body - eye, axis=-1).min() > 0.08
        a, b, c = np.moveaxis(body - body.mean((0, 1)), 1, 0)
        assert np.einsum("ni,ni->n", a, np.cross(b, c)).sum() > 0
        assert scenes.props.layer[k] == LAYERS and scenes.props.base[k] == 0
        seen.add(int(scenes.props.model[k]))
    assert len(seen) == 4


def test_a_body_alone_is_the_one_of_a_batch() -> None:
    config, studio, ids = SceneConfig(others_share=0.3), maker().studio, np.arange(64)
    whole = compose(config, studio, 6, ids)
    props = place_lap(config.outfit, studio, 6, whole, LAYERS)
    for k in (0, 21, 63):
        one = compose(config, studio, 6, ids[k : k + 1])
        alone = place_lap(config.outfit, studio, 6, one, LAYERS)
        mine = props.frame == k
        np.testing.assert_array_equal(alone.model, props.model[mine])
        np.testing.assert_array_equal(alone.T_world_from_model, props.T_world_from_model[mine])
