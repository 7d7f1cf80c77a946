"""Kill generation at random moments, restart it, and compare every byte with an undisturbed run.

python -m bench.killing [--kills 20] [--frames 12000] [--seed 1]

A victim is a random worker, which the run must survive, or the parent, which takes its workers with
it. Runs are restarted until the dataset is finished; then the next round starts in a new folder.
"""

import argparse
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console

ROOT: Final = Path(__file__).resolve().parent.parent
WORKERS: Final = 2
END_S: Final = 10.0
"""A killed parent's workers, and a run asked to stop, end within this time."""

STOPPED: Final = {signal.SIGKILL: -9, signal.SIGTERM: 143, signal.SIGINT: 130}
"""Exit codes of a parent."""


@dataclass(frozen=True)
class Settings:
    """What is rendered, and how often it is disturbed."""

    kills: int = 20
    """Runs to kill."""
    frames: int = 12_000
    """Frames of the dataset."""
    frames_per_shard: int = 200
    """Small shards, so that kills hit every stage of one."""
    seed: int = 1
    """Of the dataset and of the moments."""
    moment: tuple[float, float] = (0.2, 0.95)
    """Earliest and latest moment of a kill, as a share of the time of an undisturbed run."""


def soak(settings: Settings, folder: Path, tell: Callable[[str], None]) -> int:
    """Kill `settings.kills` runs in `folder`; returns how many datasets were finished meanwhile.

    Raises AssertionError for a differing byte, a leftover or a process that outlives its parent.
    """
    # In the background of a shell Ctrl-C is ignored, and runs would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    rng = random.Random(settings.seed)
    reference = folder / "undisturbed"
    run = start(settings, reference, workers=1)
    assert run.wait() == 0, read_errors(reference)
    expected = hash_files(reference)
    # Once more with compiled code at hand and all workers: how long a run takes, and that the
    # number of workers changes nothing.
    timed, started = folder / "timed", time.monotonic()
    assert start(settings, timed, WORKERS).wait() == 0, read_errors(timed)
    seconds = time.monotonic() - started
    assert hash_files(timed) == expected, "two workers give other bytes than one"
    kills = rounds = 0
    victims: list[str] = []
    while kills < settings.kills or rounds == 0:
        rounds += 1
        assert rounds <= 5 * settings.kills + 5, "runs end before they can be killed"
        out = folder / f"killed-{rounds}"
        while True:
            run = start(settings, out, WORKERS)
            ended = False
            if kills < settings.kills:
                # Every kind in turn, so that a short soak meets them all.
                victims = victims or rng.sample(["worker", "SIGKILL", "SIGTERM", "SIGINT"], 4)
                delay = seconds * rng.uniform(*settings.moment)
                if disturb(run, victims[0], delay, rng):
                    kills += 1
                    there = sum(1 for _ in (out / "shards").glob("*.parquet"))
                    victim = victims.pop(0)
                    ended = victim != "worker"
                    tell(f"{kills:3}  round {rounds}  {victim:8} {delay:4.1f} s  {there} shards")
            code = run.wait()
            if not ended:
                assert code == 0, f"exit code {code}: {read_errors(out)}"
                break
        assert hash_files(out) == expected, f"{out} differs from an undisturbed run"
        tell(f"     round {rounds}  finished: {len(expected)} files as in the undisturbed run")
        shutil.rmtree(out)
    return rounds


def disturb(run: "subprocess.Popen[bytes]", victim: str, delay: float, rng: random.Random) -> bool:
    """Kill after a delay; False if the run was over. A worker's death must not end the run."""
    try:
        run.wait(delay)
        return False
    except subprocess.TimeoutExpired:
        pass
    children = list_children(run.pid)
    if victim == "worker":
        workers = [pid for pid in children if "spawn_main" in read_command(pid)]
        if not workers:
            return False
        os.kill(rng.choice(workers), signal.SIGKILL)
        return True
    number = signal.Signals[victim]
    run.send_signal(number)
    code = run.wait(END_S)
    if code == 0:
        return False
    # A signal during the interpreter's own start or end is not the command's to handle.
    assert code in (STOPPED[number], -number, 1), f"exit code {code} after {victim}"
    limit = time.monotonic() + END_S
    while alive := [pid for pid in children if is_alive(pid)]:
        assert time.monotonic() < limit, f"{[read_command(p) for p in alive]} outlive {victim}"
        time.sleep(0.02)
    return True


def start(settings: Settings, out: Path, workers: int) -> "subprocess.Popen[bytes]":
    """A run of `handloom synth`; what it says goes into a file beside the folder."""
    command = [
        sys.executable,
        str(ROOT / "handloom.py"),
        "synth",
        str(out),
        "--camera=ego-small",
        f"--frames={settings.frames}",
        f"--frames-per-shard={settings.frames_per_shard}",
        f"--seed={settings.seed}",
        f"--workers={workers}",
    ]
    with out.with_suffix(".log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)


def read_errors(out: Path) -> str:
    """What the last run of a folder said."""
    return out.with_suffix(".log").read_text()


def hash_files(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a dataset, leftovers too; only the lock file is left out."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def list_children(parent: int) -> list[int]:
    """Process ids of a process's children."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            found.append(int(stat.parent.name))
    return found


def read_command(pid: int) -> str:
    """The command line of a process; empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has waited for does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] not in "ZX"


def main() -> None:
    """Soak, and say what happened."""
    parser = argparse.ArgumentParser(description="Kill generation and compare the bytes.")
    parser.add_argument("--kills", type=int, default=Settings.kills)
    parser.add_argument("--frames", type=int, default=Settings.frames)
    parser.add_argument("--seed", type=int, default=Settings.seed)
    given = parser.parse_args()
    settings = Settings(kills=given.kills, frames=given.frames, seed=given.seed)
    console = Console(highlight=False)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        rounds = soak(settings, Path(name), console.print)
    seconds = time.monotonic() - began
    console.print(
        f"{settings.kills} kills, {rounds} datasets of {settings.frames:,} frames, {seconds:.0f} s:"
        " every byte as in an undisturbed run, no leftovers, no orphans"
    )


if __name__ == "__main__":
    main()
