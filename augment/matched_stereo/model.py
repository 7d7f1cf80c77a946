"""Parameters of stereo by matching (`augment.matched_stereo.sensing`)."""

import math
from dataclasses import dataclass

from augment.matched_stereo.block_matching import Matching
from augment.parameter import parameter


@dataclass(frozen=True)
class MatchedStereo:
    """Parameters. Lengths in px are pixels of the device's own images unless they say otherwise."""

    focal_px: float = parameter("px", 50.0, 4000.0)
    """Focal length at which the pair is rendered and matched."""
    baseline_m: float = parameter("m", 0.001, 1.0)
    """The right eye is as far along +x from the left one, whose depth image it is."""
    near_m: float = parameter("m", 0.01, 10.0)
    """Nothing is read nearer: the search ends at focal_px baseline_m / near_m."""
    far_m: float = parameter("m", 0.1, 1000.0)
    """Nothing is read beyond."""
    window_px: float = parameter("px", 1.0, 31.0)
    """Side of the matching window; the odd number at or below is taken."""
    small_penalty: float = parameter("1", 0.0, 1000.0)
    """P1 = small_penalty window_px^2: cost of a change of disparity by 1 px between neighbours."""
    large_penalty: float = parameter("1", 0.0, 1000.0)
    """P2 likewise: of a larger change. Large values melt fingers into what is close behind."""
    left_right_px: float = parameter("px", 1.0, 100.0)
    """How far matching from right to left may differ."""
    uniqueness: float = parameter("percent", 0.0, 100.0)
    """By how much the best match must beat every other."""
    speckle_px2: float = parameter("px^2", 0.0, 100000.0)
    """Spots up to this area that stand apart from all around them are dropped."""
    sobel_cap: float = parameter("1", 1.0, 63.0)
    """Horizontal gradients are cut to this before matching."""
    all_ways: float = parameter("switch", 0.0, 1.0)
    """From 0.5 costs are gathered from eight directions in place of five: twice the time."""
    smooth_px: float = parameter("px", 0.0, 8.0)
    """Half-width of the edge-preserving mean over the disparities, beside the pixel itself; what it
    reaches a part of counts by that part. 0: none."""
    smooth_step_px: float = parameter("px", 0.01, 16.0)
    """Steps larger than this are edges to it."""
    refinements: float = parameter("1", 0.0, 8.0)
    """Steps of refinement to a fraction of a pixel. 0: the matcher's own parabola, with its bands
    (pixel locking) of 0.15 px; 2: of 0.03 px."""
    quantum_px: float = parameter("px", 0.0, 1.0)
    """Step of the disparity that is delivered; 0: none."""
    keep_share: float = parameter("1", 0.0, 1.0)
    """A pixel of the dataset has a reading if so much of its footprint has."""

    projector: float = parameter("switch", 0.0, 1.0)
    """From 0.5 the device projects dots: active stereo; below it is passive."""
    projector_m: float = parameter("m", -1.0, 1.0)
    """The projector's place along +x from the left eye."""
    projector_focal_px: float = parameter("px", 50.0, 10000.0)
    """Focal length of the projector's pattern in its own pixels."""
    dot_density: float = parameter("1", 0.0, 0.5)
    """Dots per pixel of the projector."""
    dot_px: float = parameter("px", 0.3, 10.0)
    """Standard deviation of a dot's image, in pixels of the eye: spot, lens and pixel together."""
    dot_share: float = parameter("1", 0.0, 1.0)
    """Share of the projector's light that is in dots; the rest is even."""
    ambient: float = parameter("1", 0.0, 1000.0)
    """Irradiance by other light in the eye's band, that of the projector at 1 m being 1."""
    speckle: float = parameter("1", 0.0, 2.0)
    """Relative standard deviation of the projected light from pixel to pixel, other in each eye: a
    laser's speckle."""
    scattering: float = parameter("1", 0.0, 1.0)
    """Share of the light that goes into skin and comes out around."""
    scattering_m: float = parameter("m", 0.0, 0.05)
    """How far, standard deviation."""
    texture: float = parameter("1", 0.0, 2.0)
    """Relative standard deviation of albedo over a surface."""
    texture_m: float = parameter("m", 0.0001, 1.0)
    """Grain of that texture; half of its variance is on this scale, half on 4.7 times it."""
    patchiness: float = parameter("1", 0.0, 1.0)
    """How much of the surfaces has little texture: passive eyes find nothing there."""

    level: float = parameter("1", 0.01, 4.0)
    """What the exposure brings the brightest tenth of the hands to, of full scale."""
    reach_m: float = parameter("m", 0.01, 100.0)
    """Up to where it manages that for a hand of reflectance 0.5; beyond, gain does: noise."""
    glare_m: float = parameter("m", 0.01, 100.0)
    """Down to where it does so: what is nearer is brighter, and saturates."""
    full_e: float = parameter("1", 10.0, 1e6)
    """Electrons at full scale."""
    read_e: float = parameter("1", 0.0, 1000.0)
    """Standard deviation of the readout, electrons."""
    low_level: float = parameter("1", 0.0, 1.0)
    """Mean level of a window, of full scale, below which there is too little light to match."""

    @property
    def matching(self) -> Matching:
        """What the matcher is told."""
        return Matching(
            window_px=(math.floor(self.window_px) - 1) // 2 * 2 + 1,
            small_penalty=self.small_penalty,
            large_penalty=self.large_penalty,
            left_right_px=round(self.left_right_px),
            uniqueness_percent=round(self.uniqueness),
            speckle_px=round(self.speckle_px2),
            speckle_step=1,
            sobel_cap=round(self.sobel_cap),
            all_ways=self.all_ways >= 0.5,
        )
