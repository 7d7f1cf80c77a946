"""Every command and every example of the tutorials, and of the page on sensors, runs as it stands,
in the page's order."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.M | re.S)
PAGES = [*sorted((ROOT / "docs" / "tutorials").glob("*.md")), ROOT / "docs" / "sensors.md"]
TORCH = {"training"}
"""Pages whose commands need it."""


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_tutorial_runs(page: Path, tmp_path: Path):
    if page.stem in TORCH:
        pytest.importorskip("torch", reason="pip install 'handloom[train]'")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "out").mkdir()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "OMP_NUM_THREADS": "1"}
    blocks = BLOCK.findall(page.read_text())
    assert blocks
    for kind, code in blocks:
        shell = ["bash", "-euo", "pipefail", "-c", code]
        done = subprocess.run(
            shell if kind == "sh" else [sys.executable, "-c", code],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=900,
        )
        assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"
