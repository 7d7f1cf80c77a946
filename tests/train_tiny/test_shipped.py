"""The weights that come along: small, whole, and as good as the documents say."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from synth.config import SynthConfig  # noqa: E402
from synth.engine import generate  # noqa: E402
from train_tiny.eval_loading import EVALUATION, make_eval_loader  # noqa: E402
from train_tiny.evaluation import evaluate, load_subject  # noqa: E402
from train_tiny.loading import open_sources  # noqa: E402
from train_tiny.shipped import FOLDER, HAND_FILE, load_hand_net  # noqa: E402
from train_tiny.weights import MOST_BYTES  # noqa: E402


def test_the_file_is_within_its_budget_and_says_how_it_was_made() -> None:
    assert (FOLDER / HAND_FILE).stat().st_size <= MOST_BYTES
    found = load_hand_net("shipped")
    assert found.name == "handlite"
    assert found.provenance["seed"] == 2
    assert "--sensor random" in json.dumps(found.provenance)


def test_it_finds_the_keypoints_of_hands_that_it_never_saw(tmp_path: Path) -> None:
    """PCK@0.2 was 0.766 on 6,041 test hands; a hand's own rate varies by 0.25 or so."""
    config = SynthConfig(frames=160, seed=77, camera="ego", identities=64)
    generate(tmp_path / "data", config, 1)
    how = replace(EVALUATION, batch=32, split=None, sensor="random")
    batches = make_eval_loader(open_sources([tmp_path / "data"]), how, 5, 0)
    scores, _ = evaluate(load_subject(FOLDER / HAND_FILE), batches, torch.device("cpu"))
    within = scores.error_palms < 0.2
    known = np.isfinite(scores.error_palms)
    rates = within.sum(1)[known.any(1)] / known.sum(1)[known.any(1)]
    error = rates.std() / np.sqrt(len(rates))
    assert len(rates) > 150
    assert rates.mean() == pytest.approx(0.766, abs=4 * error)
    assert 4 * error < 0.1
