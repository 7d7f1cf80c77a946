"""The contact sheet: colours at known pixels, hollow and filled joints, clipping, bad input."""

import dataclasses

import cv2
import numpy as np
import pytest

from frames.errors import BadInput
from frames.skeleton import KEYPOINT_COLORS
from frames.viewing import palette
from frames.viewing.canvas import clip_segment, draw_box, new_canvas
from frames.viewing.caption import caption_lines, count_visibility, measure_distance
from frames.viewing.sheet import (
    choose_scale,
    draw_depth_panel,
    draw_frame,
    draw_legend,
    draw_sheet,
    draw_skeleton,
    write_picture,
)
from tests.frames.sphere_hands import fabricate_frame

FRAME = fabricate_frame(0)


def one_hand(**changes):
    """Return the frame's first hand spread over a 640x480 panel, with changes."""
    px = np.array([[80 + 25 * j, 60 + 17 * j] for j in range(21)], np.float32)
    seen = np.full(21, 2, np.uint8)
    fields = {"keypoints_px": px, "visibility": seen} | changes
    return dataclasses.replace(FRAME.hands[0], **fields)


def drawn(hand, scale=1):
    panel = new_canvas(480, 640, (90, 90, 90))
    draw_skeleton(panel, hand, scale)
    return panel


def test_ramp_grows_lighter_toward_the_camera():
    light = cv2.cvtColor(palette.DEPTH_RAMP[None], cv2.COLOR_RGB2Lab)[0, :, 0].astype(int)
    assert (np.diff(light) >= 0).all()
    assert light[-1] - light[0] > 200


def test_tone_never_rises_with_distance_and_is_spent_on_the_hands():
    depth = np.linspace(0.1, 6.0, 2000)
    tone = palette.tone_depth(depth, 0.3, 0.5)
    assert (np.diff(tone) <= 1e-7).all()
    assert tone[0] == 1.0
    near, far = palette.tone_depth(np.array([0.3, 0.5]), 0.3, 0.5)
    assert near - far > 0.6
    step = palette.tone_depth(np.array([0.40, 0.41]), 0.3, 0.5)
    assert (step[0] - step[1]) * 255 > 5, "a centimetre of finger must show"


def test_hand_range_covers_the_hands_pixels():
    near, far = palette.find_hand_range(FRAME)
    part = FRAME.parts % 32
    hand = (FRAME.parts < 224) & (part >= 1) & (part <= 16)
    depth = FRAME.clean_depth[hand] / FRAME.depth_scale
    assert near < np.percentile(depth, 1) and far > np.percentile(depth, 99)
    assert far - near < 0.3, "the wall at 1.4 m must not be in it"


def test_hand_range_without_parts_comes_from_the_keypoints():
    near, far = palette.find_hand_range(dataclasses.replace(FRAME, parts=None))
    z = np.concatenate([h.keypoints_cam_m[:, 2] for h in FRAME.hands])
    assert near < z.min() + 0.01 and far > z.max() - 0.01


def test_a_level_wall_takes_the_ramp_colour_exactly():
    wall = np.full((120, 160), 20000, np.uint16)
    frame = dataclasses.replace(FRAME, clean_depth=wall, parts=None)
    near, far = palette.find_hand_range(frame)
    tone = palette.tone_depth(np.float32(2.0), near, far)
    expected = palette.DEPTH_RAMP[round(float(tone) * 255)]
    assert (palette.color_depth(frame) == expected).all()


def test_relief_is_brighter_on_slopes_that_face_the_light():
    y, x = np.mgrid[:40, :40]
    flat = palette.shade_relief(np.full((40, 40), 0.5), 1 / 200)
    toward = palette.shade_relief(0.5 + 0.001 * (x + y), 1 / 200)
    away = palette.shade_relief(0.5 - 0.001 * (x + y), 1 / 200)
    assert np.allclose(flat, 1.0)
    assert toward[20, 20] > 1.05 > 0.95 > away[20, 20]


def test_relief_is_flat_at_rims_and_holes():
    depth = np.full((20, 20), 0.5)
    depth[:, 10:] = 2.0
    depth[5, 5] = 0
    shade = palette.shade_relief(depth, 1 / 200)
    assert np.isfinite(shade).all()
    assert np.allclose(shade, 1.0)


