"""Which of a file's keypoints are the 21 of a hand, by their names."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from frames.errors import BadInput
from frames.skeleton import FINGER_NAMES, FINGERS, KEYPOINT_NAMES, KEYPOINTS

_FINGERS: Final = {"forefinger": "index", "little": "pinky", "little_finger": "pinky"} | {
    name: name for name in FINGER_NAMES
} | {f"{name}_finger": name for name in FINGER_NAMES}  # fmt: skip
"""A finger's other names."""

_ALIASES: Final = {
    **{name: k for k, name in enumerate(KEYPOINT_NAMES)},
    # mmpose numbers a finger's joints from the palm: forefinger1 ... forefinger4.
    **{
        f"{other}{joint + 1}": FINGERS[finger][joint]
        for other, finger in _FINGERS.items()
        for joint in range(4)
    },
}


def match_keypoints(names: Sequence[str], count: int, path: Path) -> list[int]:
    """(21,) where each of our keypoints is among a category's.

    names: the category's, in any order, more than ours too: handloom's own, mmpose's, WebXR's. ()
    if it has none: then `count` must be 21, in OpenPose's order. Raises BadInput otherwise.
    """
    if not isinstance(names, list | tuple):
        raise BadInput(f"{path}: keypoints of a category must be names, got {str(names)[:60]}")
    if not names:
        if count != KEYPOINTS:
            raise BadInput(
                f"{path}: keypoints without names must be the 21 of a hand, got {count}: name them"
                ' in "categories"'
            )
        return list(range(KEYPOINTS))
    places = {_ALIASES.get(str(name).lower()): i for i, name in enumerate(names)}
    missing = [KEYPOINT_NAMES[k] for k in range(KEYPOINTS) if k not in places]
    if missing:
        raise BadInput(
            f"{path}: no keypoint of its categories is {missing[0]!r}, got"
            f" {', '.join(map(str, names))[:60]};"
            " name them as docs/conventions.md does"
        )
    return [places[k] for k in range(KEYPOINTS)]
