"""Pictures of persons as batches: labels lie on what they label, mirrors swap the right joints."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from frames.errors import BadInput  # noqa: E402
from tests.train_tiny.drawn_persons import SIZE, annotate, color_joint, write_persons  # noqa: E402
from train_tiny.loading.feeding import RoundFeed  # noqa: E402
from train_tiny.loading.resizing import resize_batch  # noqa: E402
from train_tiny.losses.associative import measure_frame_losses  # noqa: E402
from train_tiny.losses.full_frames import draw_heatmaps, draw_mask  # noqa: E402
from train_tiny.persons.data import MOST, open_person_sources  # noqa: E402
from train_tiny.persons.loading import (  # noqa: E402
    MEAN,
    SPREAD,
    feed_persons,
    make_person_eval_loader,
)
from train_tiny.persons.views import PersonGeometry  # noqa: E402
from train_tiny.specs import split_spec  # noqa: E402

MIRROR = PersonGeometry((0.0, 0.0), (1.0, 1.0), 0.0, 1.0)


def feed(spec: str, **options: Any) -> RoundFeed:
    return feed_persons(open_person_sources([spec]), None, 2, (192, 128), 5, **options)


def restore(image: torch.Tensor) -> np.ndarray:
    """(H, W, 3) RGB bytes of a normalised image."""
    values = image.permute(1, 2, 0).numpy() * np.array(SPREAD) + np.array(MEAN)
    return np.asarray(np.round(values * 255))


def look(image: np.ndarray, px: torch.Tensor) -> np.ndarray:
    x, y = (int(v + 0.5) for v in px.tolist())
    return np.asarray(image[y, x])


@pytest.mark.parametrize("joints", [14, 17, 21])
def test_joints_lie_on_their_pictures(tmp_path: Path, joints: int) -> None:
    """Each joint's disk has a colour of its own; turned, sized and moved it stays under the label.
    A mirror gives a body's left joints the right ones' colours, and leaves a hand's."""
    spec = write_persons(tmp_path, joints)
    mirror = open_person_sources([spec])[0].layout.mirror
    assert (mirror == tuple(range(joints))) == (joints == 21)
    mild = PersonGeometry((-0.3, 0.3), (1.0, 1.5), 10.0, 0.0)
    for geometry, flip in ((None, False), (mild, False), (MIRROR, True)):
        checked = 0
        for images, targets in feed(spec, geometry=geometry).read(0, 0):
            assert images.shape == (2, 3, 128, 192) and images.dtype == torch.float32
            there = torch.isfinite(targets.keypoints_px).all(-1)
            for b, person, joint in there.nonzero().tolist():
                found = look(restore(images[b]), targets.keypoints_px[b, person, joint])
                wanted = color_joint(mirror[joint] if flip else joint)
                if there[b].sum() < 2 * joints - 6:  # alone: nothing lies upon it
                    assert np.abs(found - wanted).max() < 40
                    checked += 1
        assert checked >= 20


def test_a_mirror_swaps_the_side_of_a_hand(tmp_path: Path) -> None:
    spec = write_persons(tmp_path, 21)
    plain = list(feed(spec, geometry=None).read(0, 0))
    turned = list(feed(spec, geometry=MIRROR).read(0, 0))
    known = 0
    for (_, one), (_, other) in zip(plain, turned, strict=True):
        there = torch.isfinite(one.right)
        assert torch.equal(there, torch.isfinite(other.right))
        assert torch.equal(one.right[there], 1 - other.right[there])
        torch.testing.assert_close(
            one.keypoints_px[..., 0], 191 - other.keypoints_px[..., 0], equal_nan=True
        )
        known += int(there.sum())
    assert known == 6


def digest(batches: Any) -> list[str]:
    return [
        hashlib.sha256(
            images.numpy().tobytes() + targets.keypoints_px.numpy().tobytes()
        ).hexdigest()
        for images, targets in batches
    ]


def test_the_same_for_any_workers_and_from_any_batch(tmp_path: Path) -> None:
    one = feed(write_persons(tmp_path, pictures=12))
    whole = digest(one.read(1, 0))
    assert len(set(whole)) == len(whole) == one.batches == 6
    assert digest(replace(one, workers=2).read(1, 0)) == whole
    assert digest(one.read(1, 4)) == whole[4:]
    assert digest(one.read(2, 0)) != whole


def test_an_epoch_has_every_picture_once(tmp_path: Path) -> None:
    one = feed(write_persons(tmp_path, pictures=12), geometry=None)
    counts = [int(n) for _, t in one.read(0, 0) for n in torch.isfinite(t.right * 0 + 1).sum(1)]
    people = [
        int(torch.isfinite(t.keypoints_px).all(-1).any(-1)[b].sum())
        for _, t in one.read(0, 0)
        for b in range(2)
    ]
    assert sorted(people) == [0] * 4 + [1] * 4 + [2] * 4 and counts == [0] * 12


