#!/usr/bin/env python3
"""Measure the pairs of hands, kind by kind: how many tries are good, overlap, contact, time, reach.

    python tools/measure_together.py

Overlap and contact are those of the skin's vertices against the other hand's flesh; `pytest
tests/synth/contact/test_together.py` measures them on the meshes. Prints a table for
docs/together.md.
"""

import time
import warnings

import numpy as np

from frames.stream import uniform
from synth.config import TogetherConfig
from synth.contact.flesh import build_flesh
from synth.contact.together import ROUNDS, meet_again, solve_together
from synth.contact.together_kinds import KINDS
from synth.contact.together_meeting import TOUCH_M
from synth.contact.together_table import draw_pair_pose
from synth.hand.builtin import builtin_rig
from synth.hand.collision import build_capsules
from synth.rigid import multiply, rotate
from synth.scene.arm import reach_best, straight_elbows

COUNT = 128


def main() -> None:
    rig = builtin_rig(seed=0, identities=COUNT)
    capsules, flesh, config = build_capsules(rig), build_flesh(rig), TogetherConfig()
    ids, right = np.arange(COUNT), np.zeros(COUNT, bool)
    solve_together(config, 0, ids[:2], "warm", rig, capsules, flesh, ids[:2], right[:2])
    print("| kind | solved | overlap, median and 99 %, mm | parts that touch | us | reached |")
    print("|---|---|---|---|---|---|")
    solved, spent, within = [], [], []
    for k, kind in enumerate(KINDS):
        chosen = np.full(COUNT, k)
        start = time.process_time()
        pairs = solve_together(config, 0, ids, "measure", rig, capsules, flesh, ids, right, chosen)
        took = (time.process_time() - start) / COUNT * 1e6
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            gap = np.nanmin(pairs.gap_m.reshape(COUNT, -1), axis=1)
        depth = 1000 * np.maximum(np.nan_to_num(-gap[pairs.ok]), 0.0)
        parts = np.median((pairs.gap_m[pairs.ok] <= TOUCH_M).sum((1, 2)))

        u = uniform(0, ids, f"place {k}", 9)
        pose = np.tile(np.eye(4), (COUNT, 1, 1))
        pose[:, :3, :3] = draw_pair_pose(chosen, u[:, :6], right)
        T = pairs.T_first_from_second
        ahead = np.broadcast_to([0.0, 0.0, -0.08], (COUNT, 3))
        middle = 0.5 * (ahead + rotate(T[:, :3, :3], ahead) + T[:, :3, 3])
        at = np.array([-0.08, 0.22, -0.42]) + u[:, 6:] * [0.16, 0.26, 0.27]
        pose[:, :3, 3] = at - rotate(pose[:, :3, :3], middle)
        swivels = np.tile(np.radians(np.linspace(-20, 110, 8)), (COUNT, 1))
        elbows = straight_elbows(rig)
        first = reach_best(pose, right, rig.hand_length, elbows, swivels)
        second = reach_best(multiply(pose, T), ~right, rig.hand_length, elbows, swivels)
        bent = np.stack([first.wrist_angles, second.wrist_angles], axis=1)
        again = meet_again(config, rig, capsules, flesh, ids, pairs, bent, right)
        moved = multiply(pose, again.T_first_from_second)
        second = reach_best(moved, ~right, rig.hand_length, elbows, swivels)
        reached = (first.fits & second.fits & again.ok).mean()
        solved.append(pairs.ok.mean())
        spent.append(took)
        within.append(reached)
        print(
            f"| {kind.name} | {pairs.ok.mean():.2f} | {np.median(depth):.1f},"
            f" {np.quantile(depth, 0.99):.1f} | {parts:.0f} | {took:.0f} | {reached:.2f} |"
        )
    print(
        f"| all | {np.mean(solved):.3f} | | | {np.mean(spent):.0f} | {np.mean(within):.2f} |"
        f"\n\nrounds of {ROUNDS} tries, {COUNT} pairs a kind"
    )


if __name__ == "__main__":
    main()
