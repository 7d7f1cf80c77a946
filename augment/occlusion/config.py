"""How often, how large and how near occluders are."""

import dataclasses
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from frames.errors import BadInput

Range = tuple[float, float]

BEFORE: Final = (
    "strap",
    "paper",
    "stick",
    "cable",
    "fingers",
    "blob",
    "body",
    "cut_finger",
    "cut_hand",
)
"""Kinds that are put before a hand. The last two are cut from other frames."""

BEHIND: Final = ("board", "clutter")
"""Kinds that are put behind it."""

KINDS: Final = (*BEFORE, *BEHIND)


@dataclass(frozen=True)
class Occlusion:
    """What may come between camera and hands, close behind them, or take readings away.

    Ranges are (low, high); lengths are drawn evenly by ratio. Shares are of frames, each drawn by
    itself. Raises BadInput for a value that cannot be.
    """

    share_before: float = 0.5
    """Frames with occluders before a hand."""

    number_before: tuple[int, int] = (1, 3)
    """How many each of them gets; the fewer the likelier: n + 1 half as often as n."""

    share_behind: float = 0.25
    """Frames with a surface or clutter close behind a hand."""

    share_cut: float = 0.1
    """Frames moved so that a border of the image cuts a hand."""

    share_dropout: float = 0.15
    """Frames with patches without a reading."""

    strap: float = 1.5
    """Weight of straps, tapes and belts among what is put before a hand."""
    paper: float = 1.0
    """Weight of sheets of paper, flat or bent."""
    stick: float = 1.0
    """Weight of round and flat sticks: pens, rulers, handles."""
    cable: float = 1.0
    """Weight of cables."""
    fingers: float = 1.5
    """Weight of a hand made of simple bodies that reaches in with one to three fingers."""
    blob: float = 1.0
    """Weight of smooth pillows with a random outline."""
    body: float = 1.0
    """Weight of meshes: lumps, or the user's own."""
    cut_finger: float = 1.5
    """Weight of fingers cut from other frames, if there are any to take."""
    cut_hand: float = 1.5
    """Weight of whole hands cut from other frames, which come with their labels."""
    board: float = 1.0
    """Weight of flat or slightly bent surfaces among what is put behind a hand."""
    clutter: float = 1.0
    """Weight of a few boxes and balls behind a hand."""

    clearance_m: Range = (0.003, 0.15)
    """Free depth between an occluder and what it covers, where they are nearest to each other."""
    gap_m: Range = (0.002, 0.1)
    """The same behind the hand's back, which is taken to be `flesh_m` behind what is seen of it."""
    flesh_m: float = 0.02
    """Thickness of a hand for that purpose."""
    near_m: float = 0.12
    """Nothing is put nearer than this."""
    spread_m: float = 0.02
    """Standard deviation of an occluder's aim around a keypoint, sideways."""

    strap_width_m: Range = (0.006, 0.045)
    strap_length_m: Range = (0.12, 0.8)
    paper_side_m: Range = (0.06, 0.25)
    stick_width_m: Range = (0.005, 0.03)
    stick_length_m: Range = (0.08, 0.4)
    cable_width_m: Range = (0.003, 0.012)
    finger_size: Range = (0.8, 1.15)
    """Size of made fingers, 1 for an adult's."""
    blob_radius_m: Range = (0.012, 0.06)
    body_size_m: Range = (0.03, 0.14)
    """Greatest extent of a mesh without a size of its own."""
    board_side_m: Range = (0.12, 0.7)
    clutter_size_m: Range = (0.03, 0.15)
    bend_per_m: float = 8.0
    """Greatest curvature of straps and papers."""
    tilt_rad: float = 0.9
    """Greatest slant of straps, papers, sticks and boards to the line of sight."""

    cut_of_hand: Range = (0.1, 0.6)
    """Share of a hand's box that ends up outside the image."""

    dropout_number: tuple[int, int] = (1, 4)
    dropout_side_rad: Range = (0.015, 0.12)
    """Angle that a patch spans; a finger half a metre away spans 0.03."""
    dropout_near_hand: float = 0.7
    """Share of patches that are aimed at a hand; the others lie anywhere."""

    steady: bool = True
    """Whether a sequence keeps its draw, so that an occluder stays with the hand."""

    def __post_init__(self) -> None:
        check_occlusion(self)

    @cached_property
    def weights(self) -> dict[str, float]:
        """Weights of the kinds by name."""
        return {kind: float(getattr(self, kind)) for kind in KINDS}

    @cached_property
    def sizes(self) -> NDArray[np.float64]:
        """The ranges as `occluders` reads them, in its order."""
        ranges = [getattr(self, name) for name in SIZES]
        return np.array([*ranges, (self.bend_per_m, self.tilt_rad)], np.float64)


SIZES: Final = (
    *("strap_width_m", "strap_length_m", "paper_side_m", "stick_width_m", "stick_length_m"),
    *("cable_width_m", "finger_size", "blob_radius_m", "body_size_m"),
    *("board_side_m", "clutter_size_m"),
)

_COUNTS: Final = ("number_before", "dropout_number")
MAX_NUMBER: Final = 16


def check_occlusion(config: Occlusion) -> None:
    """Raises BadInput, one line, for the first value that cannot be."""
    for field in dataclasses.fields(config):
        name, value = field.name, getattr(config, field.name)
        if name.startswith("share_") or name == "dropout_near_hand":
            _require(name, value, "a share from 0 to 1", _is_number(value) and 0 <= value <= 1)
        elif name in _COUNTS:
            good = _is_pair(value) and all(isinstance(n, int) for n in value)
            good = good and 1 <= value[0] <= value[1] <= MAX_NUMBER
            _require(name, value, f"(least, most) from 1 to {MAX_NUMBER}", good)
        elif name == "cut_of_hand":
            good = _is_pair(value) and 0 < value[0] <= value[1] <= 1
            _require(name, value, "(low, high) above 0, at most 1", good)
        elif isinstance(value, tuple) or name in SIZES or name in ("clearance_m", "gap_m"):
            good = _is_pair(value) and 0 < value[0] <= value[1] < 100
            _require(name, value, "(low, high) with 0 < low <= high", good)
        elif name == "near_m":
            _require(
                name, value, "metres from 0.01 to 10", _is_number(value) and 0.01 <= value <= 10
            )
        elif name == "tilt_rad":
            _require(name, value, "radians from 0 to 1.5", _is_number(value) and 0 <= value <= 1.5)
        elif name != "steady":
            _require(name, value, "a number >= 0", _is_number(value) and 0 <= value < 1e6)


def _require(name: str, value: object, wanted: str, good: bool) -> None:
    if not good:
        raise BadInput(f"Occlusion.{name} must be {wanted}, got {value!r}")


def _is_pair(value: object) -> bool:
    return isinstance(value, tuple | list) and len(value) == 2 and all(map(_is_number, value))


def _is_number(value: object) -> bool:
    if isinstance(value, int):
        return not isinstance(value, bool) and abs(value) < 2**63
    return isinstance(value, float) and math.isfinite(value)
