"""Reflectances: who shares them, who does not, and how they are spread."""

import numpy as np

from augment.materials import (
    ANYTHING,
    CLOTH,
    GLASS,
    GLOVE,
    MATERIALS,
    PLASTIC,
    SKIN,
    draw_skin,
    draw_things,
    fill_reflectance,
)
from frames.parts import FOREARM, HAND_STRIDE, OBJECT_BASE
from synth.things.catalogue import KINDS

WORDS = np.arange(20_000, dtype=np.uint64)


def draw(seed=3, scenes=(5, 6), frame=(0, 1), slot=(0, 0), who=(7, 7), wearer=(True, True),
         worn=(None, None), things=()):  # fmt: skip
    """(B, 256) for hands, and things as (frame, code, kind, name)."""
    columns = list(zip(*things, strict=True)) or [(), (), (), ()]
    return fill_reflectance(
        seed, np.array(scenes, np.uint64), np.array(frame), np.array(slot), np.array(who),
        np.array(wearer), list(worn), np.array(columns[0], int), np.array(columns[1], int),
        list(columns[2]), list(columns[3]),
    )  # fmt: skip


def test_a_person_has_one_skin_in_all_scenes() -> None:
    table = draw()
    np.testing.assert_array_equal(table[0, 1:18], table[1, 1:18])
    assert table[0, 0] != table[1, 0]  # the room is another
    assert (table[0, 1:17] == table[0, 1]).all() and table[0, FOREARM] <= table[0, 1]
    assert draw(who=(7, 8))[0, 1] != draw(who=(7, 8))[1, 1]
    assert draw(seed=4)[0, 1] != table[0, 1]


def test_people_whom_nobody_knows_differ_by_scene_and_place() -> None:
    table = draw(frame=(0, 0), slot=(0, 1), who=(-1, -1))
    assert table[0, 1] != table[0, HAND_STRIDE + 1]
    assert draw(who=(-1, -1))[0, 1] != draw(who=(-1, -1))[1, 1]


def test_skin_is_bright_and_most_of_it_within_the_published_range() -> None:
    hands, arms = draw_skin(0, WORDS)
    assert SKIN[0] <= hands.min() and hands.max() <= SKIN[1]
    # The mean of two even draws: variance (b - a)^2 / 24.
    error = (SKIN[1] - SKIN[0]) / np.sqrt(24 * len(WORDS))
    assert abs(hands.mean() - 0.57) < 4 * error
    inside = (hands > 0.5) & (hands < 0.65)
    assert inside.mean() > 0.7
    assert (arms <= hands).all() and (arms >= 0.75 * hands).all()


def test_sleeves_and_gloves_are_alike_on_both_arms_and_stay_with_the_scene() -> None:
    table = draw((3), (5,), (0, 0), (0, 1), (7, 7), worn=("sleeve,watch", "glove,sleeve"))
    assert table[0, FOREARM] == table[0, HAND_STRIDE + FOREARM]
    bare = draw((3), (5,), (0, 0), (0, 1), (7, 7))
    assert table[0, 1] == bare[0, 1] and table[0, HAND_STRIDE + 1] != bare[0, HAND_STRIDE + 1]
    assert table[0, FOREARM] != bare[0, FOREARM]
    other = draw(3, (5,), (0, 0), (0, 1), (7, 8), (True, False), ("sleeve", "sleeve"))
    assert other[0, FOREARM] != other[0, HAND_STRIDE + FOREARM]


def test_a_thing_keeps_its_reflectance_in_every_scene() -> None:
    code = OBJECT_BASE
    things = [(0, code, "mug", "mug-1"), (1, code + 2, "mug", "mug-1"), (1, code, "mug", "mug-2")]
    table = draw(things=things)
    assert table[0, code] == table[1, code + 2] != table[1, code]
    unnamed = draw(things=[(0, code, "mug", None), (1, code, "mug", None)])
    assert unnamed[0, code] != unnamed[1, code]


def test_a_frame_does_not_depend_on_the_others_of_its_batch() -> None:
    things = [(1, OBJECT_BASE, "phone", "phone-0")]
    both = draw(things=things, worn=("sleeve", "glove"))
    alone = draw(3, (6,), (0,), (0,), (7,), (True,), ("glove",), [(0, *things[0][1:])])
    np.testing.assert_array_equal(both[1], alone[0])


def test_shares_and_ranges_of_materials() -> None:
    u = np.random.default_rng(0).random((40_000, 2))
    for material in (CLOTH, GLOVE, PLASTIC, GLASS, ANYTHING):
        drawn = material.draw(u)
        shares, low, high = np.array(material.ranges).T
        assert np.isclose(shares.sum(), 1)
        assert drawn.min() >= low.min() and drawn.max() <= high.max()
        dark = (drawn <= high[0]).mean()
        assert abs(dark - shares[0]) < 4 * np.sqrt(0.25 / len(u)) + 0.02
        mean = (shares * (low + high) / 2).sum()
        assert abs(drawn.mean() - mean) < 4 * drawn.std() / np.sqrt(len(u))
    assert GLASS.draw(u).max() < 0.1 < CLOTH.draw(u).max()


def test_every_kind_of_the_catalogue_is_made_of_something() -> None:
    plain = {"box", "cube", "cylinder", "ball", "big ball", "cone", "wedge"}
    assert {*KINDS} - {*MATERIALS} <= plain
    assert {*MATERIALS} <= {*KINDS}
    found = draw_things(1, ["phone"] * 9, [f"phone-{i}" for i in range(9)], WORDS[:9])
    assert found.max() < 0.1 and len({*found}) == 9
