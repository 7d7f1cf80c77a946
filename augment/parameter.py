"""Parameters of sensor models: unit, bounds, and how a profile's file gives them."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from frames.errors import BadInput


@dataclass(frozen=True)
class Given:
    """One parameter of a profile as its file gives it."""

    value: float
    unit: str
    source: str
    """Where the value is from: a data sheet, a paper, a measurement."""
    spread: tuple[float, float] | None = None
    """Lowest and highest value for domain randomisation; None: it stays."""


def parameter(unit: str, low: float, high: float) -> Any:
    """A field of a model's dataclass: a number in `unit`, low <= value <= high."""
    return field(metadata={"unit": unit, "low": low, "high": high})


def build_model(kind: type, given: dict[str, Given], where: str) -> Any:
    """An instance of a model's dataclass from a profile's parameters.

    Raises BadInput for a parameter that is missing, unknown, in another unit or out of its bounds.
    """
    fields = {f.name: f for f in dataclasses.fields(kind)}
    unknown = sorted(set(given) - set(fields))
    if unknown:
        raise BadInput(
            f"unknown parameter {unknown[0]} ({where}): a {kind.__name__} has {', '.join(fields)}"
        )
    missing = [name for name in fields if name not in given]
    if missing:
        unit = fields[missing[0]].metadata["unit"]
        raise BadInput(f"the parameter {missing[0]} [{unit}] is missing ({where})")
    for name, one in given.items():
        check_parameter(kind, name, one, where)
    return kind(**{name: one.value for name, one in given.items()})


def check_parameter(kind: type, name: str, given: Given, where: str) -> None:
    """Raises BadInput if a value or its spread cannot be."""
    meta = next(f.metadata for f in dataclasses.fields(kind) if f.name == name)
    if given.unit != meta["unit"]:
        raise BadInput(f"{name} must be in {meta['unit']!r}, got {given.unit!r} ({where})")
    for value in (given.value, *(given.spread or ())):
        if not meta["low"] <= value <= meta["high"]:
            raise BadInput(
                f"{name} must be {meta['low']} to {meta['high']} {meta['unit']}, got {value}"
                f" ({where})"
            )
    if given.spread is not None and not given.spread[0] <= given.spread[1]:
        raise BadInput(f"the spread of {name} must be [low, high], got {given.spread} ({where})")
