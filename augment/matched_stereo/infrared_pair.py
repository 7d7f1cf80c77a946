"""Both eyes' infrared images of a rendered pair: one light, one texture, one exposure."""

import math
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from augment.effects.noise_field import effect_key
from augment.matched_stereo.dot_pattern import build_dots
from augment.matched_stereo.infrared import KNEE, Light, expose_eye, light_eye
from augment.matched_stereo.model import MatchedStereo
from augment.matched_stereo.pair import Pair
from augment.shot import Shot
from frames.parts import FOREARM, HAND_PARTS, HAND_STRIDE, MAX_HANDS, OBJECT_BASE

_SKIN_M: Final = 0.45  # where the scattering's size is turned to pixels of the projector
_BRIGHT: Final = 0.9  # of the hand's pixels are darker than what the exposure aims at
_HAIRY: Final = 0.74  # a forearm's reflectance over its hand's, at the least
_DOTTED: Final = 1.8  # such a pixel's light over the mean under dots
_ENOUGH: Final = 64  # pixels of hands by which to expose


def expose_pair(
    model: MatchedStereo, shot: Shot, pair: Pair
) -> tuple[list[NDArray[np.uint8]], list[NDArray[np.uint8]]]:
    """The left and the right infrared images (h, w) uint8 of every window."""
    light, tile = _light(model, shot)
    softness = np.float32(model.scattering) * find_bare(shot.reflectance)
    radiance: list[list[NDArray[np.float32]]] = [[], []]
    laser: list[list[NDArray[np.float32]]] = [[], []]
    for window in pair.windows:
        for side, eye in enumerate((window.left_eye, window.right_eye)):
            all_of_it, coherent = light_eye(
                eye, window.top, pair.camera, side * model.baseline_m, light, tile,
                shot.reflectance, softness,
            )  # fmt: skip
            radiance[side].append(all_of_it)
            laser[side].append(coherent)
    bright = _bright_radiance(pair, radiance[0])
    # The longest exposure brings a hand at reach_m to the level; gain makes up for what is missing.
    longest, shortest = (
        0.5 * (_DOTTED * float(light.powered) / z**2 + model.ambient)
        for z in (model.reach_m, model.glare_m)
    )
    bright = min(bright, max(shortest, longest))
    electrons = model.level * model.full_e / max(bright, longest, 1e-9)
    full = model.full_e * min(1.0, bright / max(longest, 1e-9)) if bright > 0 else model.full_e
    out: list[list[NDArray[np.uint8]]] = [[], []]
    for side, name in enumerate(("left", "right")):
        key = effect_key(shot.keys.frame, f"infrared/{name}")
        images = zip(pair.windows, radiance[side], laser[side], strict=True)
        for window, one, coherent in images:
            first = window.top, (window.left_eye, window.right_eye)[side].left
            image = expose_eye(
                one,
                coherent,
                electrons,
                max(full, 1.0),
                model.read_e,
                model.speckle,
                key,
                *first,
                pair.camera.width,
                KNEE,
            )
            out[side].append(image)
    return out[0], out[1]


def _light(model: MatchedStereo, shot: Shot) -> tuple[Light, NDArray[np.uint16]]:
    """What lights the scene: the device's own pattern, the sequence's texture."""
    on = model.projector >= 0.5
    spot = model.dot_px * model.projector_focal_px / model.focal_px
    soft = math.hypot(spot, model.scattering_m * model.projector_focal_px / _SKIN_M)
    tile = build_dots(shot.keys.device, model.dot_density, spot, soft)
    texture = int(effect_key(shot.keys.sequence, "infrared/texture"))
    phase = int(effect_key(shot.keys.device, "infrared/phase"))
    light = Light(
        projector_m=np.float32(model.projector_m),
        projector_px=np.float32(model.projector_focal_px),
        ambient=np.float32(model.ambient),
        dots=np.float32(model.dot_share),
        texture=np.float32(model.texture),
        fine_m=np.float32(model.texture_m),
        patchiness=np.float32(model.patchiness),
        texture_key=np.uint32(texture & 0xFFFFFFFF),
        phase=np.uint32(phase & 0xFFFFFFFF),
        powered=np.float32(1.0 if on else 0.0),
    )
    return light, tile


@lru_cache(maxsize=1)
def _is_hand() -> NDArray[np.bool_]:
    """(256,) which part codes are hands."""
    codes = np.arange(256)
    part = codes % HAND_STRIDE
    return (codes < OBJECT_BASE) & (part >= 1) & (part <= HAND_PARTS)


def find_bare(reflectance: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(256,) which part codes are skin, by (256,) reflectances in the near infrared.

    Hands count as bare, and forearms that are about as bright as their hands (`_HAIRY`): sleeves
    may be too, which does no harm.
    """
    bare = _is_hand().copy()
    for base in range(0, MAX_HANDS * HAND_STRIDE, HAND_STRIDE):
        hand, arm = reflectance[base + 1], reflectance[base + FOREARM]
        bare[base + FOREARM] = _HAIRY * hand <= arm <= hand
    return bare


def _bright_radiance(pair: Pair, radiance: list[NDArray[np.float32]]) -> float:
    """Radiance that `_BRIGHT` of the hands' pixels stay below; of all pixels if hands are few."""
    skin = [r[_is_hand()[w.left_eye.parts]] for w, r in zip(pair.windows, radiance, strict=True)]
    seen = np.concatenate(skin) if skin else np.zeros(0, np.float32)
    if len(seen) < _ENOUGH:
        seen = np.concatenate([r[r > 0] for r in radiance]) if radiance else seen
    if len(seen) == 0:
        return 0.0
    at = int(_BRIGHT * (len(seen) - 1))
    return float(np.partition(seen, at)[at])
