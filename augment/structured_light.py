"""To be written."""

from dataclasses import dataclass

from augment.shot import Reading, Shot


@dataclass(frozen=True)
class StructuredLight:
    """Parameters."""


def sense_structured_light(model: StructuredLight, shot: Shot) -> Reading:
    """A reading."""
    raise NotImplementedError
