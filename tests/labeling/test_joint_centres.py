"""Where annotators see joints, against shifts that were put in."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from labeling.answers import HIDDEN, DrawnHand  # noqa: E402
from labeling.refinement.evidence import Evidence, state_sigma  # noqa: E402
from labeling.refinement.fitting import Fit  # noqa: E402
from labeling.refinement.joint_centres import (  # noqa: E402
    LEAST_HANDS,
    Sight,
    estimate_centres,
    see,
    see_drawn,
    shift_keypoints,
    turn_keypoints,
)
from labeling.refinement.kept_fits import read_fits, write_fit  # noqa: E402
from synth.pose.library import preset_table  # noqa: E402
from tests.labeling.fitted_hands import CAMERAS, look_down  # noqa: E402

CAMERA = CAMERAS["ego"]


def pose_fits(count: int) -> list[Fit]:
    """Hands in many poses, turned all ways."""
    rng = np.random.default_rng(3)
    kept = []
    for i in range(count):
        turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        root = look_down(rng, 0.45)
        root[:3, :3] = turn * np.sign(np.linalg.det(turn))
        angles = preset_table()[i % len(preset_table())]
        kept.append(
            {"left": i % 2 == 1, "angles": angles, "z": np.zeros(17), "root": root[:3], "cost": 1.0}
        )
    return [fit for fit in read_fits(kept) if fit is not None]


def label(fits: list[Fit], centres: np.ndarray, sd_px: float = 2.0) -> list[Sight]:
    """What annotators say who see joints somewhat elsewhere."""
    rng = np.random.default_rng(4)
    depth = np.zeros((CAMERA.height, CAMERA.width), np.float32)
    visible = np.ones(21, bool)
    out = []
    for fit, turns in zip(fits, turn_keypoints(fits), strict=True):
        px = CAMERA.project(fit.keypoints_m + (turns @ centres[..., None])[..., 0])
        px = px + rng.normal(0, sd_px, px.shape)
        out.append(see(Evidence(CAMERA, depth, fit.left, px, visible, state_sigma(visible)), fit))
    return out


def test_shifts_are_found_and_undone() -> None:
    fits = pose_fits(60)
    centres = np.zeros((21, 3))
    centres[0], centres[1], centres[5] = (0.006, -0.005, 0.008), (0.0, 0.008, 0.004), (0, 0, 0.005)
    found = estimate_centres(label(fits, centres))
    # A label is 5 mm off; 60 hands see each direction about 40 times: 0.8 mm, and a shrinkage of
    # a tenth.
    assert np.abs(found - centres).max() < 0.0035
    assert np.linalg.norm(found - centres, axis=-1).mean() < 0.0015
    moved = shift_keypoints([fits[0], None], found)
    assert moved[1] is None and moved[0] is not None
    truth = fits[0].keypoints_m + (turn_keypoints(fits[:1])[0] @ centres[..., None])[..., 0]
    before = np.linalg.norm(fits[0].keypoints_m - truth, axis=-1)
    after = np.linalg.norm(moved[0].keypoints_m - truth, axis=-1)
    assert after[[0, 1, 5]].max() < 0.5 * before[[0, 1, 5]].min()


def test_labels_without_a_shift_move_nothing() -> None:
    fits = pose_fits(40)
    found = estimate_centres(label(fits, np.zeros((21, 3))))
    assert not found.any()
    assert shift_keypoints(fits, found)[3] is fits[3]


def test_few_hands_say_nothing_and_outliers_little() -> None:
    fits = pose_fits(40)
    wild = np.zeros((21, 3))
    wild[:, 0] = 0.02
    assert not estimate_centres(label(fits[: LEAST_HANDS - 1], wild)).any()
    sights = label(fits, np.zeros((21, 3)))
    strange = label(fits, np.full((21, 3), 0.05))
    assert np.abs(estimate_centres([*strange[:3], *sights[3:]])).max() < 0.002


def test_a_label_is_seen_as_its_evidence_is() -> None:
    fit = pose_fits(1)[0]
    px = CAMERA.project(fit.keypoints_m)
    marks = np.zeros(21, np.uint8)
    marks[3], marks[4] = HIDDEN, 3
    sight = see_drawn(DrawnHand("right", True, px, marks), CAMERA, fit)
    assert np.isnan(sight.rays[4]).all() and np.isfinite(sight.rays[3]).all()
    assert sight.sigma_rays[3] == 2 * sight.sigma_rays[0]


def test_kept_fits_are_the_same_to_the_bit() -> None:
    fit = pose_fits(2)[1]
    again = read_fits([None, write_fit(fit)])
    assert again[0] is None and again[1] is not None
    assert np.array_equal(again[1].angles, fit.angles)
    assert np.array_equal(again[1].T_camera_from_wrist, fit.T_camera_from_wrist)
    assert again[1].left == fit.left
