"""Compiling stopped in the middle, and compiled code that is damaged: one line each."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def run(script: str, folder: Path, **more: str) -> "subprocess.CompletedProcess[str]":
    """A script as a process of its own; written once, for numba looks at its time."""
    path = folder / "script.py"
    if not path.exists():
        path.write_text(textwrap.dedent(script))
    return subprocess.run(
        [sys.executable, path],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT), **more},
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after", ["time.sleep(60)", "raise RuntimeError('no object yet')"])
def test_an_interrupt_within_the_compiler(number: int, after: str, tmp_path: Path) -> None:
    """LLVM calls back into Python, where an interrupt is lost: it comes again, or what follows from
    its loss is not told."""
    script = f"""
        import ctypes, os, sys, time
        import handloom

        @ctypes.CFUNCTYPE(None)
        def call_back():
            os.kill(os.getpid(), {int(number)})
            for _ in range(1000):
                pass

        def compile_kernels(arguments):
            call_back()
            {after}

        handloom.find_command = lambda name: compile_kernels
        sys.argv = ["handloom", "synth"]
        handloom.main()
    """
    done = run(script, tmp_path)
    assert done.returncode == 128 + number, done.stderr
    assert done.stderr.startswith("handloom: interrupted;") and done.stderr.count("\n") == 1


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
def test_damaged_code_is_told_in_one_line(suffix: str, tmp_path: Path) -> None:
    script = """
        import sys
        import handloom
        from numba import njit

        @njit(cache=True)
        def double(x):
            return 2 * x

        def call(arguments):
            print(double(21))

        handloom.find_command = lambda name: call
        sys.argv = ["handloom", "synth"]
        handloom.main()
    """
    cache = tmp_path / "cache"
    assert run(script, tmp_path, NUMBA_CACHE_DIR=str(cache)).stdout == "42\n"
    (kept,) = cache.rglob(f"*{suffix}")
    data = kept.read_bytes()
    kept.write_bytes(data[: len(data) // 2])
    again = run(script, tmp_path, NUMBA_CACHE_DIR=str(cache))
    assert again.returncode == 2 and again.stdout == "", again
    assert again.stderr.count("\n") == 1 and f"remove {cache}" in again.stderr
