"""Recorded depth values as a dataset stores them: uint16 steps, whole numbers kept exactly."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from frames.errors import BadInput
from frames.record import DEPTH_SCALE, DepthImage

MOST_STEPS: Final = 65535
_LIKELY_M: Final = (0.005, 200.0)


@dataclass(frozen=True)
class Units:
    """What a recorded value means."""

    per_m: float
    """Recorded values a metre."""

    floating: bool = False
    """Whether they have decimals: then they are rounded to steps of 0.1 mm."""

    @property
    def depth_scale(self) -> float:
        """Steps a metre of what is stored: the recording's own for whole numbers."""
        return DEPTH_SCALE if self.floating else self.per_m

    def store(self, values: NDArray[Any], place: str) -> DepthImage:
        """A recorded image (H, W) as it is stored.

        Whole numbers stay what they are; negative ones and those above 65535 raise BadInput.
        Others become steps of 0.1 mm, the nearest; what is not finite, not positive or beyond
        6.5535 m is no reading. Raises BadInput where most of them cannot be metres.
        """
        if not self.floating:
            if values.dtype != np.uint16:
                low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
                if low < 0 or high > MOST_STEPS:
                    wrong = low if low < 0 else high
                    raise BadInput(f"depth of {place} must be 0 to {MOST_STEPS}, got {wrong}")
            return np.ascontiguousarray(values, np.uint16)
        with np.errstate(invalid="ignore", over="ignore"):
            depth_m = values.astype(np.float64) / self.per_m
            read = np.isfinite(depth_m) & (depth_m > 0)
            if read.any():
                middle = float(np.median(depth_m[read]))
                if not _LIKELY_M[0] <= middle <= _LIKELY_M[1]:
                    raise BadInput(
                        f"depth of {place} would be {middle:.3g} m in the median, at"
                        f" {self.per_m:g} a metre: give --depth-scale (1000 for millimetres)"
                    )
            steps = np.rint(depth_m * DEPTH_SCALE)
            steps[~read | (steps > MOST_STEPS)] = 0
        return steps.astype(np.uint16)

    def describe(self) -> str:
        """What becomes of the values, in words."""
        if self.floating:
            return "rounded to 0.1 mm; beyond 6.5535 m no reading"
        return "as recorded"


def choose_units(dtype: Any, per_m: float, place: str) -> Units:
    """The units of values of this type, given how many make a metre (0 if nobody says).

    Raises BadInput for a type that is no depth, and for whole numbers without a scale.
    """
    kind = np.dtype(dtype).kind
    if kind == "f":
        return Units(per_m or 1.0, True)
    if kind not in "ui":
        raise BadInput(f"depth of {place} must be whole numbers or floats, got {np.dtype(dtype)}")
    if not per_m:
        raise BadInput(
            f"the depth scale of {place} is unknown: give --depth-scale (steps a metre, such as"
            f" 1000 for millimetres) or depth_scale_per_m in the camera file"
        )
    return Units(per_m)
