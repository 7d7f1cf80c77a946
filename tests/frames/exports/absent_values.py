"""What JSON and `datasets` have in the place of numbers."""

from typing import Any


def find_absent(values: Any) -> Any:
    """None as NaN, at any depth: JSON and `datasets` have lists."""
    if isinstance(values, list):
        return [find_absent(v) for v in values]
    return float("nan") if values is None else values
