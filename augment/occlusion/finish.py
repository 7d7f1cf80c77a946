"""What a sensor would have made of an occluder that is put into its own reading.

Synthetic frames need none of it: their sensor model comes after the occluders. A real frame's depth
has been read already, and a smooth body with a sharp rim in it would be told at a glance.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from augment.effects.noise_field import effect_key, fill_field
from augment.effects.shadow import find_shadow
from frames.errors import BadInput
from frames.parts import CAUSE_DROPOUT, VISIBILITY_OCCLUDED, VISIBILITY_VISIBLE
from frames.reasons import MIXED, READ, SHADOW
from frames.record import Frame, Hand


@dataclass(frozen=True)
class Finish:
    """How an occluder is to look in a sensor's depth. Raises BadInput for what cannot be."""

    baseline_m: float = 0.0
    """Where the second eye or the projector is along the camera's x, + to the right: its shadow
    beside the occluder has no reading. 0: no shadow."""

    ragged_px: float = 1.0
    """Mean width of the holes around the rim, pixels; 0: none."""

    noise_m: float = 0.001
    """Standard deviation of the depth of an occluder 1 m away, metres; it grows with the square of
    its distance."""

    noise_px: float = 4.0
    """Pixels over which that noise falls to 1/e."""

    def __post_init__(self) -> None:
        for name, low, high in (
            ("baseline_m", -1.0, 1.0),
            ("ragged_px", 0.0, 20.0),
            ("noise_m", 0.0, 1.0),
            ("noise_px", 0.0, 1000.0),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise BadInput(f"Finish.{name} must be from {low} to {high}, got {value!r}")


def finish_reading(
    frame: Frame,
    before: NDArray[np.uint16],
    after: NDArray[np.uint16],
    finish: Finish,
    key: int,
) -> Frame:
    """A frame whose depth has occluders (where `before` went to `after`, both (H, W) uint16), with
    noise on them and holes around them. key: a 53-bit word for its noise.

    A keypoint that falls into a hole is occluded, by dropout, if it was visible.
    """
    assert frame.depth is not None
    depth = frame.depth.copy()
    new = after != before
    z = after[new] / frame.depth_scale
    if finish.noise_m > 0:
        field = np.empty(depth.shape, np.float32)
        fill_field(effect_key(key, "occlusion/noise"), finish.noise_px, field)
        noisy = np.rint((z + finish.noise_m * z * z * field[new]) * frame.depth_scale)
        depth[new] = np.clip(noisy, 1, 65535).astype(np.uint16)
    invalid = np.zeros(depth.shape, np.uint8) if frame.invalid is None else frame.invalid.copy()
    shadow = np.zeros(depth.shape, bool)
    if finish.baseline_m:
        camera, scale = frame.camera, frame.depth_scale
        was = find_shadow(before, scale, camera, finish.baseline_m)
        shadow = (find_shadow(after, scale, camera, finish.baseline_m) > was) & ~new
    rim = _find_rim(new, finish.ragged_px, key) & ~shadow
    holes = (shadow | rim) & (depth > 0)
    if holes.any():
        invalid[holes & rim], invalid[holes & shadow] = MIXED, SHADOW
        depth[holes] = 0
    hands = frame.hands
    if holes.any():
        hands = tuple(drop_keypoints(hand, holes, frame) for hand in hands)
    if frame.invalid is None:
        # What was missing before has no known reason.
        return replace(frame, depth=depth, hands=hands)
    invalid[depth > 0] = READ
    return replace(frame, depth=depth, invalid=invalid, hands=hands)


def _find_rim(new: NDArray[np.bool_], width_px: float, key: int) -> NDArray[np.bool_]:
    """(H, W) a band of uneven width just outside the masked pixels."""
    out = np.zeros(new.shape, bool)
    if width_px <= 0:
        return out
    field = np.empty(new.shape, np.float32)
    fill_field(effect_key(key, "occlusion/rim"), 2.0, field)
    reach = width_px * np.exp(0.5 * field - 0.125)  # of mean width_px
    grown = new
    for ring in range(1, int(np.ceil(4 * width_px)) + 1):
        grown = _grow(grown)
        # A ring is taken in as far as the width drawn there goes.
        out |= grown & ~new & (reach >= ring - 0.5)
    return out


def _grow(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask and its neighbours on four sides."""
    out = mask.copy()
    out[1:] |= mask[:-1]
    out[:-1] |= mask[1:]
    out[:, 1:] |= mask[:, :-1]
    out[:, :-1] |= mask[:, 1:]
    return out


def drop_keypoints(hand: Hand, holes: NDArray[np.bool_], frame: Frame) -> Hand:
    """A hand after pixels of its frame's sensor (holes (H, W)) lost their reading: keypoints that
    were visible there are occluded, by dropout; where no clean depth tells what was there, they
    have no surface depth either."""
    camera = frame.camera
    px = np.asarray(hand.keypoints_px, np.float64)
    inside = camera.contains(px)
    at = np.where(inside[:, None], np.floor(px + 0.5), 0).astype(np.int64)
    lost = inside & holes[at[:, 1], at[:, 0]]
    if not lost.any():
        return hand
    seen = lost & (hand.visibility == VISIBILITY_VISIBLE)
    surface = hand.surface_depth_m
    if frame.clean_depth is None:
        surface = np.where(lost, np.float32(np.nan), surface)
    return replace(
        hand,
        visibility=np.where(seen, np.uint8(VISIBILITY_OCCLUDED), hand.visibility),
        occlusion=np.where(seen, np.uint8(CAUSE_DROPOUT), hand.occlusion),
        surface_depth_m=surface,
    )
