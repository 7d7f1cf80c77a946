"""Splits through the generator: no person, thing or sequence is in two of them."""

from dataclasses import replace
from functools import cache

import pyarrow as pa
import pytest

from frames.errors import BadInput
from synth.config import SynthConfig
from synth.description import describe
from synth.generator import Generator
from synth.things.catalogue import KINDS

SPLIT = "train:0.6,val:0.2,test:0.2"


def config(frames: int = 90, length: int = 1, identities: int = 12) -> SynthConfig:
    return SynthConfig(
        frames=frames,
        seed=2,
        camera="ego-small",
        identities=identities,
        variants=1,
        split=SPLIT,
        sequence_length=length,
        frames_per_shard=16,
    )


@cache
def made(length: int) -> pa.Table:
    return Generator(config(length=length)).make_table(0, 90)


def members(table: pa.Table, column: str, key: str) -> dict[str, set[object]]:
    """What occurs in each split's hands or objects."""
    out: dict[str, set[object]] = {}
    for split, rows in zip(
        table.column("split").to_pylist(), table.column(column).to_pylist(), strict=True
    ):
        out.setdefault(split, set()).update(row[key] for row in rows)
    return out


@pytest.mark.parametrize("length", [1, 5])
@pytest.mark.parametrize(("column", "key"), [("hands", "identity"), ("objects", "name")])
def test_splits_share_neither_people_nor_things(length: int, column: str, key: str) -> None:
    found = members(made(length), column, key)
    assert set(found) == {"train", "val", "test"}
    assert all(found.values())
    assert sum(map(len, found.values())) == len(set.union(*found.values()))


@pytest.mark.parametrize("length", [1, 5])
def test_frames_say_the_split_whose_range_they_lie_in(length: int) -> None:
    ranges = describe(config(length=length))["splits"]
    told = made(length).column("split").to_pylist()
    assert told == [n for n, (first, stop) in ranges.items() for _ in range(first, stop)]
    assert all(first % length == 0 for first, _ in ranges.values())


def test_sequences_are_never_cut() -> None:
    table = made(5)
    splits: dict[int, set[str]] = {}
    for number, split in zip(
        table.column("sequence_id").to_pylist(), table.column("split").to_pylist(), strict=True
    ):
        splits.setdefault(number, set()).add(split)
    assert len(splits) == 18 and all(len(own) == 1 for own in splits.values())


def test_too_few_people_are_named() -> None:
    with pytest.raises(BadInput, match="2 identities cannot be shared out among 3 splits"):
        Generator(config(identities=2))
    with pytest.raises(BadInput, match="2 sequences cannot be shared out among 3 splits"):
        Generator(config(frames=20, length=10))


def test_without_splits_everyone_may_be_met() -> None:
    maker = Generator(SynthConfig(frames=64, seed=2, camera="ego-small", identities=4, variants=1))
    table = maker.make_table(0, 64)
    assert {h["identity"] for row in table.column("hands").to_pylist() for h in row} == {0, 1, 2, 3}
    assert set(table.column("split").to_pylist()) == {None}


def test_favoured_kinds_are_all_there_is_when_the_others_are_left_out() -> None:
    others = ",".join(f"{kind}:0" for kind in KINDS if kind not in ("bottle", "can"))
    maker = Generator(replace(config(), split="", favour=f"bottle:3,{others}"))
    names = [
        o["name"] for row in maker.make_table(0, 90).column("objects").to_pylist() for o in row
    ]
    assert set(names) == {"bottle-0", "can-0"}
    # A can may be held where a bottle of this size cannot: about three bottles to a can.
    assert names.count("bottle-0") > 1.5 * names.count("can-0")


@pytest.mark.parametrize(
    ("favour", "told"),
    [
        ("flask:2", "favour must be NAME:FACTOR,... of box, .*got 'flask:2'"),
        ("bottle", "favour must be NAME:FACTOR,... of box, .*got 'bottle'"),
        ("bottle:much", "factor >= 0, got 'bottle:much'"),
        (",".join(f"{kind}:0" for kind in KINDS), "favour leaves nothing"),
        (",".join(f"{kind}:0" for kind in KINDS if kind != "can"), "leaves no thing to split"),
    ],
)
def test_favour_that_cannot_be_is_refused(favour: str, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        Generator(replace(config(), favour=favour))
