"""What a network sees of a crop, and the targets in it."""

import numpy as np
import pytest

from augment.geometry.images import Images
from augment.geometry.sample import Sample, make_hands
from frames.camera import Camera
from train_tiny.loading.crops import (
    HALF_RANGE_M,
    encode_depth,
    find_reference,
    make_crop,
    read_surface,
)

CAMERA = Camera("pinhole", 32, 32, 40.0, 40.0, 15.5, 15.5)


def place_sample(depth_m: np.ndarray, parts: np.ndarray | None = None, **hands: object) -> Sample:
    """One hand in a crop; keypoints in a row at half a metre unless they are given."""
    px = np.stack([np.linspace(4, 27, 21), np.full(21, 16.0)], -1)[None]
    cam = np.concatenate([(px - 15.5) / 40 * 0.5, np.full((1, 21, 1), 0.5)], -1)
    given = {"keypoints_px": px, "keypoints_cam_m": cam, **hands}
    return Sample(CAMERA, Images(depth_m.astype(np.float32), parts), make_hands(1, **given))


def test_reference_is_near_the_middle() -> None:
    depth = np.full((32, 32), 2.0, np.float32)
    depth[12:20, 12:20] = 0.5
    assert find_reference(depth) == pytest.approx(0.5)
    # Beside the middle: nearer things there do not count.
    depth[:4] = 0.2
    assert find_reference(depth) == pytest.approx(0.5)
    assert np.isnan(find_reference(np.zeros((8, 8), np.float32)))
    rim = np.zeros((8, 8), np.float32)
    rim[0, 0] = 0.7
    assert find_reference(rim) == pytest.approx(0.7)


def test_encoding() -> None:
    depth = np.array([0, 0.5, 0.5 - HALF_RANGE_M, 0.5 + HALF_RANGE_M, 0.1, 3.0], np.float32)
    assert np.allclose(encode_depth(depth, 0.5), [0, 0.5, 1, 0, 1, 0], atol=1e-6)
    assert not encode_depth(depth, float("nan")).any()
    near = encode_depth(np.linspace(0.4, 0.6, 50, dtype=np.float32), 0.5)
    assert (np.diff(near) < 0).all()


def test_depth_targets() -> None:
    crop = make_crop(place_sample(np.full((32, 32), 0.49)))
    assert crop.reference_m == pytest.approx(0.49)
    assert np.allclose(crop.depth * HALF_RANGE_M, 0.01, atol=1e-6)
    # Through a hole to the wall, and without a reading, the surface says nothing.
    for value in (2.0, 0.0):
        depth = np.full((32, 32), 0.49)
        depth[14:19, :8] = value
        crop = make_crop(place_sample(depth))
        hole = crop.keypoints_px[:, 0] < 6
        assert hole.any() and np.isnan(crop.depth[hole, 0]).all()
        assert np.isfinite(crop.depth[~hole & (crop.keypoints_px[:, 0] > 9), 0]).all()
        assert np.isfinite(crop.depth[:, 1]).all()


def test_labels_that_are_not_there() -> None:
    px = np.full((1, 21, 2), 16.0)
    px[0, 0] = -3, 5
    px[0, 1] = np.nan
    visibility = np.full((1, 21), 2)
    visibility[0, 2] = 0
    visibility[0, 3] = 1
    provenance = np.zeros((1, 21))
    provenance[0, 4] = 255
    crop = make_crop(
        place_sample(
            np.full((32, 32), 0.5), keypoints_px=px, visibility=visibility, provenance=provenance
        )
    )
    gone = [0, 1, 2, 4]
    assert np.isnan(crop.keypoints_px[gone]).all() and np.isnan(crop.visible[gone]).all()
    assert np.isnan(crop.depth[gone]).all()
    assert crop.visible[3] == 0 and (crop.visible[5:] == 1).all()
    assert np.isnan(crop.mask).all()


def test_mask_is_the_hand_without_its_arm() -> None:
    parts = np.zeros((32, 32), np.uint8)
    parts[0], parts[1], parts[2], parts[3], parts[4] = 32, 33, 48, 49, 65
    hands = {"part_base": np.array([32])}
    crop = make_crop(place_sample(np.full((32, 32), 0.5), parts, **hands))
    assert crop.mask[1:3].all() and crop.mask.sum() == 64
    first = make_crop(place_sample(np.full((32, 32), 0.5), parts - 32, part_base=np.array([0])))
    assert np.array_equal(first.mask, crop.mask)


def test_a_crop_without_a_reading() -> None:
    crop = make_crop(place_sample(np.zeros((32, 32))))
    assert np.isnan(crop.reference_m) and not crop.image.any() and np.isnan(crop.depth).all()


def test_surface_is_the_median_of_what_is_read_around() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        depth = rng.uniform(0.3, 0.6, (20, 24)) * (rng.random((20, 24)) < rng.uniform())
        depth = depth.astype(np.float32)
        px = rng.uniform((-1, -1), (24.5, 20.5), (21, 2)).astype(np.float32)
        px[0] = np.nan
        read = read_surface(depth, px)
        assert np.isnan(read[0])
        for joint in range(1, 21):
            # As the windows of the nearest pixels, clamped to the image with repetition.
            u, v = np.clip(np.floor(px[joint] + 0.5).astype(int), 0, (23, 19))
            rows, columns = np.clip([v - 1, v, v + 1], 0, 19), np.clip([u - 1, u, u + 1], 0, 23)
            around = depth[np.ix_(rows, columns)].ravel()
            around = around[around > 0]
            if len(around):
                assert read[joint] == pytest.approx(np.median(around), rel=1e-6)
            else:
                assert np.isnan(read[joint])
