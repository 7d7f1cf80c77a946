"""The finder learns drawn frames by heart, stops and goes on, and is trained and scored by the
commands."""

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
from train_tiny.evaluation.frame_scores import bound_keypoints, overlap_boxes  # noqa: E402
from train_tiny.evaluation.frame_validation import HeldFrames, list_labels, validate_frames  # noqa: E402
from train_tiny.finding.hand_finder import Finding, HandFinder, find_point  # noqa: E402
from train_tiny.losses.full_frames import FAR_M, NEAR_M, FrameTargets  # noqa: E402
from train_tiny.models import build_model  # noqa: E402
from train_tiny.networks.layers import count_parameters  # noqa: E402
from train_tiny.run_folder import BEST_NAME, LAST_NAME, WEIGHTS_NAME  # noqa: E402
from train_tiny.training.config import TrainingConfig  # noqa: E402
from train_tiny.training.loop import train  # noqa: E402
from train_tiny.weights import deploy, load_weights, save_weights  # noqa: E402

CPU = torch.device("cpu")
SMALL = {"stem": 8, "tiers": [12, 16, 16], "blocks": [1, 1, 1], "decoder": 16}
OPTIONS = ("stem=8", "tiers=[8,8,8]", "blocks=[1,1,1]", "decoder=8", "size_px=[64,48]")


@dataclass
class FramesFeed:
    """The same frames again and again."""

    images: torch.Tensor
    targets: FrameTargets
    batches: int = 2
    stop: int = 1 << 30
    """Batches until it is interrupted."""

    def read(self, epoch: int, start: int) -> Iterator[tuple[torch.Tensor, Any]]:
        """Every batch has half of them."""
        for k in range(start, self.batches):
            self.stop -= 1
            if self.stop < 0:
                raise KeyboardInterrupt
            rows = slice(k, None, self.batches)
            there = {n: v[rows] for n, v in vars(self.targets).items() if v is not None}
            yield self.images[rows], FrameTargets(**there)


def draw_with_shares(count: int) -> tuple[torch.Tensor, FrameTargets]:
    """Drawn frames, their pixels labelled too."""
    images, targets = draw_frames(count)
    shares = torch.nn.functional.avg_pool2d((images > 0).float(), 4)[:, 0]
    there = {k: v for k, v in vars(targets).items() if v is not None}
    return images, FrameTargets(**there, hand_share=shares)


