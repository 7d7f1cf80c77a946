"""Light that is not one surface's: outlines, detours, flare; wiggling and motion of frames."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from range_scenes import NARROW, bare, wall

from augment.effects.incidence import measure_incidence
from augment.effects.noise_field import effect_key, hash_uniform
from augment.shot import Keys, Shot
from augment.time_of_flight.coverage import tabulate_coverage
from augment.time_of_flight.model import sense_time_of_flight
from augment.time_of_flight.phasor import (
    add_detour,
    demodulate,
    to_phasor,
    to_range,
    unambiguous_range,
)
from augment.time_of_flight.returned_light import Scene, tabulate_lens, tabulate_vignette
from augment.time_of_flight.stray_light import Stray, fill_stray, size_grid
from frames.camera import CAMERAS, Camera
from frames.reasons import MIXED

EDGE = sum(1 << (3 * row) for row in range(3))
"""Pattern of a pixel whose left neighbours are near."""


def halves(near: float, far: float, **changes: object) -> Shot:
    """Two walls side by side, the nearer one to the left of column 32."""
    z = np.where(np.arange(64) < 32, near, far)
    parts = np.broadcast_to((np.arange(64) < 32).astype(np.uint8), (64, 64)).copy()
    return wall(np.broadcast_to(z, (64, 64)), parts=parts, **changes)


def test_flying_pixels_are_mixed_phasors() -> None:
    blur = 0.4
    share = tabulate_coverage(1.0, blur)[0, EDGE, 0]
    assert 0.1 < share < 0.2
    reading = sense_time_of_flight(bare(frequency_1_hz=150e6, blur_px=blur), halves(0.40, 0.55))
    near, far = to_phasor(0.40, 150e6, 1e8 / 0.40**2), to_phasor(0.55, 150e6, 1e8 / 0.55**2)
    for column, part in ((32, share), (31, 1 - share)):
        mixed = part * near + (1 - part) * far
        np.testing.assert_allclose(reading.depth_m[1:-1, column], to_range(mixed, 150e6), atol=2e-4)
        assert reading.amplitude is not None
        np.testing.assert_allclose(reading.amplitude[1:-1, column], abs(mixed), rtol=1e-3)
    np.testing.assert_allclose(reading.depth_m[:, 30], 0.40, atol=2e-4)
    np.testing.assert_allclose(reading.depth_m[:, 33], 0.55, atol=2e-4)


def test_a_sharp_lens_has_no_flying_pixels_at_an_outline_between_pixels() -> None:
    read = sense_time_of_flight(bare(), halves(0.40, 0.55)).depth_m
    assert np.abs(read - np.where(np.arange(64) < 32, 0.40, 0.55)).max() < 3e-4


def test_before_nothing_an_outline_reads_the_surface_dimly() -> None:
    reading = sense_time_of_flight(bare(blur_px=0.4, min_amplitude_e=1e6), halves(0.5, 0.0))
    share = tabulate_coverage(1.0, 0.4)[0, EDGE, 0]
    assert reading.amplitude is not None
    np.testing.assert_allclose(reading.depth_m[1:-1, 32], 0.5, atol=3e-4)
    np.testing.assert_allclose(reading.amplitude[1:-1, 32], share * 4e8, rtol=1e-3)
    assert (reading.depth_m[:, 33:] == 0).all()


def test_the_filter_cuts_flying_pixels_alone() -> None:
    camera = Camera("pinhole", 64, 64, 231.0, 231.0, 31.5, 31.5)
    v, u = np.mgrid[:64, :64]
    disc = (v - 31.5) ** 2 + (u - 31.5) ** 2 < 18**2
    shot = wall(np.where(disc, 0.40, 0.70), camera)
    model = bare(focal_px=231.0, blur_px=0.45)
    flying = np.abs(sense_time_of_flight(model, shot).depth_m - 0.55) < 0.1
    filtered = sense_time_of_flight(bare(focal_px=231.0, blur_px=0.45, mixed_tilt=8.0), shot)
    assert 20 < flying.sum() < 250
    assert (filtered.reason[flying] == MIXED).mean() > 0.9
    flat = np.abs((v - 31.5) ** 2 + (u - 31.5) ** 2 - 18**2) > 150
    assert not filtered.reason[flat].any()


def test_detours_lengthen_by_the_published_amounts() -> None:
    """A share that varies from 0 to twice the mean, known at the first node."""
    for share in (0.05, 0.1, 0.2):
        model = bare(frequency_1_hz=150e6, detour_share=share, detour_m=0.1)
        for sequence in range(4):
            key = effect_key(sequence, "sensor/detours")
            here = share * 2 * hash_uniform(key, np.uint64(0))
            read = sense_time_of_flight(model, wall(0.4, keys=Keys(1, sequence, 3))).depth_m
            expected = to_range(add_detour(to_phasor(0.4, 150e6), here, 0.1, 150e6), 150e6)
            assert read[0, 0] == pytest.approx(expected, abs=2e-4)
            assert np.ptp(read) > 1e-4  # other nodes, other shares


def nodes_of(shot: Shot, **stray: float) -> NDArray[np.float32]:
    values = {"bounce_gain": 0.0, "detour_share": 0.0, "detour_m": 0.0, "flare_share": 0.0}
    given = Stray(**(values | {"flare_width_rad": 1.0} | stray))
    height, width = shot.depth.shape
    scene = Scene(
        *(shot.depth, 1 / shot.depth_scale, measure_incidence(shot), shot.parts),
        *(shot.reflectance, np.zeros((256, 6), np.float32), False, tabulate_lens(shot.camera)),
        *(tabulate_vignette(shot.camera, 0.0), 1.0),
    )
    pitch, down, across = size_grid(height, width)
    out = np.empty((1, 6, down, across), np.float32)
    reach = np.empty((1, 1, down, across), np.float32)
    fill_stray(scene, np.array([100e6]), given, np.uint64(1), pitch, out, reach)
    return out[0]


def test_a_plane_does_not_light_itself() -> None:
    camera = CAMERAS["ego"]
    rays = np.dstack([camera.ray_table(), np.ones((240, 320))])
    for normal in ((0.0, 0.0, 1.0), (0.0, 0.6, 0.8)):
        z = 0.5 / np.maximum(rays @ np.array(normal), 0.1)
        shot = wall(z, camera, depth_scale=1e4)
        light = nodes_of(shot, bounce_gain=1.0)[2:4]
        corner = nodes_of(wall(np.minimum(z, 0.6), camera), bounce_gain=1.0)[2:4]
        # Steps of depth of 0.1 mm tilt neighbouring pixels a little.
        assert np.abs(light).max() < 0.02
        assert normal[1] == 0 or np.abs(corner).max() > 5 * np.abs(light).max()


def test_a_corner_lights_itself_as_radiometry_has_it() -> None:
    """A floor 0.3 m below and a wall 0.7 m ahead: the wall's middle against an integral over the
    floor in float64, by every pixel of it instead of the grid's nodes."""
    camera = Camera("pinhole", 320, 240, 168.5, 168.5, 159.5, 119.5)
    rays = np.dstack([camera.ray_table(), np.ones((240, 320))])
    with np.errstate(divide="ignore"):
        floor = np.where(rays[..., 1] > 0, 0.3 / rays[..., 1], np.inf)
    is_floor = floor < 0.7
    z = np.minimum(floor, 0.7)
    light = nodes_of(wall(z, camera), bounce_gain=1.0)
    pitch = size_grid(240, 320)[0]
    j, i = 120 // pitch, 160 // pitch
    p = rays[j * pitch, i * pitch] * z[j * pitch, i * pitch]
    q = (rays * z[..., None])[is_floor]
    d = q - p
    square = (d**2).sum(1)
    facing = np.clip(-d[:, 2], 0, None) * np.clip(d[:, 1], 0, None)
    solid = 1 / (168.5**2 * np.linalg.norm(rays[is_floor], axis=1) ** 3)
    share = solid * facing / (math.pi * square**2)
    r_p, r_q = np.linalg.norm(p), np.linalg.norm(q, axis=1)
    exact = (share * to_phasor((r_q + np.sqrt(square) - r_p) / 2, 100e6)).sum()
    found = light[2, j, i] + 1j * light[3, j, i]
    # A hundred patches in place of 25,000: within a quarter, and within 0.2 rad of phase.
    assert abs(found) == pytest.approx(abs(exact), rel=0.25)
    assert np.angle(found / exact) == pytest.approx(0, abs=0.2)


