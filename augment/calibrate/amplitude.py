"""The law by which the amplitude of the light falls, where a device delivers it."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from augment.calibrate.capture import Capture
from augment.calibrate.estimate import Estimate, Floats, refuse
from augment.calibrate.plane import solve_least_squares
from augment.calibrate.wall import Wall

_CELL: Final = 16
"""Pixels a side of what is averaged: neighbours are not independent."""

_UNEVEN: Final = 0.02
"""Relative unevenness of the light over the image that has nothing to do with the vignette: light
by detours and lamps differ so much. It limits what is known of the vignette."""

_REGIONS: Final = 4
"""By so many an image is cut, each way, for the error."""


def measure_amplitude(capture: Capture, walls: Sequence[Wall]) -> list[Estimate]:
    """Slope of log amplitude over log range (-2 for diffuse light), and the vignette's power.

    log A = a + slope log r + log cos(incidence) + power log cos(axis), by least squares over the
    cells of all walls; standard errors by the jackknife over 16 regions of the image.
    """
    names = ("amplitude_slope", "vignette_power")
    if not any(c.amplitude is not None for c in capture.clips):
        return [refuse(n, "", "there are no amplitude images") for n in names]
    rows = [r for w in walls for r in _list_cells(capture, w)]
    if len(rows) < 30:
        return [refuse(n, "", "no wall with amplitude images was found") for n in names]
    table = np.array(rows)
    terms = _solve(table)
    blocks = np.unique(table[:, 3])
    # What a lens does to a whole region of the image is no chance of single cells: the jackknife
    # leaves out one region at a time.
    without = np.array([_solve(table[table[:, 3] != b]) for b in blocks])
    share = (len(blocks) - 1) / len(blocks)
    error = np.sqrt(share * np.square(without - without.mean(0)).sum(0))
    error[2] = np.hypot(error[2], _UNEVEN / max(float(np.ptp(table[:, 1])), 1e-9))
    basis = f"{len(table)} cells of {len(walls)} walls"
    ranges = np.exp(table[:, 0])
    out = [Estimate(names[0], "", float(terms[1]), float(error[1]), basis)]
    if ranges.max() < 1.3 * ranges.min():
        out = [refuse(names[0], "", "walls at >= 2 distances are needed")]
    return [*out, Estimate(names[1], "", float(terms[2]), float(error[2]), basis)]


def _solve(table: Floats) -> Floats:
    """(3,) offset, slope and power of rows as `_list_cells` gives them."""
    design = np.stack([np.ones(len(table)), table[:, 0], table[:, 1]], -1)
    return solve_least_squares(design, table[:, 2])


def _list_cells(capture: Capture, wall: Wall) -> list[Floats]:
    """(log range, log cosine to the axis, log amplitude / cosine of incidence, region of the image)
    of each cell.
    """
    clip = next((c for c in capture.clips if c.name == wall.name), None)
    if clip is None or clip.amplitude is None:
        return []
    rays = capture.camera.ray_table()
    amplitude = clip.amplitude[: wall.frames].astype(np.float64).mean(0)
    slope = wall.surface.terms[1:3] / wall.surface.reach
    w = np.maximum(wall.surface.evaluate(rays), 1e-6)
    length = np.sqrt(1.0 + np.square(rays).sum(-1))
    # The plane a x + b y + c = 1 / z has the normal (a, b, c).
    normal = np.array([*slope, wall.surface.terms[0]])
    cosine = np.abs(w) / (np.linalg.norm(normal) * length)
    good = wall.surface.region & (amplitude > 0) & (cosine > 0.1)
    out = []
    for v in range(0, good.shape[0], _CELL):
        for u in range(0, good.shape[1], _CELL):
            part = np.s_[v : v + _CELL, u : u + _CELL]
            inside = good[part]
            if np.count_nonzero(inside) > _CELL * _CELL // 2:
                light = np.log(np.mean(amplitude[part][inside] / cosine[part][inside]))
                reach = np.log(np.mean(length[part][inside] / w[part][inside]))
                axis = -np.log(np.mean(length[part][inside]))
                region = v * _REGIONS // good.shape[0] * _REGIONS + u * _REGIONS // good.shape[1]
                out.append(np.array([reach, axis, light, region]))
    return out
