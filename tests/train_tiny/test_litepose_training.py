"""LitePose learns drawn frames by heart, and is trained and scored by the commands."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from commands import call  # noqa: E402
from drawn_frames import draw_frames  # noqa: E402
from drawn_hands import Silence  # noqa: E402

from frames.errors import BadInput  # noqa: E402
from train_tiny.evaluation.frame_validation import HeldFrames, list_labels, validate_frames  # noqa: E402
from train_tiny.finding.hand_finder import HandFinder  # noqa: E402
from train_tiny.losses.full_frames import FAR_M, NEAR_M, FrameTargets  # noqa: E402
from train_tiny.models import build_model, weigh_heatmaps  # noqa: E402
from train_tiny.run_folder import WEIGHTS_NAME  # noqa: E402
from train_tiny.training.config import TrainingConfig  # noqa: E402
from train_tiny.training.loop import train  # noqa: E402
from train_tiny.weights import load_weights  # noqa: E402

CPU = torch.device("cpu")
SMALL = {"stem": 8, "stages": [8, 12, 16, 16], "deconv": [16, 16, 16], "blocks": [1, 1, 1, 1],
         "kernel": 3, "expansion": 3}  # fmt: skip
OPTIONS = ("stem=8", "stages=[8,8,8,8]", "deconv=[8,8,8]", "blocks=[1,1,1,1]", "kernel=3",
           "size_px=[64,48]")  # fmt: skip


@dataclass
class FramesFeed:
    """The same frames again and again."""

    images: torch.Tensor
    targets: FrameTargets
    batches: int = 2

    def read(self, epoch: int, start: int) -> Iterator[tuple[torch.Tensor, Any]]:
        """Every batch has half of them."""
        for k in range(start, self.batches):
            rows = slice(k, None, self.batches)
            there = {n: v[rows] for n, v in vars(self.targets).items() if v is not None}
            yield self.images[rows], FrameTargets(**there)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_few_frames_are_learnt_by_heart(weighted: bool, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    images, targets = draw_frames(6)
    labels = list(list_labels(targets))
    held = HeldFrames(images.half(), labels)
    model = build_model("litepose-xs", SMALL | {"size_px": [96, 64]})
    model = weigh_heatmaps(model) if weighted else model
    # Errors that have become small weigh little: the last pixels take longer.
    steps = 480 if weighted else 240
    config = TrainingConfig(
        *(steps, 0.0, 3), rate=0.012, warm_up=10, average=0.9, validate_every=steps, log_every=50
    )
    metrics = train(
        model, FramesFeed(images, targets), lambda net: validate_frames(net, held, CPU), config,
        tmp_path, CPU, Silence(),
    )  # fmt: skip
    best = metrics["best"]
    # Ten hands; a network that has learnt nothing finds none.
    assert best["val_recall"] >= 0.8 and best["val_precision"] >= 0.8 and best["val_ap50"] >= 0.7
    assert best["val_score"] == pytest.approx(best["val_ap"] + 1e-3 * 0.9, abs=1.1e-4)
    # And so does the file of weights, in a frame of another size.
    finder = HandFinder.load(tmp_path / WEIGHTS_NAME)
    near = images[0, 0].numpy()
    depth = np.where(near > 0, FAR_M - near * (FAR_M - NEAR_M), 0).astype(np.float32)
    found = finder(np.kron(depth, np.ones((2, 2), np.float32)))
    assert len(found) == 2
    for px in labels[0].keypoints_px:
        away = [np.linalg.norm(one.keypoints_px - (2 * px + 0.5), axis=-1).mean() for one in found]
        assert min(away) < 6 < max(away)


def test_the_commands(rendered: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, page = tmp_path / "run", tmp_path / "page.html"
    arguments = ("train", out, "--data", rendered, "--model", "litepose-xs", "--network", *OPTIONS,
                 "--batch", 8, "--workers", 0, "--threads", 1, "--device", "cpu", "--steps", 4,
                 "--validate-every", 4, "--validate-crops", 8, "--log-every", 2,
                 "--heatmaps", "weighted")  # fmt: skip
    assert call(capsys, *arguments, "--sensor", "random").code == 0
    assert (out / WEIGHTS_NAME).is_file()
    header = load_weights(out / WEIGHTS_NAME)
    assert header.name == "litepose-xs" and header.config["size_px"] == [64, 48] and header.half
    result = call(capsys, "eval", out, "--data", rendered, "--split", "val", "--hands", 12,
                  "--workers", 0, "--sensor", "none", "--report", page, "--json")  # fmt: skip
    assert result.code == 0, result.err
    found = json.loads(result.out)
    assert found["frames"] == 12 and found["labelled"] > 8
    assert {"ap", "ap50", "recall", "precision", "false_finds", "pck", "points"} <= set(found)
    assert sum(group["frames"] for group in found["by"]["hands"].values()) == 12
    assert "<h3>The worst</h3>" in page.read_text()
    result = call(capsys, "eval", out / WEIGHTS_NAME, "--data", rendered, "--hands", 4,
                  "--workers", 0, "--sensor", "none", "--flip")  # fmt: skip
    assert result.code == 0 and "AP50" in result.out


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"size_px": [100, 64]}, "multiples of 16"),
        ({"size_px": 128}, "2 whole numbers > 0"),
        ({"kernel": 4}, "must be odd"),
        ({"stages": [8, 8, 8]}, "4 whole numbers > 0"),
        ({"fusion": 1}, "true or false"),
        ({"decoder": 3}, "has no option decoder"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], told: str) -> None:
    with pytest.raises(BadInput, match=told):
        build_model("litepose-s", options)


def test_the_papers_ablations_are_options() -> None:
    plain = build_model("litepose-s", {"fusion": False, "kernel": 3})
    assert plain.size_px == (448, 336)
    assert not any("raw" in name for name in plain.net.state_dict())
    assert plain.net.stage[3][9].depth_conv[0].kernel_size == (3, 3)
    assert build_model("litepose-l").size_px == (512, 384)
