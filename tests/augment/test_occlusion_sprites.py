"""Hands cut from frames look as they did where they came from; elsewhere their labels hold."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from augment.occlusion.config import Occlusion
from augment.occlusion.insertion import insert_occluders
from augment.occlusion.occluders import face_point
from augment.occlusion.sightlines import find_sightlines
from augment.occlusion.sprites import Sprite, cast_sprite, cut_sprite, cut_sprites, keep_fingers
from frames.camera import CAMERAS, Camera
from frames.parts import CAUSE_OTHER_HAND, FOREARM, HAND_PARTS
from frames.record import Frame
from frames.store.rows import Rows
from tests.frames.frame_table import find_faults
from tests.synth.scene.witness import generator

HANDS = Occlusion(
    share_before=1, share_behind=0, number_before=(1, 1), cut_hand=1,
    strap=0, paper=0, stick=0, cable=0, fingers=0, blob=0, body=0, cut_finger=0,
)  # fmt: skip


@cache
def make_frames(camera: str = "ego") -> tuple[Frame, ...]:
    rows = Rows(generator(camera).make_table(0, 24))
    return tuple(rows.frame(i) for i in range(24))


def _cast(sprite: Sprite, camera: Camera, turn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A sprite's depth and parts (H, W) in a camera."""
    lines = find_sightlines(camera)
    top, left, z, codes = cast_sprite(
        lines.rays, lines.centres, lines.spreads, sprite.depth_m, sprite.parts, sprite.focal_px,
        *sprite.centre_px, turn,
    )  # fmt: skip
    depth = np.full((camera.height, camera.width), np.inf)
    parts = np.zeros(depth.shape, np.uint8)
    depth[top : top + z.shape[0], left : left + z.shape[1]] = z
    parts[top : top + z.shape[0], left : left + z.shape[1]] = codes
    return depth, parts


@pytest.mark.parametrize("name", ["ego", "ahat", "azure-nfov"])
def test_unturned_sprite_is_the_hand_it_was_cut_from(name: str) -> None:
    shares, errors = [], []
    for frame in make_frames(name):
        for k, hand in enumerate(frame.hands):
            sprite = cut_sprite(frame, k)
            if sprite is None:
                continue
            assert frame.parts is not None and frame.clean_depth is not None
            turn = face_point(hand.keypoints_cam_m.astype(float).mean(0), 0.0)
            assert np.allclose(sprite.keypoints_m @ turn, hand.keypoints_cam_m, atol=1e-6)
            depth, parts = _cast(sprite, frame.camera, turn)
            old = frame.parts.astype(int) - hand.part_base
            skin = (old >= 1) & (old <= HAND_PARTS)
            again = (parts >= 1) & (parts <= HAND_PARTS)
            shares.append((skin & again).sum() / (skin | again).sum())
            both = skin & again & (old == parts)
            errors.append(np.abs(depth[both] - frame.clean_depth[both] / 1e4))
    assert len(shares) > 4
    # Nearest pixels twice: the outline moves by up to a pixel, the surface hardly.
    assert np.mean(shares) > 0.93
    assert np.median(np.concatenate(errors)) < 3e-4
    assert np.quantile(np.concatenate(errors), 0.95) < 3e-3


def test_turned_sprite_keeps_its_distance_from_the_camera() -> None:
    """A rotation about the camera's centre: every point as far away, keypoints under their skin."""
    sprites = cut_sprites(make_frames())
    rng = np.random.default_rng(1)
    checked, apart = 0, []
    for sprite in sprites[:8]:
        point = np.array([*rng.uniform(-0.1, 0.1, 2), 0.4])
        turn = face_point(sprite.keypoints_m[9], 0.0).T @ face_point(point, rng.uniform(-0.5, 0.5))
        assert np.allclose(turn @ turn.T, np.eye(3), atol=1e-12)
        camera = CAMERAS["ego"]
        depth, parts = _cast(sprite, camera, turn)
        keypoints = sprite.keypoints_m @ turn
        px = camera.project(keypoints)
        for k in range(21):
            if not camera.contains(px[k]) or sprite.hand.visibility[k] != 2:
                continue
            u, v = np.floor(px[k] + 0.5).astype(int)
            if parts[v, u] == 0:
                continue
            # The skin over a joint is as far before it as where the hand was cut.
            ahead = np.linalg.norm(keypoints[k]) * (1 - depth[v, u] / keypoints[k, 2])
            was = sprite.hand
            before = np.linalg.norm(was.keypoints_cam_m[k]) * (
                1 - was.surface_depth_m[k] / was.keypoints_cam_m[k, 2]
            )
            if 0 < before < 0.03:  # its own skin, not what is beside it
                checked += 1
                apart.append(abs(ahead - before))
    assert checked > 40
    assert np.median(apart) < 5e-4 and np.quantile(apart, 0.9) < 4e-3


