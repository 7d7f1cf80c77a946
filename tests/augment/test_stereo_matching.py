"""Shadow, range, growth and melting of the stereo model by geometry, on bars before walls."""

import numpy as np
import pytest
from stereo_shots import NATIVE, QUIET, SMALL, load_model, make_bar, make_shot, make_wall

from augment.stereo.model import sense_stereo
from frames.camera import Camera
from frames.reasons import LOW_SIGNAL, MISMATCH, OUT_OF_RANGE, SATURATED, SHADOW

_FB = 424 * 0.05


@pytest.mark.parametrize("side", [1.0, -1.0])
@pytest.mark.parametrize(("front", "back"), [(0.33, 0.7), (0.5, 0.7), (0.6, 6.5)])
def test_shadow_has_the_width_and_side_of_the_formula(
    side: float, front: float, back: float
) -> None:
    model = load_model(**{**QUIET, "second_eye": side})
    reason = sense_stereo(model, make_shot(make_bar(front, back, 120, 220), SMALL)).reason
    width = _FB * (1 / front - 1 / back)
    band = _FB / back
    left, right = reason[:, 90:120], reason[:, 220:250]
    hidden = (left if side > 0 else right) == SHADOW
    assert not (right if side > 0 else left).any()
    expected = min(width, 30)
    assert abs(hidden.sum(1) - expected).max() <= 1
    # The band that the second image does not reach, at the border from which that eye leans away.
    edge = reason[:, :60] if side > 0 else reason[:, :-61:-1]
    assert abs((edge == SHADOW).sum(1) - band).max() <= 1
    assert not (reason[:, -60:] if side > 0 else reason[:, :60]).any()


def test_shadow_width_is_right_on_the_average() -> None:
    model, errors = load_model(**QUIET), []
    row = Camera("pinhole", 320, 1, 424.0, 424.0, 159.5, 0.0)
    for front in np.linspace(0.4, 0.6, 100):
        depth = make_bar(front, 1.2, 120, 220)[:1]
        reason = sense_stereo(model, make_shot(depth, row)).reason
        errors.append((reason[0, 60:120] == SHADOW).sum() - _FB * (1 / front - 1 / 1.2))
    # A width rounded to pixels: deviation 0.29, standard error 0.03.
    assert abs(np.mean(errors)) < 4 * 0.29 / np.sqrt(100)


def test_range() -> None:
    model = load_model(**QUIET)
    nearest = _FB / model.max_disparity_px
    for z, lost in ((nearest * 0.98, True), (nearest * 1.02, False), (9.9, True), (6.5, False)):
        shot = make_shot(make_wall(min(z, 6.5)), NATIVE)
        far = load_model(**{**QUIET, "far_m": 6.4 if z > 7 else 10.0})
        inner = sense_stereo(far, shot).reason[:, 200:]
        assert (inner == (OUT_OF_RANGE if lost else 0)).all()


def test_silhouettes_grow_by_the_set_length() -> None:
    reach = {"grow_px": 2.3, "grow_hidden_px": 4.5, "grow_spread": 0.0}
    changes = {**QUIET, **reach, "grow_step_px": 0.0}
    model = load_model(**changes)
    grown = {"left": [], "right": []}
    for i in range(40):
        shot = make_shot(make_bar(0.4, 0.8, 120, 220), SMALL, frame=i, sequence=i)
        z = sense_stereo(model, shot).depth_m
        near = (z > 0.3) & (z < 0.5)
        grown["left"].append(near[:, 80:120].sum(1))
        grown["right"].append(near[:, 220:260].sum(1))
    # Patches of 8 px: 40 frames of 64 rows hold about 300; single edges differ by half a pixel.
    assert np.mean(grown["right"]) == pytest.approx(2.3, abs=0.15)
    assert np.mean(grown["left"]) == pytest.approx(4.5, abs=0.15)
    spread = load_model(**{**changes, "grow_spread": 0.5})
    shot = make_shot(make_bar(0.4, 0.8, 120, 220), SMALL)
    z = sense_stereo(spread, shot).depth_m
    edge = ((z > 0.3) & (z < 0.5))[:, 220:240].sum(1)
    assert edge.std() > 0.5  # an irregular silhouette ...
    assert (np.diff(edge) == 0).mean() > 0.5  # ... in blocks


