"""Depth and part images as PNG files, the form that other tools read.

depth16  what is stored: uint16, `depth_scale` steps a metre, 0 for no reading
depth8   uint8 between two distances, the nearer the brighter: 255 at `near_m`, 1 at `far_m` and
         beyond, 0 for no reading. For readers that turn 16 bits into 8
colour   depth8 through the colour map Turbo (Mikhailov 2019), RGB, black for no reading: for
         networks that were trained on pictures of three channels
"""

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from frames.errors import BadInput
from frames.record import DepthImage

Kind = Literal["depth16", "depth8", "colour"]

_PNG: Final = (cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, 0)
"""zlib's quickest level with matches of strings: OpenCV's own choice, runs alone, takes half again
as many bytes; level 6 saves a quarter of a clean image for twice the time, of a noisy one 2 %."""


@dataclass(frozen=True)
class DepthPicture:
    """How a depth image becomes a picture."""

    kind: Kind = "depth16"
    near_m: float = 0.1
    """Where depth8 and colour are brightest."""
    far_m: float = 1.4
    """Where they end: beyond the reach of an arm."""

    def __post_init__(self) -> None:
        if not 0 <= self.near_m < self.far_m < float("inf"):
            raise BadInput(
                f"near-m and far-m must be 0 <= near < far, got {self.near_m} and {self.far_m}"
            )

    @property
    def bits(self) -> int:
        """Of a channel."""
        return 16 if self.kind == "depth16" else 8

    def describe(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self) if self.kind != "depth16" else {"kind": self.kind}

    def tell(self) -> str:
        """What a pixel means, in words."""
        if self.kind == "depth16":
            return "16-bit PNG as stored: metres = value / depth_scale, 0 = no reading"
        tone = (
            f"255 at {self.near_m:g} m, falling evenly to 1 at {self.far_m:g} m and beyond, 0 = no"
            f" reading: metres = {self.far_m:g} - (value - 1) * {self.far_m - self.near_m:g} / 254"
        )
        return (
            f"8-bit PNG, {tone}" if self.kind == "depth8" else f"RGB PNG, Turbo's colours of {tone}"
        )

    def encode(self, depth: DepthImage, depth_scale: float) -> bytes:
        """A depth image (H, W) uint16 as a PNG file."""
        if self.kind == "depth16":
            return encode_png(depth)
        tones = _tone_table(depth_scale, self.near_m, self.far_m)[depth]
        if self.kind == "depth8":
            return encode_png(tones)
        painted = cv2.applyColorMap(tones, cv2.COLORMAP_TURBO)
        painted[tones == 0] = 0
        return encode_png(painted)


@lru_cache(maxsize=4)
def _tone_table(depth_scale: float, near_m: float, far_m: float) -> NDArray[np.uint8]:
    """(65536,) tones of stored depths."""
    share = (far_m - np.arange(1 << 16) / depth_scale) / (far_m - near_m)
    tones = 1 + np.rint(254 * np.clip(share, 0, 1))
    tones[0] = 0
    return tones.astype(np.uint8)


def encode_png(image: NDArray[Any]) -> bytes:
    """An image (H, W) uint8 or uint16, or (H, W, 3) uint8 in OpenCV's order, as a PNG file."""
    return bytes(cv2.imencode(".png", image, _PNG)[1].tobytes())
