"""The losses of LitePose against plain loops over hands and joints."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from drawn_frames import make_frame_targets  # noqa: E402

from train_tiny.losses.associative import compare_tags, measure_frame_losses, weigh_cells  # noqa: E402
from train_tiny.losses.full_frames import draw_heatmaps  # noqa: E402
from train_tiny.models import build_model  # noqa: E402


def compare_plainly(tags: np.ndarray, there: np.ndarray) -> tuple[float, float]:
    """Pull and push by the book."""
    pulls, pushes = [], []
    for frame in range(len(tags)):
        means, spreads = [], []
        for hand in range(tags.shape[1]):
            own = [
                t for t, known in zip(tags[frame, hand], there[frame, hand], strict=True) if known
            ]
            if own:
                mean = sum(own) / len(own)
                means.append(mean)
                spreads.append(sum((t - mean) ** 2 for t in own) / len(own))
        n = len(means)
        pulls.append(sum(spreads) / n if n else 0.0)
        total = sum(math.exp(-((a - b) ** 2)) for a in means for b in means)
        pushes.append(0.5 * (total - n) / (n * (n - 1)) if n > 1 else 0.0)
    return sum(pulls) / len(pulls), sum(pushes) / len(pushes)


@pytest.mark.parametrize("joints", [1, 14, 21])
def test_tags_are_compared_by_the_book(joints: int) -> None:
    rng = np.random.default_rng(joints)
    tags = rng.normal(size=(7, 4, joints)).astype(np.float32)
    there = rng.random((7, 4, joints)) < 0.6
    there[0], there[1, 1:], there[2, 2:] = False, False, False
    pull, push = compare_tags(torch.from_numpy(tags), torch.from_numpy(there))
    wanted = compare_plainly(tags.astype(float), there)
    assert (float(pull), float(push)) == pytest.approx(wanted, rel=1e-5)


def test_tags_of_nothing_teach_nothing() -> None:
    tags = torch.full((2, 3, 21), torch.nan, requires_grad=True)
    pull, push = compare_tags(tags, torch.zeros(2, 3, 21, dtype=torch.bool))
    (pull + push).backward()
    assert pull.item() == push.item() == 0
    assert tags.grad is not None and (tags.grad == 0).all()


def test_perfect_maps_cost_nothing_but_their_tags() -> None:
    rng = np.random.default_rng(2)
    hands = [rng.uniform((4, 4), (90, 60), (21, 2)).astype(np.float32) for _ in range(2)]
    hands[1][4:9] = np.nan
    targets = make_frame_targets([hands, hands[:1], []])
    coarse = draw_heatmaps(targets, 64, 96, 4)
    out = [torch.cat([coarse, torch.full_like(coarse, 0.7)], 1), draw_heatmaps(targets, 64, 96, 2)]
    losses = {name: float(value) for name, value in measure_frame_losses(out, targets).items()}
    assert losses["heatmaps"] == 0 and losses["pull"] == pytest.approx(0, abs=1e-10)
    # Two equal means in one of three frames: exp(0) / 2 of each of both pairs, over two.
    assert losses["push"] == pytest.approx(0.5 / 3)


def test_cells_weigh_by_how_hard_they_are() -> None:
    """By the book, but for Gaussians' tails."""
    targets = make_frame_targets([[np.full((21, 2), 30, np.float32)]])
    wanted = draw_heatmaps(targets, 64, 96, 2)
    rng = np.random.default_rng(3)
    maps = torch.from_numpy(rng.uniform(-0.2, 1.2, wanted.shape)).float().requires_grad_()
    found = weigh_cells(maps, wanted)
    assert not found.requires_grad
    cells = (t.detach().flatten().tolist() for t in (wanted, maps, found))
    for h, p, w in zip(*cells, strict=True):
        near = h**0.01 if h > math.exp(-(3**2) / 2) else 0.0
        assert w == pytest.approx(near * abs(1 - p) + abs(p) * (1 - near), abs=1e-5)
    empty = [torch.zeros(1, 42, 16, 24), torch.zeros(1, 21, 32, 48)]
    plain, weighted = (measure_frame_losses(empty, targets, w)["heatmaps"] for w in (False, True))
    # Nothing found: all that is wrong lies near keypoints, and weighs nearly one.
    assert 0.97 < float(weighted / plain) < 1


def test_heatmaps_are_compared_where_they_are_known() -> None:
    targets = make_frame_targets([[np.full((21, 2), 30, np.float32)]])
    targets.ignored_px[0, 0] = torch.tensor([60.0, 10.0, 80.0, 40.0])
    maps = torch.from_numpy(np.random.default_rng(0).normal(size=(1, 21, 32, 48))).float()
    out = [torch.zeros(1, 42, 16, 24), maps]
    wanted = 0.0
    for stride, got in ((2, maps), (4, torch.zeros(1, 21, 16, 24))):
        truth, total = draw_heatmaps(targets, 64, 96, stride), 0.0
        for y in range(got.shape[2]):
            for x in range(got.shape[3]):
                px, py = (x + 0.5) * stride - 0.5, (y + 0.5) * stride - 0.5
                rim = 2 * stride
                hidden = 60 - rim <= px <= 80 + rim and 10 - rim <= py <= 40 + rim
                if not hidden:
                    total += float(((got - truth)[0, :, y, x] ** 2).sum())
        wanted += total / got.numel()
    assert float(measure_frame_losses(out, targets)["heatmaps"]) == pytest.approx(wanted, rel=1e-4)


def test_other_joints_and_every_weight_learn() -> None:
    """Of 14 joints; all weights get a gradient."""
    shape = {"size_px": [64, 48], "joints": 14, "stem": 8, "stages": [8, 8, 8, 8],
             "deconv": [8, 8, 8], "blocks": [1, 1, 1, 1], "kernel": 3}  # fmt: skip
    model = build_model("litepose-xs", shape, 1)
    rng = np.random.default_rng(0)
    hands = [rng.uniform((4, 4), (60, 44), (14, 2)).astype(np.float32) for _ in range(2)]
    targets = make_frame_targets([hands, hands[:1]])
    losses = model.measure(model.net(torch.rand(2, 1, 48, 64)), targets)
    assert set(losses) == set(model.tasks)
    sum(losses.values()).backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in model.net.parameters())
