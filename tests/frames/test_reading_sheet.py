"""Frames before and behind a sensor: panels, legend, counts."""

from dataclasses import replace

import numpy as np
import pytest

from frames.census.readings import count_readings, mask_hands
from frames.reasons import REASON_NAMES
from frames.viewing import palette
from frames.viewing.reading_card import (
    FARTHER,
    NEARER,
    REASON_COLORS,
    color_difference,
    color_reasons,
    describe_reading,
    draw_reading_card,
)
from frames.viewing.reading_sheet import choose_range, draw_reading_legend, draw_reading_sheet
from tests.frames.sphere_hands import fabricate_frame

FRAME = fabricate_frame(0, noisy=True)


def test_every_reason_has_a_colour_of_its_own() -> None:
    assert list(REASON_COLORS) == list(REASON_NAMES)
    assert len({*REASON_COLORS.values()}) == len(REASON_NAMES)
    picture = color_reasons(np.arange(len(REASON_NAMES), dtype=np.uint8)[None])
    assert picture[0].tolist() == [list(c) for c in REASON_COLORS.values()]


def test_differences_have_a_sign_and_a_range() -> None:
    depth = FRAME.clean_depth.copy()
    rows = np.argwhere(depth > 0)[:3]
    at = tuple(rows.T)
    depth[at] = depth[at] + np.array([50, -50, 500], int).astype(np.int64)
    picture = color_difference(replace(FRAME, depth=depth), 5.0)
    assert picture[at].tolist() == [list(FARTHER), list(NEARER), list(FARTHER)]
    lost = color_difference(replace(FRAME, depth=np.zeros_like(depth)), 5.0)
    assert (lost == palette.INK).all()


def test_the_range_is_that_of_the_hands_errors() -> None:
    hands = mask_hands(FRAME)
    assert hands.any() and not hands.all()
    shifted = FRAME.clean_depth.astype(np.int64)
    shifted[hands] += 38  # 3.8 mm
    shifted[~hands] += 900
    frame = replace(FRAME, depth=shifted.astype(np.uint16))
    assert choose_range([frame]) == 5.0
    assert choose_range([replace(FRAME, depth=FRAME.clean_depth)]) == 1.0
    assert choose_range([replace(FRAME, depth=None)]) == 1.0
    assert "off by +3.8 mm in the median, spread 0.0 mm" in describe_reading(frame)


@pytest.mark.parametrize("lost", [(), ("clean_depth",), ("depth", "invalid"), ("parts",)])
def test_cards_of_frames_that_lack_images(lost: tuple[str, ...]) -> None:
    frame = replace(FRAME, **dict.fromkeys(lost))
    if "depth" in lost:
        frame = replace(frame, sensor=None)
    card = draw_reading_card(frame, 5.0)
    assert card.dtype == np.uint8 and card.shape == (3 * 120 + 24, 4 * 480 + 3 * 8, 3)
    notes = {"clean_depth": (0, 3), "depth": (1, 2, 3)}
    missing = {panel for name in lost for panel in notes.get(name, ())}
    for panel in range(4):
        corner = card[:40, 488 * panel : 488 * panel + 40]
        assert (corner == palette.PAPER).all() == (panel in missing), panel


def test_the_sheet_holds_all_cards_below_the_legend() -> None:
    frames = [FRAME, fabricate_frame(1, noisy=True), fabricate_frame(2, noisy=True, hands=0)]
    one = draw_reading_card(FRAME, 5.0)
    sheet = draw_reading_sheet(frames, title="x")
    legend = draw_reading_legend(sheet.shape[1], one.shape[1], 1.0, "x")
    assert sheet.shape[0] == len(legend) + 3 * (len(one) + 8)
    assert (sheet[len(legend) : len(legend) + 10, 8:200] != palette.INK).any()
    for name, color in REASON_COLORS.items():
        assert name == "read" or (legend == color).all(-1).any(), name
    assert draw_reading_sheet(frames, columns=3).shape[1] > 2 * sheet.shape[1]


def test_counts_of_readings() -> None:
    invalid = np.zeros(FRAME.invalid.shape, np.uint8)
    invalid[:60] = 5
    invalid[0, :16] = 9
    depth = np.where(invalid, 0, FRAME.clean_depth).astype(np.uint16)
    found = count_readings([replace(FRAME, depth=depth, invalid=invalid, sensor="a")])
    assert found["frames"] == 1 and found["sensors"] == {"a": 1}
    assert found["fill_rate"] == (invalid == 0).mean()
    hands = mask_hands(FRAME)
    assert found["fill_rate_hands"] == (invalid[hands] == 0).mean()
    missing = (invalid > 0).sum()
    assert found["reasons"] == {"shadow": (missing - 16) / missing, "mismatch": 16 / missing}
    assert found["keypoints_dropped"] == 0.0


def test_frames_without_readings_count_for_nothing() -> None:
    found = count_readings([fabricate_frame(0)])
    assert found["frames"] == 0 and found["fill_rate"] is None
    assert found["reasons"] == {} and found["fill_rate_hands"] is None
