"""Lists and defaults on the pages are those of the code."""

import dataclasses
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from augment.profile import PROFILES
from frames.camera import CAMERAS
from handloom import COMMANDS
from synth.config import SynthConfig
from synth.things.catalogue import KINDS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def read_page(name: str) -> str:
    return (DOCS / name).read_text()


def list_fields(config: Any, lead: str = "") -> dict[str, Any]:
    """Every option of a configuration with its default."""
    found = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        inner = dataclasses.is_dataclass(value)
        name = f"{lead}{field.name}"
        found.update(list_fields(value, f"{name}.") if inner else {name: value})
    return found


def test_every_kind_of_object_is_in_the_table() -> None:
    page = read_page("objects.md")
    table = page[page.index("| group | kinds |") : page.index("Mugs, cups")]
    named = re.findall(r"([a-z][a-z ]*?) \d+-\d+", table)
    assert sorted(named) == sorted(KINDS)
    assert f"the {len(KINDS)} kinds" in page
    assert f"{len(KINDS)} kinds of objects" in (ROOT / "README.md").read_text()


def test_every_sensor_profile_is_in_the_table() -> None:
    page = read_page("sensors.md")
    table = page[page.index("| profile | device |") : page.index("## How it is stored")]
    assert sorted(re.findall(r"^\| `([\w-]+)` \|", table, re.M)) == sorted(PROFILES)


def test_every_camera_preset_is_named() -> None:
    line = re.search(r"^Presets:.*?$\n.*$\n", read_page("conventions.md"), re.M)
    assert line is not None and set(re.findall(r"`([\w-]+)` \(", line[0])) == set(CAMERAS)


def test_every_command_has_a_page() -> None:
    text = "".join(page.read_text() for page in DOCS.rglob("*.md"))
    assert [name for name in COMMANDS if f"handloom {name}" not in text] == []


def test_every_extra_is_in_the_installation() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    page = read_page("index.md")
    table = page[page.index("| extra | for |") : page.index("## All pages")]
    named = re.findall(r"`([\w-]+)`", "".join(re.findall(r"^\|([^|]*)\|", table, re.M)))
    assert sorted(named) == sorted(project["optional-dependencies"])


ROW = re.compile(r"^\| ((?:`[\w.]+`(?:, )?)+) \| ([^|]*) \|", re.M)


@pytest.mark.parametrize(("page", "lead"), [("pose.md", "scene.pose."), ("surroundings.md", "")])
def test_defaults_in_tables_are_the_defaults(page: str, lead: str) -> None:
    options = list_fields(SynthConfig())
    seen = 0
    for names, values in ROW.findall(read_page(page)):
        place = lead
        for name, told in zip(re.findall(r"`([\w.]+)`", names), values.split(", "), strict=False):
            full = name if "." in name else place + name
            if full not in options:
                continue
            place = full.rpartition(".")[0] + "."
            default = options[full]
            known = [float(v) for v in default] if isinstance(default, tuple) else [float(default)]
            assert [float(n) for n in re.findall(r"[\d.]+", told)] == known, full
            seen += 1
    assert seen >= 9
