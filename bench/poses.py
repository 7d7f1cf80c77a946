#!/usr/bin/env python3
"""Poses sampled a second on one core, the pose itself with its person's flesh, no picture.

    python bench/poses.py

Accepted poses, rejections included, by what the library's shares make of them.
"""

import time
from dataclasses import fields

import numpy as np

from synth.config import PoseConfig
from synth.hand.builtin import builtin_rig
from synth.hand.collision import build_capsules
from synth.pose.flesh import build_flesh
from synth.pose.sampler import sample_poses

PEOPLE, FRAMES, BATCH, ROUNDS = 256, 8192, 128, 3


def main() -> None:
    """Print a table of poses a second."""
    rig = builtin_rig(seed=0, identities=PEOPLE)
    capsules = build_capsules(rig)
    start = time.perf_counter()
    flesh = build_flesh(rig, capsules)
    print(f"flesh of {PEOPLE} people: {1000 * (time.perf_counter() - start):.0f} ms")
    shares = [f.name for f in fields(PoseConfig) if f.name.endswith("_share")]
    none = dict.fromkeys(shares, 0.0)
    kinds = {"default": PoseConfig(), "synergy": PoseConfig(**none)}
    kinds |= {name.removesuffix("_share"): PoseConfig(**none | {name: 1.0}) for name in shares}
    for name, config in kinds.items():
        best = np.inf
        for k in range(ROUNDS + 1):  # the first one compiles
            start = time.perf_counter()
            for first in range(0, FRAMES, BATCH):
                ids = np.arange(first, first + BATCH)
                sample_poses(config, k, ids, "bench", flesh, ids % PEOPLE)
            best = min(best, time.perf_counter() - start)
        print(f"{name:10s} {FRAMES / best:9,.0f} poses/s")


if __name__ == "__main__":
    main()
