"""The example of a SLURM array, its variables set by hand: parts made apart are one dataset."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from fabricated_job import FabricatedJob

from frames.checks.verify import verify_dataset
from frames.engines.filling import fill_dataset
from frames.store.folder import finished_shards

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "slurm.sbatch"

FAKE = """#!/bin/sh
echo "$@" >> "$CALLS"
"""
"""Stands for the command: what matters is what it is called with."""


def submit(folder: Path, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """One task of an array, as SLURM would run it."""
    command = folder / "handloom"
    command.write_text(FAKE)
    command.chmod(0o755)
    clean = {k: v for k, v in os.environ.items() if not k.startswith("SLURM_")}
    path = f"{folder}{os.pathsep}{clean['PATH']}"
    return subprocess.run(
        ["bash", SCRIPT, *arguments],
        env={**clean, "PATH": path, "CALLS": str(folder / "calls"), **variables},
        capture_output=True,
        text=True,
    )


def submit_array(folder: Path, first: int, count: int) -> list[list[str]]:
    """All its tasks; what each called the command with."""
    for task in range(first, first + count):
        done = submit(
            folder,
            *("out", "--frames", "44"),
            SLURM_ARRAY_TASK_ID=str(task),
            SLURM_ARRAY_TASK_MIN=str(first),
            SLURM_ARRAY_TASK_COUNT=str(count),
            SLURM_CPUS_PER_TASK="3",
        )
        assert done.returncode == 0, done.stderr
    return [line.split() for line in (folder / "calls").read_text().splitlines()]


@pytest.mark.parametrize("first", [0, 1, 7])
def test_parts_made_apart_are_one_dataset(first: int, tmp_path: Path) -> None:
    job, whole = FabricatedJob(), tmp_path / "whole"
    fill_dataset(whole, job, 1)
    merged = tmp_path / "merged"
    found: set[int] = set()
    for place, call in enumerate(submit_array(tmp_path, first, 2)):
        assert call[:4] == ["synth", "out", "--frames", "44"]
        assert call[call.index("--workers") + 1] == "3"
        part = tmp_path / f"part{place}"  # machines that share no folder
        fill_dataset(part, job, 1, call[call.index("--shard-range") + 1])
        assert not found & finished_shards(part)
        found |= finished_shards(part)
        shutil.copytree(part, merged, dirs_exist_ok=True)
    assert found == set(range(11))
    assert verify_dataset(merged).sound
    for path in whole.rglob("*"):
        if path.is_file():
            assert (merged / path.relative_to(whole)).read_bytes() == path.read_bytes()


def test_outside_of_an_array_it_says_so(tmp_path: Path) -> None:
    done = submit(tmp_path, "out")
    assert done.returncode != 0 and "--array=1-N" in done.stderr
