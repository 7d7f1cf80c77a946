"""What each ingredient brings: networks trained alike but for one thing, on the same test hands.

    python -m bench.ablation OUT [--frames 100000] [--steps 10000] [--seeds 3] [--only NAME ...]

Every variant has its own run of `handloom train` a seed and one line of the table: scores on hands
of new people, things and rooms, read by a sensor drawn for every frame; and how far its PCK lies
from that of the network with everything on, seed by seed, whose hands came in the same order. Runs
that are there are not made again: a stopped table goes on with the same command, and other calls
may add variants and seeds.
"""

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

TASKS: Final = ("mask", "visibility", "side", "key_pose", "depth")
NO_TASKS: Final = tuple(f"{task}=false" for task in TASKS)
SEED: Final = 2_026
SPLIT: Final = "train:0.9,val:0.02,test:0.08"
SCORES: Final = (("pck", "PCK@0.2"), ("auc", "AUC"), ("epe_px", "px"), ("epe_mm", "mm, 3D"))


@dataclass(frozen=True)
class Variant:
    """One thing changed."""

    told: str
    train: tuple[str, ...] = ()
    """Arguments of `handloom train`; later ones win."""
    synth: tuple[str, ...] = ()
    """Arguments of `handloom synth` for training data of its own."""


VARIANTS: Final = {
    "all": Variant("everything on"),
    "keypoints": Variant("no auxiliary tasks", ("--network", *NO_TASKS)),
    "no-depth": Variant("no depth head", ("--network", "depth=false")),
    "whole-crop": Variant("heads read the whole crop", ("--network", "local=false")),
    "gradnorm": Variant("tasks weighed by GradNorm", ("--balance", "gradnorm")),
    "one-stage": Variant("everything taught throughout", ("--stages", "0", "1", "0")),
    "no-sensor": Variant("clean depth", ("--sensor", "none")),
    "no-occlusion": Variant("no occluders, borders, patches", ("--no-occlusion",)),
    "no-geometry": Variant("no turns, zooms, mirrors", ("--no-geometry",)),
    "no-grasps": Variant(
        "free hands only",
        synth=(
            *("--scene.situation.grasp-share", "0", "--scene.situation.touch-share", "0"),
            *("--scene.situation.together-share", "0", "--scene.object-share", "0"),
        ),
    ),
    "no-backgrounds": Variant(
        "nothing behind the hands",
        synth=(
            *("--scene.room.empty-share", "1", "--scene.room.close-share", "0"),
            *("--scene.room.table-share", "0"),
        ),
    ),
    "mobilenetv2": Variant("MobileNetV2-1.0", ("--model", "mobilenetv2")),
}


def call(*arguments: str) -> str:
    """A command of handloom; its standard output. Its errors are its own."""
    done = subprocess.run(
        [sys.executable, "-m", "handloom", *arguments], stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout


def make_data(folder: Path, frames: int, changes: tuple[str, ...]) -> Path:
    """A dataset with splits; made once."""
    common = ("--frames", str(frames), "--seed", str(SEED), "--split", SPLIT)
    people = ("--identities", "1024", "--variants", "12")
    call("synth", str(folder), *common, *people, *changes, "--json")
    return folder


def score(out: Path, name: str, seed: int, options: argparse.Namespace) -> dict[str, float]:
    """Train and score one network, or read what it reached."""
    variant, run = VARIANTS[name], out / "runs" / f"{name}-{seed}"
    there = run / "test.json"
    if not there.exists():
        test = make_data(out / "data", options.frames, ())
        data = test
        if variant.synth:
            data = make_data(out / f"data-{name}", options.frames, variant.synth)
        common = (
            *("--steps", str(options.steps), "--batch", str(options.batch), "--workers", "1"),
            *("--threads", str(options.threads), "--views", "2"),
        )
        call(
            *("train", str(run), "--data", str(data), "--seed", str(seed), "--sensor", "random"),
            *(*common, "--validate-crops", "512", *variant.train, "--json"),
        )
        scores = call(
            *("eval", str(run), "--data", str(test), "--split", "test", "--sensor", "random"),
            *("--hands", str(options.hands), "--json"),
        )
        there.write_text(scores)
    found = json.loads(there.read_text())
    return {key: found[key] for key, _ in SCORES}


def main() -> None:
    """Print the table, a line as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--hands", type=int, default=8_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", nargs="*", choices=sorted(VARIANTS), default=list(VARIANTS))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    print(f"{options.steps:,} steps of {options.batch}; mean and standard deviation of seeds")
    heads = [*(told for _, told in SCORES), "PCK from all"]
    print("| variant | " + " | ".join(heads) + " |")
    print("|---|" + "---|" * len(heads))
    for name in options.only:
        rows = [score(options.out, name, seed, options) for seed in range(options.seeds)]
        cells = [tell([row[key] for row in rows]) for key, _ in SCORES]
        there = [read_score(options.out, "all", seed) for seed in range(options.seeds)]
        pairs = zip(rows, there, strict=True)
        away = [row["pck"] - full["pck"] for row, full in pairs if full is not None]
        cells.append("" if name == "all" or not away else tell(away, "+"))
        print(f"| {VARIANTS[name].told} | " + " | ".join(cells) + " |", flush=True)


def read_score(out: Path, name: str, seed: int) -> dict[str, float] | None:
    """What a run reached; None before it is there."""
    there = out / "runs" / f"{name}-{seed}" / "test.json"
    return json.loads(there.read_text()) if there.exists() else None


def tell(values: list[float], sign: str = "") -> str:
    """Mean and, of several, standard deviation."""
    spread = f" +- {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
    return f"{np.mean(values):{sign}.3f}{spread}"


if __name__ == "__main__":
    main()
