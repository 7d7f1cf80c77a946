"""A frame's images while occluders are put in."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from augment.occlusion.config import Occlusion
from augment.occlusion.inserting import STEPS
from augment.occlusion.pasting import Paste
from augment.occlusion.sightlines import Sightlines, find_sightlines
from frames.parts import FOREARM, HAND_STRIDE, MAX_HANDS, MAX_OBJECTS, OBJECT_BASE
from frames.record import Frame, SceneObject

_FLESH_M: Final = 0.03
"""How far before its nearest or behind its farthest keypoint a hand may reach."""


@dataclass
class Canvas:
    """Copies of a frame's images, and what was done to them. The one thing here that changes."""

    frame: Frame
    lines: Sightlines
    depth: NDArray[np.uint16]
    parts: NDArray[np.uint8]
    """Zeros, but for what is put in, in a frame without a part image."""
    solid: NDArray[np.bool_]
    """(256,) codes that no occluder may touch."""
    far: int
    """Steps beyond which nothing is solid."""
    fill: int
    """Holes take only what is nearer, steps."""
    near_m: float
    removed: NDArray[np.int64]
    """(MAX_HANDS,) pixels that each hand lost."""
    covered: int = 0
    """Pixels that were written."""
    objects: list[SceneObject] = field(default_factory=list)
    pasted: list[Paste] = field(default_factory=list)

    @property
    def step_m(self) -> float:
        """Length of a step of depth."""
        return 1 / self.frame.depth_scale

    @property
    def next_code(self) -> int:
        """The code of the next object; 0 when there are no more."""
        place = len(self.frame.objects) + len(self.objects)
        return OBJECT_BASE + place if place < MAX_OBJECTS else 0

    @property
    def next_slot(self) -> int:
        """The place of the next hand; MAX_HANDS when there are no more."""
        return min(len(self.frame.hands) + len(self.pasted), MAX_HANDS)


def open_canvas(frame: Frame, config: Occlusion, reading: NDArray[np.uint16]) -> Canvas:
    """A canvas for a frame whose occluders are to be compared with `reading` (H, W)."""
    parts = np.zeros(reading.shape, np.uint8) if frame.parts is None else frame.parts.copy()
    solid, far, fill = np.zeros(256, np.bool_), STEPS, STEPS + 1
    z = np.array([hand.keypoints_cam_m[:, 2] for hand in frame.hands])
    z = z[np.isfinite(z)]
    if frame.parts is not None:
        for k in range(MAX_HANDS):
            solid[HAND_STRIDE * k + 1 : HAND_STRIDE * k + FOREARM + 1] = True
        for hand in frame.hands:
            if hand.held is not None:
                solid[OBJECT_BASE + hand.held] = True
    else:
        # Whatever is not farther than the hands reach may be one of them.
        solid[0] = True
        if len(z):
            far = int(min((float(z.max()) + _FLESH_M) * frame.depth_scale, STEPS))
    if frame.clean_depth is None and len(z):
        # A sensor's hole hides something: what is put behind the hands must not shine through.
        fill = int(min((float(z.min()) - _FLESH_M) * frame.depth_scale, STEPS + 1))
    removed = np.zeros(MAX_HANDS, np.int64)
    lines = find_sightlines(frame.camera)
    return Canvas(frame, lines, reading.copy(), parts, solid, far, fill, config.near_m, removed)
