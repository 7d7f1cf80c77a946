"""Clothes fit: sleeves hold their arms, watches and rings go around, nothing covers a hand."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from frames.parts import FOREARM
from synth.config import OutfitConfig, SceneConfig, SynthConfig
from synth.generator import Generator
from synth.hand.bones import FOREARM_BONE, PALM
from synth.hand.kinematics import bone_transforms, pose_hands
from synth.scene.composition import compose
from synth.scene.outfit import GLOVE, NAMES, RING, SLEEVE, WATCH, dress, name_worn
from synth.scene.scene import Scenes
from synth.scene.section import bone_skin
from tests.synth.hand.winding import surface_distance, winding_numbers

SLEEVES = OutfitConfig(sleeve_share=1.0, watch_share=0.0, glove_share=0.0)
ALL = OutfitConfig(sleeve_share=1.0, watch_share=1.0, ring_share=1.0, glove_share=0.0)
GROUPS = ("sleeves", "upper sleeves", "short sleeves", "bands", "cases", "rings", "elbow", "arm")


@cache
def maker(hand: str = "builtin") -> Generator:
    return Generator(SynthConfig(frames=1 << 20, seed=8, identities=64, hand=hand))


@cache
def scenes(outfit: OutfitConfig = ALL, count: int = 250, hand: str = "builtin") -> Scenes:
    other = Generator.__new__(Generator)
    other.__dict__ |= maker(hand).__dict__
    other.__dict__["studio"] = maker(hand).studio
    other.config = replace(maker(hand).config, scene=SceneConfig(others_share=0.3, outfit=outfit))
    return other.sample(np.arange(count))


def placed(scenes: Scenes, group: str, hand: str = "builtin") -> list[tuple[int, np.ndarray]]:
    """(hand, world triangles (F, 3, 3)) of every model of a group."""
    stock, props = maker(hand).studio.stock, scenes.props
    after = [*sorted(stock.first.values()), len(stock.face_start) - 1]
    stop = after[after.index(stock.first[group]) + 1]
    out = []
    for k in np.flatnonzero((props.model >= stock.first[group]) & (props.model < stop)):
        m = props.model[k]
        vertices = stock.vertices[stock.vertex_start[m] : stock.vertex_start[m + 1]]
        faces = stock.faces[stock.face_start[m] : stock.face_start[m + 1]]
        T = props.T_world_from_model[k]
        owner = np.flatnonzero(
            (scenes.hands.frame == props.frame[k]) & (scenes.hands.number == props.layer[k])
        )
        world = vertices.astype(np.float64) @ T[:3, :3].T + T[:3, 3]
        out.append((int(owner[0]), world[faces]))
    return out


def skins(scenes: Scenes, hand: str = "builtin") -> np.ndarray:
    hands = scenes.hands
    pose = (hands.identity, hands.angles, hands.T_world_from_wrist, hands.left)
    return pose_hands(maker(hand).rig, *pose)[0].astype(np.float64)


def way_to_elbow(hand: str = "builtin") -> np.ndarray:
    """(I, V) where every vertex lies at rest, as a share of the way from wrist to elbow."""
    rig = maker(hand).rig
    points, length = bone_skin(rig, FOREARM_BONE, np.arange(rig.rest_vertices.shape[1]))
    return np.asarray(points[..., 2] / length[:, None])


def along_arm(scenes: Scenes, n: int, points: np.ndarray, hand: str = "builtin") -> np.ndarray:
    """Shares of the way from wrist to elbow of world points, along the posed bone."""
    hands = scenes.hands
    rows = slice(n, n + 1)
    _, joints = bone_transforms(
        maker(hand).rig, hands.identity[rows], hands.angles[rows],
        hands.T_world_from_wrist[rows], hands.left[rows],
    )  # fmt: skip
    wrist, elbow = joints[0, PALM].astype(np.float64), joints[0, FOREARM_BONE].astype(np.float64)
    axis = elbow - wrist
    return np.asarray((points - wrist) @ axis / (axis @ axis))


@pytest.mark.parametrize("hand", ["builtin", "webxr"])
def test_sleeves_hold_the_arms_of_all_people(hand: str) -> None:
    here = scenes(SLEEVES, hand=hand)
    skin, way, rig = skins(here, hand), way_to_elbow(hand), maker(hand).rig
    arm = np.unique(rig.faces[rig.face_parts == FOREARM])
    sleeves = placed(here, "sleeves", hand)
    out, air, checked = [], [], set()
    for n, cloth in sleeves[:150]:
        who = here.hands.identity[n]
        cuff = along_arm(here, n, cloth.reshape(-1, 3), hand).min()
        points = skin[n][arm[(way[who, arm] > max(cuff + 0.04, 0.10)) & (way[who, arm] < 0.98)]]
        outside = winding_numbers(points, cloth) < 0.5
        away = surface_distance(points, cloth)
        out.append(away[outside].max(initial=0.0))
        air.append(np.median(away))
        checked.add(who)
    assert len(checked) > 40
    assert max(out) < 0.001, f"{1000 * max(out):.1f} mm of arm outside the sleeve"
    assert np.quantile(air, 0.5) < 0.0115 and max(air) < 0.025  # cloth, not balloons


def test_sleeves_end_behind_the_wrist() -> None:
    here = scenes(SLEEVES)
    ends = np.array(
        [along_arm(here, n, c.reshape(-1, 3)).min() for n, c in placed(here, "sleeves")]
    )
    assert ends.min() > 0.04  # a centimetre
    # Anywhere from the wrist to the elbow, and short ones beyond it.
    counts = np.histogram(ends, [0.04, 0.1, 0.2, 0.4, 0.6, 0.8])[0]
    assert (counts > 5).all()
    short = placed(here, "short sleeves")
    assert 0.1 < len(short) / len(here.hands.frame) < 0.35


@pytest.mark.parametrize("group", ["bands", "rings"])
def test_watches_and_rings_go_around(group: str) -> None:
    here, rig = scenes(), maker().rig
    skin = skins(here)
    inside, gaps = [], []
    for n, metal in placed(here, group)[:150]:
        faces = rig.faces[:, ::-1] if here.hands.left[n] else rig.faces
        # The middle of the band: vertices that are no pole.
        points = np.unique(metal.reshape(-1, 3), axis=0)
        middle = points.mean(0)
        points = points[np.linalg.norm(points - middle, axis=1) > 0.006]
        body = skin[n][faces]
        body = body[np.linalg.norm(body.mean(1) - middle, axis=1) < 0.08]
        inside.append((winding_numbers(points, skin[n][faces]) > 0.5).mean())
        gaps.append(np.median(surface_distance(points, body)))
    assert len(inside) > 100
    # An oval of the right size: it may cut into the flesh between tendons.
    assert np.mean(inside) < 0.25 and np.quantile(gaps, 0.9) < 0.004


def test_watches_sit_behind_the_wrist_and_cases_on_its_back() -> None:
    here = scenes()
    for n, metal in placed(here, "cases"):
        middle = metal.mean((0, 1))
        # The back of the forearm turns with the wrist's flexion against the hand's.
        flexion = here.hands.angles[n, 0]
        back = np.array([0.0, np.cos(flexion), np.sin(flexion)])
        local = np.linalg.inv(here.hands.T_world_from_wrist[n]) @ np.append(middle, 1.0)
        assert local[:3] @ back > 0.01
        away = along_arm(here, n, metal.reshape(-1, 3))
        assert away.min() > -0.04 and away.max() < 0.25
    for n, metal in placed(here, "bands"):
        away = along_arm(here, n, metal.reshape(-1, 3))
        assert away.min() > 0.0 and away.max() < 0.22


def test_models_face_outward_and_carry_the_codes_of_what_they_cover() -> None:
    here = scenes()
    for group in GROUPS:
        for n, triangles in placed(here, group):
            a, b, c = np.moveaxis(triangles - triangles.mean((0, 1)), 1, 0)
            assert np.einsum("ni,ni->n", a, np.cross(b, c)).sum() > 0, (group, n)
    props, stock = here.props, maker().studio.stock
    own = props.layer < 4
    codes = (
        stock.codes[stock.face_start[props.model[own]]] + props.base[own] - 32 * props.layer[own]
    )
    ring = props.model[own] == stock.first["rings"]
    assert set(codes[~ring].tolist()) == {FOREARM}
    assert set(codes[ring].tolist()) == {5, 8, 11, 14}


def test_both_arms_of_a_person_match() -> None:
    here = scenes(OutfitConfig(glove_share=0.3))
    hands, worn = here.hands, here.worn
    pairs = np.flatnonzero((hands.frame[1:] == hands.frame[:-1]) & (hands.slot[1:] % 2 == 1))
    pairs = pairs[hands.slot[pairs] == hands.slot[pairs + 1] - 1]
    assert len(pairs) > 60
    for flag in (SLEEVE, GLOVE):
        assert ((worn[pairs] & flag) == (worn[pairs + 1] & flag)).all()
    for flag in (WATCH, RING):
        assert not (worn[pairs] & worn[pairs + 1] & flag).any()
    assert not ((worn & RING > 0) & (worn & GLOVE > 0)).any()


def test_shares_are_those_of_the_options() -> None:
    """Within four standard errors, counted over scenes' wearers."""
    outfit = OutfitConfig(watch_share=0.3, ring_share=0.2, glove_share=0.1)
    here = scenes(outfit, 1200)
    first = here.hands.slot == 0
    worn, left = here.worn[first], here.hands.left[first]
    for flag, share in ((SLEEVE, outfit.sleeve_share), (GLOVE, outfit.glove_share)):
        error = np.sqrt(share * (1 - share) / first.sum())
        assert abs(((worn & flag) > 0).mean() - share) < 4 * error
    # A watch is on the left wrist in 3 of 4 cases.
    for side, part in ((True, 0.75), (False, 0.25)):
        share = part * outfit.watch_share
        found = ((worn & WATCH) > 0)[left == side].mean()
        assert abs(found - share) < 4 * np.sqrt(share * (1 - share) / (left == side).sum())


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_none_and_all(share: float) -> None:
    none = OutfitConfig(sleeve_share=share, watch_share=share, ring_share=share, glove_share=share)
    here = scenes(none, 60)
    assert ((here.worn & (SLEEVE | GLOVE)) == share * (SLEEVE | GLOVE)).all()
    if not share:
        assert all(name is None for name in name_worn(here.worn))
        assert not any(placed(here, group) for group in GROUPS[:6])
    # Everybody has upper arms, bare or clothed; far reaches have a piece more at the shoulder.
    arms = placed(here, "arm") + placed(here, "upper sleeves")
    assert {n for n, _ in arms} == set(range(len(here.worn)))
    assert len(arms) < 1.6 * len(here.worn)


def test_names_are_the_flags() -> None:
    names = name_worn(np.arange(16))
    assert names[0] is None and names[15] == "sleeve,watch,ring,glove"
    for flags, name in enumerate(names[1:].tolist(), 1):
        assert sum(1 << NAMES.index(word) for word in name.split(",")) == flags


def test_a_scene_alone_is_dressed_as_in_a_batch() -> None:
    studio, config = maker().studio, SceneConfig(others_share=0.3)
    ids = np.arange(40, 72)
    whole = compose(config, studio, 8, ids)
    worn, props = dress(ALL, studio, 8, whole)
    for k in (0, 13, 31):
        one = compose(config, studio, 8, ids[k : k + 1])
        alone, own = dress(ALL, studio, 8, one)
        np.testing.assert_array_equal(alone, worn[whole.hands.frame == k])
        mine = props.frame == k
        np.testing.assert_array_equal(own.T_world_from_model, props.T_world_from_model[mine])
        np.testing.assert_array_equal(own.model, props.model[mine])
