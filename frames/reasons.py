"""Why a pixel of a sensor's depth image has no reading: codes of the image `invalid`."""

from typing import Final

REASON_NAMES: Final = (
    "read",
    "nothing",
    "low_signal",
    "saturated",
    "out_of_range",
    "shadow",
    "mixed",
    "multipath",
    "vignette",
    "mismatch",
    "dropout",
)
"""Names by code; code 0 is a pixel that has a reading."""

(
    READ,
    NOTHING,
    LOW_SIGNAL,
    SATURATED,
    OUT_OF_RANGE,
    SHADOW,
    MIXED,
    MULTIPATH,
    VIGNETTE,
    MISMATCH,
    DROPOUT,
) = range(len(REASON_NAMES))
"""In order: a reading; nothing there to be seen; too little light back; too much; outside the range
of the sensor (a wrapped phase that is found out, disparities beyond the search); seen by one eye
only, or not lit by the projector; two surfaces in one pixel; light by a detour; the dark rim of the
lens; no or no unique match (window, uniqueness, consistency); taken out by augmentation or by
chance."""
