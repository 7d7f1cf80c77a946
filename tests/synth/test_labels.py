"""Labels against OpenCV's projections, the stored joint angles and an independent ray caster."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from frames.camera import Camera
from frames.parts import (
    CAUSE_NONE,
    CAUSE_OBJECT,
    CAUSE_OTHER_HAND,
    CAUSE_OUTSIDE,
    CAUSE_SELF,
)
from frames.skeleton import BONES, KEYPOINT_PARTS, TIPS, WRIST
from synth.frame_renderer import Rendered
from synth.generator import Generator
from synth.hand.kinematics import pose_hands
from synth.labels import label_keypoints
from synth.scene.scene import Scenes
from tests.synth.scene.witness import FARTHEST_M, assemble, generator, shoot

CAMERAS = ["ego", "d435", "azure-nfov", "ahat"]


def _render(camera: str, count: int) -> tuple[Generator, Scenes, Rendered]:
    maker = generator(camera)
    scenes = maker.sample(np.arange(count))
    return maker, scenes, maker.render(scenes)


def _project(camera: Camera, points: np.ndarray) -> np.ndarray:
    """(n, 3) -> (n, 2) px by OpenCV."""
    matrix = np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1.0]])
    distortion = np.array(camera.distortion or np.zeros(4))
    still = np.zeros(3)
    if camera.model == "kannala-brandt":
        found, _ = cv2.fisheye.projectPoints(points[:, None], still, still, matrix, distortion)
    else:
        found, _ = cv2.projectPoints(points[:, None], still, still, matrix, distortion)
    return found[:, 0]


@pytest.mark.parametrize("name", CAMERAS)
def test_keypoints_project_to_their_pixels(name: str) -> None:
    maker, _, images = _render(name, 32)
    points = images.hands.keypoints_cam_m.reshape(-1, 3).astype(np.float64)
    pixels = images.hands.keypoints.keypoints_px.reshape(-1, 2).astype(np.float64)
    known = np.isfinite(pixels).all(1)
    if name == "ahat":  # only a field of view may leave points without a pixel
        angle = np.arctan2(np.linalg.norm(points[:, :2], axis=1), points[:, 2])
        assert maker.camera.max_theta_rad is not None
        assert (known == (angle <= maker.camera.max_theta_rad)).mean() > 0.999
    elif name == "ego":
        assert (known == (points[:, 2] > 0)).all()
    assert known.mean() > 0.9
    error = np.abs(_project(maker.camera, points[known]) - pixels[known]).max(1)
    inside = maker.camera.contains(pixels[known])
    assert inside.sum() > 400
    assert error[inside].max() <= 1e-3
    far = np.abs(pixels[known]).max(1)  # float32 far outside the image is coarser
    assert (error <= 1e-3 + 1e-6 * far).all()


def test_keypoints_follow_from_the_stored_angles_and_the_wrist() -> None:
    maker = generator("ego")
    table = maker.make_table(0, 40)
    for hands in table.column("hands").to_pylist():
        for hand in hands:
            points = np.array(hand["keypoints_cam_m"]).reshape(21, 3)
            _, again = pose_hands(
                maker.rig,
                np.array([hand["identity"]]),
                np.array([hand["joint_angles_rad"]]),
                np.array(hand["T_camera_from_wrist"]).reshape(1, 4, 4),
                np.array([hand["side"] == "left"]),
            )
            np.testing.assert_allclose(points, again[0], atol=2e-6)
            np.testing.assert_array_equal(hand["shape"], maker.rig.shape[hand["identity"]])


def test_bones_are_as_long_as_the_persons() -> None:
    """Rigid bones: every one but the tips' and the cupping palm's keeps its rest length."""
    maker, scenes, images = _render("ego", 128)
    hands = scenes.hands
    rigid = [(a, b) for a, b in BONES if a != WRIST and b not in TIPS]
    rest = maker.rig.rest_joints[hands.identity].astype(np.float64)
    bone = _rest_bones()
    points = images.hands.keypoints_cam_m.astype(np.float64)
    for a, b in rigid:
        expected = np.linalg.norm(rest[:, bone[a]] - rest[:, bone[b]], axis=1)
        found = np.linalg.norm(points[:, a] - points[:, b], axis=1)
        np.testing.assert_allclose(found, expected, atol=3e-7)
    # Index and middle metacarpals do not move in the palm.
    for knuckle in (5, 9):
        expected = np.linalg.norm(rest[:, bone[knuckle]] - rest[:, 0], axis=1)
        found = np.linalg.norm(points[:, knuckle] - points[:, WRIST], axis=1)
        np.testing.assert_allclose(found, expected, atol=3e-7)


def _rest_bones() -> list[int]:
    """Which of the rig's 21 bones starts at each keypoint; a tip repeats its distal bone."""
    fingers = [[s + 1, s + 2, s + 3, s + 3] for s in (5, 9, 13, 17)]
    return [0, 2, 3, 4, 4, *(b for f in fingers for b in f)]