def test_flare_pulls_what_is_dim_towards_what_is_bright() -> None:
    dim = np.ones(256, np.float32)
    dim[0] = 0.05
    clean = sense_time_of_flight(bare(), halves(0.3, 0.9, reflectance=dim)).depth_m
    flared = sense_time_of_flight(bare(flare_share=0.01), halves(0.3, 0.9, reflectance=dim)).depth_m
    assert (clean[:, 40:] - flared[:, 40:]).min() > 0.02
    assert np.abs(flared[:, :24] - 0.3).max() < 1e-3
    even = sense_time_of_flight(bare(flare_share=0.01), wall(0.9)).depth_m
    np.testing.assert_allclose(even, 0.9, atol=3e-4)


def test_wiggling_of_a_device_peaks_at_the_fourth_harmonic() -> None:
    wrap = unambiguous_range(100e6)
    z = 0.06 + wrap * (np.arange(64) + 0.5) / 64 * 0.95
    model = bare(wiggle_rad=0.05, wiggle_phase_rad=0.4)
    error = sense_time_of_flight(model, wall(np.broadcast_to(z, (64, 64)))).depth_m - z
    turns = z / wrap * 2 * math.pi
    error = ((error + wrap / 2) % wrap - wrap / 2).mean(0)
    power = [abs(np.exp(-1j * k * turns) @ error) for k in range(1, 12)]
    assert np.argmax(power) == 3
    amplitude = 0.05 * wrap / (2 * math.pi)
    assert np.abs(error).max() == pytest.approx(amplitude, rel=0.05)