def test_what_is_unknown_teaches_nothing(tmp_path: Path) -> None:
    """The crowd's pixels, wherever they went; and heatmaps there cost nothing."""

    def change(meta: dict[str, Any]) -> None:
        annotate(meta, 10, None, iscrowd=1, segmentation=[[24, 16, 72, 16, 72, 48, 24, 48]])

    spec = write_persons(tmp_path, pictures=1, change=change)
    images, targets = next(make_person_eval_loader(open_person_sources([spec])[0], (192, 128), 4))
    assert targets.unknown is not None
    for size in ((192, 128), (96, 64), (144, 96)):
        _, small = resize_batch(images, targets, size)
        mask = draw_mask(small, size[1], size[0], 4)
        rows, columns = (mask[0, 0] == 0).nonzero().unbind(1)
        scale = size[0] / 96 / 4
        for found, (low, high) in ((columns, (24, 72)), (rows, (16, 48))):
            assert abs(int(found.min()) - low * scale) <= 1
            assert abs(int(found.max()) + 1 - high * scale) <= 1
        maps = [torch.zeros(1, 34, size[1] // 4, size[0] // 4)]
        maps.append(torch.zeros(1, 17, size[1] // 2, size[0] // 2))
        assert measure_frame_losses(maps, small)["heatmaps"] == 0
        maps[0][:, :17] = 1 - mask
        assert measure_frame_losses(maps, small)["heatmaps"] == 0
        maps[0][:, :17] = mask
        assert measure_frame_losses(maps, small)["heatmaps"] > 0
    on_device = targets.to(torch.device("cpu"))
    assert on_device.unknown is not None


def test_more_persons_than_there_is_room_for(tmp_path: Path) -> None:
    """The largest are taught, and the others' boxes are left out."""

    def change(meta: dict[str, Any]) -> None:
        for k in range(MOST + 4):
            points = [(40 - k // 2, 30, 2), (42 + k // 2 + k % 2, 32, 2)] + [(0, 0, 0)] * 15
            annotate(meta, 10, points)

    spec = write_persons(tmp_path, pictures=1, change=change)
    _, targets = next(make_person_eval_loader(open_person_sources([spec])[0], SIZE, 1))
    width = (targets.keypoints_px[0, :, 1, 0] - targets.keypoints_px[0, :, 0, 0]).tolist()
    assert width == [float(w) for w in range(MOST + 5, 5, -1)]
    boxes = targets.ignored_px[0]
    assert torch.isfinite(boxes).all(-1).sum() == 4
    assert (boxes[:4, 2] - boxes[:4, 0]).tolist() == [5, 4, 3, 2]
    assert draw_heatmaps(targets, SIZE[1], SIZE[0], 4).shape == (1, 17, 16, 24)


def test_large_pictures_are_averaged_not_skipped(tmp_path: Path) -> None:
    """One-pixel stripes become grey when they are made small, and places stay."""
    spec = write_persons(tmp_path, pictures=1)
    import cv2

    folder = split_spec(spec)[1]
    stripes = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    stripes[:, ::2] = 255
    stripes[:, 48:] = 255
    cv2.imwrite(str(folder / "000000.png"), stripes)
    images, _ = next(make_person_eval_loader(open_person_sources([spec])[0], (32, 32), 1))
    image = restore(images[0])
    assert image.shape == (32, 32, 3)
    inner = image[8:-8, :, 0]
    assert np.abs(inner[:, 2:14] - 127.5).max() < 45
    assert (inner[:, 18:] > 250).all() and image[2].max() == 0


def test_sources_and_pictures_that_cannot_be(tmp_path: Path) -> None:
    spec = write_persons(tmp_path / "a")
    other = write_persons(tmp_path / "b", 14)
    with pytest.raises(BadInput, match="one kind at a time"):
        open_person_sources([spec, other])
    folder = split_spec(spec)[1]
    (folder / "000001.png").write_bytes(b"no picture")
    with pytest.raises(BadInput, match="is no picture"):
        list(feed(spec).read(0, 0))
    (folder / "000001.png").unlink()
    with pytest.raises(BadInput, match="name its folder"):
        list(feed(spec, workers=1).read(0, 0))
    assert split_spec("coco:a/b.json") == (Path("a/b.json"), Path("a"))
    assert split_spec("coco:a/b.json@c") == (Path("a/b.json"), Path("c"))
