"""Small datasets to load from."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from synth.config import SynthConfig
from synth.engine import generate

collect_ignore = (
    []
    if find_spec("torch")
    else [f"test_{n}.py" for n in ("loading", "live", "eval_loading", "full_frames")]
)


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """160 frames of clean depth in five shards: 128 to train on, 32 to validate."""
    folder = tmp_path_factory.mktemp("rendered") / "data"
    config = SynthConfig(
        frames=160, seed=11, camera="ego-small", identities=8, variants=1, frames_per_shard=32,
        split="train:0.8,val:0.2",
    )  # fmt: skip
    generate(folder, config, 1)
    return folder
