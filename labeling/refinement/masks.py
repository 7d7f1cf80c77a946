"""What fitted hands show in their image: part codes, boxes, and which joints are hidden.

The model says where each part is, the sensor whether it is seen: a pixel has a part's code where
the model is drawn and the reading does not contradict it. So nothing that covers a hand is
labelled as hand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from frames.camera import Camera
from frames.checks.part_boxes import COUNT, U0, U1, V0, V1, tally_codes
from frames.parts import FOREARM, HAND_PARTS, HAND_STRIDE
from labeling.refinement.fitting import Fit
from labeling.refinement.hand_model import load_model
from synth.hand.builtin import load_asset, measure_thickness
from synth.raster.canvas import Canvas

AGREE_M: Final = 0.015
"""A reading so near to the model's depth, or within four times the sensor's noise, is the hand's:
three quarters of a finger's thickness."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """The fitted hands of one frame."""

    model_m: NDArray[np.float32]
    """(H, W) depth of the nearest hand of the model; 0 for none."""
    codes: NDArray[np.uint8]
    """(H, W) its part codes, whatever the sensor reads."""
    parts: NDArray[np.uint8]
    """(H, W) part codes where the sensor does not contradict."""
    visible_fraction: NDArray[np.float32]
    """(K,) of each hand, forearm excluded; NaN for a hand without a pixel."""
    box_px: NDArray[np.float32]
    """(K, 4) of its pixels in `parts`; NaN for none."""
    box_amodal_px: NDArray[np.float32]
    """(K, 4) of the model's own."""


def draw_fits(
    canvas: Canvas,
    fits: Sequence[Fit | None],
    depth_m: NDArray[np.float32],
    noise_m: float,
) -> Drawn:
    """Draw hand k of a frame with the codes of part_base 32 * k; None leaves its place empty.

    canvas: of the frame's camera, with as many layers as hands; depth_m (H, W), 0 for no reading.
    """
    camera, model = canvas.camera, load_model()
    canvas.begin()
    for k, fit in enumerate(fits):
        if fit is not None:
            faces = model.faces[:, ::-1] if fit.left else model.faces
            canvas.draw(
                k, fit.vertices_m, np.ascontiguousarray(faces), model.face_parts, HAND_STRIDE * k
            )
    shape = camera.height, camera.width
    steps, codes = np.zeros(shape, np.uint16), np.zeros(shape, np.uint8)
    shown = canvas.composite(steps, codes)
    model_m = steps.astype(np.float32) / np.float32(10_000.0)
    agrees = np.abs(depth_m - model_m) <= max(AGREE_M, 4 * noise_m)
    # A hole on a hand is still the hand; where the forearm goes, readings alone tell.
    agrees |= (depth_m <= 0) & (codes % HAND_STRIDE != FOREARM)
    parts = np.where(agrees, codes, 0).astype(np.uint8)
    count, box = bound_parts(parts, len(fits))
    amodal = shown.amodal_pixels[: len(fits)]
    outer = shown.amodal_box[: len(fits)].astype(np.float32) + np.array(
        [-0.5, -0.5, 0.5, 0.5], np.float32
    )
    outer[amodal == 0] = np.nan
    with np.errstate(invalid="ignore", divide="ignore"):
        fraction = np.where(amodal > 0, count / np.maximum(amodal, 1), np.nan)
    return Drawn(model_m, codes, parts, fraction.astype(np.float32), box, outer)


def bound_parts(
    parts: NDArray[np.uint8], hands: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """(K,) pixels of each hand without its forearm, and (K, 4) boxes at their outer edges."""
    tally = tally_codes(parts[None])[0]
    counts = np.zeros(hands, np.int64)
    boxes = np.full((hands, 4), np.nan, np.float32)
    for k in range(hands):
        mine = tally[HAND_STRIDE * k + 1 : HAND_STRIDE * k + 1 + HAND_PARTS]
        mine = mine[mine[:, COUNT] > 0]
        counts[k] = mine[:, COUNT].sum()
        if len(mine):
            low, high = mine[:, [U0, V0]].min(0), mine[:, [U1, V1]].max(0)
            boxes[k] = (*(low - 0.5), *(high + 0.5))
    return counts, boxes


def measure_flesh(fit: Fit) -> NDArray[np.float64]:
    """(21,) flesh between each keypoint and the skin, as `synth.hand.rig.Rig.thickness`."""
    asset = load_asset()
    thin = measure_thickness(asset["template"], asset["joints"][:21], asset["faces"])
    model = load_model()
    left, right = model.breadth
    across = np.linalg.norm(asset["template"][left, :2] - asset["template"][right, :2])
    return np.asarray(thin * fit.shape[1] / across)


def build_canvas(camera: Camera, hands: int) -> Canvas:
    """A canvas for a frame's hands."""
    return Canvas(camera, max(hands, 1))
