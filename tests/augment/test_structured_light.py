"""Structured light against published figures: noise, steps, reasons, keys, odd images.

Standard errors: a standard deviation from n independent numbers is known to 1 / sqrt(2 n) of
itself; noise that correlates over L pixels has pi L^2 / 2 times fewer independent squares than
pixels. Bounds are five of them, plus what the test itself says.
"""

import dataclasses
import math

import numpy as np
import pytest
from numpy.typing import NDArray
from structured_shots import (
    PURE,
    SCALE,
    lean_wall,
    load_model,
    make_shot,
    native_camera,
    stand_bar,
)

from augment.shot import Reading
from augment.structured_light.model import StructuredLight, sense_structured_light
from frames.camera import CAMERAS, Camera
from frames.errors import BadInput
from frames.reasons import (
    DROPOUT,
    LOW_SIGNAL,
    MIXED,
    NOTHING,
    OUT_OF_RANGE,
    SATURATED,
    VIGNETTE,
)


def _errors(model: StructuredLight, z: float) -> NDArray[np.float64]:
    camera = native_camera(model)
    slope = 8 * model.step_px * z / (model.baseline_m * camera.width)  # 8 whole steps across
    shot = make_shot(camera, lean_wall(camera, z, slope))
    reading = sense_structured_light(model, shot)
    assert (reading.reason == 0).all()
    return reading.depth_m.astype(np.float64) - shot.depth / SCALE


@pytest.mark.parametrize(("z", "sigma_mm"), [(0.5, 0.36), (1.0, 1.43), (2.0, 5.7)])
def test_axial_noise_of_khoshelham_and_elberink(z: float, sigma_mm: float) -> None:
    error = _errors(load_model("kinect-v1", **PURE), z) * 1e3
    n = error.size
    # The figures have two digits: half of the last one. 0.3 %: the wall leans by some cm at 2 m.
    assert abs(error.std() - sigma_mm) < sigma_mm * (5 / math.sqrt(2 * n) + 0.003) + 0.05
    bias = sigma_mm**2 / (z * 1e3)  # of 1 / d, 16 um at 2 m
    assert abs(error.mean()) < 5 * sigma_mm / math.sqrt(n) + bias


@pytest.mark.parametrize(("z", "sigma_mm"), [(0.4, 1.20), (1.0, 1.88), (2.0, 6.06), (0.3, 1.20)])
def test_axial_noise_of_nguyen(z: float, sigma_mm: float) -> None:
    nguyen = {"axial_floor_m": 0.0012, "axial_growth_per_m": 0.0019, "axial_from_m": 0.4}
    error = _errors(load_model("kinect-v1", **PURE | nguyen), z) * 1e3
    assert abs(error.std() - sigma_mm) < sigma_mm * (5 / math.sqrt(2 * error.size) + 0.003) + 0.005
    assert abs(error.mean()) < 5 * sigma_mm / math.sqrt(error.size) + sigma_mm**2 / (z * 1e3)


def test_slant_adds_beyond_60_degrees() -> None:
    model = load_model("kinect-v1", **PURE | {"axial_slant": 1e-4, "steepest_rad": 1.55})
    for degrees, added in ((50, False), (75, True), (80, True)):
        slope = math.tan(math.radians(degrees))
        camera = native_camera(model, 64, 480)
        shot = make_shot(camera, lean_wall(camera, 1.0, slope))
        reading = sense_structured_light(model, shot)
        middle = (slice(None), slice(28, 36))
        z = (shot.depth / SCALE)[middle]
        error = (reading.depth_m[middle] - z) / z**2  # the other noise grows so
        theta = math.radians(degrees)
        more = 1e-4 * theta**2 / (math.pi / 2 - theta) ** 2 if added else 0.0
        sigma = 0.001425 + more
        # 2 % for the angle: the ray's own, up to 0.5 degrees, and depth in steps of 0.1 mm.
        assert abs(error.std() - sigma) < sigma * (5 / math.sqrt(2 * error.size) + 0.03)


@pytest.mark.parametrize(("z", "step_mm"), [(0.5, 0.7125), (1.0, 2.85), (2.0, 11.4), (4.0, 45.6)])
def test_steps_of_khoshelham_and_elberink(z: float, step_mm: float) -> None:
    model = load_model("kinect-v1", **PURE)
    camera = native_camera(model)
    reading = sense_structured_light(model, make_shot(camera, lean_wall(camera, z, 0.1)))
    values = np.unique(reading.depth_m.astype(np.float64))
    steps, middles = np.diff(values), (values[1:] + values[:-1]) / 2
    near = np.abs(middles - z) < 0.01 * z
    assert near.sum() >= 1
    # 0.0285 Z^2: the steps differ within the 1 % of depth, 0.2 % is f b as published.
    assert np.abs(steps[near] / middles[near] ** 2 * 1e3 / 2.85 - 1).max() < 0.012
    assert step_mm == pytest.approx(2.85 * z**2)


