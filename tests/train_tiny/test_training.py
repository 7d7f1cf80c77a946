"""Training: it learns, it goes on exactly where it stopped, and it says what is wrong."""

import itertools
import json
import math
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from drawn_hands import DrawnFeed, Silence, draw_crops, hold  # noqa: E402

from frames.errors import BadInput  # noqa: E402
from train_tiny.evaluation.crop_validation import validate  # noqa: E402
from train_tiny.models import build_model  # noqa: E402
from train_tiny.run_folder import LAST_NAME, read_curves  # noqa: E402
from train_tiny.training.checkpoint import load_checkpoint  # noqa: E402
from train_tiny.training.config import TrainingConfig, check_training  # noqa: E402
from train_tiny.training.loop import train  # noqa: E402
from train_tiny.training.optimisation import Average, group_parameters  # noqa: E402
from train_tiny.training.stages import plan_stages  # noqa: E402

CPU = torch.device("cpu")
SMALL = {"input_px": 32, "stem": 8, "tiers": (8, 12, 16), "blocks": (1, 1, 1), "decoder": 8}
SHORT = TrainingConfig(
    steps=24, batch=8, rate=0.01, warm_up=2, log_every=4, validate_every=8, average=0.9
)


class Stopped(DrawnFeed):
    """A feed in which something happens before a step."""

    def read(self, epoch: int, start: int) -> Iterator[tuple[Any, Any]]:
        """Of the step `self.at`, `self.event` is called."""
        for k, batch in enumerate(super().read(epoch, start), start):
            if epoch * self.batches + k == self.at:
                self.event()
            yield batch


@pytest.fixture(autouse=True)
def _few_threads() -> None:
    torch.set_num_threads(1)


def make_feed(kind: Any = DrawnFeed, count: int = 40) -> Any:
    """Five batches of eight crops of 32 pixels."""
    images, targets = draw_crops(count, side=32)
    return kind(images, targets, 8)


def run(
    folder: Path, feed: Any, config: TrainingConfig = SHORT, name: str = "handlite", **options: Any
) -> tuple[Any, Any]:
    """A network trained in a folder, and what became of it."""
    folder.mkdir(exist_ok=True)
    model = build_model(name, SMALL if name == "handlite" else {"decoder": 8, "input_px": 32}, 1)
    held = hold(feed.images, feed.targets)
    options.setdefault("score", lambda net: validate(net, held, CPU))
    watcher = options.pop("watcher", Silence())
    metrics = train(model, feed, options["score"], config, folder, CPU, watcher)
    return model, metrics


def test_a_few_crops_are_learnt_by_heart(tmp_path: Path) -> None:
    images, targets = draw_crops(64)
    feed = DrawnFeed(images, targets, 32)
    config = TrainingConfig(
        steps=150, batch=32, rate=0.012, warm_up=15, average=0.9, validate_every=75, log_every=25
    )
    torch.set_num_threads(2)
    model = build_model("handlite", {"input_px": 64})
    held = hold(images, targets)
    metrics = train(
        model, feed, lambda net: validate(net, held, CPU), config, tmp_path, CPU, Silence()
    )
    rows = read_curves(tmp_path, 150)
    for task in ("keypoints", "mask", "visibility", "side", "key_pose", "depth"):
        assert rows[-1][f"loss_{task}"] < 0.75 * rows[0][f"loss_{task}"], task
    # Of 64 pixels' side; half a cell of a heatmap is two.
    assert metrics["best"]["val_pck"] > 0.97
    assert metrics["best"]["val_epe_px"] < 1.0


@pytest.mark.parametrize("balance", ["fixed", "gradnorm"])
@pytest.mark.parametrize("way", ["SIGTERM", "SIGKILL"])
def test_killed_and_resumed_equals_undisturbed(tmp_path: Path, balance: str, way: str) -> None:
    """In the middle of an epoch; to the bit, for one CPU adds in the same order."""
    config = replace(SHORT, balance=balance, balance_every=2, save_every_s=0.0)
    whole, ended = run(tmp_path / "whole", make_feed(), config)
    feed = make_feed(Stopped)
    feed.at = 13
    if way == "SIGTERM":  # after the step, everything is saved
        feed.event, expected = (lambda: os.kill(os.getpid(), signal.SIGTERM)), 14
    else:  # nothing more is saved, as if the process were gone: the last row is step 12's

        def vanish() -> None:
            raise MemoryError

        feed.event, expected = vanish, 12
    with pytest.raises((KeyboardInterrupt, MemoryError)):
        run(tmp_path / "cut", feed, config)
    assert load_checkpoint(tmp_path / "cut" / LAST_NAME)["place"]["step"] == expected
    torch.manual_seed(12345)
    again, watcher = make_feed(), Silence()
    resumed, ended_again = run(tmp_path / "cut", again, config, watcher=watcher)
    assert again.read_from[0] == (2, expected - 10)
    assert (watcher.there, watcher.count) == (8 * expected, 8 * (24 - expected))
    for name, value in whole.net.state_dict().items():
        assert torch.equal(value, resumed.net.state_dict()[name]), name
    timed = ("seconds", "samples_s")
    rows, others = (
        [{k: v for k, v in r.items() if k not in timed} for r in read_curves(tmp_path / n, 99)]
        for n in ("whole", "cut")
    )
    assert rows == others
    assert ended["best_step"] == ended_again["best_step"]
    for name in ("best.ckpt", "weights.safetensors"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "cut" / name).read_bytes()