def test_pixels_without_reading_have_their_own_colours():
    noisy = fabricate_frame(2, noisy=True)
    lost = noisy.depth == 0
    bare = dataclasses.replace(noisy, hands=())
    panel = draw_depth_panel(bare, 3)
    at = lost.repeat(3, 0).repeat(3, 1)
    apart = {palette.NO_READING, palette.NO_READING_HATCH}
    assert {tuple(int(v) for v in c) for c in np.unique(panel[at], axis=0)} == apart
    elsewhere = {tuple(int(v) for v in c) for c in np.unique(panel[~at], axis=0)}
    assert not elsewhere & apart


def test_no_ramp_colour_is_near_the_no_reading_colours():
    ramp = palette.DEPTH_RAMP.astype(int)
    for color in (palette.NO_READING, palette.NO_READING_HATCH):
        assert np.abs(ramp - color).sum(1).min() > 30


def test_visible_joints_are_filled_and_occluded_ones_hollow():
    states = np.full(21, 2, np.uint8)
    states[[3, 8, 12, 20]] = 1
    hand = one_hand(visibility=states)
    panel = drawn(hand)
    for joint in range(21):
        x, y = hand.keypoints_px[joint].astype(int)
        color = KEYPOINT_COLORS[joint]
        if states[joint] == 2:
            assert tuple(panel[y, x]) == color
        else:
            assert tuple(panel[y, x]) == palette.INK
            ring = [panel[y + 3, x], panel[y, x + 3], panel[y - 3, x], panel[y, x - 3]]
            for pixel in ring:
                assert np.abs(pixel.astype(int) - color).sum() < 250
                assert np.abs(pixel.astype(int) - palette.INK).sum() > 100


def test_joints_outside_are_not_drawn_but_their_bones_reach_the_border():
    px = np.full((21, 2), np.nan, np.float32)
    px[0] = (100, 240)
    px[5] = (900, 240)
    states = np.zeros(21, np.uint8)
    states[0] = 2
    panel = drawn(one_hand(keypoints_px=px, visibility=states))
    assert tuple(panel[240, 639]) == KEYPOINT_COLORS[5]
    assert (panel[:200] == 90).all() and (panel[280:] == 90).all()
    column = panel[200:280, 620]
    assert ((column == KEYPOINT_COLORS[5]).all(1)).sum() <= 3, "a line, no dot"


def test_far_outside_ends_do_not_overflow():
    px = np.full((21, 2), np.nan, np.float32)
    px[0], px[9] = (320, 240), (3e9, -4e9)
    panel = drawn(one_hand(keypoints_px=px, visibility=np.zeros(21, np.uint8)))
    changed = np.argwhere((panel != 90).any(-1))
    steep = np.abs((240 - changed[:, 0]) * 3 - (changed[:, 1] - 320) * 4)
    assert len(changed) > 100 and steep.max() <= 5 * 4, "the bone keeps its direction"


def test_skeleton_is_placed_at_pixel_centres():
    px = np.full((21, 2), np.nan, np.float32)
    px[0] = (10, 20)
    states = np.zeros(21, np.uint8)
    states[0] = 2
    panel = drawn(one_hand(keypoints_px=px, visibility=states), scale=4)
    white = (panel == KEYPOINT_COLORS[0]).all(-1)
    y, x = np.argwhere(white).mean(0)
    assert abs(x - 41.5) < 0.3 and abs(y - 81.5) < 0.3, "pixel (10, 20) spans 40..43, 80..83"


def test_clipping_keeps_points_on_the_segment():
    rng = np.random.default_rng(0)
    box = (0.0, 0.0, 10.0, 6.0)
    for _ in range(300):
        a, b = rng.uniform(-15, 25, (2, 2))
        t = np.linspace(0, 1, 2001)[:, None]
        points = a + (b - a) * t
        inside = ((points >= 0) & (points <= (10, 6))).all(1)
        clipped = clip_segment(a, b, box)
        if clipped is None:
            assert inside.sum() <= 1
            continue
        for end in clipped:
            assert (end >= -1e-9).all() and (end <= np.array([10, 6]) + 1e-9).all()
            assert abs(np.cross(np.append(b - a, 0), np.append(end - a, 0))[2]) < 1e-6
        if inside.any():
            length = np.linalg.norm(clipped[1] - clipped[0])
            assert abs(length - inside.sum() / 2000 * np.linalg.norm(b - a)) < 0.1


