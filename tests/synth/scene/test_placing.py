"""Where hands go: things upright where they stand, hands level on tables, in reach of the arm."""

import numpy as np

from synth.config import SceneConfig, SituationConfig
from synth.scene.board import has_board
from synth.scene.fitting import TABLE_M, stand_up
from synth.scene.situation import GRASP, TOGETHER, draw_cast
from tests.synth.scene.witness import change_scene, generator, placed, world


def test_standing_up_is_the_least_turn_about_the_middle() -> None:
    rng = np.random.default_rng(0)
    pose = np.tile(np.eye(4), (200, 1, 1))
    pose[:, :3, :3] = np.linalg.qr(rng.normal(size=(200, 3, 3)))[0]
    pose[:, :3, 0] *= np.linalg.det(pose[:, :3, :3])[:, None]
    pose[:, :3, 3] = rng.normal(size=(200, 3))
    up = rng.normal(size=(200, 3))
    up /= np.linalg.norm(up, axis=1)[:, None]
    up[::4] = np.nan
    length = np.full(200, 0.18)
    out = stand_up(pose, up, length)
    np.testing.assert_allclose(out[::4], pose[::4], atol=1e-15)
    asked = np.isfinite(up[:, 0])
    turned = np.einsum("nij,nj->ni", out[asked, :3, :3], up[asked])
    np.testing.assert_allclose(turned, np.tile([0.0, 0.0, 1.0], (len(turned), 1)), atol=1e-9)
    middle = [T[:, :3, 3] - 0.09 * T[:, :3, 2] for T in (pose, out)]
    np.testing.assert_allclose(*middle, atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(out[:, :3, :3]), 1, atol=1e-9)
    before = np.einsum("nij,nj->ni", pose[asked, :3, :3], up[asked])[:, 2]
    change = out[asked, :3, :3] @ np.swapaxes(pose[asked, :3, :3], 1, 2)
    angle = np.arccos(np.clip((np.trace(change, axis1=1, axis2=2) - 1) / 2, -1, 1))
    np.testing.assert_allclose(np.cos(angle), before, atol=1e-6)


def test_what_stands_is_upright_and_what_rests_is_level() -> None:
    share = SituationConfig(grasp_share=0.5, touch_share=0.5, together_share=0.0)
    scenes = change_scene(generator(), SceneConfig(situation=share)).sample(np.arange(512))
    hands, things = scenes.hands, scenes.objects
    stands = np.flatnonzero(hands.stands & (hands.solid >= 0))
    assert len(stands) > 20
    up = things.T_world_from_object[hands.frame[stands], hands.slot[stands], 2, 2]
    np.testing.assert_allclose(up, 1, atol=1e-9)
    rests = np.flatnonzero(~np.isnan(hands.plane[:, 0]) & hands.on_table)
    assert len(rests) > 60
    normal = np.einsum("ni,ni->n", hands.T_world_from_wrist[rests, 2, :3], hands.plane[rests, :3])
    np.testing.assert_allclose(normal, 1, atol=1e-9)
    height = hands.T_world_from_wrist[rests, 2, 3] + hands.plane[rests, 3]
    assert (height > TABLE_M[0] - 1e-6).all() and (height < TABLE_M[1] + 1e-6).all()


def test_arms_reach_from_the_shoulder() -> None:
    """Shoulder, elbow and wrist are as far apart as the person's bones, hand by hand."""
    here = world()
    hands, elbows = here.scenes.hands, here.maker.studio.elbows
    wrist = hands.T_world_from_wrist[:, :3, 3]
    fore = np.linalg.norm(hands.elbow - wrist, axis=1)
    np.testing.assert_allclose(fore, np.linalg.norm(elbows[hands.identity], axis=1), rtol=0.02)
    upper = np.linalg.norm(hands.elbow - hands.shoulder, axis=1)
    assert (upper > 0.2).all() and (upper < 0.45).all()


def test_boards_lie_under_the_hands_that_touch_them() -> None:
    """The hand is on the board's side, and its nearest skin is within 6 cm of the board."""
    here = world()
    hands, props = here.scenes.hands, here.scenes.props
    rows = np.flatnonzero(has_board(hands) & np.isnan(hands.edge[:, 0]))
    board = here.maker.studio.stock.first["board"]
    assert len(rows) > 15
    for n in rows:
        boards = np.flatnonzero((props.frame == hands.frame[n]) & (props.model == board))
        assert len(boards) == 1
        corners = placed(here, int(boards[0]))[0]
        pose = hands.T_world_from_wrist[n]
        normal = pose[:3, :3] @ hands.plane[n, :3]
        height = hands.plane[n, 3] + normal @ pose[:3, 3]
        over = here.skin[n] @ normal - height
        assert -0.0035 < over.min() < 0.06
        assert abs((corners @ normal).max() - height) < 1e-6


def test_pairs_are_both_hands_of_the_wearer() -> None:
    here = world()
    hands = here.scenes.hands
    first = np.flatnonzero((hands.action == TOGETHER) & (hands.slot == 0))
    assert len(first) > 20
    assert (hands.slot[first + 1] == 1).all() and (hands.action[first + 1] == TOGETHER).all()
    assert (hands.left[first] != hands.left[first + 1]).all()
    assert (hands.identity[first] == hands.identity[first + 1]).all()
    shared = first[hands.solid[first] >= 0]
    for n in shared:
        one, two = (hands.T_world_from_wrist[k] @ hands.T_wrist_from_object[k] for k in (n, n + 1))
        np.testing.assert_allclose(one, two, atol=1e-9)


def test_casts_are_drawn_frame_by_frame() -> None:
    maker, ids = generator(), np.arange(4096)
    config = SceneConfig()
    cast = draw_cast(config, maker.pools, 5, ids)
    some = draw_cast(config, maker.pools, 5, ids[100:101])
    for name, values in vars(some).items():
        np.testing.assert_array_equal(values[0], getattr(cast, name)[100], name)
    share = (cast.situation == GRASP).mean()
    assert abs(share - config.situation.grasp_share) < 0.03
    assert (cast.present[:, 1] | (cast.situation != TOGETHER)).all()
    assert (cast.present[:, 2] | ~cast.present[:, 3]).all()
    assert (cast.left[:, 0] != cast.left[:, 1]).all()
