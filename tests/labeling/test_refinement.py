"""Fits of hands whose truth is known, and what is done when label and image disagree."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from frames.camera import CAMERAS, Camera  # noqa: E402
from frames.checks.verify import verify_dataset  # noqa: E402
from frames.errors import BadInput  # noqa: E402
from frames.parts import (  # noqa: E402
    CAUSE_DROPOUT,
    HAND_PARTS,
    PROVENANCE_HUMAN,
    PROVENANCE_LIFTED,
    PROVENANCE_MODEL,
    VISIBILITY_VISIBLE,
)
from frames.record import Frame  # noqa: E402
from frames.store.dataset import open_dataset  # noqa: E402
from frames.store.folder import create_dataset  # noqa: E402
from frames.store.frame_table import build_frame_table  # noqa: E402
from frames.store.shard import write_shard  # noqa: E402
from labeling.answers import DELETED, HIDDEN, PLACED, DrawnHand  # noqa: E402
from labeling.lifting import label_hand, lift_hand  # noqa: E402
from labeling.refinement.checks import (  # noqa: E402
    MISSING,
    Measures,
    compare_depth,
    compare_pixels,
    find_doubt,
    find_lack,
    find_other_side,
    measure_fit,
)
from labeling.refinement.evidence import Evidence, lift_joints  # noqa: E402
from labeling.refinement.fitting import Fit, estimate_noise, fit_hands  # noqa: E402
from labeling.refinement.masks import build_canvas, draw_fits  # noqa: E402
from labeling.refinement.refined_dataset import refine_dataset  # noqa: E402
from labeling.refinement.refining import refine_frames  # noqa: E402
from synth.hand.angles import clamp  # noqa: E402
from tests.labeling.fitted_hands import Known, draw_known  # noqa: E402


@pytest.fixture(scope="module")
def known() -> list[Known]:
    return draw_known(6, sd_px=2.0)


@pytest.fixture(scope="module")
def fits(known: list[Known]) -> list[Fit]:
    return fit_hands([k.evidence for k in known])


def errors_mm(known: list[Known], points: list[np.ndarray]) -> np.ndarray:
    truth = np.array([one.keypoints_m for one in known])
    return np.linalg.norm(np.array(points) - truth, axis=-1) * 1e3


def test_refined_hands_are_near_the_truth_and_nearer_than_lifted(
    known: list[Known], fits: list[Fit]
) -> None:
    refined = errors_mm(known, [f.keypoints_m for f in fits])
    lifted = errors_mm(known, [lift_joints(k.evidence)[0] for k in known])
    assert np.median(refined) < 5.0
    assert np.median(refined) < 0.7 * np.nanmedian(lifted)
    assert refined.mean(1).max() < 12.0


def test_angles_are_within_their_limits(fits: list[Fit]) -> None:
    angles = np.array([f.angles for f in fits])
    assert np.array_equal(clamp(angles), angles)


def test_the_same_alone_and_among_others(known: list[Known], fits: list[Fit]) -> None:
    alone = fit_hands([known[2].evidence])[0]
    assert np.abs(alone.keypoints_m - fits[2].keypoints_m).max() < 1e-6


def test_missing_joints_are_given_by_the_model(known: list[Known]) -> None:
    evidence = known[0].evidence
    px = evidence.keypoints_px.copy()
    gone = [3, 8, 11, 12, 19]
    px[gone] = np.nan
    fit = fit_hands([replace(evidence, keypoints_px=px)])[0]
    error = np.linalg.norm(fit.keypoints_m - known[0].keypoints_m, axis=-1)[gone]
    assert np.isfinite(fit.keypoints_m).all()
    assert error.max() < 0.02


def test_fisheye_is_fitted_as_well() -> None:
    wide = draw_known(2, seed=4, camera=CAMERAS["ahat"], sd_px=1.0, z_m=0.35)
    found = fit_hands([k.evidence for k in wide])
    assert np.median(errors_mm(wide, [f.keypoints_m for f in found])) < 6.0


def test_noise_is_measured_in_the_image() -> None:
    rng = np.random.default_rng(0)
    slope = 0.4 + 0.001 * np.arange(160, dtype=np.float32)[None] + np.zeros((120, 1), np.float32)
    noisy = (slope + rng.normal(0, 0.003, slope.shape)).astype(np.float32)
    noisy[:, 80:] += 0.3  # an edge does not count
    # 18,000 second differences: their median's standard error is about 1 %.
    assert estimate_noise(noisy) == pytest.approx(0.003, rel=0.05)
    assert estimate_noise(np.zeros((4, 4), np.float32)) > 0


def test_what_cannot_be_fitted_says_why(known: list[Known]) -> None:
    evidence = known[0].evidence
    few = evidence.keypoints_px.copy()
    few[5:] = np.nan
    assert "too few labels: 5 joints" in str(find_lack(replace(evidence, keypoints_px=few)))
    blind = replace(evidence, depth_m=np.zeros_like(evidence.depth_m))
    assert "too little depth" in str(find_lack(blind))
    assert find_lack(evidence) is None


GOOD = Measures(8, 1.5, 3.0, 0.9, 0.4, 2.0, 0.002, 0.02, 0.1, 1.2, "hand length")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"worst_sd": 9.0, "worst_px": 18.0}, "index_tip is labelled 18.0 px away (at most 10)"),
        ({"labels_sd": 2.5}, "labels and the fitted hand disagree: by 5.0 px"),
        ({"shift_px": 2.4}, "all joints together lie 2.4 px beside it (at most 2.0)"),
        ({"depth_m": 0.02}, "depth and the fitted hand disagree: 20.0 mm"),
        ({"missing": 0.5}, "where 50% of the hand must be, something else is read (at most 6%)"),
        ({"unseen": 0.5}, "50% of the joints that are seen lie on another surface"),
        ({"bones_sd": 4.2}, "hand length is 4.2 standard deviations"),
    ],
)
def test_each_check_has_its_reason(change: dict[str, float], words: str) -> None:
    reason = find_doubt(replace(GOOD, **change))  # type: ignore[arg-type]
    assert reason is not None and words in reason and "\n" not in reason
    assert find_doubt(GOOD) is None


SIZES = {
    "160 x 120": CAMERAS["ego-small"],
    "320 x 240": CAMERAS["ego"],
    "640 x 480": Camera("pinhole", 640, 480, 337.0, 337.0, 319.5, 239.5),
}


def judge(known: list[Known], labels: list[np.ndarray]) -> list[str | None]:
    """What is said of fits to these labels of known hands."""
    evidence = [replace(k.evidence, keypoints_px=px) for k, px in zip(known, labels, strict=True)]
    out = [find_lack(own) for own in evidence]
    usable = [i for i, lack in enumerate(out) if lack is None]
    for i, fit in zip(usable, fit_hands([evidence[i] for i in usable]), strict=True):
        own, noise = evidence[i], estimate_noise(evidence[i].depth_m)
        drawn = draw_fits(build_canvas(own.camera, 1), [fit], own.depth_m, noise)
        out[i] = find_doubt(measure_fit(own, fit, drawn, 0, noise))
    return out


@pytest.mark.parametrize("size", SIZES)
def test_right_hands_pass_and_wrong_ones_do_not_at_any_resolution(size: str) -> None:
    camera = SIZES[size]
    right = draw_known(5, seed=3, camera=camera, sd_px=2.0)
    assert judge(right, [k.evidence.keypoints_px for k in right]) == [None] * 5
    # 3 cm beside the hand, to the left and to the right. One may pass: of few pixels, labels beside
    # a loose hand are as well those of a hand that lies on the wall behind it.
    aside = [
        k.evidence.keypoints_px + np.array([(-1) ** i * 0.03 * camera.fx / 0.4, 0.0])
        for i, k in enumerate(right)
    ]
    assert judge(right, aside).count(None) <= (camera.width < 320)
    # The flat hand labelled as a fist, the fist as a pointing hand, and so on.
    others = [right[i].keypoints_m - right[i].keypoints_m[[0, 5, 17]].mean(0) for i in (2, 4, 0)]
    middles = [right[i].keypoints_m[[0, 5, 17]].mean(0) for i in (0, 2, 4)]
    posed = [camera.project(o + m) for o, m in zip(others, middles, strict=True)]
    assert None not in judge([right[i] for i in (0, 2, 4)], posed)


def test_small_hands_are_not_judged_by_their_rim() -> None:
    one = draw_known(1, seed=6, camera=CAMERAS["ego-small"], z_m=0.6)[0]
    fit = fit_hands([one.evidence])[0]
    noise = estimate_noise(one.evidence.depth_m)
    drawn = draw_fits(build_canvas(one.evidence.camera, 1), [fit], one.evidence.depth_m, noise)
    clean = compare_depth(compare_pixels(drawn, one.evidence.depth_m, 0, noise))[1]
    shares = []
    for step in (1, 3):  # the image moved under the hand, pixel by pixel
        moved = np.roll(one.evidence.depth_m, step, axis=1)
        shares.append(compare_depth(compare_pixels(drawn, moved, 0, noise))[1])
    assert clean < 0.02 and shares[0] < MISSING < shares[1]


def test_what_hides_a_hand_does_not_count_and_what_is_behind_does(known: list[Known]) -> None:
    fit, own = fit_hands([known[0].evidence])[0], known[0].evidence
    noise = estimate_noise(own.depth_m)
    drawn = draw_fits(build_canvas(own.camera, 1), [fit], own.depth_m, noise)
    rows = np.arange(own.camera.height)[:, None]
    upper = rows < np.median(np.nonzero(drawn.codes % 32 - np.uint8(1) < HAND_PARTS)[0])
    for depth_m, low, high in ((0.1, 0.0, 0.02), (0.9, 0.3, 0.7)):
        covered = np.where(upper, np.float32(depth_m), own.depth_m)
        assert low <= compare_depth(compare_pixels(drawn, covered, 0, noise))[1] <= high
    blind = np.zeros_like(own.depth_m)
    assert np.isnan(compare_depth(compare_pixels(drawn, blind, 0, noise))).all()


def test_other_side_is_told(fits: list[Fit]) -> None:
    bad = replace(fits[0], cost=8.0)
    assert "the side is in doubt" in str(find_other_side(bad, replace(fits[0], cost=1.0)))
    assert find_other_side(bad, replace(fits[0], cost=7.0)) is None


def build_frame(number: int, one: Known, evidence: Evidence | None = None) -> Frame:
    """A frame as `handloom label pull` writes it."""
    own = one.evidence if evidence is None else evidence
    marks = np.where(own.labelled, np.where(own.visible, PLACED, HIDDEN), DELETED)
    px = np.where(own.labelled[:, None], own.keypoints_px, np.nan)
    drawn = DrawnHand("left" if own.left else "right", True, px, marks.astype(np.uint8))
    hand = label_hand(drawn, lift_hand(drawn, own.depth_m, own.camera), own.depth_m, own.camera, 0)
    return Frame(
        frame_id=number, source="real", camera=own.camera, T_world_from_camera=None,
        depth_scale=10_000.0, depth=np.rint(own.depth_m * 10_000).astype(np.uint16),
        clean_depth=None, parts=None, invalid=None, sensor=None, sensor_seed=None,
        hands=(hand,), objects=(),
    )  # fmt: skip


def write_labels(folder: Path, frames: list[Frame]) -> Path:
    meta = {"frames": len(frames), "frames_per_shard": 2, "license": "CC0-1.0"}
    create_dataset(folder, meta, "# Made for a test\n")
    for index in range(0, len(frames), 2):
        write_shard(folder, index // 2, build_frame_table(frames[index : index + 2]))
    return folder


def test_refined_dataset(known: list[Known], tmp_path: Path) -> None:
    moved = known[1].evidence.keypoints_px.copy()
    moved[8] += 60.0
    frames = [
        build_frame(0, known[0]),
        build_frame(1, known[1], replace(known[1].evidence, keypoints_px=moved)),
        build_frame(2, known[2]),
    ]
    data, out = write_labels(tmp_path / "labels", frames), tmp_path / "refined"
    report = refine_dataset(data, out)
    assert (report.frames, report.hands, report.refined, report.doubts) == (3, 3, 2, 1)
    doubts = [json.loads(x) for x in (out / "labels/doubts.jsonl").read_text().splitlines()]
    assert len(doubts) == 1 and doubts[0]["frame"] == 1
    assert "index_tip is labelled" in doubts[0]["reason"]
    refined = open_dataset(out)
    for i in (0, 2):
        frame, hand = refined[i], refined[i].hands[0]
        assert (hand.provenance == PROVENANCE_MODEL).all()
        away = np.linalg.norm(hand.keypoints_cam_m - known[i].keypoints_m, axis=-1)
        assert np.median(away) < 0.006
        assert np.abs(frame.camera.project(hand.keypoints_cam_m) - hand.keypoints_px).max() < 1e-3
        assert frame.parts is not None
        mine, true = (frame.parts - np.uint8(1) < HAND_PARTS), known[i].codes
        true = (true > 0) & (true <= HAND_PARTS)
        assert (mine & true).sum() > 0.85 * (mine | true).sum()
        assert hand.joint_angles_rad is not None and hand.shape is not None
    # The hand in doubt keeps what people said, and its frame has no mask that would deny it.
    kept = refined[1].hands[0]
    assert refined[1].parts is None
    assert np.array_equal(kept.keypoints_px, frames[1].hands[0].keypoints_px)
    assert set(kept.provenance.tolist()) <= {PROVENANCE_HUMAN, PROVENANCE_LIFTED}
    report_of = verify_dataset(out)
    assert report_of.sound, report_of.problems
    # Again: nothing is done, the same is told.
    before = {p: p.stat().st_mtime_ns for p in (out / "shards").iterdir()}
    assert refine_dataset(data, out) == report
    assert {p: p.stat().st_mtime_ns for p in (out / "shards").iterdir()} == before


def test_a_joint_that_is_seen_through_a_hole_stays_seen(known: list[Known]) -> None:
    own = known[0].evidence
    # Every third joint; the others tell how far away the hand is.
    chosen = np.flatnonzero(own.visible)[::3]
    px = np.floor(own.keypoints_px[chosen] + 0.5)
    holes = np.zeros(own.depth_m.shape, bool)
    holes[px[:, 1].astype(int), px[:, 0].astype(int)] = True
    pierced = replace(own, depth_m=np.where(holes, np.float32(0), own.depth_m))
    frame = build_frame(0, known[0], pierced)
    labelled = frame.hands[0]
    assert (labelled.occlusion[chosen] == CAUSE_DROPOUT).all()
    done = refine_frames([frame]).pop()
    assert not done.doubts
    hand = done.frame.hands[0]
    # Labels have noise: the joint's own pixel is another one, and mostly read.
    read = np.isfinite(hand.surface_depth_m[chosen])
    assert read.sum() >= 3
    assert (hand.visibility[chosen][read] == VISIBILITY_VISIBLE).all()
    assert (hand.occlusion[chosen][~read] == CAUSE_DROPOUT).all()


def test_out_must_be_another_folder(known: list[Known], tmp_path: Path) -> None:
    data = write_labels(tmp_path / "labels", [build_frame(0, known[0])])
    with pytest.raises(BadInput, match="OUT is DATA"):
        refine_dataset(data, data)


def test_frames_without_hands_and_exact_labels_are_left_alone(known: list[Known]) -> None:
    frame = build_frame(0, known[0])
    exact = replace(frame.hands[0], provenance=np.zeros(21, np.uint8))
    empty, synthetic = replace(frame, hands=()), replace(frame, hands=(exact,))
    out = refine_frames([empty, synthetic])
    assert out[0].frame.hands == () and out[0].frame.parts is None
    assert out[1].frame.hands[0] is exact and not out[1].doubts
    with pytest.raises(BadInput, match="no depth"):
        refine_frames([replace(frame, depth=None)])


def test_frames_of_a_sequence_hold_each_other() -> None:
    one = draw_known(1, seed=9)[0]
    rng = np.random.default_rng(1)
    noisy = [
        replace(one.evidence, keypoints_px=one.evidence.keypoints_px + rng.normal(0, 3, (21, 2)))
        for _ in range(5)
    ]
    alone = fit_hands(noisy)
    tied = fit_hands(noisy, before=[-1, 0, 1, 2, 3], person=[0] * 5)
    spread = [np.std([f.angles for f in fits], axis=0).mean() for fits in (alone, tied)]
    assert spread[1] < 0.8 * spread[0]
    lengths = [np.std([f.shape[0] for f in fits]) for fits in (alone, tied)]
    assert lengths[1] < lengths[0]
