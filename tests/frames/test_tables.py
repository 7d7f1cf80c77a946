"""Tables with some columns replaced: what changes, what does not, and what is refused."""

import numpy as np
import pytest
from fabricate import build_table, encode_table

from frames.errors import BadInput
from frames.store.codec import encode_depth
from frames.store.rows import Rows
from frames.store.shard import open_shard, write_shard
from frames.store.tables import replace_columns

TABLE = build_table(np.arange(7))


def test_nothing_replaced_is_the_table_itself() -> None:
    assert encode_table(replace_columns(TABLE, {})) == encode_table(TABLE)


def test_only_the_named_columns_change() -> None:
    hands = sum(len(row) for row in TABLE.column("hands").to_pylist())
    visibility = np.full((hands, 21), 1, np.uint8)
    image = np.full((120, 160), 7, np.uint16)
    new = {
        "depth": [encode_depth(image)] * 7,
        "sensor": ["d435"] * 7,
        "hands.visibility": visibility,
    }
    table = replace_columns(TABLE, new)
    assert table.schema.equals(TABLE.schema)
    before, after = Rows(TABLE), Rows(table)
    for row in range(7):
        a, b = before.frame(row), after.frame(row)
        assert b.sensor == "d435" and (b.depth == 7).all()
        np.testing.assert_array_equal(a.clean_depth, b.clean_depth)
        for mine, theirs in zip(a.hands, b.hands, strict=True):
            assert (theirs.visibility == 1).all() and mine.side == theirs.side
            np.testing.assert_array_equal(mine.keypoints_px, theirs.keypoints_px)
            assert mine.worn == theirs.worn and mine.key_pose == theirs.key_pose
    gone = replace_columns(table, {"depth": None, "sensor": None})
    back = {"hands.visibility": Rows(TABLE).read("hands.visibility")[0]}
    assert encode_table(replace_columns(gone, back)) == encode_table(TABLE)


def test_slices_keep_their_own_hands() -> None:
    part = TABLE.slice(3, 2)
    hands = Rows(part).read("hands.visibility")[0]
    table = replace_columns(part, {"hands.visibility": hands})
    assert table.to_pylist().__repr__() == part.to_pylist().__repr__()


def test_a_table_that_was_read_is_written_to_the_same_bytes(tmp_path) -> None:
    path = write_shard(tmp_path, 0, TABLE)
    read = open_shard(path).read()
    assert encode_table(read) == path.read_bytes()
    pieces = write_shard(tmp_path / "p", 0, (read.slice(i, 2) for i in range(0, 7, 2)))
    assert pieces.read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"dept": None}, "unknown column 'dept'"),
        ({"hands.side_": []}, "unknown column hands.side_"),
        ({"sensor": ["a"]}, "the column sensor must have 7 values, got 1"),
        ({"hands.visibility": np.zeros((1, 21), np.uint8)}, "hands.visibility must have"),
        ({"frame_id": None}, "the column frame_id is missing"),
    ],
)
def test_what_does_not_fit(columns, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        replace_columns(TABLE, columns)