@dataclass(frozen=True)
class _Verdicts:
    """What the ray caster says of the keypoints inside the image, and what the labels say."""

    cast: np.ndarray
    """(n,) cause by the ray through the nearest pixel's centre."""
    exact: np.ndarray
    """(n,) cause by the ray through the unrounded keypoint."""
    label: np.ndarray
    """(n,)"""


def _judge(maker: Generator, scenes: Scenes, images: Rendered) -> _Verdicts:
    """The documented rule over again, on rays cast at the whole scene."""
    columns: list[list[np.ndarray]] = [[], [], []]
    own = np.array([[p in KEYPOINT_PARTS[k] for p in range(32)] for k in range(21)])
    factor = np.full(21, 1.5)
    factor[WRIST], factor[list(TIPS)] = 2.0, 2.25
    hands = scenes.hands
    for b in range(len(scenes.frame_ids)):
        truth = assemble(maker, scenes, b)
        rows = np.flatnonzero(hands.frame == b)
        points = images.hands.keypoints_cam_m[rows].astype(np.float64)
        pixels = images.hands.keypoints.keypoints_px[rows].astype(np.float64)
        margin = factor * maker.rig.thickness[hands.identity[rows]] + 0.003
        distance = np.linalg.norm(points, axis=-1)
        inside = maker.camera.contains(pixels)
        centres = maker.camera.unproject(np.floor(pixels + 0.5))
        for column, rays in ((0, centres), (1, points / points[..., 2:])):
            hits = shoot(truth, rays)
            ratio = np.where(hits.z < FARTHEST_M, hits.z / points[..., 2], np.inf)
            code = np.where(np.isfinite(ratio), hits.code, 0)
            is_hand = (code > 0) & (code < 224)
            mine = is_hand & (code // 32 == hands.number[rows, None])
            flesh = mine & own[np.arange(21), code % 32]
            flesh &= (1 - ratio) * distance <= margin
            cause = np.where(mine, CAUSE_SELF, np.where(is_hand, CAUSE_OTHER_HAND, CAUSE_OBJECT))
            columns[column].append(np.where((ratio >= 1) | flesh, CAUSE_NONE, cause)[inside])
        label = images.hands.keypoints.occlusion[rows]
        assert np.array_equal(label == CAUSE_OUTSIDE, ~inside)
        columns[2].append(label[inside])
    return _Verdicts(*(np.concatenate(c) for c in columns))


@pytest.mark.parametrize(("name", "count"), [("ego", 160), ("ego-small", 120), ("ahat", 60)])
def test_visibility_and_cause_agree_with_the_ray_caster(
    name: str, count: int, record_property: Callable[[str, object], None]
) -> None:
    verdicts = _judge(*_render(name, count))
    assert len(verdicts.label) > 1500
    agreement = float((verdicts.cast == verdicts.label).mean())
    exact = float((verdicts.exact == verdicts.label).mean())
    record_property("agreement", agreement)
    record_property("agreement_exact_ray", exact)
    assert agreement >= 0.995
    # Half a pixel beside the keypoint an outline may have passed: that is how pixels are.
    assert exact >= 0.95
    # Each cause by itself, rare ones too (a wide field shows hands small and apart).
    for cause in (CAUSE_NONE, CAUSE_SELF, CAUSE_OTHER_HAND, CAUSE_OBJECT):
        of = verdicts.cast == cause
        assert of.sum() >= (0 if name == "ahat" else 20)
        assert (verdicts.label[of] != cause).sum() <= 1 + 0.005 * of.sum()


# One keypoint before made-up images: the rule's branches, one by one.
_CAMERA = Camera("pinhole", 9, 7, 50.0, 50.0, 4.0, 3.0)


def _label_one(
    depth_m: float, code: int, keypoint: int = 6, x: float = 0.0, slot: int = 1
) -> tuple[int, int, float]:
    """Visibility, cause and surface depth of a keypoint at 0.4 m before an even image."""
    points = np.full((1, 21, 3), (0.0, 0.0, 0.4), np.float32)
    points[0, keypoint, 0] = x
    depth = np.full((1, 7, 9), round(depth_m * 1e4), np.uint16)
    codes = np.full((1, 7, 9), code, np.uint8)
    thickness = np.full((1, 21), 0.01)
    row = np.zeros(1, np.int64)
    labels = label_keypoints(
        _CAMERA, points, thickness, row, row + slot, depth, codes, depth_scale=1e4
    )
    return (
        int(labels.visibility[0, keypoint]),
        int(labels.occlusion[0, keypoint]),
        float(labels.surface_depth_m[0, keypoint]),
    )


def test_rule_of_visibility() -> None:
    own, neighbour, other, palm = 32 + 5, 32 + 6, 32 + 8, 32 + 1  # around the index PIP, hand 1
    assert _label_one(0.0, 0)[:2] == (2, CAUSE_NONE)  # nothing there
    assert _label_one(0.5, 224)[:2] == (2, CAUSE_NONE)  # behind it
    for part in (own, neighbour):
        assert _label_one(0.39, part)[:2] == (2, CAUSE_NONE)
        assert _label_one(0.383, part)[:2] == (2, CAUSE_NONE)  # 17 mm of 1.5 * 10 + 3
        assert _label_one(0.381, part)[:2] == (1, CAUSE_SELF)
    for part in (other, palm, 32 + 17):
        assert _label_one(0.39, part)[:2] == (1, CAUSE_SELF)
    for hand in (0, 2, 5):
        assert _label_one(0.39, 32 * hand + 5)[:2] == (1, CAUSE_OTHER_HAND)
    for thing in (0, 224, 254):
        assert _label_one(0.39, thing)[:2] == (1, CAUSE_OBJECT)


def test_margin_is_wider_at_wrist_and_tips() -> None:
    for keypoint, part, reach in ((0, 1, 0.023), (0, 17, 0.023), (8, 7, 0.0255), (6, 5, 0.018)):
        assert _label_one(0.4 - reach + 5e-4, 32 + part, keypoint)[0] == 2
        assert _label_one(0.4 - reach - 5e-4, 32 + part, keypoint)[0] == 1


def test_surface_depth_is_what_the_image_reads() -> None:
    assert _label_one(0.3912, 32 + 5)[2] == pytest.approx(0.3912, abs=1e-7)
    assert np.isnan(_label_one(0.0, 0)[2])
    visibility, cause, surface = _label_one(0.39, 32 + 5, x=0.04)
    assert (visibility, cause) == (0, CAUSE_OUTSIDE) and np.isnan(surface)


def test_image_reaches_to_the_outer_edges_of_its_pixels() -> None:
    edge = 4.5 / 50 * 0.4  # u = 8.5 = width - 0.5
    assert _label_one(0.39, 32 + 5, x=edge - 1e-6)[0] == 2
    assert _label_one(0.39, 32 + 5, x=edge + 1e-6)[0] == 0
    assert _label_one(0.39, 32 + 5, x=-edge + 1e-6)[0] == 2
    assert _label_one(0.39, 32 + 5, x=-edge - 1e-6)[0] == 0