@pytest.mark.parametrize(("z", "sigma_mm", "step_mm"), [(1.0, 1.30, 3.56), (2.0, 5.19, 14.2)])
def test_redwoods_figures(z: float, sigma_mm: float, step_mm: float) -> None:
    total = math.sqrt((1 / 36) ** 2 + (1 / 8) ** 2 / 12) / 35.13
    redwood = {"focal_px": 525.0, "baseline_m": 35.13 / 525, "axial_growth_per_m": total}
    model = load_model("kinect-v1", **PURE | redwood)
    error = _errors(model, z) * 1e3
    assert abs(error.std() - sigma_mm) < sigma_mm * (5 / math.sqrt(2 * error.size) + 0.004)
    assert abs(error.mean()) < 5 * sigma_mm / math.sqrt(error.size) + sigma_mm**2 / (z * 1e3)
    camera = native_camera(model)
    values = np.unique(
        sense_structured_light(model, make_shot(camera, lean_wall(camera, z))).depth_m
    )
    steps = np.diff(values.astype(np.float64)) * 1e3
    assert abs(np.median(steps) - step_mm) < 0.02 * step_mm


def test_rounding_as_in_simkinect_has_no_bias() -> None:
    # Its code adds 0.5 before rounding: every depth at 1 m would be 1.4 mm too small.
    total = math.sqrt((1 / 48) ** 2 + (1 / 8) ** 2 / 12) / 43.9125
    simkinect = {"focal_px": 585.5, "baseline_m": 0.075, "axial_growth_per_m": total}
    error = _errors(load_model("kinect-v1", **PURE | simkinect), 1.0) * 1e3
    assert error.std() == pytest.approx(total * 1e3, rel=0.01)
    assert abs(error.mean()) < 5 * error.std() / math.sqrt(error.size) + 0.001


@pytest.mark.parametrize("name", ["kinect-v1", "sr300"])
@pytest.mark.parametrize("z", [0.45, 0.7, 1.2])
def test_profiles_have_no_bias_and_the_sigma_they_say(name: str, z: float) -> None:
    model = load_model(name, dropout_share=0.0, vignette=0.0)
    camera = native_camera(model)
    errors, said = [], []
    for key in range(12):
        shot = make_shot(camera, lean_wall(camera, z, 0.1 + 0.01 * key), key)
        reading = sense_structured_light(model, shot)
        assert reading.sigma_m is not None
        assert (reading.reason == 0).mean() > 0.999
        errors.append((reading.depth_m - shot.depth / SCALE)[reading.reason == 0])
        said.append(reading.sigma_m[reading.reason == 0])
    error, sigma = np.concatenate(errors), float(np.concatenate(said).mean())
    independent = error.size / (math.pi * model.smooth_px**2 / 2)
    # 8 %: near by, steps alone make up a Kinect's noise, two kinds of them.
    assert abs(error.std() - sigma) < sigma * (5 / math.sqrt(2 * independent) + 0.08)
    share = model.smooth_share + (1 - model.smooth_share) * (model.fine_px / model.smooth_px) ** 2
    mean_error = sigma * math.sqrt(share * math.pi * model.smooth_px**2 / error.size)
    assert abs(error.mean()) < 5 * mean_error + sigma**2 / z


def test_reasons_name_what_happened() -> None:
    model = load_model("sr300", dropout_share=0.0, low_signal_spread=0.0, vignette=0.0)
    camera = native_camera(model, 64, 48)

    def reason(z: float, reflectance: float) -> NDArray[np.uint8]:
        shot = make_shot(camera, np.full((48, 64), z), reflectance=reflectance)
        return sense_structured_light(model, shot).reason

    assert (reason(0.5, 0.5) == 0).all()
    assert (reason(0.5, 0.01) == LOW_SIGNAL).all()
    assert (reason(0.1, 0.5) == OUT_OF_RANGE).all()
    assert (reason(3.0, 0.5) == OUT_OF_RANGE).all()
    assert (reason(0.0, 0.5) == NOTHING).all()
    assert (reason(0.21, 1.9) == SATURATED).all()
    steep = make_shot(camera, lean_wall(camera, 0.6, math.tan(1.5)))
    assert (sense_structured_light(model, steep).reason[:, 30:34] == LOW_SIGNAL).all()
    dim = dataclasses.replace(model, vignette=1.5, low_signal=0.15)
    wide = Camera("pinhole", 64, 48, 40.0, 40.0, 31.5, 23.5)
    got = sense_structured_light(dim, make_shot(wide, np.full((48, 64), 1.2))).reason
    assert got[0, 0] == VIGNETTE and got[24, 32] == 0


def test_fill_falls_with_distance_and_darkness() -> None:
    model = load_model("sr300", far_m=5.0)
    camera = native_camera(model, 160, 120)
    fills = []
    for reflectance in (0.5, 0.2, 0.1):
        row = []
        for z in (0.4, 0.8, 1.2, 1.6, 2.4):
            shot = make_shot(camera, np.full((120, 160), z), reflectance=reflectance)
            row.append((sense_structured_light(model, shot).reason == 0).mean())
        fills.append(row)
    # Equal keys, so that a fill cannot rise by chance.
    assert (np.diff(fills, axis=1) <= 0).all() and (np.diff(fills, axis=0) <= 0).all()
    assert fills[0][0] > 0.99 and fills[2][4] < 0.01


