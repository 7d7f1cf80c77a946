"""Infrared images: light's laws, one texture for both eyes, noise."""

import numpy as np
import pytest

from augment.matched_stereo.dot_pattern import SIDE, STEPS, build_dots
from augment.matched_stereo.infrared import KNEE, Light, compand, expose_eye, light_eye
from augment.matched_stereo.infrared_pair import expose_pair, find_bare
from augment.matched_stereo.pair import Eye
from frames.camera import Camera
from tests.augment.matched_scenes import NATIVE, Plane, cast, facing, load_model, make_shot, tilted

TILE = build_dots(7, 0.03, 1.4, 3.0)
BASELINE_M = 0.05
WHITE = np.ones(256, np.float32)
HARD = np.zeros(256, np.float32)


def _light(**changes: float) -> Light:
    values = {
        **{"projector_m": 0.02, "projector_px": 850.0, "ambient": 0.0, "dots": 0.0},
        **{"texture": 0.0, "fine_m": 0.004, "patchiness": 0.0, "powered": 1.0},
        **changes,
    }
    words = {"texture_key": np.uint32(5), "phase": np.uint32(9)}
    return Light(**{k: np.float32(v) for k, v in values.items()}, **words)


def _see(
    planes: list[Plane], light: Light, eye_m: float = 0.0, camera: Camera = NATIVE
) -> np.ndarray:
    depth, codes = cast(camera, planes, (0, 0, camera.width, camera.height), eye_m)
    eye = Eye(0, depth.astype(np.float32), codes)
    return light_eye(eye, 0, camera, eye_m, light, TILE, WHITE, HARD)[0]


def test_light_falls_as_the_square_of_the_distance() -> None:
    z = np.array([0.2, 0.4, 0.8, 1.6])
    middle = [float(_see([facing(d)], _light(projector_m=0.0))[89:91, 119:121].mean()) for d in z]
    slope = np.polyfit(np.log(z), np.log(middle), 1)[0]
    assert slope == pytest.approx(-2.0, abs=1e-3)
    assert middle[1] == pytest.approx(1 / 0.4**2, rel=1e-3)


def test_light_falls_with_the_cosine() -> None:
    for slope in (0.0, 0.5, 1.0):
        # At the middle of the image the distance is the same and the angle is the slope's.
        image = _see([tilted(0.5, slope, 0.0)], _light(projector_m=0.0))
        cosine = 1 / np.hypot(1, slope)
        assert image[90, 120] == pytest.approx(cosine / 0.25, rel=0.01)


@pytest.mark.parametrize("dots", [0.0, 0.8])
def test_both_eyes_see_the_same_surface(dots: float) -> None:
    # A wall: the right eye sees the left's image moved by the disparity, dots, texture and all.
    light = _light(dots=dots, ambient=0.5, texture=0.3)
    z = 424.0 * BASELINE_M / 53.0  # 53 px exactly
    left, right = (_see([facing(z)], light, eye) for eye in (0.0, BASELINE_M))
    assert left[:, 53:] == pytest.approx(right[:, :-53], rel=2e-3, abs=2e-3)
    assert left.std() > 0.1


def test_texture_has_the_contrast_it_is_told() -> None:
    light = _light(powered=0.0, ambient=1.0, texture=0.2, fine_m=0.003)
    image = _see([facing(0.25)], light)
    # Value noise is less between grid points; sized so that a surface has about the contrast told.
    assert image.std() / image.mean() == pytest.approx(0.2, rel=0.25)


def test_patches_without_texture() -> None:
    light = _light(powered=0.0, ambient=1.0, texture=0.3, fine_m=0.002, patchiness=0.7)
    image = _see([facing(0.25)], light)
    # Texture a block of 6 x 6 mm: from next to none to what an even surface has.
    blocks = image.reshape(18, 10, 24, 10).std((1, 3)) / image.mean()
    assert np.quantile(blocks, 0.1) < 0.25 * np.quantile(blocks, 0.9)
    assert np.quantile(blocks, 0.9) > 0.1


def test_the_projector_has_a_shadow_of_its_own() -> None:
    front, back = 0.3, 0.6
    planes = [facing(back), facing(front, 1, x_m=(-0.02, 0.02))]
    for eye_m, side in ((0.0, -1), (BASELINE_M, 1)):
        image = _see(planes, _light(), eye_m)
        dark = (image == 0).mean(0) > 0.5
        width = 424 * abs(0.02 - eye_m) * (1 / front - 1 / back)
        assert dark.sum() == pytest.approx(width, abs=1.5)
        edge = 119.5 + 424 * (side * 0.02 - eye_m) / front
        where = np.nonzero(dark)[0]
        # Beside the bar, on the side away from the projector.
        assert abs((where[-1] + 1 if side < 0 else where[0]) - edge) <= 1.5


def test_dots_keep_their_light() -> None:
    for soft in range(2):
        assert TILE[..., soft].mean() / STEPS == pytest.approx(1.0, abs=0.01)
    assert TILE[..., 0].std() > 1.5 * TILE[..., 1].std()
    assert build_dots(7, 0.03, 1.4, 3.0).tobytes() == TILE.tobytes()
    assert TILE.shape == (SIDE, SIDE, 2)
    assert build_dots(8, 0.03, 1.4, 3.0).tobytes() != TILE.tobytes()


def test_photons_are_poisson_noise() -> None:
    # Variance over mean in electrons: 1, plus the readout's; 40,000 pixels: 0.7 % standard error.
    image = np.full((200, 200), 0.5, np.float32)
    for read_e in (0.0, 30.0):
        seen = expose_eye(image, image, 2000.0, 2550.0, read_e, 0.0, np.uint64(3), 0, 0, 200) * 10.0
        rounding = 100 / 12
        assert seen.mean() == pytest.approx(1000, abs=1)
        assert seen.var() == pytest.approx(1000 + read_e**2 + rounding, rel=0.03)


