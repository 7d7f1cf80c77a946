"""What an infrared eye sees of rendered depth: light, surfaces, noise, 8 bits.

Radiance of a Lambertian surface under a projector and ambient light,

    L = albedo (dots cos / r^2 + ambient (0.6 + 0.4 cos')),

with r the distance to the projector, cos and cos' the angles to it and to the ambient light. The
projector is a point beside the left eye, so what it cannot reach it does not light (`shadow`).
Albedo is the reflectance of the part code times a texture of the surface point (value noise of its
place in the left eye's frame), so both eyes see the same texture, and the same dots. Skin scatters:
part of the light comes out around where it went in (Jensen et al., "A practical model for
subsurface light transport", SIGGRAPH 2001), which takes contrast off the dots, and comes out
depolarised, which takes contrast off the laser's speckle; ambient light has none. Photons are
Poisson noise, the readout is Gaussian noise (EMVA 1288), and one exposure serves both eyes.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from augment.effects.noise_field import hash_normal
from augment.effects.shadow import fill_shadow
from augment.matched_stereo.dot_pattern import SIDE, STEPS
from augment.matched_stereo.pair import Eye
from augment.matched_stereo.surface_texture import add_grain
from frames.camera import Camera

_SHADOW_STEPS = 10000.0  # per metre
_DEPOLARISED = np.float32(0.5)
"""Variance of speckle in light of two polarisations, over that in light of one: they do not
interfere (Goodman, "Speckle phenomena in optics", 2007)."""
_PATCH = 22.0  # grains of texture a patch without
_TEN_BITS = np.float32(1023.0)
KNEE = 32.0
"""Of the ten bits of a sensor so many first steps are kept whole in the eight of the image, and the
rest is squeezed. A device's matcher compares windows by the order of their pixels (census), so that
what is dark but above the noise matches as well as what is bright; OpenCV's compares gradients, and
with a near hand in the picture a wall behind it would have two or three steps of linear bits."""


class Light(NamedTuple):
    """What lights a scene and what its surfaces are like, float32 all but the key."""

    projector_m: np.float32
    """The projector's place along x, from the left eye."""
    projector_px: np.float32
    """Focal length of the projector's pattern."""
    ambient: np.float32
    """Irradiance of the surroundings, that of the projector at 1 m being 1."""
    dots: np.float32
    """Share of the projector's light that is in the dots; 0 switches the projector off."""
    texture: np.float32
    """Relative standard deviation of albedo across a surface."""
    fine_m: np.float32
    """Size of the grain of the texture."""
    patchiness: np.float32
    """How much of the surfaces has little texture: 0 none, 1 about all."""
    texture_key: np.uint32
    phase: np.uint32
    """Where in the tile of dots the axis of the projector is."""
    powered: np.float32
    """1 for a device with a projector, 0 for one without."""


