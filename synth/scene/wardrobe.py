"""The wardrobe: what fits whom, measured once for all people."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from synth.hand.bones import BONE_PART, FINGER_START, FOREARM_BONE, PALM
from synth.hand.rig import Rig
from synth.scene.section import Section, measure_section
from synth.scene.sleeve import SleeveFit, fit_sleeves
from synth.scene.upper_arm import GIRTH

WATCH_PLACES: Final = (0.085, 0.1, 0.115)
"""Where a watch may sit, as shares of the way from wrist to elbow: its case ends at the wrist."""
RING_BONES: Final = tuple(start + 1 for start in FINGER_START)
"""The four fingers' proximal phalanges."""
RING_PARTS: Final = BONE_PART[list(RING_BONES)].astype(np.int64)
"""(4,) the part code of each."""
RING_PLACE: Final = 0.5
"""Where on its phalanx a ring sits: nearer to the knuckle is the web between the fingers."""

END_PLACE: Final = 0.87
"""Where a forearm's end is measured, as a share of the way from wrist to elbow."""


@dataclass(frozen=True)
class Wardrobe:
    """Measures of I people."""

    sleeves: SleeveFit
    """How wide their sleeves are."""
    wrists: tuple[Section, ...]
    """Where watches sit, at each of WATCH_PLACES."""
    fingers: tuple[Section, ...]
    """Where rings sit, on each of RING_BONES."""
    end: Section
    """The forearm's thick end, which the elbow rounds off."""
    elbow: np.ndarray
    """(I,) metres: radius of the ball about the elbow that begins the upper arm."""


def build_wardrobe(rig: Rig, girth: np.ndarray) -> Wardrobe:
    """Measure all people of a rig; girth (I,) the median radius of their forearms."""
    end = measure_section(rig, FOREARM_BONE, END_PLACE, 0.05, (FOREARM_BONE,))
    return Wardrobe(
        sleeves=fit_sleeves(rig),
        wrists=tuple(
            measure_section(rig, FOREARM_BONE, place, 0.025, (PALM, FOREARM_BONE))
            for place in WATCH_PLACES
        ),
        fingers=tuple(measure_section(rig, bone, RING_PLACE, 0.12, (bone,)) for bone in RING_BONES),
        end=end,
        elbow=np.minimum(1.03 * np.sqrt(end.half[:, 0] * end.half[:, 1]), GIRTH * girth),
    )