def test_dropouts_have_their_share() -> None:
    model = load_model("kinect-v1", dropout_share=0.01, vignette=0.0)
    camera = native_camera(model)
    shares = [
        (
            sense_structured_light(model, make_shot(camera, lean_wall(camera, 1.0), k)).reason
            == DROPOUT
        )
        for k in range(20)
    ]
    share = np.mean(shares)
    independent = 20 * 640 * 480 / (math.pi * model.fine_px**2)
    assert abs(share - 0.01) < 5 * math.sqrt(0.01 / independent)


def _equal(a: Reading, b: Reading) -> bool:
    assert a.sigma_m is not None and b.sigma_m is not None
    return (
        np.array_equal(a.depth_m, b.depth_m)
        and np.array_equal(a.reason, b.reason)
        and np.array_equal(a.sigma_m, b.sigma_m)
    )


def test_readings_are_functions_of_shot_and_keys() -> None:
    model = load_model("kinect-v1")
    camera = CAMERAS["ego"]
    depth = stand_bar(camera, 0.6, 1.2, 100, 180)
    first = sense_structured_light(model, make_shot(camera, depth, 1))
    other = sense_structured_light(model, make_shot(camera, depth, 2))
    assert not _equal(first, other)
    assert _equal(first, sense_structured_light(model, make_shot(camera, depth, 1)))


@pytest.mark.parametrize("memory", [0.0, 0.5])
def test_noise_over_a_sequence(memory: float) -> None:
    model = load_model("sr300", dropout_share=0.0, memory_s=memory, fixed_share=0.4)
    camera = native_camera(model, 320, 240)
    wall = lean_wall(camera, 0.5)
    film = []
    for i in range(40):
        shot = make_shot(camera, wall, 900 + i, i / 30, sequence=77)
        film.append(sense_structured_light(model, shot).depth_m - shot.depth / SCALE)
    frames = np.stack(film).astype(np.float64)
    spatial = float(frames.std((1, 2)).mean())
    temporal = float(np.median(frames.std(0)))
    independent = frames[0].size / (math.pi * model.smooth_px**2 / 2)
    if memory == 0:
        want = spatial * math.sqrt(0.6)
        assert abs(temporal - want) < want * (5 / math.sqrt(2 * independent * 40) + 0.03)
    else:  # 1.3 s hold two or three memories: less of the changing part is seen
        assert temporal < 0.95 * spatial * math.sqrt(0.6)
    step = (frames[1:] - frames[:-1]).std() / spatial
    assert step < 0.4 if memory else step == pytest.approx(math.sqrt(2 * 0.6), rel=0.1)


def test_without_a_baseline_nothing_is_triangulated() -> None:
    model = load_model("kinect-v1", baseline_m=0.0)
    with pytest.raises(BadInput, match="baseline_m must not be 0"):
        sense_structured_light(model, make_shot(CAMERAS["ego"], np.ones((240, 320))))


def test_odd_images() -> None:
    model = load_model("kinect-v1")
    for height, width in ((1, 1), (1, 50), (50, 1), (3, 2)):
        camera = Camera("pinhole", width, height, 100.0, 100.0, 0.0, 0.0)
        reading = sense_structured_light(model, make_shot(camera, np.full((height, width), 1.0)))
        assert reading.depth_m.shape == (height, width)
        assert ((reading.depth_m > 0) == (reading.reason == 0)).all()
    camera = Camera("pinhole", 1, 1, 100.0, 100.0, 0.0, 0.0)
    assert sense_structured_light(model, make_shot(camera, np.zeros((0, 0)))).depth_m.shape == (
        0,
        0,
    )
    nothing = sense_structured_light(model, make_shot(CAMERAS["ego"], np.zeros((240, 320))))
    assert (nothing.reason == NOTHING).all() and not nothing.depth_m.any()


@pytest.mark.parametrize("name", ["kinect-v1", "sr300"])
@pytest.mark.parametrize("camera", ["ego", "ahat", "d435"])
def test_nonsense_is_read_without_nonsense(name: str, camera: str) -> None:
    rng = np.random.default_rng(2)
    one = CAMERAS[camera]
    depth = rng.uniform(0, 6.55, (one.height, one.width))
    depth[rng.random(depth.shape) < 0.2] = 0
    depth[::9] = 0.0001
    model = load_model(name, near_m=0.0)
    reading = sense_structured_light(model, make_shot(one, depth))
    assert reading.sigma_m is not None
    assert np.isfinite(reading.depth_m).all() and np.isfinite(reading.sigma_m).all()
    read = reading.reason == 0
    assert ((reading.depth_m > 0) == read).all() and ((reading.sigma_m > 0) == read).all()
    assert (reading.depth_m[read] >= 0.999 * model.near_m).all()
    assert (reading.depth_m[read] <= 1.001 * model.far_m).all()
    blind = np.isnan(one.ray_table()[..., 0])
    assert not read[blind].any() or model.lateral_px > 0
    assert (reading.reason == MIXED).any()
