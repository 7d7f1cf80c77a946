"""How unsure a predictor is of each frame of a recording, and what it sees there."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from frames.camera import Camera
from frames.errors import BadInput

Predictor = Callable[[NDArray[np.float32], Camera], Sequence[Any]]
"""(H, W) metres and the camera -> hands as `train_tiny.HandPose` gives them."""

NONE: Final = "none"
SHIPPED: Final = "shipped"

LEAST_WORTH: Final = 0.2
"""What a frame is worth of which the predictor is quite sure: it may be wrong."""

_STEP_M: Final = 0.0015
_MIDDLE: Final = 128


def open_predictor(name: str) -> Predictor | None:
    """The predictor called `shipped`, or in a file of weights or a run; None for `none`.

    Raises BadInput for weights that are not there, and without torch.
    """
    if name == NONE:
        return None
    try:
        from train_tiny import HandPose
    except ImportError:
        raise BadInput(
            "the predictor needs torch: pip install 'handloom[train]', or --predictor none to"
            " choose by diversity alone"
        ) from None
    pose: Any = HandPose.load() if name == SHIPPED else HandPose.load(name)
    if pose.finder is None:
        raise BadInput(
            "no network that finds hands comes along with this handloom: --predictor none chooses"
            " by diversity alone"
        )
    return lambda depth_m, camera: pose(depth_m, camera)


def describe_hands(hands: Sequence[Any]) -> NDArray[np.uint8]:
    """(126,) the poses of the likeliest left and right hand: keypoints relative to the wrist in
    steps of 1.5 mm, 128 for nothing.
    """
    out = np.full((2, 21, 3), _MIDDLE, np.uint8)
    for right in (0, 1):
        mine = [h for h in hands if (h.right >= 0.5) == bool(right)]
        if mine:
            best = max(mine, key=lambda h: float(h.score))
            points = np.asarray(best.keypoints_cam_m, np.float64)
            steps = np.rint((points - points[0]) / _STEP_M)
            out[right] = np.clip(np.nan_to_num(steps) + _MIDDLE, 0, 255).astype(np.uint8)
    return out.ravel()


def doubt_hands(hands: Sequence[Any]) -> float:
    """How unsure the predictor is of the worst of the hands it found, 0 .. 1: by its confidence
    in joints and side. 0 without a hand.
    """
    doubts = [0.0]
    for hand in hands:
        confidence = np.clip(np.nan_to_num(np.asarray(hand.confidence, np.float64)), 0, 1)
        side = min(1.0, abs(2 * float(np.nan_to_num(hand.right, nan=0.5)) - 1))
        doubts.append(1.0 - float(confidence.mean()) * (0.5 + 0.5 * side))
    return max(doubts)


def weigh_frames(
    doubts: Sequence[float], found: Sequence[int], sequence: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(N,) what each frame is worth, 0.2 .. 1, from the doubt in its hands and how many there are.

    A frame with fewer hands than the one before and the one after has lost one for a moment: such
    misses are what a predictor can learn from most, and worth 1.
    """
    doubt = np.array(doubts, np.float64)
    count = np.asarray(found, np.int64)
    if len(count) > 2:
        one_piece = (sequence[:-2] == sequence[1:-1]) & (sequence[1:-1] == sequence[2:])
        lost = one_piece & (count[1:-1] < np.minimum(count[:-2], count[2:]))
        doubt[1:-1][lost] = 1.0
    return LEAST_WORTH + (1 - LEAST_WORTH) * doubt
