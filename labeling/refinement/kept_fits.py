"""Fits as text, and hands from that text: what is kept of a fit is 59 numbers.

A dataset is always built from what was kept, never from a fit that has just been made: so its bytes
do not depend on what was fitted when.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from labeling.refinement.fitting import Fit, build_fits, build_solver
from labeling.refinement.state import State


def write_fit(fit: Fit) -> dict[str, Any]:
    """Plain values that `read_fits` makes the same hand of, to the bit."""
    return {
        "left": fit.left,
        "angles": fit.angles.tolist(),
        "z": fit.z.tolist(),
        "root": fit.T_camera_from_wrist[:3].ravel().tolist(),
        "cost": fit.cost,
    }


def read_fits(kept: Sequence[Mapping[str, Any] | None]) -> list[Fit | None]:
    """The hands of one frame; None for one that was not fitted."""
    there = [k for k, one in enumerate(kept) if one is not None]
    out: list[Fit | None] = [None] * len(kept)
    if not there:
        return out
    solver = build_solver()
    some = [one for one in kept if one is not None]

    def tensor(values: object) -> torch.Tensor:
        return torch.from_numpy(np.array(values, np.float64)).to(solver.model.dtype)

    left = [bool(one["left"]) for one in some]
    state = State(
        tensor([np.reshape(one["root"], (3, 4)) for one in some]),
        tensor([one["angles"] for one in some]),
        tensor([one["z"] for one in some]),
        tensor([-1.0 if is_left else 1.0 for is_left in left]),
    )
    with torch.no_grad():
        fits = build_fits(solver, state, [float(one["cost"]) for one in some], left)
    for k, fit in zip(there, fits, strict=True):
        out[k] = fit
    return out
