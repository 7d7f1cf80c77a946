"""Joints of persons and hands by name: which ones a mirror swaps, how far annotators differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from frames.errors import BadInput
from train_tiny.evaluation.frame_scores import SIGMAS as HAND_SIGMAS

COCO: Final = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder"),
    *("left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip"),
    *("left_knee", "right_knee", "left_ankle", "right_ankle"),
)
"""The 17 of COCO (Lin et al. 2014), in its order."""

CROWDPOSE: Final = (
    *("left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist"),
    *("left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"),
    *("head", "neck"),
)
"""The 14 of CrowdPose (Li et al. 2019, arXiv 1812.00324), in its order."""

_SIGMAS: Final = {
    **{"nose": 0.026, "eye": 0.025, "ear": 0.035, "shoulder": 0.079, "elbow": 0.072},
    **{"wrist": 0.062, "hip": 0.107, "knee": 0.087, "ankle": 0.089},
    **{"head": 0.079, "top_head": 0.079, "neck": 0.079},
}
"""Square roots of the area, from the two datasets' evaluation code."""


@dataclass(frozen=True)
class JointLayout:
    """The joints of an annotation file's category."""

    names: tuple[str, ...]
    mirror: tuple[int, ...]
    """Which joint of the mirrored picture is which: left and right ones of a name change places."""

    @property
    def sigmas(self) -> tuple[float, ...]:
        """For object keypoint similarity. Raises BadInput for a joint that has none."""
        if len(self.names) == len(HAND_SIGMAS) and not any(_find_side(n) for n in self.names):
            return HAND_SIGMAS
        bare = [_leave_side(name) for name in self.names]
        unknown = [name for name in bare if name not in _SIGMAS]
        if unknown:
            raise BadInput(
                f"no sigma is known for the joint {unknown[0]!r}: average precision knows those of"
                " COCO, CrowdPose and 21 of a hand"
            )
        return tuple(_SIGMAS[name] for name in bare)


def lay_out_joints(names: Sequence[str], count: int = 0) -> JointLayout:
    """The layout of a category's keypoint names; without names, COCO's or CrowdPose's by count.

    Raises BadInput for a left joint without a right one, and for a count that is neither.
    """
    known = {len(COCO): COCO, len(CROWDPOSE): CROWDPOSE}
    if not names:
        if count not in known:
            raise BadInput(
                f"a category of {count} keypoints does not name them: only 17 (COCO) and 14"
                ' (CrowdPose) are known without; add "keypoints" to "categories"'
            )
        names = known[count]
    names = tuple(names)
    lowered = [name.lower() for name in names]
    mirror = []
    for name in lowered:
        other = _swap_side(name)
        if other not in lowered:
            raise BadInput(f"the keypoint {name!r} has no counterpart {other!r} on the other side")
        mirror.append(lowered.index(other))
    return JointLayout(names, tuple(mirror))


def _find_side(name: str) -> str:
    lowered = name.lower()
    return next((s for s in ("left", "right") if lowered.startswith(f"{s}_")), "")


def _leave_side(name: str) -> str:
    side = _find_side(name)
    return name.lower().removeprefix(f"{side}_") if side else name.lower()


def _swap_side(name: str) -> str:
    other = {"left": "right_", "right": "left_", "": ""}[_find_side(name)]
    return other + _leave_side(name)