def test_clipping_ignores_unknown_places():
    assert clip_segment(np.array([np.nan, 1]), np.array([2, 2]), (0, 0, 9, 9)) is None


def test_boxes_are_solid_or_dashed():
    solid, dashed = new_canvas(100, 100, (0, 0, 0)), new_canvas(100, 100, (0, 0, 0))
    box = np.array([10, 20, 80, 70])
    draw_box(solid, box, (255, 255, 255))
    draw_box(dashed, box, (255, 255, 255), dash=5)
    top = solid[20, 10:81, 0] > 128
    gaps = dashed[20, 10:81, 0] > 128
    assert top.all()
    assert 0.35 < gaps.mean() < 0.75
    assert not solid[23:68, 13:78].any(), "the inside stays empty"
    untouched = new_canvas(20, 20, (0, 0, 0))
    draw_box(untouched, np.array([np.nan, 1, 2, 3]), (255, 255, 255))
    assert not untouched.any()


def test_parts_are_drawn_in_their_colours():
    frame = fabricate_frame(1)
    card = draw_frame(frame, scale=4)
    width, height = frame.camera.width, frame.camera.height
    parts = card[: 2 * height, 4 * width :]
    expected = palette.PART_COLORS[frame.parts].repeat(2, 0).repeat(2, 1)
    assert np.array_equal(parts, expected)
    assert card.shape == (4 * height, 6 * width, 3)


def test_part_colours_tell_fingers_and_hands_apart():
    tips = palette.PART_COLORS[[4, 7, 10, 13, 16]].astype(int)
    gaps = np.abs(tips[:, None] - tips[None]).sum(-1) + 1000 * np.eye(5, dtype=int)
    assert gaps.min() > 80
    used = [32 * k + p for k in range(2) for p in range(1, 18)] + [0, 224, 225]
    assert len(np.unique(palette.PART_COLORS[used], axis=0)) == len(used)


@pytest.mark.parametrize("width, expected", [(160, 4), (320, 2), (424, 2), (512, 1), (1280, 1)])
def test_scale_makes_small_frames_legible(width, expected):
    camera = dataclasses.replace(FRAME.camera, width=width)
    assert choose_scale(dataclasses.replace(FRAME, camera=camera)) == expected


def test_a_real_frame_with_nothing_but_depth_is_drawn():
    bare = dataclasses.replace(
        FRAME, source="real", depth=FRAME.clean_depth, clean_depth=None, parts=None, hands=()
    )
    card = draw_frame(bare)
    assert card.shape == (480, 960, 3)
    empty = dataclasses.replace(bare, depth=None)
    assert (draw_depth_panel(empty, 1) == palette.NO_READING).all(-1).mean() > 0.5


@pytest.mark.filterwarnings("error")
def test_a_hand_with_pixels_only_is_drawn():
    flat = dataclasses.replace(
        FRAME.hands[0],
        keypoints_cam_m=np.full((21, 3), np.nan, np.float32),
        surface_depth_m=np.full(21, np.nan, np.float32),
        visible_fraction=float("nan"),
        box_px=np.full(4, np.nan, np.float32),
        box_amodal_px=np.full(4, np.nan, np.float32),
    )
    frame = dataclasses.replace(FRAME, parts=None, hands=(flat, FRAME.hands[1]))
    x, y = np.rint((flat.keypoints_px[5] + 0.5) * 4 - 0.5).astype(int)
    assert tuple(draw_frame(frame, 4)[y, x]) == KEYPOINT_COLORS[5]
    assert "distance unknown" in " ".join(text for text, _ in caption_lines(frame))


def test_the_nearer_hand_is_drawn_last():
    near, far = FRAME.hands
    assert measure_distance(near) < measure_distance(far)
    hollow = np.ones(21, np.uint8)
    crossing = dataclasses.replace(far, keypoints_px=near.keypoints_px, visibility=hollow)
    x, y = np.rint((near.keypoints_px[8] + 0.5) * 4 - 0.5).astype(int)
    for hands in ((near, crossing), (crossing, near)):
        panel = draw_depth_panel(dataclasses.replace(FRAME, hands=hands), 4)
        assert tuple(panel[y, x]) == KEYPOINT_COLORS[8], "filled: the nearer hand's joint"


