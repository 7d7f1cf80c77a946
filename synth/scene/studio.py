"""The studio: all that stays the same from scene to scene."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from frames.camera import Camera
from synth.contact.flesh import Flesh
from synth.contact.probes import Probes
from synth.contact.together_shares import Shares, list_shares
from synth.hand.collision import Capsules
from synth.hand.glove import glove_rig
from synth.hand.rig import Rig
from synth.pools import Pools
from synth.pose.flesh import Flesh as Fingers
from synth.rigid import dot
from synth.scene.arm import straight_elbows
from synth.scene.background_folder import Background
from synth.scene.body import half_field
from synth.scene.stock import Stock
from synth.scene.wardrobe import Wardrobe, build_wardrobe

HOLDABLE_M: Final = 0.11
"""One hand takes hold of what is no thicker than this (Feix et al. 2014: most things that are
grasped measure less than 7 cm there, hardly any more than 10)."""


@dataclass(frozen=True)
class Studio:
    """What scenes are drawn from."""

    camera: Camera
    """What looks at them."""
    rig: Rig
    """People's hands."""
    capsules: Capsules
    """The hands' bones with their flesh, for quick tests of contact."""
    flesh: Flesh
    """The hands' flesh as balls, true to a millimetre."""
    probes: Probes
    """Points of the skin that feel for things."""
    fingers: Fingers
    """The flesh that poses are settled on."""
    stock: Stock
    """Models, among them the things that hands hold."""
    pools: Pools
    """Who and what belongs to which split."""
    backgrounds: tuple[Background, ...]
    """Depth images of real rooms, if any were given."""

    @cached_property
    def field(self) -> np.ndarray:
        """(2,) half the field of view, rad."""
        return half_field(self.camera)

    @cached_property
    def elbows(self) -> np.ndarray:
        """(I, 3) each person's elbow in the wrist frame, wrist straight."""
        return straight_elbows(self.rig)

    @cached_property
    def wardrobe(self) -> Wardrobe:
        """What fits whom of sleeves, watches and rings."""
        return build_wardrobe(self.rig, self.capsules.radius[:, -1])

    @cached_property
    def gloved(self) -> Rig:
        """The same people with gloves on."""
        return glove_rig(self.rig)

    @cached_property
    def shares(self) -> Shares:
        """How both hands may hold each solid."""
        return list_shares(self.stock.solids)

    @cached_property
    def extents(self) -> np.ndarray:
        """(S, 3) sizes of the solids' bounding boxes, metres."""
        return np.stack([s.extent_m for s in self.stock.solids])

    @cached_property
    def reaches(self) -> np.ndarray:
        """(S,) radii of balls about the solids' centres that hold them."""
        return np.sqrt(dot(self.extents, self.extents)) / 2

    @cached_property
    def holdable(self) -> np.ndarray:
        """(S,) bool: can one hand close about the solid somewhere?"""
        return np.array(
            [
                any(np.sort(h.half_m)[0] <= HOLDABLE_M / 2 for h in s.handles)
                for s in self.stock.solids
            ]
        )

    @cached_property
    def upright(self) -> np.ndarray:
        """(S,) bool: has the solid a natural up?"""
        return np.array([s.upright for s in self.stock.solids])
