"""A sensor without error: the clean depth, cut to a range."""

from dataclasses import dataclass

import numpy as np

from augment.parameter import parameter
from augment.shot import Reading, Shot
from frames.reasons import NOTHING, OUT_OF_RANGE


@dataclass(frozen=True)
class Ideal:
    """Parameters."""

    near_m: float = parameter("m", 0.0, 10.0)
    far_m: float = parameter("m", 0.0, 100.0)


def sense_ideal(model: Ideal, shot: Shot) -> Reading:
    """The shot's own depth where it lies in the range."""
    depth_m = (shot.depth / shot.depth_scale).astype(np.float32)
    reason = np.where(depth_m > 0, OUT_OF_RANGE, NOTHING).astype(np.uint8)
    inside = (depth_m >= max(model.near_m, 1e-9)) & (depth_m <= model.far_m)
    reason[inside] = 0
    depth_m[~inside] = 0
    return Reading(depth_m, reason)
