"""The wheel and the sdist: what is in them, and that a wheel alone makes, checks and shows data.

The wheel is installed into a folder of its own, and runs without this repository: only what it
depends on comes from the environment that runs the tests.
"""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("hatchling")

ROOT = Path(__file__).resolve().parent.parent
ROOMS = {"augment", "console", "frames", "labeling", "synth", "train_tiny"}

DATA = (
    *("synth/hand/hand.npz", "synth/hand/webxr.npz", "synth/pose/recorded.json"),
    *("frames/viewing/page.html", "labeling/label_studio_constraints.txt"),
    *("train_tiny/shipped/handlite.safetensors", "train_tiny/shipped/finder.safetensors"),
    *("augment/profiles/d435.toml", "augment/profiles/random.toml"),
)
"""Files that are read at run time."""


def run(*command: object, **options: object) -> str:
    """What a command prints on stdout; its stderr is told if it fails."""
    done = subprocess.run(
        [str(c) for c in command], capture_output=True, text=True, timeout=1200, **options
    )
    assert done.returncode == 0, f"{command}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def build(folder: Path, source: Path, kind: str) -> Path:
    """A wheel or an sdist of a source tree."""
    run(sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", folder, cwd=source)
    (found,) = folder.iterdir()
    return found


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel"), ROOT, "wheel")


def list_wheel(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_wheel_has_what_runs_and_nothing_else(wheel: Path) -> None:
    there = list_wheel(wheel)
    version = importlib.metadata.version("handloom")
    info = f"handloom-{version}.dist-info"
    assert {name.split("/")[0] for name in there} == {*ROOMS, "handloom.py", info}
    # Whatever lies in the rooms here is in it, and what lies beside them is not.
    kept = run("git", "-C", ROOT, "ls-files", *ROOMS).split() if (ROOT / ".git").exists() else DATA
    assert set(kept) <= set(there)
    assert set(DATA) <= set(there)
    assert all(there[name] == (ROOT / name).read_bytes() for name in DATA)
    licences = {name.partition("/licenses/")[2] for name in there if "/licenses/" in name}
    wanted = {p.relative_to(ROOT).as_posix() for p in (ROOT / "LICENSES").iterdir()}
    assert licences == {"LICENSE", *wanted}
    assert b"handloom = handloom:main" in there[f"{info}/entry_points.txt"]


def test_metadata_agree_with_the_code(wheel: Path) -> None:
    told = next(d for n, d in list_wheel(wheel).items() if n.endswith("METADATA")).decode()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    least = re.search(r"Requires-Python: >=(3\.\d+)", told)
    assert least is not None
    assert project["tool"]["mypy"]["python_version"] == least[1]
    assert project["tool"]["ruff"]["target-version"] == "py" + least[1].replace(".", "")
    named = re.findall(r"Programming Language :: Python :: (3\.\d+)", told)
    assert named[0] == least[1] and f"3.{sys.version_info.minor}" in named
    makefile = (ROOT / "Makefile").read_text()
    assert f"Python {least[1]} or newer" in makefile and f"Python {least[1]}" in told
    extras = set(re.findall(r"Provides-Extra: (\S+)", told))
    assert extras == set(project["project"]["optional-dependencies"])
    for extra in set(re.findall(r"\.\[([a-z0-9,-]+)\]", makefile)):
        assert set(extra.split(",")) <= extras, extra


def test_the_sdist_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    sdist = build(tmp_path / "sdist", ROOT, "sdist")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
        archive.extractall(tmp_path / "source", filter="data")
    assert not any(name.startswith((".ci", "out/", ".git/")) for name in names)
    assert {"tests/test_release.py", "Makefile", "constraints.txt", "docs/index.md"} <= names
    (source,) = (tmp_path / "source").iterdir()
    assert list_wheel(build(tmp_path / "again", source, "wheel")) == list_wheel(wheel)


SMOKE = """
import sys
from pathlib import Path

import augment, console, frames, labeling, synth, train_tiny, handloom

home = Path(sys.argv[1])
for room in (augment, console, frames, labeling, synth, train_tiny, handloom):
    assert home in Path(room.__file__).parents, room.__file__

from augment import open_sensed
from frames import open_dataset

data = open_dataset("clean")
assert len(data) == 12 and data[3].clean_depth.shape == (120, 160)
assert sum(len(batch["frame_id"]) for batch in data.batches(size=5)) == 12
assert all(h.keypoints_px.shape == (21, 2) for f in data for h in f.hands)
noisy = open_sensed("noisy")
assert noisy[3].depth is not None and (noisy[3].depth != data[3].clean_depth).any()
"""


def take_kernels(home: Path) -> None:
    """The same sources have the same kernels: those of this repository, compiled here if they are
    not yet, for all tests need them.

    numba looks at a source's time, frames.kernels at its text.
    """
    made = ("--frames", 2, "--camera", "ego-small", "--sensor", "d435", "--workers", 1)
    run(sys.executable, ROOT / "handloom.py", "synth", home.parent / "first", *made)
    for room in ROOMS:
        for source in (ROOT / room).rglob("*.py"):
            time = source.stat().st_mtime_ns
            os.utime(home / source.relative_to(ROOT), ns=(time, time))
        for kept in (ROOT / room).rglob("__pycache__/*"):
            if kept.suffix in (".nbi", ".nbc", ".json"):
                copy = home / kept.relative_to(ROOT)
                copy.parent.mkdir(exist_ok=True)
                shutil.copyfile(kept, copy)


@pytest.mark.slow
def test_a_wheel_alone_makes_checks_and_shows_data(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:  # as pip does with a wheel of pure Python
        archive.extractall(home)
    take_kernels(home)
    work = tmp_path / "work"
    work.mkdir()
    # Site packages have a link to this repository: the wheel's folder comes before it.
    environment = {**os.environ, "PYTHONPATH": str(home), "PYTHONSAFEPATH": "1"}

    def call(*arguments: object) -> str:
        start = "import sys, handloom; sys.argv[0] = 'handloom'; handloom.main()"
        return run(sys.executable, "-c", start, *arguments, cwd=work, env=environment)

    assert call("--version").split() == ["handloom", importlib.metadata.version("handloom")]
    made = ("--frames", 12, "--seed", 5, "--camera", "ego-small", "--workers", 1)
    call("synth", "clean", *made)
    assert "sound" in call("verify", "clean", "--rerender", 2)
    call("augment", "clean", "noisy", "--sensor", "d435", "--workers", 1)
    assert "12" in call("stats", "noisy")
    call("view", "clean", "--out", "sheet.png")
    assert (work / "sheet.png").read_bytes().startswith(b"\x89PNG")
    call("export", "clean", "coco", "--format", "coco", "--workers", 1)
    (work / "smoke.py").write_text(SMOKE)
    run(sys.executable, "smoke.py", home, cwd=work, env=environment)
