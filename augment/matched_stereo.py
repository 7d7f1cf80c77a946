"""To be written."""

from dataclasses import dataclass

from augment.shot import Reading, Shot


@dataclass(frozen=True)
class MatchedStereo:
    """Parameters."""


def sense_matched_stereo(model: MatchedStereo, shot: Shot) -> Reading:
    """A reading."""
    raise NotImplementedError