def light_eye(
    eye: Eye,
    top: int,
    camera: Camera,
    eye_m: float,
    light: Light,
    tile: NDArray[np.uint16],
    reflectance: NDArray[np.float32],
    softness: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(h, w) float32 radiance in one eye's window, 0 where nothing is; and that part of it that
    shows a laser's speckle.

    eye_m: the eye's place along x, from the left eye. tile: `build_dots`. reflectance, softness:
    (256,) float32 by part code: diffuse reflectance, and the share of light that scatters inside.
    """
    height, width = eye.depth_m.shape
    out, laser = np.empty((2, height, width), np.float32)
    if out.size == 0:
        return out, laser
    dark = np.zeros(out.shape, np.uint8)
    if light.powered > 0:
        steps = np.minimum(eye.depth_m * _SHADOW_STEPS + 0.5, 65535).astype(np.uint16)
        columns = (np.arange(eye.left, eye.left + width) - camera.cx).astype(np.float32)
        x_px = np.broadcast_to(columns, out.shape)
        shift = (float(light.projector_m) - eye_m) * camera.fx * _SHADOW_STEPS
        fill_shadow(steps, shift, np.ascontiguousarray(x_px), 0.5, dark)
    lens = np.array([camera.fx, camera.fy, camera.cx - eye.left, camera.cy - top], np.float32)
    _fill_radiance(
        eye.depth_m,
        eye.parts,
        dark,
        lens,
        np.float32(eye_m),
        light,
        tile,
        reflectance,
        softness,
        out,
        laser,
    )
    return out, laser


def expose_eye(
    radiance: NDArray[np.float32],
    laser: NDArray[np.float32],
    electrons: float,
    full: float,
    read_e: float,
    speckle: float,
    key: np.uint64,
    row: int,
    column: int,
    width: int,
    knee: float = 0.0,
) -> NDArray[np.uint8]:
    """(h, w) uint8 image of a radiance (h, w), by the curve `compand`.

    laser: (h, w), the part of it that has speckle, of relative standard deviation `speckle`, which
    each eye sees otherwise. electrons: per unit of radiance; full: electrons at 255; read_e:
    readout noise. key: of the eye's
    noise in this frame; row, column: where the window begins in the whole image, `width` columns
    wide, so that a pixel's noise does not depend on the window.
    """
    out = np.empty(radiance.shape, np.uint8)
    numbers = (np.float32(x) for x in (electrons, 255.0 / full, read_e, speckle))
    _fill_exposed(radiance, laser, *numbers, key, row, column, width, np.float32(knee), out)
    return out


def compand(level: float, knee: float) -> float:
    """Level 0..1 of full scale -> 0..255: a step of ten bits a step up to `knee`, evenly from there
    to full scale. As sensors do that squeeze ten bits into eight. knee 0: linear."""
    steps = level * float(_TEN_BITS)
    return min(steps, knee) + max(steps - knee, 0.0) * (255.0 - knee) / (float(_TEN_BITS) - knee)


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_radiance(  # type: ignore[no-untyped-def]
    depth, parts, dark, lens, eye_m, light, tile, reflectance, softness, out, laser
):
    height, width = depth.shape
    fx, fy, cx, cy = lens[0], lens[1], lens[2], lens[3]
    zero, one = np.float32(0.0), np.float32(1.0)
    lamp = light.projector_m - eye_m
    w = np.zeros((3, width), np.float32)  # 1/z of the row above, this, below
    x, y, z = np.empty(width, np.float32), np.empty(width, np.float32), np.empty(width, np.float32)
    lit, around = np.empty(width, np.float32), np.empty(width, np.float32)
    weight, grain = np.empty(width, np.float32), np.empty(width, np.float32)
    patches, full = np.empty(width, np.float32), np.full(width, 1.7, np.float32)
    steps = np.float32(1.0 / STEPS)
    mask = SIDE - 1
    base_u = np.float32((light.phase & np.uint32(mask)) + np.uint32(8 * SIDE))
    base_v = np.float32(((light.phase >> np.uint32(12)) & np.uint32(mask)) + np.uint32(8 * SIDE))
    for v in range(height):
        for k in range(3):
            line = depth[min(max(v + k - 1, 0), height - 1)]
            to = w[k]
            for u in range(width):
                to[u] = one / line[u] if line[u] > zero else zero
        ray_y = (np.float32(v) - cy) / fy
        above, here, below = w[0], w[1], w[2]
        for u in range(width):
            m = here[u]
            ray_x = (np.float32(u) - cx) / fx
            # The flatter one-sided slope of 1/z, which is linear over a plane's image.
            a, b = m - here[max(u - 1, 0)], here[min(u + 1, width - 1)] - m
            a = b if (abs(b) < abs(a)) & (u < width - 1) | (u == 0) else a
            b, c = m - above[u], below[u] - m
            b = c if (abs(c) < abs(b)) & (v < height - 1) | (v == 0) else b
            a, b = a * fx, b * fy
            c = m - a * ray_x - b * ray_y
            # Points of the plane have (a, b, c) . p = 1; it faces the eye.
            size = one / np.sqrt(a * a + b * b + c * c + np.float32(1e-12))
            d = one / max(m, np.float32(1e-3))
            px, py = ray_x * d, ray_y * d
            square = (px - lamp) * (px - lamp) + py * py + d * d
            cosine = max((one - a * lamp) * size / np.sqrt(square), zero)
            lit[u] = light.powered * cosine / square
            # Ambient light comes from above and behind the camera.
            cosine = max((np.float32(0.8) * b + np.float32(0.6) * c) * size, zero)
            around[u] = light.ambient * (np.float32(0.6) + np.float32(0.4) * cosine)
            x[u], y[u], z[u] = px + eye_m, py, d
            grain[u] = zero
        # A coarse and a fine grain; what is finer than the pixels is averaged away.
        for octave in range(2):
            cell = light.fine_m * np.float32(1.0 if octave == 0 else 4.7)
            for u in range(width):
                seen = cell * fx * here[u]
                fade = min(max(seen - np.float32(1.0), zero), one)
                weight[u] = np.float32(1.2) * fade
            add_grain(x, y, z, cell, weight, light.texture_key + np.uint32(octave), grain)
        if light.patchiness > zero:
            patches[:] = zero
            cell = light.fine_m * np.float32(_PATCH)
            add_grain(x, y, z, cell, full, light.texture_key + np.uint32(2), patches)
            for u in range(width):
                left = one - light.patchiness * (one + np.float32(1.5) * patches[u])
                grain[u] *= min(max(left, zero), one)
        codes, shade, to, coherent = parts[v], dark[v], out[v], laser[v]
        tile_v = base_v + light.projector_px * ray_y
        j = int(tile_v)
        q = tile_v - np.float32(j)
        row0, row1 = tile[j & mask], tile[(j + 1) & mask]
        for u in range(width):
            m = here[u]
            coherent[u] = zero
            if m == zero:
                to[u] = zero
                continue
            code = codes[u]
            direct, contrast = zero, one
            if lit[u] > zero and shade[u] == 0:
                ray_x = (np.float32(u) - cx) / fx
                tile_u = base_u + light.projector_px * (ray_x - lamp * m)
                i = int(tile_u)
                p = tile_u - np.float32(i)
                s, t = i & mask, (i + 1) & mask
                soft = softness[code]
                hard = one - soft
                contrast = np.sqrt(hard * hard + _DEPOLARISED * soft * soft)
                n0 = hard * np.float32(row0[s, 0]) + soft * np.float32(row0[s, 1])
                n1 = hard * np.float32(row0[t, 0]) + soft * np.float32(row0[t, 1])
                n2 = hard * np.float32(row1[s, 0]) + soft * np.float32(row1[s, 1])
                n3 = hard * np.float32(row1[t, 0]) + soft * np.float32(row1[t, 1])
                n0 += p * (n1 - n0)
                n2 += p * (n3 - n2)
                dots = (n0 + q * (n2 - n0)) * steps
                direct = lit[u] * (one - light.dots + light.dots * dots)
            albedo = reflectance[code] * max(one + light.texture * grain[u], np.float32(0.1))
            to[u] = albedo * (direct + around[u])
            coherent[u] = albedo * direct * contrast


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_exposed(  # type: ignore[no-untyped-def]
    radiance, laser, electrons, gain, read_e, speckle, key, top, left, width, knee, out
):
    half, most, zero = np.float32(0.5), np.float32(255.0), np.float32(0.0)
    gain *= _TEN_BITS / most
    squeeze = (most - knee) / (_TEN_BITS - knee)
    square, grain = read_e * read_e, speckle * speckle
    for v in range(out.shape[0]):
        row, coherent, to = radiance[v], laser[v], out[v]
        first = (top + v) * width + left
        for u in range(out.shape[1]):
            e = row[u] * electrons
            c = coherent[u] * electrons
            e += np.sqrt(e + square + grain * c * c) * hash_normal(key, first + u)
            level = e * gain
            level = min(level, knee) + max(level - knee, zero) * squeeze + half
            to[u] = np.uint8(np.int32(min(max(level, zero), most)))