def _measure_ramp(step_px: float) -> tuple[float, np.ndarray]:
    """Pixels between 10 and 90 % of a step, and the profile across it, relative."""
    model = load_model(**{k: v for k, v in QUIET.items() if k != "melt_px"})
    back = 0.5
    front = 1 / (1 / back + step_px / _FB)
    z = sense_stereo(model, make_shot(make_bar(front, back, 120, 220), SMALL)).depth_m[32]
    d = np.where(z > 0, _FB / np.maximum(z, 1e-3), np.nan)
    profile = (d[200:240] - _FB / back) / step_px
    return float(((profile > 0.1) & (profile < 0.9)).sum()), profile


def test_small_steps_melt_and_large_ones_stay() -> None:
    # A finger 0.6 to 2 cm above a table at half a metre.
    for step in (0.5, 1.0, 1.8):
        length, profile = _measure_ramp(step)
        assert 5 <= length <= 10
        assert (np.diff(profile[~np.isnan(profile)]) <= 1e-3).all()
        assert profile.mean() == pytest.approx(0.5, abs=0.02)  # melted, not grown
    for step in (8.0, 20.0):
        length, _ = _measure_ramp(step)
        assert length <= 1


def test_planes_do_not_melt() -> None:
    model = load_model(**{k: v for k, v in QUIET.items() if k != "melt_px"})
    x = NATIVE.ray_table()[..., 0]
    depth = 0.6 / (1 - 0.4 * x)
    shot = make_shot(depth, NATIVE)
    reading = sense_stereo(model, shot)
    inner = (slice(20, -20), slice(80, -20))
    seen = reading.depth_m[inner] > 0
    assert seen.mean() > 0.9999
    error = (reading.depth_m[inner] - shot.depth[inner] / 1e4)[seen]
    assert np.abs(error).max() < 2e-4  # 0.1 mm steps of the clean depth


def test_finger_gaps_fill_up() -> None:
    model = load_model(hole_share=0.0)
    near, through = {}, {}
    for gap in (4, 8, 16, 60):
        depth = make_bar(0.4, 0.8, 100, 240)
        depth[:, 160 : 160 + gap] = 0.8
        shots = [make_shot(depth, SMALL, i, i) for i in range(12)]
        z = np.stack([sense_stereo(model, s).depth_m[:, 160 : 160 + gap] for s in shots])
        near[gap] = ((z > 0.3) & (z < 0.5)).mean()
        through[gap] = (z > 0.6).mean()
    # Matching bridges 100, 100 and 92 % of these. A dozen images of 64 rows hold about 90 patches:
    # 3 % standard error of the last.
    assert near[4] > 0.98 and near[8] > 0.98
    assert near[16] == pytest.approx(0.9, abs=0.1)
    assert max(through[gap] for gap in (4, 8, 16)) < 0.02  # the rest are holes
    assert near[60] < 0.15 and through[60] > 0.3


def test_bridges_are_shorter_at_smaller_steps_and_up_and_down() -> None:
    model = load_model(hole_share=0.0)
    camera = Camera("pinhole", 320, 320, 424.0, 424.0, 159.5, 159.5)

    def bridge(gap: int, back: float, turned: bool) -> float:
        depth = np.full((320, 320), back)
        depth[:, 100:240] = 0.4
        depth[:, 160 : 160 + gap] = back
        depth = depth.T if turned else depth
        z = sense_stereo(model, make_shot(depth, camera)).depth_m
        z = (z.T if turned else z)[70:-20, 160 : 160 + gap]
        return float(((z > 0) & (z < (0.4 + back) / 2)).mean())

    # Steps of 2.5, 10.6 and 26.5 px; matching fills up about 6, 11 and 21 px, and 4 to 7 down.
    assert bridge(10, 0.42, False) < 0.1 < 0.4 < bridge(10, 0.5, False)
    assert bridge(16, 0.5, False) < 0.4 < 0.8 < bridge(16, 0.8, False)
    assert bridge(2, 0.8, True) > 0.9 and bridge(16, 0.8, True) < 0.3


