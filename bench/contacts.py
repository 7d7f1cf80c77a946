#!/usr/bin/env python3
"""How deep hands are in what they touch, and how many parts are on it: by labels and by meshes.

python -m bench.contacts [FRAMES] [SAMPLE]    prints a table per situation.

Labels are the `contact_gap_m` of FRAMES scenes (10,000); the meshes of SAMPLE of these hands (600),
vertex by vertex in float64: closest triangles, and winding numbers for inside and outside.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.render import describe_machine
from synth.config import SynthConfig
from synth.contacts import measure_contacts
from synth.generator import Generator
from synth.hand.kinematics import pose_hands
from synth.pose.feix import GRASPS
from synth.rigid import invert_rigid, multiply
from synth.scene.situation import GRASP, TOGETHER, TOUCH
from tests.synth.contact.witness import measure

BATCH = 256
NEAR_M, DEEP_M = 0.002, 0.003


@dataclass(frozen=True)
class Row:
    """One hand."""

    what: str
    gap_m: np.ndarray
    """(17,) by the labels."""
    mesh_m: np.ndarray | None
    """(17,) by the mesh, where it was measured."""


def main(frames: int = 10_000, sample: int = 600) -> None:
    """Print the table."""
    maker = Generator(SynthConfig(frames=1 << 20, seed=0))
    rows: list[Row] = []
    # About six hands in ten frames are with a thing.
    measured, every = 0, max(1, round(0.6 * frames / sample))
    for start in range(0, frames, BATCH):
        found = look(maker, np.arange(start, min(start + BATCH, frames)), every)
        for row in found:
            rows.append(row)
            measured += row.mesh_m is not None
    table = Table(
        *("situation", "by", "hands", "median mm", "p99", "deepest", "> 3 mm", ">= 2 near", ">= 3"),
        title=f"{describe_machine()}\n{frames:,} frames, {measured} hands on the mesh",
    )
    names = sorted({row.what for row in rows})
    for name in [*names, "all grasps"]:
        own = [r for r in rows if r.what == name or (name[:3] == "all" and r.what[:5] == "grasp")]
        table.add_row(name, "labels", *summarise([r.gap_m for r in own]))
        seen = [r.mesh_m for r in own if r.mesh_m is not None]
        if seen:
            table.add_row("", "mesh", *summarise(seen))
    Console(width=120).print(table)


def look(maker: Generator, ids: np.ndarray, every: int) -> list[Row]:
    """Hands of these frames that touch something; one in a few of them on the mesh."""
    studio, scenes = maker.studio, maker.sample(ids)
    hands = scenes.hands
    pose = multiply(invert_rigid(scenes.T_world_from_camera)[hands.frame], hands.T_world_from_wrist)
    vertices, _ = pose_hands(maker.rig, hands.identity, hands.angles, pose, hands.left)
    gap = measure_contacts(studio, scenes, vertices, pose)
    still = np.tile(np.eye(4), (len(pose), 1, 1))
    local, _ = pose_hands(maker.rig, hands.identity, hands.angles, still, hands.left)
    out = []
    for n in np.flatnonzero(hands.action > 0):
        solid = hands.solid[n]
        mesh = None
        if solid >= 0 and (ids[hands.frame[n]] * 7 + n) % every == 0:
            thing = studio.stock.solids[solid].model
            mesh = measure(maker.rig, local[n], thing, hands.T_wrist_from_object[n]).gap_m
        out.append(
            Row(name_of(hands.action[n], hands.grasp[n], solid, hands.edge[n]), gap[n], mesh)
        )
    return out


def name_of(action: int, grasp: int, solid: int, edge: np.ndarray) -> str:
    """What a hand does, in words."""
    if action == GRASP:
        return f"grasp: {GRASPS[grasp].name}"
    if action == TOUCH:
        on = "edge" if not np.isnan(edge[0]) else "surface"
        return f"touch: {'thing' if solid >= 0 else on}"
    return "together: " + ("one thing" if action == TOGETHER and solid >= 0 else "hands")


def summarise(gaps: Sequence[np.ndarray]) -> list[str]:
    """Cells of a row."""
    gap = np.stack(gaps)
    deep = np.maximum(0.0, -np.where(np.isnan(gap), 1.0, gap).min(1))
    near = (gap <= NEAR_M).sum(1)
    return [
        f"{len(gap):,}",
        *(f"{1000 * np.quantile(deep, q):.2f}" for q in (0.5, 0.99, 1.0)),
        f"{100 * (deep > DEEP_M).mean():.2f} %",
        f"{100 * (near >= 2).mean():.1f} %",
        f"{100 * (near >= 3).mean():.1f} %",
    ]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
