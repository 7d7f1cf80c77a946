"""Two hands of one person that meet, or hold one thing: how they are to each other."""

from dataclasses import dataclass

import numpy as np

from synth.config import SceneConfig
from synth.contact.together import solve_together
from synth.contact.together_objects import solve_shared
from synth.scene.studio import Studio


@dataclass(frozen=True)
class Couples:
    """N pairs of hands that know where they are to each other."""

    angles: np.ndarray
    """(N, 2, 29) rad of first and second."""
    T_first_from_second: np.ndarray
    """(N, 4, 4)"""
    kind: np.ndarray
    """(N,) how they meet, as in `synth.contact.together_kinds`; -1 with one thing for both."""
    solid: np.ndarray
    """(N,) the thing that both hold, -1 for none."""
    T_first_from_object: np.ndarray
    """(N, 4, 4)"""
    R_body_from_first: np.ndarray
    """(N, 3, 3) how the thing is held; the identity without one."""
    ok: np.ndarray
    """(N,) bool"""


def solve_couples(
    config: SceneConfig,
    studio: Studio,
    seed: int,
    ids: np.ndarray,
    identity: np.ndarray,
    first_left: np.ndarray,
    solid: np.ndarray,
) -> Couples:
    """How the two hands of N scenes meet, on the thing `solid` (N,) or, at -1, without one."""
    count = len(ids)
    out = Couples(
        np.zeros((count, 2, 29)), np.tile(np.eye(4), (count, 1, 1)), np.full(count, -1),
        solid.copy(), np.tile(np.eye(4), (count, 1, 1)), np.tile(np.eye(3), (count, 1, 1)),
        np.zeros(count, bool),
    )  # fmt: skip
    bare, both = np.flatnonzero(solid < 0), np.flatnonzero(solid >= 0)
    body = studio.rig, studio.capsules, studio.flesh
    if len(bare):
        pairs = solve_together(
            config.together, seed, ids[bare], "pair", *body, identity[bare], first_left[bare]
        )
        for name in ("angles", "T_first_from_second", "kind", "ok"):
            getattr(out, name)[bare] = getattr(pairs, name)
    if len(both):
        holds = solve_shared(
            config.together, seed, ids[both], "pair", *body, studio.shares,
            studio.stock.distances, identity[both], solid[both], first_left[both],
        )  # fmt: skip
        for name in (
            *("angles", "T_first_from_second", "T_first_from_object"),
            *("R_body_from_first", "ok"),
        ):
            getattr(out, name)[both] = getattr(holds, name)
    return out