def test_caption_says_what_the_labels_say():
    lines = [text for text, _ in caption_lines(FRAME)]
    assert lines[0] == "Frame 0" and lines[1] == "160 x 120 pinhole, synthetic"
    for hand in FRAME.hands:
        seen, hidden, out = count_visibility(hand)
        assert seen + hidden + out == 21
        distance = np.linalg.norm(hand.keypoints_cam_m.astype(float).mean(0))
        assert measure_distance(hand) == pytest.approx(distance)
        assert any(hand.side in line and f"{distance:.2f} m" in line for line in lines)
        assert any(f"{seen} visible, {hidden} occluded" in line for line in lines)


def test_caption_tells_the_situation() -> None:
    hands = (
        dataclasses.replace(FRAME.hands[0], grasp="medium wrap", held=0),
        dataclasses.replace(FRAME.hands[1], held=0, wearer=False),
    )
    ball = dataclasses.replace(FRAME.objects[0], name="ball-2")
    frame = dataclasses.replace(
        FRAME,
        hands=hands,
        objects=(ball,),
        situation="grasp",
        split="val",
        background="desk",
        sequence_id=3,
        time_s=0.5,
    )
    lines = [text for text, _ in caption_lines(frame)]
    assert lines[0] == "Frame 0, grasp, val"
    assert lines[2] == "desk, sequence 3 at 0.50 s"
    assert lines[3].startswith("left, 0.") and lines[4] == "medium wrap of ball-2"
    assert lines[6].startswith("another's right, 0.") and lines[7] == "holds ball-2"


def test_other_peoples_hands_are_pale() -> None:
    hand = FRAME.hands[0]
    other = dataclasses.replace(hand, wearer=False)
    for joint in range(21):
        pale = np.array(palette.color_joint(joint, wearer=False), int)
        own = np.array(palette.color_joint(joint, wearer=True), int)
        assert tuple(own) == KEYPOINT_COLORS[joint]
        assert np.ptp(pale) < 0.5 * np.ptp(own) + 20
    panels = [draw_depth_panel(dataclasses.replace(FRAME, hands=(h,)), 4) for h in (hand, other)]
    assert not np.array_equal(*panels)
    colors = {tuple(c) for c in panels[1].reshape(-1, 3).tolist()}
    assert KEYPOINT_COLORS[8] not in colors and palette.color_joint(8, wearer=False) in colors


def test_sheet_holds_every_card_and_a_legend():
    frames = [fabricate_frame(i) for i in range(3)]
    sheet = draw_sheet(frames, columns=2, title="three frames")
    legend = draw_legend(sheet.shape[1], "three frames")
    assert np.array_equal(sheet[: len(legend)], legend)
    cards = [draw_frame(frame) for frame in frames]
    height, width = cards[0].shape[:2]
    for i, card in enumerate(cards):
        top, left = len(legend) + (i // 2) * (height + 8), 8 + (i % 2) * (width + 8)
        assert np.array_equal(sheet[top : top + height, left : left + width], card)


def test_a_narrow_legend_wraps():
    assert len(draw_legend(400)) > len(draw_legend(2000))


def test_bad_input_is_one_line(tmp_path):
    for call in (
        lambda: draw_sheet([]),
        lambda: draw_sheet([FRAME], columns=0),
        lambda: draw_frame(FRAME, scale=0),
        lambda: write_picture(np.zeros((2, 2, 3), np.uint8), tmp_path / "a.gif"),
        lambda: write_picture(np.zeros((2, 2, 3), np.uint8), tmp_path / "none" / "a.png"),
    ):
        with pytest.raises(BadInput) as error:
            call()
        assert "\n" not in str(error.value) and len(str(error.value)) > 20


def test_written_pictures_keep_red_first(tmp_path):
    picture = np.zeros((4, 5, 3), np.uint8)
    picture[..., 0] = 200
    write_picture(picture, tmp_path / "red.png")
    assert np.array_equal(cv2.imread(str(tmp_path / "red.png"))[..., ::-1], picture)
