"""Time of flight before odd inputs: a defined reading of all, for each device."""

import numpy as np
import pytest
from range_scenes import bare, wall

from augment.profile import Profile, build_profile, load_profile
from augment.shot import Keys, Reading, Shot
from augment.time_of_flight.model import TimeOfFlight, sense_time_of_flight
from frames.camera import CAMERAS, Camera
from frames.errors import BadInput
from frames.reasons import NOTHING, READ

DEVICES = ("azure-kinect", "ahat")


def load(name: str) -> TimeOfFlight:
    profile = load_profile(name)
    assert isinstance(profile, Profile)
    model = profile.parameters
    assert isinstance(model, TimeOfFlight)
    return model


def check(reading: Reading, shape: tuple[int, ...]) -> None:
    """What holds of every reading."""
    assert reading.amplitude is not None and reading.sigma_m is not None
    for image in (reading.depth_m, reading.amplitude, reading.sigma_m):
        assert image.shape == shape and image.dtype == np.float32
        assert np.isfinite(image).all() and (image >= 0).all()
    assert reading.reason.shape == shape and reading.reason.dtype == np.uint8
    assert ((reading.depth_m > 0) == (reading.reason == READ)).all()
    assert ((reading.sigma_m > 0) == (reading.reason == READ)).all()


@pytest.mark.parametrize("name", DEVICES)
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (2, 2), (17, 33), (40, 9)])
def test_small_images(name: str, shape: tuple[int, int]) -> None:
    camera = Camera("pinhole", shape[1], shape[0], 100.0, 100.0, 0.0, 0.0)
    for z in (0.0, 0.4, 6.5535):
        check(sense_time_of_flight(load(name), wall(z, camera)), shape)
    assert sense_time_of_flight(bare(), wall(0.4, camera)).depth_m == pytest.approx(0.4, rel=0.1)


@pytest.mark.parametrize("name", DEVICES)
def test_no_image_at_all(name: str) -> None:
    empty = np.empty((0, 0), np.uint16)
    camera = Camera("pinhole", 1, 1, 100.0, 100.0, 0.0, 0.0)
    one = np.ones(256, np.float32)
    keys = Keys(1, 2, 3)
    shot = Shot(camera, empty, 1e4, np.empty((0, 0), np.uint8), one, None, 0.0, keys)
    check(sense_time_of_flight(load(name), shot), (0, 0))


@pytest.mark.parametrize("name", DEVICES)
@pytest.mark.parametrize("camera", ["ego", "ahat", "azure-nfov"])
def test_all_holes(name: str, camera: str) -> None:
    lens = CAMERAS[camera]
    reading = sense_time_of_flight(load(name), wall(0.0, lens))
    check(reading, (lens.height, lens.width))
    assert (reading.reason != READ).all() and (reading.reason == NOTHING).any()


@pytest.mark.parametrize("name", DEVICES)
@pytest.mark.parametrize("camera", ["ego", "ahat", "azure-nfov"])
def test_every_pixel_another_depth(name: str, camera: str) -> None:
    """Noise from 0 to 6.5 m with all part codes and wild motion: outlines everywhere."""
    lens, rng = CAMERAS[camera], np.random.default_rng(0)
    shape = (lens.height, lens.width)
    shot = wall(
        rng.uniform(0, 6.5, shape) * (rng.random(shape) > 0.2),
        lens,
        parts=rng.integers(0, 256, shape).astype(np.uint8),
        reflectance=rng.uniform(0, 1, 256).astype(np.float32),
        twist=rng.normal(0, 5, (256, 6)).astype(np.float32),
    )
    check(sense_time_of_flight(load(name), shot), shape)


def test_views_and_read_only_arrays() -> None:
    """A slice of a batch, and arrays that may not be written, read the same."""
    lens = CAMERAS["ego-small"]
    rng = np.random.default_rng(0)
    depth = rng.integers(3000, 9000, (3, 2, *lens_shape(lens))).astype(np.uint16)
    parts = np.zeros(depth.shape, np.uint8)
    plain = wall(0.0, lens, depth=depth[1, 1].copy(), parts=parts[1, 1].copy())
    view = wall(0.0, lens, depth=depth[1, 1], parts=parts[1, 1])
    strided = wall(0.0, lens, depth=np.asfortranarray(depth[1, 1]), parts=parts[1, 1])
    locked = depth[1, 1].copy()
    locked.setflags(write=False)
    frozen = wall(0.0, lens, depth=locked)
    expected = sense_time_of_flight(load("ahat"), plain).depth_m.tobytes()
    for shot in (view, strided, frozen):
        assert sense_time_of_flight(load("ahat"), shot).depth_m.tobytes() == expected


def lens_shape(camera: Camera) -> tuple[int, int]:
    return camera.height, camera.width


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"value": -1.0}, "signal_e must be 1.0 to"),
        ({"value": float("nan")}, "signal_e must be"),
        ({"unit": "photons"}, "signal_e must be in 'electrons'"),
        (None, "the parameter signal_e .electrons. is missing"),
    ],
)
def test_profile_that_cannot_be(change: dict[str, object] | None, words: str) -> None:
    profile = load_profile("ahat")
    content = profile.to_dict()
    if change is None:
        del content["signal_e"]
    else:
        content["signal_e"] = {**content["signal_e"], **change}
    with pytest.raises(BadInput, match=words):
        build_profile(content, "mine.toml")