def test_dark_steps_are_kept_whole() -> None:
    level = np.linspace(0.0, 1.0, 1024)
    got = np.array([compand(float(x), KNEE) for x in level])
    assert got[: int(KNEE)] == pytest.approx(np.arange(int(KNEE)))
    assert (np.diff(got) > 0).all() and got[-1] == pytest.approx(255.0)
    assert [compand(float(x), 0.0) for x in level] == pytest.approx(255.0 * level)
    image = np.tile(level.astype(np.float32)[::8], (4, 1))
    seen = expose_eye(image, image, 1e9, 1e9, 0.0, 0.0, np.uint64(3), 0, 0, 128, KNEE)
    assert np.abs(seen - got[::8]).max() < 0.6  # a rounding, and photons


def test_speckle_is_in_proportion() -> None:
    image = np.full((200, 200), 0.5, np.float32)
    seen = expose_eye(image, image, 1e6, 1e6, 0.0, 0.1, np.uint64(3), 0, 0, 200)
    assert seen.std() / seen.mean() == pytest.approx(0.1, rel=0.03)


def test_noise_does_not_depend_on_the_window() -> None:
    image = np.full((40, 60), 0.5, np.float32)
    whole = expose_eye(image, image, 2000.0, 2550.0, 3.0, 0.1, np.uint64(3), 0, 0, 60)
    cut = image[10:, 20:]
    part = expose_eye(cut, cut, 2000.0, 2550.0, 3.0, 0.1, np.uint64(3), 10, 20, 60)
    assert (part == whole[10:, 20:]).all()


@pytest.mark.parametrize("z", [0.3, 0.5, 0.8])
def test_hands_are_well_exposed(z: float) -> None:
    model = load_model()
    hand = facing(z, 3, x_m=(-0.05, 0.05), y_m=(-0.05, 0.05))
    shot = make_shot(model, NATIVE, [facing(1.5), hand], reflectance=0.5)
    assert shot.pair is not None
    left, right = expose_pair(model, shot, shot.pair)
    skin = left[0][shot.pair.windows[0].left_eye.parts == 3]
    assert np.quantile(skin, 0.9) / 255 == pytest.approx(model.level, abs=0.1)
    other = right[0][shot.pair.windows[0].right_eye.parts == 3]
    assert other.mean() == pytest.approx(skin.mean(), rel=0.1)


def test_near_hands_saturate_and_far_ones_are_noisy() -> None:
    model = load_model()

    def look(z: float) -> np.ndarray:
        shot = make_shot(model, NATIVE, [facing(z, 3)], reflectance=0.5)
        assert shot.pair is not None
        return expose_pair(model, shot, shot.pair)[0][0]

    assert (look(0.12) == 255).mean() > 0.3
    assert (look(0.4) == 255).mean() < 0.05


def test_passive_eyes_see_no_dots() -> None:
    model = load_model(projector=0.0, ambient=1.0, texture=0.0, speckle=0.2)
    shot = make_shot(model, NATIVE, [facing(0.5)])
    assert shot.pair is not None
    image = expose_pair(model, shot, shot.pair)[0][0].astype(float)
    assert image.std() / image.mean() < 0.05


def test_forearms_as_bright_as_their_hands_are_bare() -> None:
    light = np.full(256, 0.1, np.float32)
    light[1:17], light[17] = 0.6, 0.5
    light[33:49], light[49] = 0.6, 0.2
    bare = find_bare(light)
    assert bare[17] and not bare[49]
    assert bare[1] and bare[48] and not bare[0] and not bare[224]
    assert not bare[240]


def test_empty_and_dark_eyes() -> None:
    none = Eye(0, np.zeros((0, 4), np.float32), np.zeros((0, 4), np.uint8))
    assert light_eye(none, 0, NATIVE, 0.0, _light(), TILE, WHITE, HARD)[0].shape == (0, 4)
    void = Eye(0, np.zeros((3, 4), np.float32), np.zeros((3, 4), np.uint8))
    assert (light_eye(void, 0, NATIVE, 0.0, _light(), TILE, WHITE, HARD)[0] == 0).all()
    one = Eye(0, np.full((1, 1), 0.5, np.float32), np.zeros((1, 1), np.uint8))
    assert np.isfinite(light_eye(one, 0, NATIVE, 0.0, _light(), TILE, WHITE, HARD)[0]).all()


def test_ambient_light_has_no_speckle_and_what_skin_scatters_less() -> None:
    depth, codes = cast(NATIVE, [facing(0.5, 1)], (0, 0, NATIVE.width, NATIVE.height), 0.0)
    eye, light = Eye(0, depth.astype(np.float32), codes), _light(ambient=0.8, dots=0.5)
    softness = np.zeros(256, np.float32)
    for share in (0.0, 0.6):
        softness[1] = share
        seen, laser = light_eye(eye, 0, NATIVE, 0.0, light, TILE, WHITE, softness)
        dark = light._replace(powered=np.float32(0.0))
        ambient, none = light_eye(eye, 0, NATIVE, 0.0, dark, TILE, WHITE, softness)
        assert (none == 0).all()
        # What comes out of skin elsewhere is depolarised: half of its speckle's variance.
        left = np.hypot(1 - share, share / np.sqrt(2))
        assert laser == pytest.approx(left * (seen - ambient), rel=1e-4, abs=1e-4)
    image = np.full((200, 200), 0.5, np.float32)
    exposed = expose_eye(image, 0.4 * image, 1e6, 1e6, 0.0, 0.1, np.uint64(3), 0, 0, 200)
    assert exposed.std() / exposed.mean() == pytest.approx(0.04, rel=0.03)