def test_what_stands_still_has_no_motion_artefact() -> None:
    model = bare(signal_e=5e3, blur_px=0.4)
    still = sense_time_of_flight(model, halves(0.4, 0.6))
    moving = sense_time_of_flight(model, halves(0.4, 0.6, twist=np.zeros((256, 6), np.float32)))
    assert still.depth_m.tobytes() == moving.depth_m.tobytes()


def test_a_hand_that_comes_nearer_against_four_exposures() -> None:
    speed, step = -1.5, 0.002
    twist = np.zeros((256, 6), np.float32)
    twist[0, 2] = speed
    for z in (0.40, 0.47, 0.55, 0.71):
        times = (np.arange(4) - 1.5) * step
        seen = np.real(to_phasor(z + speed * times, 150e6) * 1j ** np.arange(4))
        expected = to_range(demodulate(seen), 150e6)
        model = bare(frequency_1_hz=150e6, sample_time_s=step)
        read = sense_time_of_flight(model, wall(z, twist=twist)).depth_m
        np.testing.assert_allclose(read, expected, atol=3e-4)
    assert abs(expected - z) > 1e-4


def test_a_hand_that_crosses_the_image_against_four_exposures() -> None:
    """The near half moves to the right; its share of the pixel beside it grows sample by sample."""
    blur, step, speed_px = 0.375, 0.002, 15.0
    x = np.linspace(-4, 4, 80001)
    scale = 1 / (blur * math.sqrt(2))
    weight = np.array([math.erf((a + 0.5) * scale) - math.erf((a - 0.5) * scale) for a in x])
    moved = speed_px * (np.arange(4) - 1.5) * step
    shares = np.array([weight[x < -0.5 + m].sum() / weight.sum() for m in moved])
    near, far = to_phasor(0.40, 150e6, 1 / 0.40**2), to_phasor(0.55, 150e6, 1 / 0.55**2)
    seen = np.real((shares * near + (1 - shares) * far) * 1j ** np.arange(4))
    twist = np.zeros((256, 6), np.float32)
    twist[1, 0] = speed_px * 0.40 / NARROW.fx  # the near half's part
    model = bare(frequency_1_hz=150e6, blur_px=blur, sample_time_s=step)
    read = sense_time_of_flight(model, halves(0.40, 0.55, twist=twist)).depth_m[20, 32]
    still = sense_time_of_flight(model, halves(0.40, 0.55)).depth_m[20, 32]
    expected = to_range(demodulate(seen), 150e6)
    assert abs(still - expected) > 0.001
    # The share's change with motion is taken as linear.
    assert read == pytest.approx(expected, abs=0.1 * abs(still - expected))
