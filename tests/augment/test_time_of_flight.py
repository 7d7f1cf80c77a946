"""Time of flight as a whole: signal, noise, wraps, reasons and the device's software."""

import math
from dataclasses import replace

import numpy as np
import pytest
from range_scenes import NARROW, SCALE, bare, wall

from augment.profile import Profile, load_profile
from augment.shot import Keys, Reading
from augment.time_of_flight.model import TimeOfFlight, sense_time_of_flight
from augment.time_of_flight.phasor import shot_sigma, unambiguous_range
from frames.camera import CAMERAS, Camera
from frames.reasons import LOW_SIGNAL, NOTHING, OUT_OF_RANGE, READ, SATURATED, VIGNETTE

THREE = {"frequency_1_hz": 33e6, "frequency_2_hz": 247e6, "frequency_3_hz": 320e6}


def device(name: str) -> TimeOfFlight:
    profile = load_profile(name)
    assert isinstance(profile, Profile)
    assert isinstance(profile.parameters, TimeOfFlight)
    return profile.parameters


def same(a: Reading, b: Reading) -> bool:
    pairs = zip(vars(a).values(), vars(b).values(), strict=True)
    return all(x.tobytes() == y.tobytes() for x, y in pairs)


def test_amplitude_falls_with_the_square_of_the_distance() -> None:
    z = np.array([0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0])
    readings = [sense_time_of_flight(bare(), wall(d)) for d in z]
    mean = [r.amplitude.mean() for r in readings if r.amplitude is not None]
    slope = np.polyfit(np.log(z), np.log(mean), 1)[0]
    # C is 1e8 / z^2 with shot noise below 1e-3 of it, a mean of 4096 pixels below 1e-5.
    assert slope == pytest.approx(-2, abs=1e-3)


def test_amplitude_follows_reflectance_and_slant() -> None:
    reflectance = np.full(256, 0.5, np.float32)
    full = sense_time_of_flight(bare(), wall(1.0)).amplitude
    half = sense_time_of_flight(bare(), wall(1.0, reflectance=reflectance)).amplitude
    assert full is not None and half is not None
    assert half.mean() / full.mean() == pytest.approx(0.5, abs=1e-4)
    camera = Camera("pinhole", 81, 61, 60.0, 60.0, 40.0, 30.0)
    rays = np.dstack([camera.ray_table(), np.ones((61, 81))])
    normal = np.array([0.6, 0.0, -0.8])
    slanted = -0.8 / (rays @ normal)  # the plane 0.8 x normal away
    amplitude = sense_time_of_flight(bare(), wall(slanted, camera)).amplitude
    r = slanted * np.linalg.norm(rays, axis=2)
    expected = 1e8 * -(rays @ normal) / np.linalg.norm(rays, axis=2) / r**2
    # Depth is known to 0.1 mm, which tilts two neighbouring pixels by up to one per cent.
    assert np.median(np.abs(amplitude / expected - 1)) < 0.01


def test_shot_noise_at_100_mhz() -> None:
    """C = B / 2 = 5000 at 1 m gives 3.37 mm; standard error 1 / sqrt(2 n) of it."""
    model = bare(signal_e=5e3)
    frames = [sense_time_of_flight(model, wall(1.0, frame=i)) for i in range(8)]
    error = np.concatenate([(r.depth_m - 1.0).ravel() for r in frames])
    n = error.size
    assert error.std() == pytest.approx(3.37e-3, rel=4 / math.sqrt(2 * n) + 1e-3)
    assert abs(error.mean()) < 4 * 3.37e-3 / math.sqrt(n) + 1e-5  # no bias
    sigma = frames[0].sigma_m
    assert sigma is not None
    np.testing.assert_allclose(sigma, shot_sigma(100e6, 1e4, 5e3), rtol=2e-3)


def test_read_noise_and_ambient_light_add_in_quadrature() -> None:
    model = bare(signal_e=5e3, ambient_e=2e4, read_noise_e=100.0)
    error = sense_time_of_flight(model, wall(1.0)).depth_m - 1.0
    expected = shot_sigma(100e6, 1e4 + 2e4, 5e3, 100.0)
    assert error.std() == pytest.approx(expected, rel=4 / math.sqrt(2 * error.size) + 2e-3)


def test_noise_is_white_and_fresh_in_every_frame() -> None:
    model = bare(signal_e=5e3)
    a, b = (sense_time_of_flight(model, wall(1.0, frame=i)).depth_m - 1.0 for i in (1, 2))
    bound = 4 / math.sqrt(a.size)
    assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < bound
    assert abs(np.corrcoef(a[:, 1:].ravel(), a[:, :-1].ravel())[0, 1]) < bound
    assert abs(np.corrcoef(a[1:].ravel(), a[:-1].ravel())[0, 1]) < bound


