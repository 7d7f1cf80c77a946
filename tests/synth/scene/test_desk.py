"""Tables: at the height that is asked for, under what rests there, and clear of all else."""

import numpy as np

from synth.scene.desk import COARSE_M, DEEP_M
from tests.synth.scene.test_surroundings import (
    everything,
    foreground,
    in_use,
    piece_sizes,
)


def test_tables_in_use_are_exactly_at_their_height() -> None:
    scene, _, _ = foreground()
    asked = np.flatnonzero(~np.isnan(scene.table))
    found = np.unique(everything().frame[in_use(everything())])
    assert np.array_equal(found, asked)
    assert len(asked) > 100


def test_tables_reach_under_what_rests_on_them() -> None:
    scene, _, _ = foreground()
    around = everything()
    tops = in_use(around)
    for b in np.unique(around.frame[tops]):
        own = tops[around.frame[tops] == b]
        inside = []
        for k in own:
            T = around.T[k]
            local = np.linalg.solve(T[:3, :3], scene.table_point[b] - T[:3, 3])
            inside.append(np.abs(local[:2]).max() < 0.5)
        assert any(inside), f"scene {b}"


def test_nothing_dips_into_a_table_in_use() -> None:
    """Middles of balls; what rests there may seem to dip in by COARSE_M, at worst by DEEP_M."""
    scene, points, radius = foreground()
    around = everything()
    deep = deepest = total = 0
    for k in in_use(around):
        b = around.frame[k]
        there = (radius[b] >= 0) & ~np.isnan(points[b, :, 0])
        T = around.T[k]
        local = (points[b, there] - T[:3, 3]) @ np.linalg.inv(T[:3, :3]).T
        depth = scene.table[b] - points[b, there, 2][np.abs(local).max(1) < 0.5]
        total += 1
        deep += int(depth.max(initial=0) > COARSE_M)
        deepest += int(depth.max(initial=0) > DEEP_M)
    assert deep < 0.3 * total, f"{deep} of {total}"
    assert deepest == 0


def test_tables_are_of_a_likely_size() -> None:
    around = everything()
    tops = in_use(around)
    size = np.linalg.norm(around.T[tops, :3, :3], axis=1) * piece_sizes(around)[tops]
    assert size[:, 2].min() > 0.017 and size[:, 2].max() < 0.051
    assert np.median(size[:, 0]) > 0.8 and size[:, 0].max() < 4
    assert np.median(size[:, 1]) > 0.45 and size[:, 1].max() < 1.6