def test_a_few_frames_are_learnt_by_heart(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    images, targets = draw_with_shares(6)
    labels = list(list_labels(targets))
    held = HeldFrames(images.half(), labels)
    model = build_model("finder", SMALL | {"size_px": [96, 64]})
    config = TrainingConfig(
        steps=200, batch=3, rate=0.01, warm_up=10, average=0.9, validate_every=200, log_every=50,
        stages=(0, 1, 0),
    )  # fmt: skip
    metrics = train(
        model, FramesFeed(images, targets), lambda net: validate_frames(net, held, CPU), config,
        tmp_path, CPU, Silence(),
    )  # fmt: skip
    best = metrics["best"]
    # Ten hands; a network that has learnt nothing finds none.
    assert best["val_recall"] == best["val_precision"] == 1 and best["val_box_ap50"] > 0.99
    assert best["val_score"] == pytest.approx(best["val_box_ap"] + 1e-3, abs=1e-6)
    # And so does the file of weights, at its own operating point, in a frame of another size.
    path = tmp_path / WEIGHTS_NAME
    finder = HandFinder.load(path)
    assert finder.finding.least_score == pytest.approx(best["val_least_score"], abs=1e-5)
    near = images[0, 0].numpy()
    depth = np.where(near > 0, FAR_M - near * (FAR_M - NEAR_M), 0).astype(np.float32)
    for finding in (None, Finding(least_score=finder.finding.least_score, flip=True)):
        found = HandFinder.load(path, finding)(np.kron(depth, np.ones((2, 2), np.float32)))
        assert len(found) == 2
        for px in labels[0].keypoints_px:
            box = (bound_keypoints(px) + 0.5) * 2 - 0.5
            assert max(overlap_boxes(one.box_px, box) for one in found) > 0.5
    # What training alone needs is left out.
    header = load_weights(path)
    assert header.half and header.config["mask"] is False
    assert count_parameters(header.net) < count_parameters(model.net)


def test_stopped_and_gone_on_is_as_if_it_had_not_been(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    images, targets = draw_with_shares(4)
    config = TrainingConfig(steps=12, batch=2, rate=0.01, warm_up=2, log_every=3, save_every_s=0)
    shape = SMALL | {"size_px": [96, 64]}

    def run(folder: Path, stop: int = 1 << 30) -> None:
        folder.mkdir(exist_ok=True)
        feed = FramesFeed(images, targets, stop=stop)
        train(build_model("finder", shape), feed, None, config, folder, CPU, Silence())

    run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", 7)
    assert (tmp_path / "cut" / LAST_NAME).is_file()
    run(tmp_path / "cut")
    there, again = (load_weights(tmp_path / k / WEIGHTS_NAME).net for k in ("whole", "cut"))
    for one, other in zip(there.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_commands(rendered: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    arguments = ("train", out, "--data", rendered, "--model", "finder", "--network", *OPTIONS,
                 "--batch", 8, "--workers", 0, "--threads", 1, "--device", "cpu", "--steps", 4,
                 "--validate-every", 4, "--validate-crops", 8, "--log-every", 2,
                 "--views", 2)  # fmt: skip
    result = call(capsys, *arguments, "--sensor", "random")
    assert result.code == 0, result.err
    assert "AP of boxes" in result.out and (out / BEST_NAME).is_file()
    header = load_weights(out / WEIGHTS_NAME)
    assert header.name == "finder" and header.config["size_px"] == [64, 48]
    for target, more in ((out, ()), (out / WEIGHTS_NAME, ("--least-score", 0.02, "--flip"))):
        result = call(capsys, "eval", target, "--data", rendered, "--split", "val", "--hands", 12,
                      "--workers", 0, "--sensor", "none", "--json", *more)  # fmt: skip
        assert result.code == 0, result.err
        found = json.loads(result.out)
        assert found["frames"] == 12 and found["labelled"] > 8
        assert found["ap"] is None and found["pck"] is None
        assert all(0 <= found[name] <= 1 for name in ("box_ap", "box_ap50", "recall"))
        wanted = 0.02 if more else find_point(header.provenance)
        assert found["least_score"] == pytest.approx(wanted)
        assert sum(group["frames"] for group in found["by"]["hands"].values()) == 12
    result = call(capsys, "eval", out, "--data", rendered, "--hands", 4, "--workers", 0,
                  "--sensor", "none", "--least-score", 2)  # fmt: skip
    assert result.code == 2 and "least_score must be 0 to 1, got 2" in result.err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"size_px": [100, 64]}, "multiples of 16"),
        ({"kernel": 4}, "must be odd"),
        ({"tiers": [8, 8]}, "3 whole numbers > 0"),
        ({"mask": 1}, "true or false"),
        ({"joints": 21}, "has no option joints"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], told: str) -> None:
    with pytest.raises(BadInput, match=told):
        build_model("finder", options)


def test_it_is_as_small_as_it_is_said_to_be() -> None:
    from train_tiny.cost import count_macs

    model = build_model("finder")
    deployed = deploy(model, model.net, {})
    macs = count_macs(deployed.net, torch.zeros(1, 1, 96, 128))
    assert model.size_px == (128, 96)
    assert macs.ours == macs.torch <= 12e6
    assert count_parameters(deployed.net) < 93_000


def test_pictures_of_persons_are_refused(tmp_path: Path) -> None:
    from train_tiny.loading.mixing import Mix
    from train_tiny.persons.feeding import open_person_feed
    from train_tiny.ranks import Ranks

    mix = Mix(("coco:a.json@b",), (1.0,))
    with pytest.raises(BadInput, match="finder takes depth, and coco:a"):
        open_person_feed(mix, build_model("finder"), 4, 0, True, 0, False, Ranks())


def test_the_operating_point_comes_with_the_weights(tmp_path: Path) -> None:
    model = build_model("finder", SMALL)
    path = tmp_path / "w.safetensors"
    for told, wanted in (({"least_score": 0.41}, 0.41), ({}, 0.2), ({"least_score": None}, 0.2)):
        save_weights(path, deploy(model, model.net, told))
        assert HandFinder.load(path).finding.least_score == wanted
    assert HandFinder.load(path, Finding(least_score=0.7)).finding.least_score == 0.7