@pytest.mark.parametrize(("f", "wrap"), [(100e6, 1.499), (150e6, 0.999)])
def test_background_wraps(f: float, wrap: float) -> None:
    for z in (0.3, wrap + 0.2, 2 * wrap + 0.3):
        read = sense_time_of_flight(bare(frequency_1_hz=f), wall(z)).depth_m
        np.testing.assert_allclose(read, z % unambiguous_range(f), atol=6e-4)
    assert unambiguous_range(f) == pytest.approx(wrap, abs=5e-4)


def test_it_is_the_ray_that_wraps_not_z() -> None:
    camera = CAMERAS["ego"]
    lengths = np.linalg.norm(np.dstack([camera.ray_table(), np.ones((240, 320))]), axis=2)
    read = sense_time_of_flight(bare(frequency_1_hz=142e6), wall(0.9, camera)).depth_m
    wrap = unambiguous_range(142e6)
    r = 0.9 * lengths
    clear = np.abs(r / wrap - np.rint(r / wrap)) > 1e-3
    np.testing.assert_allclose(read[clear], (r % wrap / lengths)[clear], atol=3e-4)
    assert read[120, 160] == pytest.approx(0.9, abs=3e-4) and read[0, 0] < 0.3


def test_several_frequencies_unwrap() -> None:
    """Sigma with f^2 weights is that of the root of the sum of squares, and nothing is missed."""
    model = bare(**THREE, signal_e=2e4, far_m=4.2)
    root = math.sqrt(sum(f * f for f in THREE.values()))
    for z in (0.3, 0.61, 1.7, 2.9, 4.1):
        reading = sense_time_of_flight(model, wall(z))
        c = 2e4 / z**2
        expected = shot_sigma(root, 2 * c, c)
        error = reading.depth_m - z
        assert not reading.reason.any()
        assert error.std() == pytest.approx(expected, rel=4 / math.sqrt(2 * error.size) + 0.01)
        assert abs(error.mean()) < 4 * expected / 64 + 1e-5
    assert (sense_time_of_flight(model, wall(5.2)).reason == OUT_OF_RANGE).all()


def test_two_frequencies_unwrap() -> None:
    model = bare(frequency_1_hz=80e6, frequency_2_hz=100e6, far_m=6.0)
    for z in (0.4, 2.2, 5.5):
        np.testing.assert_allclose(sense_time_of_flight(model, wall(z)).depth_m, z, atol=6e-4)


def test_fewer_pixels_are_read_the_darker_and_the_further() -> None:
    model = bare(signal_e=3e3, min_amplitude_e=100.0)

    def fill(z: float, rho: float) -> float:
        shot = wall(z, reflectance=np.full(256, rho, np.float32))
        return float((sense_time_of_flight(model, shot).reason == READ).mean())

    # C falls through the threshold with noise around it; the frames share their noise.
    by_distance = [fill(z, 0.3) for z in (2.0, 2.7, 2.9, 3.0, 3.1, 3.5, 5.0)]
    by_reflectance = [fill(3.0, rho) for rho in (0.02, 0.25, 0.28, 0.3, 0.32, 0.4, 0.9)]
    assert by_distance == sorted(by_distance, reverse=True)
    assert by_reflectance == sorted(by_reflectance)
    for rates in (by_distance, by_reflectance):
        assert min(rates) == 0 and max(rates) == 1 and len(set(rates)) > 4


def test_reasons() -> None:
    model = bare(signal_e=1e3, min_amplitude_e=10.0, full_well_e=2e4, near_m=0.1, far_m=1.4)
    dark = wall(1.0, reflectance=np.full(256, 0.001, np.float32))
    for shot, reason in (
        (wall(0.0), NOTHING),
        (dark, LOW_SIGNAL),
        (wall(0.3), SATURATED),  # C (1 + 1 / contrast) = 33,000
        (wall(1.45), OUT_OF_RANGE),
        (wall(1.0), READ),
    ):
        reading = sense_time_of_flight(model, shot)
        assert (reading.reason == reason).all()
        assert (reading.depth_m > 0).all() == (reason == READ) == (reading.depth_m > 0).any()


