"""The examples of docs/extending.md do what the page says, within the tools that they extend."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from augment import open_sensed, profile, sensor
from synth.config import SynthConfig
from synth.generator import Generator
from synth.things import catalogue
from tests.frames.fabricate import write_dataset

PAGE = Path(__file__).parents[1] / "docs" / "extending.md"


def read_block(language: str, containing: str) -> str:
    """The page's code block that contains a text."""
    blocks = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return next(b for b in blocks if containing in b)


def run_block(containing: str) -> dict[str, Any]:
    """What a block of Python defines."""
    names: dict[str, Any] = {"__name__": "extending"}
    exec(compile(read_block("python", containing), str(PAGE), "exec"), names)
    return names


def test_a_profile_and_a_mixture_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = write_dataset(tmp_path / "data", 12, 12)
    (tmp_path / "mine.toml").write_text(read_block("toml", "near-range"))
    (tmp_path / "both.toml").write_text(read_block("toml", "two-cameras"))
    monkeypatch.chdir(tmp_path)
    near = open_sensed(data, sensor="mine.toml")[0]
    clean_m = near.clean_depth / near.depth_scale
    inside = (clean_m >= 0.2) & (clean_m <= 1.2)
    np.testing.assert_array_equal(near.depth, np.where(inside, near.clean_depth, 0))
    drawn = {frame.sensor for frame in open_sensed(data, sensor="both.toml").stream()}
    assert drawn == {"d435", "near-range"}


def test_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = run_block("sense_white")
    monkeypatch.setitem(profile.MODELS, "white", made["White"])
    monkeypatch.setitem(sensor._SENSES, made["White"], made["sense_white"])
    file = tmp_path / "white.toml"
    file.write_text(
        'name = "white"\nmodel = "white"\nabout = "A test."\n'
        '[sigma_m]\nvalue = 0.004\nunit = "m"\nsource = "choice"\n'
    )
    data = open_sensed(write_dataset(tmp_path / "data", 4, 4), sensor=str(file))
    frame, again = data[1], data[1]
    np.testing.assert_array_equal(frame.depth, again.depth)
    there = frame.clean_depth > 0
    z = frame.clean_depth[there] / frame.depth_scale
    off = (frame.depth[there] / frame.depth_scale - z) / (0.004 * z * z)
    assert abs(off.std() - 1) < 5 / np.sqrt(2 * off.size)  # rounding adds less than that
    assert abs(off.mean()) < 5 / np.sqrt(off.size)
    assert (frame.depth[~there] == 0).all() and frame.invalid[~there].all()


def test_a_kind_of_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(catalogue.KINDS, "candle", run_block("make_candle")["make_candle"])
    candle = catalogue.build_solid(3, "candle", 0)
    assert 0.12 <= candle.extent_m[2] <= 0.25 and not candle.upright
    (handle,) = candle.handles
    np.testing.assert_allclose(2 * handle.half_m, candle.extent_m, rtol=0.02)
    # It is grasped: nothing but candles is there to be held.
    for kind in [k for k in catalogue.KINDS if k != "candle"]:
        monkeypatch.delitem(catalogue.KINDS, kind)
    catalogue.build_catalogue.cache_clear()
    try:
        maker = Generator(SynthConfig(frames=64, camera="ego-small", identities=4))
        rows = maker.make_table(0, 48).to_pylist()
        hands = [(row, hand) for row in rows for hand in row["hands"] if hand["held"] is not None]
        held = {row["objects"][hand["held"]]["name"] for row, hand in hands}
    finally:
        catalogue.build_catalogue.cache_clear()
    assert "candle-0" in held


def test_a_network() -> None:
    torch = pytest.importorskip("torch", reason="pip install 'handloom[train]'")
    from tests.train_tiny.drawn_hands import draw_crops
    from train_tiny.losses.tasks import measure_losses

    net = run_block("class Plain")["Plain"]()
    images, targets = draw_crops(4)
    first = measure_losses(net(images), targets)
    assert set(first) == {"keypoints"}
    optimiser = torch.optim.Adam(net.parameters(), 1e-3)
    for _ in range(20):
        optimiser.zero_grad()
        loss = measure_losses(net(images), targets)["keypoints"]
        loss.backward()
        optimiser.step()
    assert loss < first["keypoints"]