@pytest.mark.parametrize("asked", [True, False])
def test_a_killed_worker_is_told_in_one_line(tmp_path: Path, asked: bool) -> None:
    """A signal to the whole group reaches workers too: then it is the signal that counts."""
    feed = make_feed(Stopped)
    feed.at = 13

    def die() -> None:
        if asked:
            os.kill(os.getpid(), signal.SIGTERM)
        raise RuntimeError("DataLoader worker (pid 7) is killed by signal: Terminated.")

    feed.event = die
    with pytest.raises(
        KeyboardInterrupt if asked else BadInput, match="15" if asked else "was killed"
    ):
        run(tmp_path, feed, replace(SHORT, save_every_s=0.0))
    assert load_checkpoint(tmp_path / LAST_NAME)["place"]["step"] == 12


def test_a_run_that_has_ended_stays_so(tmp_path: Path) -> None:
    _, metrics = run(tmp_path, make_feed())
    feed = make_feed()
    _, again = run(tmp_path, feed)
    assert feed.read_from == []
    assert again["ended"] == metrics["ended"] == "all steps are done"
    assert again["best"] == metrics["best"]


@pytest.mark.parametrize("way", ["image", "depth"])
def test_a_loss_that_is_no_number_ends_in_one_line(tmp_path: Path, way: str) -> None:
    feed = make_feed(Stopped)
    feed.at = 13

    def spoil() -> None:
        if way == "image":
            feed.images[:] = math.nan
        else:
            feed.targets.depth[:] = 1e38

    feed.event = spoil
    config = replace(SHORT, save_every_s=0.0, stages=(0.0, 1.0, 0.0))
    with pytest.raises(BadInput) as caught:
        run(tmp_path, feed, config)
    said = str(caught.value)
    task = "keypoints" if way == "image" else "depth"
    # The batch of the event was cut before it: the next one has what was spoilt.
    step = 14
    rate = plan_stages(config, 24, ("keypoints", "depth")).rate(step)
    assert f"the loss of {task} is " in said and f"at step {step + 1} " in said, said
    assert f"learning rate {rate:.3g}" in said and "\n" not in said
    assert load_checkpoint(tmp_path / LAST_NAME)["place"]["step"] == 12


def test_no_better_validation_stops_early(tmp_path: Path) -> None:
    scores = iter([0.5, 0.6, 0.55, 0.6, 0.9])
    config = replace(SHORT, validate_every=4, patience=2)
    _, metrics = run(tmp_path, make_feed(), config, score=lambda net: {"auc": next(scores)})
    assert metrics["ended"] == "no better validation in 2"
    assert (metrics["steps"], metrics["best_step"]) == (16, 8)
    assert metrics["best"]["val_auc"] == 0.6


def test_without_validation_the_last_weights_are_the_best(tmp_path: Path) -> None:
    _, metrics = run(tmp_path, make_feed(), score=None)
    assert (metrics["best_step"], metrics["best"]) == (24, None)
    assert load_checkpoint(tmp_path / "best.ckpt")["step"] == 24


def test_an_empty_feed_ends_in_one_line(tmp_path: Path) -> None:
    feed = make_feed()
    feed.batch = 41
    with pytest.raises(BadInput, match="no batch: is there any hand"):
        run(tmp_path, feed)


def test_rates_rise_fall_and_finish() -> None:
    config = TrainingConfig(rate=1.0, warm_up=10, stages=(0.1, 0.8, 0.1), finish_rate=0.05)
    plan = plan_stages(config, 1000, ("keypoints", "mask", "key_pose", "depth"))
    assert [(s.name, s.stop) for s in plan.stages] == [
        ("encoder", 100),
        ("all", 900),
        ("finish", 1000),
    ]
    assert plan.stage(99).tasks == ("mask", "key_pose")
    assert plan.stage(100).tasks == ("keypoints", "mask", "key_pose", "depth")
    assert plan.stage(900).tasks == ("keypoints",)
    # Each is one tenth of full on the way up, times the cosine.
    assert plan.rate(0) == pytest.approx(0.1)
    assert plan.rate(4) == pytest.approx(0.5, rel=1e-3)
    # Half way between 1 and the finish's rate in the middle of both first stages.
    assert plan.rate(450) == pytest.approx(0.05 + 0.95 / 2)
    assert plan.rate(900) == pytest.approx(0.05)
    assert plan.rate(950) == pytest.approx(0.025)
    assert plan.rate(999) < 1e-4
    rates = [plan.rate(k) for k in range(10, 1000)]
    assert all(b <= a for a, b in itertools.pairwise(rates))
    steps = plan_stages(replace(config, schedule="step", stages=(0, 1, 0)), 1000, ("keypoints",))
    assert [round(steps.rate(k), 6) for k in (500, 699, 700, 899, 900)] == [1, 1, 0.1, 0.1, 0.01]


