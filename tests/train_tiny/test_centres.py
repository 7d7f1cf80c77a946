"""What CentreNet is taught, against plain loops and other numbers; what it says, read back."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from drawn_frames import make_frame_targets  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from train_tiny.finding.centre_peaks import read_centres  # noqa: E402
from train_tiny.finding.found import Finding, overlap_boxes  # noqa: E402
from train_tiny.losses.centres import (  # noqa: E402
    LEAST,
    NARROWEST,
    WIDTH,
    draw_middles,
    list_boxes,
    measure_centre_losses,
    measure_focal,
    measure_giou,
)
from train_tiny.losses.full_frames import FrameTargets  # noqa: E402
from train_tiny.networks.centre_net import STRIDE, CentreNet, CentreNetConfig, place_boxes  # noqa: E402

W, H = 96, 64


def fill_box(x0: float, y0: float, x1: float, y1: float, seed: int = 0) -> np.ndarray:
    """21 keypoints whose box, half a pixel beyond them, is exactly that."""
    rng = np.random.default_rng(seed)
    px = rng.uniform((x0 + 0.5, y0 + 0.5), (x1 - 0.5, y1 - 0.5), (21, 2))
    px[3], px[9] = (x0 + 0.5, y0 + 0.5), (x1 - 0.5, y1 - 0.5)
    return px.astype(np.float32)


def make_out(targets: FrameTargets, sure: float = 12.0) -> dict[str, torch.Tensor]:
    """What a perfect network puts out."""
    boxes, _ = list_boxes(targets)
    heat = draw_middles(boxes, H // STRIDE, W // STRIDE)
    centre = torch.full((len(boxes), 1, H // STRIDE, W // STRIDE), -sure)
    box = torch.zeros(len(boxes), 4, H // STRIDE, W // STRIDE)
    for b, k in torch.isfinite(boxes).all(-1).nonzero().tolist():
        y, x = divmod(int(heat[b, k].argmax()), W // STRIDE)
        centre[b, 0, y, x] = sure
        for v in range(H // STRIDE):
            for u in range(W // STRIDE):
                if heat[b, k, v, u] == heat[b, :, v, u].max() and heat[b, k, v, u] > 0.05:
                    middle = STRIDE * (np.array([u, v, u, v]) + 0.5) - 0.5
                    away = (boxes[b, k].numpy() - middle) * (-1, -1, 1, 1) / STRIDE
                    box[b, :, v, u] = torch.tensor(np.log(np.maximum(away, 1e-3)))
    return {"centre": centre, "box": box}


boxes_of_a_frame = st.lists(
    st.tuples(st.floats(0, 60), st.floats(0, 35), st.floats(8, 34), st.floats(8, 27)),
    min_size=1,
    max_size=3,
)


@settings(max_examples=40, deadline=None)
@given(boxes_of_a_frame)
def test_boxes_come_back_exactly(corners: list[tuple[float, float, float, float]]) -> None:
    """Ideal maps, read, give the labels' boxes; so do those of a mirror image."""
    boxes = [np.array([x, y, x + w, y + h], np.float32) for x, y, w, h in corners]
    cells = [((b[:2] + b[2:]) / 2 + 0.5) // STRIDE for b in boxes]
    apart = all(np.abs(p - q).max() > 1.5 for k, p in enumerate(cells) for q in cells[:k]) and all(
        overlap_boxes(p, q) < 0.55 for k, p in enumerate(boxes) for q in boxes[:k]
    )
    if not apart:
        return
    targets = make_frame_targets([[fill_box(*b.tolist(), seed=k) for k, b in enumerate(boxes)]])
    out = make_out(targets)
    # Float32 loses a little where exp and log are far from 1.
    for mirrored in (None, _mirror(targets)):
        (found,) = read_centres(out, mirrored, Finding(least_score=0.5))
        assert len(found) == len(boxes)
        for box in boxes:
            assert min(np.abs(one.box_px - box).max() for one in found) < 2e-3
        assert all(not len(one.keypoints_px) and one.score > 0.9 for one in found)


def _mirror(targets: FrameTargets) -> dict[str, torch.Tensor]:
    px = targets.keypoints_px.clone()
    px[..., 0] = W - 1 - px[..., 0]
    other = FrameTargets(px, targets.visible, targets.right, targets.ignored_px)
    boxes, _ = list_boxes(targets)
    middles = (boxes[..., 0] + boxes[..., 2]) / 2 + 0.5
    # In the middle of two cells, the mirror's peak is in the other one.
    if ((middles / STRIDE) % 1 == 0).any():
        return make_out(targets) and {k: v.flip(-1) for k, v in _swap(make_out(targets)).items()}
    return make_out(other)


def _swap(out: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {"centre": out["centre"], "box": out["box"][:, [2, 1, 0, 3]]}


def test_losses_of_ideal_maps_vanish() -> None:
    targets = make_frame_targets([[fill_box(5, 5, 40, 45), fill_box(50, 10, 90, 60)], []])
    losses = measure_centre_losses(make_out(targets), targets)
    assert losses["centre"] < 1e-3 and losses["box"] < 1e-5
    off = make_out(targets)
    off["box"][:, 0] += 0.3
    assert measure_centre_losses(off, targets)["box"] > 0.03


def test_the_focal_loss_by_its_definition() -> None:
    rng = np.random.default_rng(1)
    hands = [[fill_box(5, 5, 30, 35), fill_box(40, 8, 90, 60, 1)], [fill_box(20, 20, 60, 50)], []]
    targets = make_frame_targets(hands)
    h, w = H // STRIDE, W // STRIDE
    logits = torch.from_numpy(rng.normal(-1, 2, (3, h, w)))
    known = torch.from_numpy((rng.random((3, h, w)) < 0.8).astype(np.float64))
    boxes, _ = list_boxes(targets)
    found = float(measure_focal(logits, draw_middles(boxes.double(), h, w), known))
    total = 0.0
    for b, frame in enumerate(hands):
        for v in range(h):
            for u in range(w):
                y = 0.0
                for px in frame:
                    low, high = px.min(0) - 0.5, px.max(0) + 0.5
                    cell = np.floor(((low + high) / 2 + 0.5) / STRIDE)
                    sigma = np.maximum((high - low) / STRIDE * WIDTH, NARROWEST)
                    y = max(y, math.exp(-0.5 * (((np.array([u, v]) - cell) / sigma) ** 2).sum()))
                p = 1 / (1 + math.exp(-float(logits[b, v, u])))
                if y == 1:
                    total -= (1 - p) ** 2 * math.log(p)
                else:
                    total -= (1 - y) ** 4 * p**2 * math.log(1 - p) * float(known[b, v, u])
    assert found == pytest.approx(total / 3, rel=1e-5)


def test_generalised_intersection_over_union() -> None:
    """Same, half, touching, apart, one inside the other: worked out by hand."""
    one = torch.tensor([0.0, 0.0, 2.0, 2.0])
    cases = {
        (0.0, 0.0, 2.0, 2.0): 1.0,
        (1.0, 0.0, 3.0, 2.0): 2 / 6,
        (2.0, 0.0, 4.0, 2.0): 0.0,
        (4.0, 0.0, 6.0, 2.0): -4 / 12,
        (0.0, 0.0, 1.0, 1.0): 1 / 4,
    }
    for other, wanted in cases.items():
        assert float(measure_giou(one, torch.tensor(other))) == pytest.approx(wanted)


def test_a_box_is_around_the_joints_in_view() -> None:
    whole, part, none = fill_box(10, 10, 50, 40), fill_box(60, 10, 90, 40), np.full((21, 2), np.nan)
    part[LEAST - 1 :] = np.nan
    boxes, few = list_boxes(make_frame_targets([[whole, part, none]]))
    assert torch.allclose(boxes[0, 0], torch.tensor([10.0, 10.0, 50.0, 40.0]))
    assert boxes[0, 1:].isnan().all() and few[0, 0].isnan().all() and few[0, 2:].isnan().all()
    known = part[: LEAST - 1]
    assert np.allclose(few[0, 1], [*(known.min(0) - 0.5), *(known.max(0) + 0.5)])


def test_what_is_ignored_has_no_gradient() -> None:
    """Neither a hand that is not taught nor one of a few joints: whatever is said there."""
    part = fill_box(56, 8, 84, 36)
    part[LEAST - 1 :] = np.nan
    targets = make_frame_targets([[fill_box(4, 30, 24, 60), part]])
    targets.ignored_px[0, 0] = torch.tensor([30.0, 4.0, 50.0, 24.0])
    share = torch.zeros(1, H // STRIDE, W // STRIDE)
    targets = FrameTargets(
        targets.keypoints_px, targets.visible, targets.right, targets.ignored_px, None, share
    )
    maps = {"centre": 1, "box": 4, "mask": 1}
    out = {
        k: torch.zeros(1, n, H // STRIDE, W // STRIDE, requires_grad=True) for k, n in maps.items()
    }
    losses = measure_centre_losses(out, targets)
    sum(losses.values(), start=torch.zeros(())).backward()
    slope = {k: v.grad.abs().sum((0, 1)) for k, v in out.items()}
    few = list_boxes(targets)[1][0, 1].tolist()
    for x0, y0, x1, y1 in ([30.0, 4.0, 50.0, 24.0], few):
        inner = (
            slice(math.ceil(y0 / STRIDE), int(y1 / STRIDE)),
            slice(math.ceil(x0 / STRIDE), int(x1 / STRIDE)),
        )
        for name in maps:
            assert slope[name][inner].numel() > 8 and not slope[name][inner].any(), name
    # The hand that is taught, and the background, have some.
    assert slope["centre"][11, 3] > 0 and slope["box"][11, 3] > 0
    assert slope["centre"][1, 1] > 0 and slope["mask"][1, 1] > 0 and not slope["box"][1, 1] > 0


def test_a_taught_hand_before_an_ignored_one_is_still_taught() -> None:
    targets = make_frame_targets([[fill_box(20, 20, 50, 50)]])
    targets.ignored_px[0, 0] = torch.tensor([10.0, 10.0, 60.0, 60.0])
    centre = torch.zeros(1, 1, H // STRIDE, W // STRIDE, requires_grad=True)
    box = torch.zeros(1, 4, H // STRIDE, W // STRIDE)
    measure_centre_losses({"centre": centre, "box": box}, targets)["centre"].backward()
    slope = centre.grad[0, 0]
    assert slope[8, 8] < 0 and not slope[5:8, 4:8].any()


def test_frames_without_hands_or_labels_of_pixels() -> None:
    targets = make_frame_targets([[], []])
    net = CentreNet()
    out = net(torch.rand(2, 1, H, W))
    losses = measure_centre_losses(out, targets)
    assert losses["box"] == 0 and losses["mask"] == 0 and losses["centre"] > 0
    sum(losses.values(), start=torch.zeros(())).backward()
    assert all(torch.isfinite(p.grad).all() for p in net.parameters() if p.grad is not None)


def test_the_gradient_of_a_wild_box_is_finite() -> None:
    raw = torch.tensor([-300.0, 300.0, 0.0, 7.0])[:, None, None].expand(4, 16, 24)[None].clone()
    raw.requires_grad_()
    place_boxes(raw).sum().backward()
    assert torch.isfinite(place_boxes(raw)).all() and torch.isfinite(raw.grad).all()


def test_one_hand_is_one_find() -> None:
    """Two peaks whose boxes are alike are one hand; equal neighbours are one peak."""
    box = fill_box(10, 10, 60, 50)
    out = make_out(make_frame_targets([[box]]))
    y, x = divmod(int(out["centre"][0, 0].argmax()), W // STRIDE)
    twice = {k: v.clone() for k, v in out.items()}
    twice["centre"][0, 0, y, x + 3] = 4.0
    away = torch.tensor([-3.0, 0.0, 3.0, 0.0]) * -1
    twice["box"][0, :, y, x + 3] = torch.log(out["box"][0, :, y, x].exp() + away)
    level = {k: v.clone() for k, v in out.items()}
    level["centre"][0, 0, y, x + 1] = level["centre"][0, 0, y, x]
    level["box"][0, :, y, x + 1] = 5.0
    for maps in (out, twice, level):
        (found,) = read_centres(maps, None, Finding(least_score=0.1))
        assert len(found) == 1 and np.allclose(found[0].box_px, [10, 10, 60, 50], atol=1e-3)
    (found,) = read_centres(twice, None, Finding(least_score=0.1, overlap=1.0))
    assert len(found) == 2


def test_boxes_end_at_the_frame() -> None:
    out = {"centre": torch.zeros(1, 1, 16, 24), "box": torch.full((1, 4, 16, 24), 4.0)}
    (found,) = read_centres(out, None, Finding(least_score=0.0, overlap=1.0))
    assert all((one.box_px == [-0.5, -0.5, W - 0.5, H - 0.5]).all() for one in found)


def test_the_shape_is_as_it_is_asked_for() -> None:
    net = CentreNet(CentreNetConfig(mask=False, blocks=(0, 1, 0)))
    out = net(torch.rand(1, 1, 48, 80))
    assert {k: tuple(v.shape) for k, v in out.items()} == {
        "centre": (1, 1, 12, 20), "box": (1, 4, 12, 20),
    }  # fmt: skip
