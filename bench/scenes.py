"""What each part of a scene costs: the whole path with one part at a time, in one process.

python -m bench.scenes [CAMERA]    prints the table.

Every row is drawn, rendered, labelled and encoded in batches, in turn with the others, round by
round, so that a slow moment of the machine falls on all alike; the best of the rounds counts.
"""

import sys
import time
from dataclasses import replace

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.render import describe_machine
from synth.config import (
    OutfitConfig,
    PoseConfig,
    RoomConfig,
    SceneConfig,
    SituationConfig,
    SynthConfig,
)
from synth.generator import Generator

FRAMES = 512
ROUNDS = 5

FREE = SituationConfig(grasp_share=0.0, touch_share=0.0, together_share=0.0)
BARE = SceneConfig(
    two_hands_share=0.0,
    others_share=0.0,
    object_share=0.0,
    situation=FREE,
    outfit=OutfitConfig(
        sleeve_share=0.0, watch_share=0.0, ring_share=0.0, glove_share=0.0, seated_share=0.0
    ),
    room=RoomConfig(empty_share=1.0, table_share=0.0),
)
"""One free hand with its arm before nothing."""

FULL_ROOM = RoomConfig(empty_share=0.0)

PARTS = {
    "one free hand, nothing else": BARE,
    "two hands": replace(BARE, two_hands_share=1.0),
    "named poses only": replace(BARE, pose=PoseConfig(key_share=1.0, **dict.fromkeys(
        ("gesture_share", "number_share", "asl_share", "grasp_share", "recorded_share",
         "between_share"), 0.0))),
    "a held thing": replace(BARE, situation=replace(FREE, grasp_share=1.0)),
    "a surface or thing touched": replace(BARE, situation=replace(FREE, touch_share=1.0)),
    "two hands together": replace(BARE, situation=replace(FREE, together_share=1.0)),
    "somebody else's hands": replace(BARE, others_share=1.0),
    "two loose things": replace(BARE, object_share=1.0),
    "sleeves, watches, rings, gloves": replace(
        BARE, outfit=OutfitConfig(
            sleeve_share=1.0, watch_share=1.0, ring_share=1.0, glove_share=1.0, seated_share=0.0
        )
    ),
    "lap": replace(BARE, outfit=replace(BARE.outfit, seated_share=1.0)),
    "room, furniture, desks, clutter": replace(BARE, room=FULL_ROOM),
    "default mixture": SceneConfig(),
    "full scenes: two hands, things, a room": SceneConfig(
        two_hands_share=1.0, object_share=1.0, room=FULL_ROOM
    ),
}  # fmt: skip


def main(camera: str = "ego") -> None:
    """Print the table for a camera preset."""
    makers = {
        name: Generator(SynthConfig(frames=1 << 20, seed=1, camera=camera, scene=scene))
        for name, scene in PARTS.items()
    }
    makers["sequences of 32"] = Generator(
        SynthConfig(frames=1 << 20, seed=1, camera=camera, sequence_length=32)
    )
    best = {name: np.full(2, np.inf) for name in makers}
    for maker in makers.values():
        maker.make_table(0, 64)
    for _ in range(ROUNDS):
        for name, maker in makers.items():
            start = time.perf_counter()
            maker.sample(np.arange(FRAMES))
            drawn = time.perf_counter()
            maker.make_table(0, FRAMES)
            spent = drawn - start, time.perf_counter() - drawn
            best[name] = np.minimum(best[name], np.array(spent) / FRAMES)
    base = best["one free hand, nothing else"][1]
    table = Table(
        *("scene", "sampling: us", "whole: us", "more than the first: us", "frames/s"),
        title=f"{describe_machine()}\n{camera}, one core, to Arrow tables in memory",
    )
    for name, (sampling, whole) in best.items():
        table.add_row(
            *(name, f"{1e6 * sampling:,.0f}", f"{1e6 * whole:,.0f}"),
            *(f"{1e6 * (whole - base):+,.0f}", f"{1 / whole:,.0f}"),
        )
    Console(width=110).print(table)


if __name__ == "__main__":
    main(*sys.argv[1:])
