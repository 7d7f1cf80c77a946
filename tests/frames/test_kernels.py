"""Machine code goes with its source, and with the sources of what it calls."""

from pathlib import Path

import pytest

from frames.kernels import digest_modules, drop_stale_kernels

SOURCES = {
    "frames/__init__.py": "",
    "synth/__init__.py": "",
    "synth/constant.py": "STEP = 1\n",
    "synth/inner.py": "from synth.constant import (\n    STEP,\n)\n",
    "synth/outer.py": "from synth import inner\n",
    "synth/apart.py": "import numpy\n",
    "frames/scale.py": "SCALE = 1\n",
    "augment/noise.py": "from frames.scale import SCALE\n",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in SOURCES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    cache = tmp_path / "synth" / "__pycache__"
    cache.mkdir()
    for name in ("inner", "outer", "apart"):
        (cache / f"{name}.f-1.py311.nbi").write_text("index")
        (cache / f"{name}.f-1.py311.1.nbc").write_text("code")
    return tmp_path


def _kept(tree: Path) -> set[str]:
    return {p.name.split(".")[0] for p in (tree / "synth" / "__pycache__").glob("*.nb?")}


def test_first_look_drops_what_nobody_vouches_for(tree: Path) -> None:
    assert "synth.outer" in drop_stale_kernels(tree)
    assert not _kept(tree)


def test_a_changed_constant_reaches_all_that_import_it(tree: Path) -> None:
    (tree / "synth" / "__pycache__" / "apart.f-1.py311.nbi").touch()
    before = digest_modules(tree)
    (tree / "synth" / "constant.py").write_text("STEP = 2\n")
    after = digest_modules(tree)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"synth.constant", "synth.inner", "synth.outer"}


def test_every_room_is_looked_at(tree: Path) -> None:
    before = digest_modules(tree)
    (tree / "frames" / "scale.py").write_text("SCALE = 2\n")
    after = digest_modules(tree)
    assert {n for n in after if after[n] != before[n]} == {"frames.scale", "augment.noise"}


def test_what_did_not_change_is_kept(tree: Path) -> None:
    drop_stale_kernels(tree)
    cache = tree / "synth" / "__pycache__"
    for name in ("inner", "outer", "apart"):
        (cache / f"{name}.f-1.py311.nbi").write_text("index")
    assert drop_stale_kernels(tree) == []
    assert _kept(tree) == {"inner", "outer", "apart"}
    (tree / "synth" / "constant.py").write_text("STEP = 3\n")
    drop_stale_kernels(tree)
    assert _kept(tree) == {"apart"}
    assert not list((tree / "frames" / "__pycache__").glob("kernels.json.*"))


def test_the_packages_themselves_have_digests() -> None:
    digests = digest_modules(Path(__file__).parents[2])
    assert {"synth.generator", "synth.raster.keys", "frames.stream"} <= digests.keys()
    assert all(len(d) == 64 for d in digests.values())