def test_silhouettes_grow_less_over_small_steps() -> None:
    model, grown = load_model(bridge_px=0.0, bridge_step=0.0, hole_share=0.0), []
    for back in (0.42, 0.5, 0.6, 0.8):  # steps of 2.5, 10.6, 17.7, 26.5 px
        edges = []
        for i in range(12):
            z = sense_stereo(model, make_shot(make_bar(0.4, back, 120, 220), SMALL, i, i)).depth_m
            edges.append(((z > 0) & (z < (0.4 + back) / 2))[:, 170:250].sum(1) - 50)
        grown.append(np.mean(edges))
    assert abs(grown[0]) < 0.3  # it melts
    assert grown[1] < 0.7 * grown[3] and grown[1] < grown[2] <= grown[3]
    assert grown[3] == pytest.approx(model.grow_px, abs=0.3)


def test_islands_have_their_share() -> None:
    quiet = {**QUIET, "ring_px": 6.0, "island_px": 4.0}
    shares = []
    for share in (0.0, 0.02):
        model, wrong, marked = load_model(**{**quiet, "island_share": share}), 0, 0
        for i in range(40):
            shot = make_shot(make_bar(0.4, 0.8, 120, 220), SMALL, i, i)
            z = sense_stereo(model, shot).depth_m
            wrong += ((z > 0) & (np.abs(z - shot.depth / 1e4) > 0.01)).sum()
            marked += 64 * (26.5 + 6)  # shadow, and the ring on the other side
        shares.append(wrong / marked)
    # 40 images have about 100 islands: 10 %; single pixels of them slant too much to be read.
    assert shares[0] == 0
    assert 0.3 * 0.02 < shares[1] < 1.3 * 0.02


def test_reasons_of_dark_bright_and_steep_surfaces() -> None:
    model = load_model(hole_share=0.0, low_signal=0.01)
    shot = make_shot(make_wall(0.5), NATIVE)
    shot.reflectance[:] = 0.001
    reason = sense_stereo(model, shot).reason[:, 100:]
    assert (reason == LOW_SIGNAL).mean() > 0.9
    shot.reflectance[:] = 0.8
    glare = load_model(hole_share=0.0, high_signal=1.0)
    assert (sense_stereo(glare, shot).reason[200:280, 400:450] == SATURATED).all()
    # A table seen at 87 degrees.
    y = NATIVE.ray_table()[..., 1]
    steep = np.clip(0.5 / np.maximum(1 - 19 * y, 0.1), 0.2, 6.0)
    reason = sense_stereo(model, make_shot(steep, NATIVE)).reason[236:240, 120:]
    assert np.isin(reason, (MISMATCH, LOW_SIGNAL)).mean() > 0.5


def test_small_image_of_the_same_device() -> None:
    """A dataset's pixel of two native ones: the shadow halves, the error of depth stays."""
    half = Camera("pinhole", 424, 240, 212.0, 212.0, 211.5, 119.5)
    quiet = load_model(**QUIET)
    depth = make_wall(0.8, half)
    depth[:, 200:300] = 0.4
    reason = sense_stereo(quiet, make_shot(depth, half)).reason
    assert (reason[:, 150:200] == SHADOW).sum(1).mean() == pytest.approx(_FB * 1.25 / 2, abs=1)
    z = sense_stereo(load_model(locking_px=0.0), make_shot(make_wall(0.5, half), half)).depth_m
    # About 4,000 independent errors: 1.2 %.
    assert z[z > 0].std() == pytest.approx(0.25 * 0.08 / _FB, rel=0.05)
