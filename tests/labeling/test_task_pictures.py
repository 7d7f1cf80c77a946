"""Pictures for the eye, and where they may go."""

from pathlib import Path

import numpy as np
import pytest
from captures import CAMERA, make_frame

from frames.errors import BadInput
from frames.viewing.palette import NO_READING, NO_READING_HATCH
from labeling.pictures import draw_depth, draw_frame, find_range, place_picture
from labeling.proposals import add_spares, propose_labels


def test_colours_are_spent_on_the_hands() -> None:
    frame = make_frame(0)
    assert frame.depth is not None
    depth_m = frame.depth.astype(np.float32) / 10_000
    near, far = find_range(depth_m, add_spares(propose_labels(frame), CAMERA))
    hand = np.concatenate([h.keypoints_cam_m[:, 2] for h in frame.hands]) - 0.009
    assert near < hand.min() and hand.max() < far < 0.8
    assert far - near < 0.25
    # Of nobody's hand: what is nearest.
    near, far = find_range(depth_m, add_spares((), CAMERA))
    assert near < hand.min() + 0.02 and far > hand.max()


def test_a_picture_has_the_depths_size_and_marks_holes() -> None:
    frame = make_frame(1)
    picture = draw_frame(frame, ())
    assert picture.shape == (CAMERA.height, CAMERA.width, 3) and picture.dtype == np.uint8
    holes = picture[0, :5].tolist()
    assert {tuple(h) for h in holes} == {NO_READING, NO_READING_HATCH}
    assert (picture[1:] != NO_READING).any(-1).all()


@pytest.mark.parametrize("value", [0.0, 0.01, 6.5])
def test_odd_depth_is_drawn(value: float) -> None:
    for shape in ((1, 1), (3, 2)):
        depth = np.full(shape, value, np.float32)
        near, far = find_range(depth, ())
        assert draw_depth(depth, 0.01, near, far).shape == (*shape, 3)


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("..", "a.png"),
        ("p1", "../a.png"),
        ("p1", "/etc/passwd"),
        ("p1", "a/b.png"),
        ("p1", ".hidden.png"),
        ("", "a.png"),
        ("p1", "a.png\n"),
        ("p1/../..", "a.png"),
        ("p1", "a.html"),
    ],
)
def test_a_picture_stays_in_its_folder(tmp_path: Path, folder: str, name: str) -> None:
    with pytest.raises(BadInput, match="name must be"):
        place_picture(tmp_path, folder, name)


def test_links_are_refused(tmp_path: Path) -> None:
    (tmp_path / "p1").symlink_to("/etc")
    with pytest.raises(BadInput, match="must not be a link"):
        place_picture(tmp_path, "p1", "passwd")
    (tmp_path / "p2").mkdir()
    (tmp_path / "p2" / "a.png").symlink_to("/etc/passwd")
    with pytest.raises(BadInput, match="must not be a link"):
        place_picture(tmp_path, "p2", "a.png")
