"""On the way from one pose to another: smooth in time, and not all fingers at once.

Reaching and grasping follow minimum-jerk time courses (Flash and Hogan 1985); fingers start one
after another, and the thumb by itself.
"""

from typing import Final

import numpy as np

from synth.hand.angles import FINGER_DOF_START, clamp

LAG: Final = np.array([0.10, 0.0, 0.04, 0.08, 0.12])
"""Start of thumb, index, ... pinky, as a share of the way's duration."""
LATEST: Final = 0.25
"""No finger starts later."""

_DIGIT: Final = np.array([0] * FINGER_DOF_START + [1 + k // 5 for k in range(20)])


def path_angles(
    a: np.ndarray, b: np.ndarray, t: np.ndarray, lag: np.ndarray | None = None
) -> np.ndarray:
    """Poses on the way from a (N, 29) to b (N, 29) at time t (N,) in 0..1, rad.

    At 0 it is a, at 1 it is b; speed and acceleration vanish at both ends. Angles stay within their
    limits where a and b do. lag (N, 5) is when each digit starts, 0 to LATEST of the duration;
    without it index first, pinky last, the thumb between. What it does not see to is that
    flesh leaves other flesh: `synth.pose.settling.settle` does.
    """
    late = np.broadcast_to(LAG, (len(t), 5)) if lag is None else np.clip(lag, 0.0, LATEST)
    own = np.clip((np.asarray(t)[:, None] * 1.0 - late) / (1.0 - LATEST), 0.0, 1.0)
    share = own**3 * (10.0 - 15.0 * own + 6.0 * own * own)
    share = share[:, _DIGIT]
    return clamp((1.0 - share) * a + share * b)
