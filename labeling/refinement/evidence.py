"""The evidence about one hand before it is fitted: labelled pixels, and the depth image.

A residual in pixels is measured on the label's ray: the camera maps rays to pixels, near the label
by a 2 x 2 matrix. So every lens is handled alike, and exactly to first order at the label.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from frames.camera import Camera
from frames.skeleton import KEYPOINTS
from labeling.answers import DELETED, HIDDEN, PLACED, DrawnHand
from labeling.lifting import lift_hand

Floats = NDArray[np.float64]

LABEL_SD_PX: Final = 2.0
"""How far an annotator's joint lies from the truth along each axis, pixels of the depth image."""

HIDDEN_SD: Final = 2.0
"""A joint that is marked occluded is placed that much worse."""

STAND_IN: Final = 0.1
"""Weight of a joint whose depth is the others', where the first pose is chosen."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """One labelled hand of a depth image."""

    camera: Camera
    depth_m: NDArray[np.float32]
    """(H, W) as the sensor read it; 0 for no reading. Hands of one frame share the array."""
    left: bool
    keypoints_px: Floats
    """(21, 2); NaN for a joint that is not labelled."""
    visible: NDArray[np.bool_]
    """(21,) whether the annotator sees the joint; False: placed where it must be."""
    sigma_px: Floats
    """(21,) standard deviation of a label along each axis."""

    @cached_property
    def labelled(self) -> NDArray[np.bool_]:
        """(21,) joints with a label that has a ray."""
        return np.asarray(np.isfinite(self.rays).all(-1))

    @cached_property
    def rays(self) -> Floats:
        """(21, 2) x and y of each label's ray (x, y, 1); NaN for none."""
        return self.camera.unproject(np.asarray(self.keypoints_px, np.float64))[:, :2]

    @cached_property
    def px_per_ray(self) -> Floats:
        """(21, 2, 2) change of pixels with the ray at each label; zeros for none."""
        step = 1e-5
        rays = np.concatenate([self.rays, np.ones((KEYPOINTS, 1))], 1)
        out = np.zeros((KEYPOINTS, 2, 2))
        for k in range(2):
            shift = np.zeros(3)
            shift[k] = step
            ahead, behind = self.camera.project(rays + shift), self.camera.project(rays - shift)
            out[:, :, k] = (ahead - behind) / (2 * step)
        return np.where(np.isfinite(out).all((1, 2), keepdims=True), out, 0.0)

    @cached_property
    def lifted_m(self) -> Floats:
        """(21,) depth of seen joints by `labeling.lifting`: the skin that is read, and the flesh
        behind it; NaN for none."""
        marks = np.where(self.labelled, np.where(self.visible, PLACED, HIDDEN), DELETED)
        px = np.where(self.labelled[:, None], self.keypoints_px, np.nan)
        drawn = DrawnHand("left" if self.left else "right", True, px, marks.astype(np.uint8))
        return lift_hand(drawn, self.depth_m, self.camera).joint_m


def state_sigma(visible: NDArray[np.bool_], sd_px: float = LABEL_SD_PX) -> Floats:
    """(21,) standard deviations of labels, by whether the joint is seen."""
    return np.where(visible, sd_px, HIDDEN_SD * sd_px)


def lift_joints(evidence: Evidence) -> tuple[Floats, Floats]:
    """(21, 3) metres in camera axes from labels and readings alone, and (21,) how sure: 1 where the
    joint could be lifted, `STAND_IN` where the middle depth of the others stands in, 0 without a
    label.
    """
    depth = evidence.lifted_m
    known = np.isfinite(depth) & evidence.labelled
    middle = float(np.median(depth[known])) if known.any() else float("nan")
    depth = np.where(known, depth, middle)
    sure = np.where(known, 1.0, STAND_IN) * (evidence.labelled & np.isfinite(depth))
    rays = np.concatenate([evidence.rays, np.ones((KEYPOINTS, 1))], 1)
    points = np.where(sure[:, None] > 0, rays * depth[:, None], np.nan)
    return points, sure
