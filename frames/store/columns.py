"""Which columns a reader asks for, checked and in Parquet's own names."""

from collections.abc import Sequence
from typing import Final

from frames.errors import BadInput
from frames.store.schema import CAPTURE_SCHEMA, HAND_COLUMNS, OBJECT_COLUMNS, SCHEMA

NEEDED: Final = ("frame_id", "source", "camera", "depth_scale", "sensor")
"""Columns that every Frame has, asked for or not: without its sensor's name, clean depth would pass
for what a sensor reads (`Frame.reading`)."""

_GROUPED: Final = {
    "hands": tuple(c.name for c in HAND_COLUMNS),
    "objects": tuple(c.name for c in OBJECT_COLUMNS),
}


def select_frame_columns(columns: Sequence[str] | None) -> list[str]:
    """Top-level columns to read for frames; None for all. Raises BadInput for an unknown one.

    Those that only captures have may be asked for everywhere: without them they read as absent.
    """
    names = CAPTURE_SCHEMA.names
    if columns is None:
        return list(names)
    unknown = [c for c in columns if c not in names]
    if unknown:
        raise BadInput(f"unknown column {unknown[0]!r}; known: {', '.join(names)}")
    return [n for n in names if n in {*columns, *NEEDED}]


def select_batch_columns(columns: Sequence[str] | None) -> list[str]:
    """The keys of a batch: "hands" becomes all its columns; None for all but what captures have
    beyond others. BadInput if unknown.
    """
    out: list[str] = []
    for name in SCHEMA.names if columns is None else columns:
        group, _, leaf = name.partition(".")
        if leaf and leaf in _GROUPED.get(group, ()):
            out.append(name)
        elif name in _GROUPED:
            out += [f"{name}.{n}" for n in _GROUPED[name]]
        elif name in CAPTURE_SCHEMA.names:
            out.append(name)
        else:
            known = ", ".join((*CAPTURE_SCHEMA.names, "hands.NAME", "objects.NAME"))
            raise BadInput(f"unknown column {name!r}; known: {known}")
    return list(dict.fromkeys(out))


def list_leaf_paths(names: set[str]) -> list[str]:
    """Parquet's names: a list's elements are its "list.element"."""
    return sorted(n.replace(".", ".list.element.", 1) for n in names)
