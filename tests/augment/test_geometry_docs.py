"""What docs/geometry.md says of defaults is so, and its code runs."""

import re
from dataclasses import fields
from pathlib import Path

from augment.geometry.training import TrainingGeometry
from synth.config import SynthConfig
from synth.engine import generate

PAGE = (Path(__file__).parents[2] / "docs" / "geometry.md").read_text("utf-8")


def test_ranges_are_those_of_the_table() -> None:
    told = dict(re.findall(r"`(\w+_range\w*)` (\([^)]*\))", PAGE.split("## Images")[0]))
    ours = {f.name: f.default for f in fields(TrainingGeometry) if "_range" in f.name}
    assert {name: eval(value) for name, value in told.items()} == ours


def test_the_example_runs(tmp_path: Path) -> None:
    code = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]
    generate(tmp_path / "demo", SynthConfig(frames=4, camera="ego-small", identities=4), workers=1)
    exec(code.replace("out/demo/data", str(tmp_path / "demo")), {})
