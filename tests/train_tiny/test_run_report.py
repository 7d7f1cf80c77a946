"""What a run's report says of it, against files that are written here."""

import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from commands import assert_refused, call  # noqa: E402

from frames.errors import BadInput  # noqa: E402
from train_tiny.evaluation.run_report import describe_run, describe_weights  # noqa: E402
from train_tiny.run_folder import FORMAT, read_metrics, write_curves, write_metrics  # noqa: E402
from train_tiny.shipped import FOLDER, HAND_FILE  # noqa: E402


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run that has ended, of data that are gone."""
    folder = tmp_path / "run"
    folder.mkdir()
    asked: dict[str, Any] = {
        "model": {"name": "handlite", "input_px": 128, "mask": True},
        "training": {"steps": 40, "rate": 0.003, "stages": [0.0, 1.0, 0.0]},
        "loading": {"sensor": "random", "validate_data": []},
        "data": [{"source": str(tmp_path / "gone <b>"), "frames": 8}],
    }
    config = {"format": FORMAT, "run": asked, "made": {"torch": "2.13", "commit": None}}
    (folder / "config.json").write_text(json.dumps(config))
    rows = [
        {"step": s, "loss_keypoints": 9.0 / s, "rate": 0.003, "gradient": 1.0, "samples_s": 90.0}
        for s in (10, 20, 30, 40)
    ]
    rows[1] |= {"val_pck": 0.31, "val_auc": 0.25, "val_epe_px": 20.0}
    write_curves(folder, rows)
    write_metrics(
        folder,
        {
            "ended": "all steps are done", "steps": 40, "of_steps": 40, "samples": 1280,
            "seconds": 7260.0, "best_step": 20, "best": rows[1], "last": rows[-1],
        },
    )  # fmt: skip
    return folder


def test_what_stands_at_the_top_is_the_best_validation(run: Path) -> None:
    lead, sections = describe_run(run)
    for text in ("<b>0.310</b>", "<b>0.250</b>", "<b>1,280</b>", "<b>2 h 1 min</b>"):
        assert text in lead
    training, asked = sections
    # Losses, validation, its error, rate, gradient, speed.
    assert "".join(training.parts).count("<img") == 6
    facts = "".join(asked.parts)
    for text in ("handlite (input px 128, mask yes)", "gone &lt;b&gt;", "rate 0.003", "torch 2.13"):
        assert text in facts
    assert "40 of 40 steps, the best at 20" in facts and "None" not in facts


def test_a_run_that_goes_on_has_a_report_too(run: Path) -> None:
    (run / "metrics.json").unlink()
    lead, sections = describe_run(run)
    assert read_metrics(run) == {} and "has not ended" in lead and sections[0].parts
    (run / "curves.csv").unlink()
    assert describe_run(run)[1][0].parts == ()
    (run / "metrics.json").write_text("{")
    with pytest.raises(BadInput, match=r"metrics\.json is not valid JSON"):
        describe_run(run)


def test_without_data_the_page_says_so(run: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "run.html"
    result = call(capsys, "report", run, "--out", out, "--json")
    assert result.code == 0, result.err
    assert json.loads(result.out) == {"out": str(out), "kind": "run", "bytes": out.stat().st_size}
    assert "Not scored: its data have no test or val split" in out.read_text()
    wrong = call(capsys, "report", run, "--out", out, "--data", tmp_path / "none")
    assert_refused(wrong)


def test_weights_say_where_they_come_from(tmp_path: Path, capsys) -> None:
    from train_tiny.training.subject import load_subject

    path = FOLDER / HAND_FILE
    subject = load_subject(path)
    lead, sections = describe_weights(subject, path)
    assert f"{sum(p.numel() for p in subject.net.parameters()):,}" in lead and "kB" in lead
    assert "handlite" in "".join(sections[0].parts)
    out = tmp_path / "shipped.html"
    assert call(capsys, "report", "shipped", "--out", out).code == 0
    assert "Not scored: name a dataset" in out.read_text()
