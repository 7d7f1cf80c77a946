"""To be written."""

from dataclasses import dataclass

from augment.shot import Reading, Shot


@dataclass(frozen=True)
class TimeOfFlight:
    """Parameters."""


def sense_time_of_flight(model: TimeOfFlight, shot: Shot) -> Reading:
    """A reading."""
    raise NotImplementedError
