"""Tables of a shard with some columns replaced."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from frames.errors import BadInput
from frames.store.schema import FRAME_COLUMNS, HAND_COLUMNS, OBJECT_COLUMNS, SCHEMA, build_arrays

_LISTED = {"hands": HAND_COLUMNS, "objects": OBJECT_COLUMNS}


def replace_columns(table: pa.Table, columns: Mapping[str, Any]) -> pa.Table:
    """A table of `SCHEMA` with new values in some columns, all others as they are.

    columns: names as in a batch ("depth", "hands.visibility") to arrays or lists as for
    `frames.store.schema.table_from_columns`, of as many rows, hands or objects as there are. Raises
    BadInput for a column that is unknown, of a wrong length or shape.
    """
    known = {c.name: c for c in FRAME_COLUMNS}
    groups: dict[str, dict[str, Any]] = {}
    for name, values in columns.items():
        group, _, leaf = name.rpartition(".")
        if group in _LISTED:
            groups.setdefault(group, {})[leaf] = values
        elif name in known:
            array = build_arrays([known[name]], {name: values}, len(table))[0]
            table = table.set_column(SCHEMA.names.index(name), SCHEMA.field(name), array)
        else:
            raise BadInput(f"unknown column {name!r}: nothing to replace")
    for group, given in groups.items():
        place = SCHEMA.names.index(group)
        lists = table.column(place).combine_chunks()
        array = _replace_leaves(lists, group, given)
        table = table.set_column(place, SCHEMA.field(group), array)
    return table


def _replace_leaves(lists: pa.ListArray, group: str, given: Mapping[str, Any]) -> pa.ListArray:
    columns = _LISTED[group]
    unknown = sorted(given.keys() - {c.name for c in columns})
    if unknown:
        raise BadInput(f"unknown column {group}.{unknown[0]}: nothing to replace")
    offsets = lists.offsets.to_numpy()
    struct = lists.flatten()
    fresh = [c for c in columns if c.name in given]
    built = dict(
        zip(
            (c.name for c in fresh),
            build_arrays(fresh, given, len(struct), group + "."),
            strict=True,
        )
    )
    arrays = [built.get(c.name, old) for c, old in zip(columns, struct.flatten(), strict=True)]
    renewed = pa.StructArray.from_arrays(arrays, fields=[c.build_field() for c in columns])
    starts = pa.array((offsets - offsets[0]).astype(np.int32))
    return pa.ListArray.from_arrays(starts, renewed, type=SCHEMA.field(group).type)
