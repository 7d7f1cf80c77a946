"""An evaluation of made-up outputs, against what was put in."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from frames.camera import Camera  # noqa: E402
from frames.errors import BadInput  # noqa: E402
from train_tiny.evaluation.crop_evaluation import evaluate, score_batch  # noqa: E402
from train_tiny.evaluation.crop_report import format_summary, write_report  # noqa: E402
from train_tiny.evaluation.overlays import choose_hands  # noqa: E402
from train_tiny.evaluation.scores import join_scores, summarise  # noqa: E402
from train_tiny.loading.crops import HALF_RANGE_M  # noqa: E402
from train_tiny.loading.eval_loading import Facts  # noqa: E402
from train_tiny.losses.heatmaps import draw_targets, to_cells  # noqa: E402
from train_tiny.losses.tasks import Targets  # noqa: E402
from train_tiny.prediction.lifting import AGREE_M, lift_depths, place_keypoints, read_surfaces  # noqa: E402

SIDE = 128
CAMERA = Camera("pinhole", SIDE, SIDE, 300.0, 300.0, 63.5, 63.5)
SKIN_M = 0.012
"""How far joints lie behind the surface here."""


def make_hands(count: int = 3) -> tuple[torch.Tensor, Targets, Facts]:
    """Hands on a plane half a metre away: joints 12 mm behind it, every third one hidden."""
    rng = np.random.default_rng(4)
    px = rng.uniform(30, 98, (count, 21, 2)).astype(np.float32)
    px[:, 0], px[:, 9] = (50, 100), (50, 60)
    depth = np.full((count, SIDE, SIDE), 0.5, np.float32)
    rays = CAMERA.unproject(px)
    points = (rays * (0.5 + SKIN_M)).astype(np.float32)
    visible = np.ones((count, 21), np.float32)
    visible[:, ::3] = 0
    behind = np.full((count, 21, 2), SKIN_M / HALF_RANGE_M, np.float32)
    targets = Targets(
        keypoints_px=torch.from_numpy(px),
        visible=torch.from_numpy(visible),
        mask=torch.zeros(count, SIDE, SIDE),
        right=torch.tensor([float(k % 2) for k in range(count)]),
        key_pose=torch.tensor([k % 9 for k in range(count)]),
        depth=torch.from_numpy(behind),
    )
    targets.mask[:, 32:96, 32:96] = 1
    palm = np.full(count, 40.0, np.float32)
    facts = Facts(
        source=["data"] * count,
        frame_id=np.arange(count),
        hand=np.zeros(count, np.int64),
        camera=[CAMERA] * count,
        reference_m=np.full(count, 0.5, np.float32),
        depth_m=depth,
        keypoints_cam_m=points,
        occlusion=np.where(visible == 0, 3, 0).astype(np.uint8),
        visible_fraction=np.full(count, 0.9, np.float32),
        palm_px=2 * palm,
        palm_m=np.full(count, 0.1, np.float32),
        distance_m=np.linspace(0.35, 0.75, count).astype(np.float32),
        sensor=[("d435", "zed", "")[k % 3] for k in range(count)],
        situation=["free", "grasp", ""][:count] + ["free"] * max(0, count - 3),
        key_pose=["C", "fist", ""][:count] + ["C"] * max(0, count - 3),
        grasp=[""] * count,
        wearer=np.ones(count, bool),
    )
    return torch.zeros(count, 1, SIDE, SIDE), targets, facts


def answer(targets: Targets, off_px: tuple[float, float] = (0.0, 0.0)) -> dict[str, torch.Tensor]:
    """Outputs of a network that knows the labels, its keypoints moved by so much."""
    cells = to_cells(targets.keypoints_px + torch.tensor(off_px), 4.0)
    maps = draw_targets(cells, 32, 32, 1.0).clamp(min=1e-30).log()
    return {
        "keypoints": maps,
        "visibility": 8 * (2 * targets.visible - 1),
        "side": 8 * (2 * targets.right - 1),
        "key_pose": torch.nn.functional.one_hot(targets.key_pose, 9).float(),
        "depth": targets.depth,
        "mask": torch.nn.functional.avg_pool2d(targets.mask[:, None], 4) - 0.5,
    }


def test_a_perfect_network_has_perfect_scores() -> None:
    images, targets, facts = make_hands()
    found = summarise(score_batch(answer(targets), images, targets, facts))
    # The window about a peak pulls by a few hundredths of a cell of four pixels.
    assert found["epe_px"] < 0.2
    assert found["pck"] == found["visibility"]["accuracy"] == found["side"]["accuracy"] == 1
    assert found["key_pose"]["accuracy"] == found["mask_iou"] == 1
    assert found["auc"] > 0.97
    # 0.2 px at 300 px a radian and half a metre: 0.3 mm.
    assert found["epe_mm"] < 0.4 and found["epe_depth_mm"] < 1e-3
    assert (found["hands"], found["keypoints"]) == (3, 63)


def test_errors_are_those_put_in() -> None:
    images, targets, facts = make_hands()
    scores = score_batch(answer(targets, (12.0, 0.0)), images, targets, facts)
    found = summarise(scores)
    assert found["epe_px"] == pytest.approx(12, abs=0.15)
    # 12 px of a palm of 40 is 0.3; of the palm face on, 80, it is 0.15.
    assert (found["pck"], found["pck_plane"]) == (0, 1)
    assert found["auc"] == pytest.approx(1 - 0.3 / 0.5, abs=0.02)
    across = 12 / 300 * (0.5 + SKIN_M)
    assert found["epe_across_mm"] == pytest.approx(1e3 * across, rel=0.02)
    assert found["epe_mm"] == pytest.approx(1e3 * across, rel=0.02)
    assert found["epe_depth_mm"] < 1e-3
    # All are off alike: nothing is left relative to the wrist.
    assert found["epe_wrist_mm"] < 0.5


def test_groups_share_out_all_keypoints() -> None:
    images, targets, facts = make_hands()
    scores = score_batch(answer(targets), images, targets, facts)
    scores.found_px[:, ::3] += 30
    by = summarise(scores)["by"]
    assert by["visibility"]["visible"]["pck"] == 1 and by["visibility"]["occluded"]["pck"] == 0
    assert set(by["cause"]) == {"object"}
    assert set(by["sensor"]) == {"d435", "zed"} and by["sensor"]["zed"]["hands"] == 1
    assert list(by["distance"]) == ["0.3 to 0.4 m", "0.5 to 0.6 m", "0.6 to 0.8 m"]
    assert by["hand in sight"]["75% to 95%"]["hands"] == 3
    assert set(by["side"]) == {"left", "right"} and by["side"]["left"]["hands"] == 2
    assert by["keypoint"]["thumb cmc"]["pck"] == 1 and by["keypoint"]["wrist"]["pck"] == 0
    assert len(by["keypoint"]) == 21


def test_what_is_not_labelled_counts_nowhere() -> None:
    """A real frame with some pixels and nothing else."""
    images, targets, facts = make_hands()
    none = torch.full_like(targets.keypoints_px, torch.nan)
    px = targets.keypoints_px.clone()
    px[:, 15:] = torch.nan
    px[2] = torch.nan
    targets = Targets(
        *(px, none[..., 0], torch.full_like(targets.mask, torch.nan)),
        *(none[:, 0, 0], torch.full_like(targets.key_pose, -1), none),
    )
    facts = replace(
        facts,
        keypoints_cam_m=np.full((3, 21, 3), np.nan, np.float32),
        palm_px=np.full(3, np.nan, np.float32),
    )
    known = make_hands()[1]
    found = summarise(score_batch(answer(known), images, targets, facts))
    assert (found["keypoints"], found["hands"]) == (30, 3)
    assert found["pck"] == 1 and found["epe_px"] < 0.2
    for name in ("visibility", "side", "key_pose"):
        assert found[name]["count"] == 0
    for name in ("epe_mm", "epe_depth_mm", "mask_iou", "pck_plane"):
        assert np.isnan(found[name]), name
    assert found["by"]["visibility"] == {}


def test_a_palm_may_reach_out_of_the_crop() -> None:
    images, targets, facts = make_hands()
    targets.keypoints_px[:, 0] = torch.nan
    scores = score_batch(answer(make_hands()[1]), images, targets, facts)
    assert np.allclose(scores.palm_px, 40, atol=1e-3)


def test_joints_are_lifted_through_skin_or_from_the_reference() -> None:
    surface = np.array([[0.5, 0.5, np.nan, 0.42]], np.float32)
    reference = np.array([0.48], np.float32)
    unit = HALF_RANGE_M
    offsets = np.array([[[0.01, 0.03]] * 4], np.float32) / unit
    seen = np.array([[0.9, 0.1, 0.9, 0.9]], np.float32)
    found = lift_depths(surface, reference, seen, offsets)
    # Seen: skin and offset; hidden, unread, or another's surface in front: the reference's.
    assert np.allclose(found, [[0.51, 0.51, 0.51, 0.51]], atol=1e-6)
    offsets[..., 1] = 0.05 / unit
    found = lift_depths(surface, reference, seen, offsets)
    assert np.allclose(found, [[0.51, 0.53, 0.53, 0.53]], atol=1e-6)
    assert AGREE_M > 0.02
    plain = lift_depths(surface, reference)
    assert np.allclose(plain, [[0.5, 0.5, 0.48, 0.42]])


def test_lifted_points_project_to_their_pixels() -> None:
    rng = np.random.default_rng(0)
    px = rng.uniform(0, 127, (4, 21, 2)).astype(np.float32)
    depths = rng.uniform(0.3, 0.8, (4, 21)).astype(np.float32)
    points = place_keypoints(px, depths, [CAMERA] * 4)
    assert np.allclose(points[..., 2], depths)
    assert np.allclose(CAMERA.project(points), px, atol=1e-3)


def test_readings_are_robust() -> None:
    depth = np.full((1, 8, 8), 0.5, np.float32)
    depth[0, 3, 3], depth[0, 3, 4], depth[0, 2, 3] = 3.0, 0, 0
    depth[0, 5:, 5:] = 0
    found = read_surfaces(depth, np.array([[[3.2, 2.9], [7, 7], [np.nan, 0]]], np.float32))
    assert found[0, 0] == 0.5 and np.isnan(found[0, 1:]).all()


def test_the_report_shows_best_median_and_worst(tmp_path: Path) -> None:
    images, targets, facts = make_hands(9)
    scores = score_batch(answer(targets), images, targets, facts)
    scores.found_px[:] += np.arange(9, dtype=np.float32)[::-1, None, None]
    assert choose_hands(scores, 2, 9) == {"best": [8, 7], "median": [5, 4], "worst": [0, 1]}
    assert choose_hands(scores, 2, 3)["worst"] == [0, 1]
    joined = join_scores([scores, scores])
    assert len(joined) == 18
    found = summarise(scores)
    crops = np.random.default_rng(0).integers(0, 255, (9, SIDE, SIDE)).astype(np.uint8)
    write_report(tmp_path / "r.html", "a <b>", found, scores, crops)
    page = (tmp_path / "r.html").read_text()
    assert page.startswith("<!doctype html>") and "a &lt;b&gt;" in page
    # A card of each hand in each of the three groups, and the charts.
    assert page.count("data:image/webp;base64,") == 3 * 9 + 9
    for text in ("The best<", "The median<", "The worst<", "By sensor", "zed"):
        assert text in page
    with pytest.raises(BadInput, match=r"a report is written as \.html"):
        write_report(tmp_path / "r.png", "", found, scores, crops)
    assert "PCK@0.2" in format_summary(found) and "d435" in format_summary(found)


def test_no_hand_is_one_line() -> None:
    from train_tiny.models import build_model
    from train_tiny.training.subject import Subject

    subject = Subject("handlite", build_model("handlite").net.eval(), 128, {})
    with pytest.raises(BadInput, match="no hand to score"):
        evaluate(subject, [], torch.device("cpu"))
    scores, crops = evaluate(subject, [make_hands()] * 3, torch.device("cpu"), most=4)
    assert len(scores) == 6 and crops.shape == (6, SIDE, SIDE)
