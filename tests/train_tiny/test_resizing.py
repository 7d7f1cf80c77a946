"""Frames at another size: labels stay on what they are labels of, tags on their keypoints."""

import pytest

torch = pytest.importorskip("torch")

from train_tiny.loading.resizing import resize_batch  # noqa: E402
from train_tiny.losses.full_frames import FrameTargets, draw_heatmaps, index_tags  # noqa: E402

SIZES = ((256, 192), (320, 240), (384, 288), (448, 336), (512, 384))


def place_hands(count: int = 2) -> FrameTargets:
    """Random keypoints in a frame of 512 x 384, one of them not there."""
    generator = torch.Generator().manual_seed(1)
    px = torch.rand(1, 3, 21, 2, generator=generator) * torch.tensor([503.0, 375.0]) + 4
    px[:, count:] = torch.nan
    px[0, 0, 4] = torch.nan
    box = torch.full((1, 3, 4), torch.nan)
    box[0, 0] = torch.tensor([99.5, 49.5, 199.5, 149.5])
    return FrameTargets(px, torch.ones(1, 3, 21), torch.ones(1, 3), box)


@pytest.mark.parametrize("size", SIZES)
def test_tags_lie_on_their_keypoints_at_every_size(size: tuple[int, int]) -> None:
    """The nearest cell to each one: of all cells of its joint none has a higher Gaussian."""
    whole = place_hands()
    _, targets = resize_batch(torch.zeros(1, 1, 384, 512), whole, size)
    index, there = index_tags(targets, size[1], size[0])
    assert torch.equal(there, torch.isfinite(whole.keypoints_px).all(-1))
    h, w = size[1] // 4, size[0] // 4
    for hand, joint in there[0].nonzero().tolist():
        alone = torch.full_like(targets.keypoints_px, torch.nan)
        alone[0, hand, joint] = targets.keypoints_px[0, hand, joint]
        maps = draw_heatmaps(
            FrameTargets(alone, targets.visible, targets.right, targets.ignored_px), *size[::-1], 4
        )
        assert maps.flatten().argmax() == index[0, hand, joint]
        # And that is where the keypoint was in the whole frame, in shares of it.
        cell = index[0, hand, joint] % (h * w)
        x, y = (int(cell) % w + 0.5) / w, (int(cell) // w + 0.5) / h
        u, v = (whole.keypoints_px[0, hand, joint] + 0.5) / torch.tensor([512.0, 384.0])
        assert abs(x - u) <= 0.5 / w + 1e-6 and abs(y - v) <= 0.5 / h + 1e-6


@pytest.mark.parametrize("channels", [1, 3])
def test_labels_stay_on_the_picture(channels: int) -> None:
    """A bright square: its middle moves with the keypoint that marks it, its edges with its box."""
    images = torch.zeros(1, channels, 384, 512)
    images[..., 50:150, 100:200] = 1
    targets = place_hands()
    targets.keypoints_px[0, 0, 0] = torch.tensor([149.5, 99.5])
    for size in SIZES:
        small, moved = resize_batch(images, targets, size)
        assert small.shape == (1, channels, *size[::-1])
        bright = (small[0, 0] > 0.5).nonzero().float()
        middle = bright.mean(0).flip(0)
        assert (middle - moved.keypoints_px[0, 0, 0]).abs().max() < 0.6
        edges = torch.cat([bright.min(0).values.flip(0) - 0.5, bright.max(0).values.flip(0) + 0.5])
        assert (edges - moved.ignored_px[0, 0]).abs().max() <= 0.5 + 1e-4


def test_depth_between_surfaces_is_not_invented() -> None:
    images = torch.zeros(1, 1, 384, 512)
    images[..., 100:] = 0.8
    for size in SIZES[:4]:
        small, _ = resize_batch(images, place_hands(), size)
        assert set(small.unique().tolist()) == {0.0, images.max().item()}
    same, targets = resize_batch(images, place_hands(), (512, 384))
    assert same is images and torch.isfinite(targets.ignored_px[0, 0]).all()