def test_pasted_hands_are_labelled() -> None:
    sprites = cut_sprites(make_frames())
    pasted = hidden = 0
    fractions = []
    for epoch in range(6):
        out = [insert_occluders(f, HANDS, 1, epoch=epoch, sprites=sprites) for f in make_frames()]
        assert find_faults(out) == []
        for frame, old in zip(out, make_frames(), strict=True):
            assert frame.objects == old.objects
            assert frame.parts is not None
            for hand in frame.hands[len(old.hands) :]:
                pasted += 1
                base = int(hand.part_base)
                assert not hand.wearer and hand.shape is None and hand.identity is None
                codes = frame.parts.astype(int) - base
                count = ((codes >= 1) & (codes <= HAND_PARTS)).sum()
                assert count > 0 or not hand.visible_fraction > 0
                fractions.append(hand.visible_fraction)
                wrist = hand.T_camera_from_wrist
                assert wrist is not None
                assert np.allclose(wrist[:3, :3] @ wrist[:3, :3].T, np.eye(3), atol=1e-5)
                lengths = np.linalg.norm(np.diff(hand.keypoints_cam_m[5:9], axis=0), axis=1)
                assert (lengths > 0.008).all() and (lengths < 0.07).all()
            for hand, before in zip(frame.hands, old.hands, strict=False):
                new = (hand.visibility == 1) & (before.visibility == 2)
                hidden += new.sum()
                assert (hand.occlusion[new] == CAUSE_OTHER_HAND).all()
    assert pasted > 30 and hidden > 30
    # It is before all hands; a table may be before it.
    assert np.median(fractions) == 1


def test_fingers_alone() -> None:
    sprite = cut_sprites(make_frames())[0]
    one = keep_fingers(sprite, (1,))
    assert set(np.unique(one.parts)) <= {0, 5, 6, 7}
    assert np.array_equal(one.depth_m > 0, one.parts > 0)
    assert (one.depth_m[one.parts > 0] == sprite.depth_m[one.parts > 0]).all()


def test_hands_that_cannot_be_cut() -> None:
    frame = next(f for f in make_frames() if cut_sprites([f]))
    k = next(i for i in range(len(frame.hands)) if cut_sprite(frame, i) is not None)
    hand = frame.hands[k]

    def change(**values: object) -> Frame:
        hands = list(frame.hands)
        hands[k] = replace(hand, **values)  # type: ignore[arg-type]
        return replace(frame, hands=tuple(hands))

    assert cut_sprite(change(visible_fraction=0.9), k) is None
    assert cut_sprite(change(box_px=np.array([-0.5, 5, 20, 30], np.float32)), k) is None
    assert cut_sprite(change(keypoints_cam_m=np.full((21, 3), np.float32(np.nan))), k) is None
    assert cut_sprite(change(visibility=np.zeros(21, np.uint8)), k) is None
    assert cut_sprite(replace(frame, parts=None), k) is None
    assert cut_sprite(replace(frame, clean_depth=None), k) is None


def test_arm_is_short() -> None:
    for frame in make_frames():
        for sprite in cut_sprites([frame]):
            v, u = np.nonzero(sprite.parts == FOREARM)
            z = sprite.depth_m[v, u].astype(float)
            cx, cy = sprite.centre_px
            points = np.stack(
                [(u - cx) / sprite.focal_px * z, (v - cy) / sprite.focal_px * z, z], 1
            )
            assert (np.linalg.norm(points - sprite.keypoints_m[0], axis=1) < 0.115).all()


def test_six_hands_are_the_most() -> None:
    frame = next(f for f in make_frames() if len(f.hands) >= 1)
    hand = frame.hands[0]
    full = replace(frame, hands=tuple(replace(hand, part_base=32 * k) for k in range(6)))
    for epoch in range(5):
        out = insert_occluders(full, HANDS, 1, epoch=epoch, sprites=cut_sprites(make_frames()))
        assert len(out.hands) == 6