def test_a_network_of_keypoints_alone_has_one_stage(tmp_path: Path) -> None:
    plan = plan_stages(TrainingConfig(), 1000, ("keypoints",))
    assert [(s.name, s.stop, s.balanced) for s in plan.stages] == [("all", 1000, False)]
    config = replace(SHORT, steps=6, validate_every=6, balance="gradnorm")
    _, metrics = run(tmp_path, make_feed(), config, name="mobilenetv2")
    assert metrics["steps"] == 6
    assert {k for k in metrics["last"] if k.startswith("loss_")} == {"loss_keypoints"}


def test_heads_rest_while_their_task_is_not_taught(tmp_path: Path) -> None:
    config = replace(SHORT, stages=(1.0, 0.0, 0.0), weight_decay=0.1)
    model, _ = run(tmp_path, make_feed(), config)
    fresh = build_model("handlite", SMALL, 1).net
    for head, rests in (
        ("visibility", True),
        ("depth", True),
        ("mask", False),
        ("key_pose", False),
    ):
        same = torch.equal(model.net.heads[head].weight, fresh.heads[head].weight)
        assert same == rests, head
    assert torch.equal(model.net.keypoints.weight, fresh.keypoints.weight)


def test_norms_and_biases_do_not_decay() -> None:
    net = build_model("handlite").net
    weights, rest = group_parameters(net, 0.1)
    assert (weights["weight_decay"], rest["weight_decay"]) == (0.1, 0.0)
    owners = {id(p): type(m).__name__ for m in net.modules() for p in m.parameters(recurse=False)}
    assert {owners[id(p)] for p in weights["params"]} == {"Conv2d", "Linear", "JointHead"}
    biases = {id(m.bias) for m in net.modules() if getattr(m, "bias", None) is not None}
    for p in rest["params"]:
        assert owners[id(p)] == "BatchNorm2d" or id(p) in biases
    total = len(weights["params"]) + len(rest["params"])
    assert total == len(list(net.parameters()))


def test_the_average_follows_its_formula() -> None:
    net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
    average, wanted = Average(net, 0.9), net[0].weight.detach().clone()
    for step in range(40):
        with torch.no_grad():
            net[0].weight.add_(0.1 * step)
        net(torch.randn(8, 2))
        average.update(step)
        decay = min(0.9, (1 + step) / (10 + step))
        wanted = decay * wanted + (1 - decay) * net[0].weight.detach()
    assert torch.allclose(average.net[0].weight, wanted, rtol=1e-5)
    assert average.net[1].num_batches_tracked == 40
    assert not average.net.training
    assert Average(net, 0.0).update(50) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"steps": -1}, "steps must be >= 0, got -1"),
        ({"batch": 0}, "batch must be >= 1, got 0"),
        ({"rate": 0.0}, "rate must be > 0, got 0.0"),
        ({"rate": math.nan}, "rate must be > 0, got nan"),
        ({"steps": 3, "epochs": 2.0}, "name steps or epochs, not both: got 3 and 2"),
        ({"stages": (0.5, 0.2, 0.1)}, "stages must be three shares that sum to 1"),
        ({"average": 1.5}, "average must be 0 to 1, got 1.5"),
        ({"clip": math.inf}, "clip must be >= 0, got inf"),
    ],
)
def test_settings_that_cannot_be(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput) as caught:
        check_training(TrainingConfig(**changes))
    assert said in str(caught.value)


def test_a_task_without_a_head_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="mobilenetv2 has no head for task mask"):
        run(tmp_path, make_feed(), replace(SHORT, tasks=("mask",)), name="mobilenetv2")


def test_the_folder_says_all(tmp_path: Path) -> None:
    _, metrics = run(tmp_path, make_feed())
    assert json.loads((tmp_path / "metrics.json").read_text())["best_step"] == metrics["best_step"]
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    rows = read_curves(tmp_path, 24)
    assert [r["step"] for r in rows] == [4, 8, 12, 16, 20, 24]
    assert all(np.isfinite(r["loss_keypoints"]) for r in rows)
    assert ["val_auc" in r for r in rows] == [False, True] * 3


def test_tensorboard_reads_the_events(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run(tmp_path, make_feed())
    found = EventAccumulator(str(tmp_path))
    found.Reload()
    assert {"loss/keypoints", "val/auc", "training/rate"} <= set(found.Tags()["scalars"])
    rows = read_curves(tmp_path, 24)
    scalars = found.Scalars("loss/keypoints")
    assert [e.step for e in scalars] == [r["step"] for r in rows]
    assert np.allclose([e.value for e in scalars], [r["loss_keypoints"] for r in rows])
