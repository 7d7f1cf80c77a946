"""Clothes on posed arms: they hold the skin, stay off the hand, and depend on the frame alone."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest

from frames.stream import normal, uniform
from synth.config import OutfitConfig
from synth.hand.angles import LIMITS
from synth.hand.bones import BONE_PART, FOREARM_BONE
from synth.hand.builtin import builtin_rig
from synth.hand.glove import glove_skins, vertex_normals
from synth.hand.kinematics import bone_transforms, skin_hands
from synth.hand.rig import Rig
from synth.hand.webxr import webxr_rig
from synth.scene.clothing import CUFFS, wardrobe
from synth.scene.facing import bystander_models
from synth.scene.lap import CAPSULES, PIECES, lap_models, seat
from synth.scene.outfit import Outfit, Tailor, dress, hire_tailor
from tests.synth.hand.winding import winding_numbers

EVERYTHING = OutfitConfig(sleeve_share=1.0, watch_share=1.0, ring_share=1.0, glove_share=0.1)
BARE = OutfitConfig(
    sleeve_share=0.0, watch_share=1.0, ring_share=1.0, glove_share=0.0, seated_share=1.0
)


@dataclass(frozen=True)
class Dressed:
    rig: Rig
    tailor: Tailor
    left: np.ndarray
    person: np.ndarray
    skin: np.ndarray
    outfit: Outfit


@cache
def rig(name: str) -> Rig:
    return {"builtin": builtin_rig, "webxr": webxr_rig}[name](seed=4, identities=24)


def wear(config: OutfitConfig, name: str = "builtin", count: int = 400, first: int = 0) -> Dressed:
    """Arms whose wrists take all angles, dressed."""
    model = rig(name)
    ids = np.arange(first, first + count)
    u = uniform(6, ids, "test/wear", 8)
    left, person = u[:, 0] < 0.5, (u[:, 1] * 24).astype(int)
    angles = np.zeros((count, 29))
    angles[:, :2] = LIMITS[:2, 0] + u[:, 2:4] * np.ptp(LIMITS[:2], axis=1)
    pose = np.tile(np.eye(4), (count, 1, 1))
    pose[:, :3, 3] = [0.0, 0.4, -0.3]
    transforms, joints = bone_transforms(model, person, angles, pose, left)
    elbow = joints[:, FOREARM_BONE].astype(np.float64)
    toward = np.column_stack([u[:, 4] - 0.5, -u[:, 5], u[:, 6] - 0.2])
    shoulder = elbow + 0.3 * toward / np.linalg.norm(toward, axis=1, keepdims=True)
    tailor = hire_tailor(model)
    outfit = dress(
        config, tailor, 3, ids, np.zeros(count, int), left, person, transforms, elbow, shoulder
    )
    skin = skin_hands(model, person, transforms).astype(np.float64)
    return Dressed(model, tailor, left, person, skin, outfit)


def _inside(points: np.ndarray, outfit: Outfit, tailor: Tailor, m: int) -> np.ndarray:
    """Points in the axes of placed model m."""
    T = outfit.T_world_from_model[m]
    return np.asarray((points - T[:3, 3]) @ np.linalg.inv(T[:3, :3]).T)


@pytest.mark.parametrize("name", ["builtin", "webxr"])
def test_sleeves_hold_the_arm_they_cover(name: str) -> None:
    here = wear(EVERYTHING, name)
    cuff_of = {int(m): CUFFS[k] for row in wardrobe().forearm for k, m in enumerate(row)}
    sleeves = [m for m, k in enumerate(here.outfit.model) if int(k) in cuff_of]
    assert len(sleeves) > 200
    arm = np.where(here.rig.skin_bone == FOREARM_BONE, here.rig.skin_weight, 0).sum(1) > 0.05
    poking, checked = 0, 0
    for m in sleeves:
        n, model = here.outfit.hand[m], here.tailor.models[here.outfit.model[m]]
        cuff = cuff_of[int(here.outfit.model[m])]
        local = _inside(here.skin[n][arm], here.outfit, here.tailor, m)
        # Beyond the hollow in the cuff, and a millimetre deeper than it is.
        local = local[local[:, 2] > cuff + 0.026]
        half = np.linalg.norm(here.outfit.T_world_from_model[m][:3, :2], axis=0)
        radius = np.hypot(*(local[:, :2] * half).T)
        local[:, :2] *= (1 - 0.001 / radius)[:, None]
        corners = model.vertices.astype(np.float64)[model.faces]
        poking += int((winding_numbers(local, corners) < 0.5).sum())
        checked += len(local)
    assert checked > 10_000 and poking == 0


def test_sleeves_leave_the_hand_bare() -> None:
    here = wear(EVERYTHING)
    palm_on = (here.rig.skin_bone[:, 0] != FOREARM_BONE) & (here.rig.rest_vertices[0][:, 2] < -0.03)
    cuffs = set(wardrobe().forearm.ravel().tolist())
    for m in np.flatnonzero([int(k) in cuffs for k in here.outfit.model])[:120]:
        n, model = here.outfit.hand[m], here.tailor.models[here.outfit.model[m]]
        local = _inside(here.skin[n][palm_on], here.outfit, here.tailor, m)
        inside = winding_numbers(local, model.vertices.astype(np.float64)[model.faces]) > 0.5
        assert inside.mean() < 0.01


def test_watches_and_rings_go_round_what_wears_them() -> None:
    here = wear(BARE)
    straps = set(wardrobe().straps.tolist())
    rings = set(wardrobe().rings.ravel().tolist())
    seen, out = {"strap": 0, "ring": 0}, []
    for m, k in enumerate(here.outfit.model):
        kind = "strap" if int(k) in straps else "ring" if int(k) in rings else ""
        if not kind:
            continue
        seen[kind] += 1
        code = int(here.tailor.models[k].codes[0])
        own = here.rig.skin_bone[:, 0] == np.flatnonzero(code == BONE_PART)[0]
        local = _inside(here.skin[here.outfit.hand[m]][own], here.outfit, here.tailor, m)
        # Skin within the band's breadth about the arm or finger: hardly any is outside of it.
        slab = np.abs(local[:, 2]) < 0.004
        out.append(np.hypot(*local[slab, :2].T) > 1.13)
        T = here.outfit.T_world_from_model[m]
        half = np.linalg.norm(T[:3, :2], axis=0)
        low, high = (0.017, 0.042) if kind == "strap" else (0.005, 0.018)
        assert (half > low).all() and (half < high).all()
    assert np.concatenate(out).mean() < 0.05
    assert seen["strap"] > 100 and seen["ring"] > 300


def test_models_are_closed_outward_and_coarse() -> None:
    for model in (*wardrobe().models, *lap_models(), *bystander_models()):
        edges = np.sort(model.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
        assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all(), model.name
        corner = model.vertices.astype(np.float64)[model.faces]
        volume = (corner[:, 0] * np.cross(corner[:, 1], corner[:, 2])).sum()
        assert volume > 0 and len(model.faces) <= 200, model.name


def test_placed_models_keep_their_hands_order_and_are_right_handed() -> None:
    here = wear(EVERYTHING)
    assert (np.diff(here.outfit.hand) >= 0).all()
    assert (np.linalg.det(here.outfit.T_world_from_model[:, :3, :3]) > 0).all()
    # Each arm has an upper arm, and an elbow or a sleeve.
    w = wardrobe()
    uppers = np.isin(here.outfit.model, [w.upper, *w.upper_long])
    joins = np.isin(here.outfit.model, [w.elbow, *w.forearm.ravel()])
    for piece in (uppers, joins):
        np.testing.assert_array_equal(here.outfit.hand[piece], np.arange(400))


def test_shares_and_names_of_what_is_worn() -> None:
    config = OutfitConfig()
    worn = wear(config, count=4000).outfit.worn
    share = {
        name: np.mean([name in w.split(",") for w in worn])
        for name in ("sleeve", "watch", "ring", "glove")
    }
    assert abs(share["sleeve"] - config.sleeve_share) < 0.035
    assert abs(share["glove"] - config.glove_share) < 0.02
    assert 0.02 < share["watch"] < config.watch_share
    assert 0.2 < share["ring"] < 0.4
    assert not any("glove" in w and "ring" in w for w in worn)
    nothing = OutfitConfig(sleeve_share=0, watch_share=0, ring_share=0, glove_share=0)
    plain = wear(nothing, count=50).outfit
    assert set(plain.worn) == {""} and len(plain.hand) == 100  # elbows and upper arms only


def test_an_outfit_alone_equals_the_outfit_in_a_batch() -> None:
    many = wear(EVERYTHING, count=40).outfit
    alone = wear(EVERYTHING, count=1, first=23).outfit
    rows = many.hand == 23
    np.testing.assert_array_equal(many.model[rows], alone.model)
    np.testing.assert_array_equal(many.T_world_from_model[rows], alone.T_world_from_model)
    assert many.worn[23] == alone.worn[0]


def test_gloves_are_a_thicker_skin_that_ends_behind_the_wrist() -> None:
    model = rig("builtin")
    gloves = glove_skins(model, (0.8, 2.2), seed=1)
    rest = model.rest_vertices.astype(np.float64)
    moved = np.linalg.norm(gloves - rest, axis=-1)
    tips = moved[:, model.tip_vertices]
    assert (tips > 0.0007).all() and (tips < 0.0023).all()
    elbow = rest[:, :, 2] > 0.36 * model.rest_joints[:, [FOREARM_BONE], 2]
    assert (moved[elbow] < 1e-6).all()
    outward = ((gloves - rest) * vertex_normals(rest, model.faces)).sum(-1)
    np.testing.assert_allclose(outward, moved, atol=1e-7)


def test_laps_keep_clear_of_the_camera_and_of_hands() -> None:
    count = 600
    ids = np.arange(count)
    n = normal(uniform(5, ids, "test/hands", 6))
    wrist = np.array([0.15, 0.35, -0.5]) + 0.1 * n
    obstacles = (wrist[:, None], wrist[:, None] + [0.0, 0.15, 0.0], np.full((count, 1), 0.04))
    size = np.full(count, 0.187)
    laps = seat(BARE, 3, ids, size, obstacles)
    assert laps.present[:, 0].all() and 0.6 < laps.present[:, 1].mean() <= 1.0
    assert laps.T_world_from_model.shape == (count, len(PIECES), 4, 4)
    assert laps.radius.shape == (count, CAPSULES)
    for p, model in enumerate(lap_models()):
        pose = laps.T_world_from_model[:, p]
        points = np.einsum("nij,vj->nvi", pose[:, :3, :3], model.vertices) + pose[:, None, :3, 3]
        assert np.linalg.norm(points, axis=-1).min() > 0.12
        assert (np.linalg.det(pose[:, :3, :3]) > 0).all()
        if p == 0:
            continue
        for share in np.linspace(0, 1, 7):
            middle = (obstacles[0] + share * (obstacles[1] - obstacles[0]))[:, 0]
            gap = np.linalg.norm(points - middle[:, None], axis=-1).min(1)
            assert (gap[laps.present[:, p]] > 0.04).all() or p > 2
    one = (obstacles[0][7:8], obstacles[1][7:8], obstacles[2][7:8])
    again = seat(BARE, 3, ids[7:8], size[7:8], one)
    np.testing.assert_array_equal(again.T_world_from_model[0], laps.T_world_from_model[7])