def test_rim_of_a_fisheye() -> None:
    camera = CAMERAS["ahat"]
    blind = np.isnan(camera.ray_table()[..., 0])
    reading = sense_time_of_flight(device("ahat"), wall(0.5, camera))
    assert blind.any() and (reading.reason[blind] == VIGNETTE).all()
    assert np.isfinite(reading.depth_m).all() and (reading.depth_m[blind] == 0).all()
    assert reading.reason[256, 256] == READ


def test_smoothing_calms_noise_and_says_so() -> None:
    model = bare(signal_e=5e3, smooth_share=0.5, smooth_within_m=1.0)
    reading = sense_time_of_flight(model, wall(1.0))
    inner = (reading.depth_m - 1.0)[1:-1, 1:-1]
    expected = 3.37e-3 * math.sqrt(1 + 8 * 0.25) / 5
    # Neighbours share pixels: about a third as many independent numbers.
    assert inner.std() == pytest.approx(expected, rel=4 / math.sqrt(2 * inner.size / 3))
    assert reading.sigma_m is not None
    np.testing.assert_allclose(reading.sigma_m[1:-1, 1:-1], expected, rtol=2e-3)


def test_smoothing_keeps_steps_of_depth() -> None:
    z = np.where(np.arange(64) < 32, 0.5, 0.6)[None, :]
    model = bare(smooth_share=1.0, smooth_within_m=0.02)
    read = sense_time_of_flight(model, wall(np.broadcast_to(z, (64, 64)))).depth_m
    np.testing.assert_allclose(
        read[:, [0, 30, 33, 63]], np.array([[0.5, 0.5, 0.6, 0.6]] * 64), atol=1e-3
    )


def test_depth_is_rounded_to_the_devices_steps() -> None:
    read = sense_time_of_flight(bare(signal_e=5e3, step_m=0.001), wall(0.5)).depth_m
    steps = read.astype(np.float64) / 0.001
    assert np.abs(steps - np.rint(steps)).max() < 1e-3 and len(np.unique(read)) > 3
    assert abs((read - 0.5).mean()) < 4 * read.std() / 64 + 1e-5


def test_offsets_belong_to_the_device() -> None:
    model = bare(offset_m=0.004, offset_length_px=8.0)
    a, b = (sense_time_of_flight(model, wall(0.5, frame=i)).depth_m - 0.5 for i in (1, 2))
    other = sense_time_of_flight(model, wall(0.5, keys=Keys(1, 2, 4))).depth_m - 0.5
    np.testing.assert_allclose(a, b, atol=2e-4)
    # 64 x 64 pixels hold 64^2 / (pi 8^2 / 2) = 41 independent squares (7.45 px are taken: 47).
    assert a.std() == pytest.approx(0.004, rel=4 / math.sqrt(2 * 41))
    assert np.abs(a - other).max() > 0.003


def test_same_shot_same_bytes() -> None:
    model, shot = device("azure-kinect"), wall(0.7, CAMERAS["ego"])
    assert same(sense_time_of_flight(model, shot), sense_time_of_flight(model, shot))
    again = wall(0.7, CAMERAS["ego"], frame=2)
    assert not same(sense_time_of_flight(model, shot), sense_time_of_flight(model, again))


def test_published_noise_and_error_of_azure_kinect() -> None:
    """Sigma at most 17 mm, error below 11 mm + 0.1 % to 3.5 m; 15 % reflectance to 3.86 m."""
    model = device("azure-kinect")
    camera = Camera("pinhole", 160, 144, 504.0, 504.0, 79.5, 71.5)
    for z, rho in ((0.5, 0.95), (1.0, 0.5), (2.0, 0.5), (3.5, 0.15), (3.5, 0.95), (3.8, 0.15)):
        shots = [wall(z, camera, i, reflectance=np.full(256, rho, np.float32)) for i in range(8)]
        readings = [sense_time_of_flight(model, s) for s in shots]
        assert np.mean([r.reason == READ for r in readings]) > (0.98 if z < 3.8 else 0.95)
        depth = np.array([np.where(r.depth_m > 0, r.depth_m, np.nan) for r in readings])
        assert np.nanmedian(np.nanstd(depth, axis=0)) < 0.017
        if z <= 3.5:
            assert np.nanpercentile(np.abs(np.nanmean(depth, axis=0) - z), 95) < 0.011 + 0.001 * z


def test_ahat_wraps_beyond_one_metre() -> None:
    model = replace(device("ahat"), offset_m=0.0, wiggle_rad=0.0, detour_share=0.0)
    read = sense_time_of_flight(model, wall(1.3, NARROW)).depth_m
    assert np.median(read) == pytest.approx(1.3 - 1.055, abs=0.003)
    assert SCALE == 10000.0
