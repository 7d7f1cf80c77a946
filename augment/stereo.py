"""To be written."""

from dataclasses import dataclass

from augment.shot import Reading, Shot


@dataclass(frozen=True)
class Stereo:
    """Parameters."""


def sense_stereo(model: Stereo, shot: Shot) -> Reading:
    """A reading."""
    raise NotImplementedError
