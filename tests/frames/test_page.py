"""The page: it holds every frame as stored, needs nothing else, and no data can break it."""

import base64
import dataclasses
import json
import re
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

from frames.errors import BadInput
from frames.viewing import palette
from frames.viewing.page import pack_png, render_page, write_page
from tests.frames.sphere_hands import fabricate_frame

FRAMES = [
    fabricate_frame(0),
    fabricate_frame(1, hands=0),
    fabricate_frame(2, noisy=True),
    fabricate_frame(3, sideways_m=0.2),
]


def read_data(page: str) -> dict:
    """Return the JSON that a page carries."""
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.S)
    return json.loads(found[1])


def unpack(png: bytes) -> tuple[np.ndarray, np.ndarray]:
    blue, green, red = cv2.split(
        cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR).astype(np.uint16)
    )
    return red * 256 + green, blue


@pytest.mark.parametrize("frame", FRAMES)
def test_images_travel_without_loss(frame):
    depth, parts = unpack(pack_png(frame))
    assert np.array_equal(depth, frame.reading)
    assert np.array_equal(parts, frame.parts)


def test_missing_images_are_zero():
    bare = dataclasses.replace(FRAMES[0], clean_depth=None, parts=None)
    depth, parts = unpack(pack_png(bare))
    assert depth.shape == (120, 160) and not depth.any() and not parts.any()


def test_page_holds_every_frame_and_its_labels():
    page = render_page(FRAMES, "four frames")
    data = read_data(page)
    assert page.count("data:image/png;base64,") == len(data["frames"]) == 4
    assert page.count("four frames") == 2
    for frame, shown in zip(FRAMES, data["frames"], strict=True):
        depth, _ = unpack(base64.b64decode(shown["png"].partition(",")[2]))
        assert np.array_equal(depth, frame.reading)
        assert shown["id"] == frame.frame_id
        assert [h["side"] for h in shown["hands"]] == [h.side for h in frame.hands]
        for hand, label in zip(frame.hands, shown["hands"], strict=True):
            assert np.allclose(label["px"], hand.keypoints_px, atol=0.006)
            assert np.allclose(label["z"], hand.keypoints_cam_m[:, 2], atol=6e-5)
            assert label["visibility"] == hand.visibility.tolist()
            assert label["cause"] == hand.occlusion.tolist()
            assert np.allclose(label["box"], hand.box_px, atol=0.06)
            assert label["pose"] == hand.key_pose


def test_page_tells_the_situation():
    gap = np.full(17, np.nan, np.float32)
    gap[[3, 6, 9]] = 0.001, -0.0004, 0.005
    hand = dataclasses.replace(
        FRAMES[0].hands[0], grasp="disk", held=0, worn="ring", contact_gap_m=gap, wearer=False
    )
    frame = dataclasses.replace(
        FRAMES[0], hands=(hand, FRAMES[0].hands[1]), situation="grasp", sequence_id=2, time_s=0.1
    )
    data = read_data(render_page([frame]))
    shown = data["frames"][0]
    assert (shown["situation"], shown["sequence"]) == ("grasp", "sequence 2 at 0.10 s")
    assert (shown["split"], shown["background"]) == (None, None)
    first, second = shown["hands"]
    assert (first["grasp"], first["worn"], first["wearer"]) == ("disk of ball", "ring", False)
    assert first["contact"] == "2 parts within 2 mm, least gap -0.4 mm"
    assert (second["grasp"], second["contact"], second["worn"]) == (None, None, None)
    far = dataclasses.replace(hand, contact_gap_m=np.full(17, np.nan, np.float32))
    shown = read_data(render_page([dataclasses.replace(frame, hands=(far,))]))["frames"][0]
    assert shown["hands"][0]["contact"] == "no part within 1 cm"
    assert data["otherColors"][8] == list(palette.color_joint(8, wearer=False))


def test_unknown_numbers_are_null_not_nan():
    hand = dataclasses.replace(
        FRAMES[0].hands[0],
        keypoints_px=np.full((21, 2), np.nan, np.float32),
        keypoints_cam_m=np.full((21, 3), np.nan, np.float32),
        surface_depth_m=np.full(21, np.nan, np.float32),
        box_px=np.full(4, np.nan, np.float32),
        visible_fraction=float("nan"),
    )
    page = render_page([dataclasses.replace(FRAMES[0], hands=(hand,))])
    shown = read_data(page)["frames"][0]["hands"][0]
    assert shown["px"] == shown["z"] == shown["surface"] == [None] * 21
    assert shown["box"] is None and shown["fraction"] is None and shown["distance"] is None


def test_key_poses_to_filter_by_are_those_present():
    poses = {h.key_pose or "none" for frame in FRAMES for h in frame.hands}
    assert read_data(render_page(FRAMES))["keyPoses"] == sorted(poses)


def test_page_colours_as_the_sheet_does():
    data = read_data(render_page(FRAMES[:1]))
    assert np.array_equal(data["ramp"], palette.DEPTH_RAMP)
    assert np.array_equal(data["partColors"], palette.PART_COLORS)
    shown = data["frames"][0]
    near, far = palette.find_hand_range(FRAMES[0])
    assert shown["near"] == pytest.approx(near, abs=1e-4)
    assert shown["far"] == pytest.approx(far, abs=1e-4)


def test_page_needs_nothing_from_outside():
    page = render_page(FRAMES)
    rest = re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "", page)
    assert not re.search(r"https?:|//[a-z]|@import|url\(|fetch\(|\bsrc=|\bhref=", rest)


class TagCounter(HTMLParser):
    """Counts a page's tags."""

    def __init__(self):
        super().__init__()
        self.open: dict[str, int] = {}

    def handle_starttag(self, tag, attrs):
        self.open[tag] = self.open.get(tag, 0) + 1


def test_data_cannot_break_out_of_the_page():
    evil = "</script><script>alert(1)</script><!-- __DATA__"
    hand = dataclasses.replace(FRAMES[0].hands[0], key_pose=evil)
    frame = dataclasses.replace(FRAMES[0], depth=FRAMES[0].clean_depth, sensor=evil, hands=(hand,))
    page = render_page([frame], title=evil)
    counter = TagCounter()
    counter.feed(page)
    assert counter.open["script"] == 2
    assert read_data(page)["frames"][0]["sensor"] == evil


def test_page_is_modest_in_size(tmp_path):
    path = tmp_path / "page.html"
    write_page([fabricate_frame(i, width=320) for i in range(4)], path)
    assert path.stat().st_size < 60_000 + 4 * 40_000


def test_bad_input_is_one_line(tmp_path):
    for call in (
        lambda: render_page([]),
        lambda: write_page(FRAMES, tmp_path / "page.txt"),
        lambda: write_page(FRAMES, tmp_path / "none" / "page.html"),
    ):
        with pytest.raises(BadInput) as error:
            call()
        assert "\n" not in str(error.value) and len(str(error.value)) > 20
