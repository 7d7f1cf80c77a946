#!/usr/bin/env python3
"""What grasps, rests and touches cost, how often they work, how deep the skin is pressed in.

    OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 python bench/contact.py [--grasps 10000] [--classes]

Times are of one core, by the processor's clock. Gaps are those that the solver tells, from the grid
of distances; `tests/synth/contact` measures them on the meshes.
"""

import argparse
import time

import numpy as np

from synth.config import GraspConfig
from synth.contact.classes import WAYS
from synth.contact.grasps import attempt_grasps
from synth.contact.probes import build_probes
from synth.contact.rest_table import REST_KINDS
from synth.contact.rests import solve_rests
from synth.contact.touches import solve_touches
from synth.hand.builtin import builtin_rig
from synth.hand.collision import build_capsules
from synth.pose.feix import GRASPS, opened_table
from synth.things.catalogue import build_catalogue
from synth.things.distance import pack_grids

PEOPLE = 256
BATCH = 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--grasps", type=int, default=10_000)
    parser.add_argument("--classes", action="store_true", help="each class by itself, too")
    options = parser.parse_args()
    rig = builtin_rig(0, PEOPLE)
    capsules, probes, solids = build_capsules(rig), build_probes(rig), build_catalogue(0)
    pack = pack_grids(solids)
    rng = np.random.default_rng(0)

    def grasp(count: int, favour: str = "", stage: str = "bench"):  # type: ignore[no-untyped-def]
        who, solid = rng.integers(0, PEOPLE, count), rng.integers(0, len(solids), count)
        left = rng.random(count) < 0.5
        parts, spent = [], 0.0
        for start in range(0, count, BATCH):
            rows = slice(start, start + BATCH)
            ids = np.arange(count)[rows]
            begin = time.process_time()
            parts.append(
                attempt_grasps(
                    GraspConfig(favour=favour), 0, ids, stage, capsules, probes, solids, pack,
                    who[rows], solid[rows], left[rows],
                )
            )  # fmt: skip
            spent += time.process_time() - begin
        ok, grasp, gap, why = (
            np.concatenate(a)
            for a in zip(*((h.ok, h.grasp, h.gap_m, w) for h, w in parts), strict=True)
        )
        return ok, grasp, gap, why, spent

    grasp(8)
    ok, kind, gap, why, spent = grasp(options.grasps)
    tried = (why >= 0).sum()
    print(f"grasps: {ok.mean():.1%} of {len(ok)} hands hold, {tried / len(ok):.2f} tries a hand,")
    print(f"  {1e6 * spent / ok.sum():.0f} us a grasp, {1e6 * spent / tried:.0f} us a try")
    deepest = -1000 * np.nanmin(np.where(np.isnan(gap), 1.0, gap), axis=1)[ok]
    touching = (gap <= 0.002).sum(1)[ok]
    share = [0.5, 0.9, 0.99, 1.0]
    print(f"  pressed in, mm (50, 90, 99, 100 %): {np.quantile(deepest, share).round(2)}")
    print(f"  parts that touch (0, 10, 50, 90 %): {np.quantile(touching, [0, 0.1, 0.5, 0.9])}")
    wanted = np.array([WAYS[g.name].common for g in GRASPS])
    for g in GRASPS:
        own = kind[ok] == g.number - 1
        line = f"  {g.number:2d} {g.name:24s} wanted {wanted[g.number - 1] / wanted.sum():.3f}"
        line += f" shown {own.mean():.3f}"
        if own.any():
            line += f" parts {touching[own].mean():4.1f} pressed {deepest[own].mean():.2f} mm"
        if options.classes:
            others = ",".join(f"{x.name}:0" for x in GRASPS if x is not g)
            _, _, _, tries, _ = grasp(256, others, g.name)
            able = tries[:, 0] != 9
            line += f" | alone: {(tries[able, 0] == 0).mean():.2f} of first tries hold,"
            line += f" {able.mean():.2f} of hands and things suit"
        print(line)

    count = 2000
    who, solid = rng.integers(0, PEOPLE, count), rng.integers(0, len(solids), count)
    free = opened_table()[rng.integers(0, 33, count)]
    ids, left = np.arange(count), rng.random(count) < 0.5
    for warm in (8, count):
        begin = time.process_time()
        rests = solve_rests(
            GraspConfig(), 0, ids[:warm], "rest", rig, capsules, probes, who[:warm], free[:warm]
        )
        rest_s = time.process_time() - begin
        begin = time.process_time()
        touches = solve_touches(
            GraspConfig(), 0, ids[:warm], "touch", rig, capsules, probes, solids, pack, who[:warm],
            solid[:warm], left[:warm], free[:warm],
        )  # fmt: skip
        touch_s = time.process_time() - begin
    shares = np.bincount(rests.kind, minlength=len(REST_KINDS)) / count
    print(
        f"rests: {1e6 * rest_s / count:.0f} us;",
        ", ".join(f"{k} {x:.2f}" for k, x in zip(REST_KINDS, shares, strict=True)),
    )
    print(f"touches: {1e6 * touch_s / count:.0f} us; {touches.ok.mean():.1%} find a place")


if __name__ == "__main__":
    main()
