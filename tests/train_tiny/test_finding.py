"""The finder: frames of any size seen as training saw them, answers in the frame's own pixels."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from drawn_frames import make_maps  # noqa: E402

from frames.errors import BadInput  # noqa: E402
from frames.store.dataset import open_dataset  # noqa: E402
from train_tiny.finding.grouping import Instance  # noqa: E402
from train_tiny.finding.hand_finder import Finding, HandFinder, choose_hands, letterbox  # noqa: E402
from train_tiny.loading.crop_loading import open_sources  # noqa: E402
from train_tiny.loading.frame_loading import FrameLoaderConfig, make_frame_eval_loader  # noqa: E402
from train_tiny.losses.full_frames import encode_frame  # noqa: E402
from train_tiny.models import build_model  # noqa: E402
from train_tiny.weights import deploy, load_weights, save_weights  # noqa: E402

SIZE = 96, 64
SMALL = {"size_px": list(SIZE), "stem": 8, "stages": [8, 8, 8, 8], "deconv": [8, 8, 8],
         "blocks": [1, 1, 1, 1], "kernel": 3}  # fmt: skip


class Answer(torch.nn.Module):
    """A network that gives the same maps whatever it sees, and keeps what it saw."""

    def __init__(self, maps: list[torch.Tensor]) -> None:
        super().__init__()
        self.maps = maps
        self.seen: list[torch.Tensor] = []

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        self.seen.append(x)
        return self.maps


def place_hand(seed: int, low: tuple[float, float], high: tuple[float, float]) -> np.ndarray:
    """21 keypoints in a box."""
    return np.random.default_rng(seed).uniform(low, high, (21, 2)).astype(np.float32)


def make_instance(px: np.ndarray, score: float) -> Instance:
    """One whose joints are all as sure."""
    return Instance(score, px.astype(np.float32), np.full(len(px), score, np.float32))


@pytest.mark.parametrize("size", [(96, 64), (192, 128), (240, 160), (640, 300), (50, 90)])
def test_hands_come_back_in_the_frames_pixels(size: tuple[int, int]) -> None:
    """Wider, higher, larger and smaller frames than the network's."""
    hands = [place_hand(1, (5, 5), (30, 40)), place_hand(2, (50, 10), (80, 60))]
    ratio = min(SIZE[0] / size[0], SIZE[1] / size[1])
    inner = round(size[0] * ratio), round(size[1] * ratio)
    factor = np.array([inner[0] / size[0], inner[1] / size[1]])
    finder = HandFinder(Answer(make_maps(hands, [0.0, 3.0], *SIZE)), SIZE)
    found = finder(np.full(size[::-1], 0.5, np.float32))
    assert len(found) == 2
    for px in hands:
        wanted = (px + 0.5) / factor - 0.5
        away = [np.abs(one.keypoints_px - wanted).max() * factor.max() for one in found]
        best = found[int(np.argmin(away))]
        assert min(away) < 0.7
        box = np.concatenate([best.keypoints_px.min(0), best.keypoints_px.max(0)])
        edge = 0.5 / factor
        assert np.allclose(best.box_px, box + np.concatenate([-edge, edge]), atol=1e-3)


def test_frames_are_seen_as_in_training(rendered: Path) -> None:
    """The image that the finder makes of a stored frame is the evaluation loader's."""
    plain = FrameLoaderConfig(
        batch=8, size_px=(128, 96), sensor="none", occlusion=None, geometry=None, split="val"
    )
    images, _, facts = next(make_frame_eval_loader(open_sources([rendered]), plain))
    data = open_dataset(rendered)
    for image, frame_id in zip(images[:, 0].numpy(), facts.frame_id.tolist(), strict=True):
        frame = data[frame_id]
        depth = frame.reading.astype(np.float32) / frame.depth_scale
        mine = encode_frame(letterbox(depth, (128, 96))[0])
        # The loader knows the parts, and so keeps a few more edges apart.
        assert (np.abs(mine - image) < 1e-3).mean() > 0.97
        assert np.abs(mine - image).mean() < 2e-3


def test_what_is_not_there_stays_empty() -> None:
    finder = HandFinder(Answer([torch.zeros(1, 42, 16, 24), torch.zeros(1, 21, 32, 48)]), SIZE)
    assert finder(np.zeros((1, 1), np.float32)) == []
    assert finder(np.full((64, 64), 0.7, np.float32)) == []
    seen = finder.net.seen[-1]
    assert seen.shape == (1, 1, 64, 96)
    assert (
        torch.allclose(seen[..., :64], torch.tensor((1.4 - 0.7) / 1.3)) and not seen[..., 64:].any()
    )
    for shape in ((4, 4, 1), (0, 4)):
        with pytest.raises(BadInput, match=r"\(H, W\)"):
            finder(np.zeros(shape, np.float32))


def test_a_hand_found_twice_is_one_hand() -> None:
    hand = place_hand(3, (10, 10), (50, 50))
    other = place_hand(4, (12, 8), (52, 48))
    found = choose_hands(
        [make_instance(hand, 0.9), make_instance(other, 0.8), make_instance(hand + 2, 0.7)],
        Finding(),
    )
    # Boxes overlap by nine tenths, but joint by joint these are two hands.
    assert [round(one.score, 2) for one in found] == [0.9, 0.8]


def test_the_operating_point_and_the_most_hands() -> None:
    made = [make_instance(place_hand(k, (30 * k, 0), (30 * k + 25, 25)), 0.9 - 0.15 * k)
            for k in range(6)]  # fmt: skip
    assert len(choose_hands(made, Finding(least_score=0.5))) == 3
    assert len(choose_hands(made, Finding(least_score=0.0))) == 4
    assert len(choose_hands(made, Finding(least_score=0.0, hands=9))) == 6


def test_a_box_is_around_the_joints_that_are_there() -> None:
    hand = place_hand(5, (10, 10), (50, 50))
    scores = np.full(21, 0.8, np.float32)
    hand[4], scores[4] = (90, 5), 0.02
    (one,) = choose_hands([Instance(0.7, hand, scores)], Finding())
    assert (one.box_px >= 9).all() and (one.box_px <= 51).all()


def test_a_joint_that_went_astray_does_not_stretch_the_box() -> None:
    hand = place_hand(5, (10, 10), (30, 30))
    hand[7] = 90, 60
    (one,) = choose_hands([make_instance(hand, 0.9)], Finding())
    assert (one.box_px <= 31).all() and one.scores[7] == 0 and one.scores[6] > 0


def test_a_mirror_is_asked_when_wanted() -> None:
    hand = place_hand(6, (10, 10), (40, 40))
    net = Answer(make_maps([hand], [0.0], *SIZE))
    HandFinder(net, SIZE, Finding(flip=True))(np.random.default_rng(0).random((64, 96), np.float32))
    first, second = net.seen
    assert torch.equal(first.flip(-1), second) and not torch.equal(first, second)


def test_weights_are_stored_in_half_precision(tmp_path: Path) -> None:
    """What comes back finds the same."""
    torch.manual_seed(0)
    model = build_model("litepose-xs", SMALL, 1)
    for module in model.net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.weight, 1.0, 0.3)
            torch.nn.init.normal_(module.bias, 0.0, 0.3)
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.01, 0.1)
    for weight in model.net.parameters():
        if weight.ndim == 4:
            weight.data.mul_(100)
    net = model.net.eval()
    path = tmp_path / "w.safetensors"
    deployed = deploy(model, net, {"run": "a"})
    size = save_weights(path, deployed)
    numbers = sum(p.numel() for p in deployed.net.parameters())
    assert 2 * numbers < size < 2 * numbers + 1000
    assert not any("running" in name for name in deployed.net.state_dict())
    image = torch.rand(2, 1, 64, 96)
    with torch.no_grad():
        for whole, folded, stored in zip(
            net(image), deployed.net(image), load_weights(path).net(image), strict=True
        ):
            scale = float(whole.abs().max())
            assert torch.allclose(folded, whole, atol=1e-4 * scale)
            assert (stored - whole).abs().mean() < 5e-3 * whole.abs().mean()
    finder = HandFinder.load(path)
    assert finder.size_px == SIZE
    assert isinstance(finder(np.full((48, 64), 0.4, np.float32)), list)


def test_weights_beyond_half_precision_are_refused(tmp_path: Path) -> None:
    model = build_model("litepose-xs", SMALL, 1)
    deployed = deploy(model, model.net, {})
    next(deployed.net.parameters()).data.fill_(1e5)
    with pytest.raises(BadInput, match="65,504"):
        save_weights(tmp_path / "w", deployed)
    assert save_weights(tmp_path / "w", replace(deployed, half=False)) > 0
    assert next(load_weights(tmp_path / "w").net.parameters()).max().item() == 1e5


def test_other_networks_find_no_hands(tmp_path: Path) -> None:
    for name, shape, told in (
        ("handlite", {}, "holds handlite, which finds no hands"),
        ("litepose-xs", SMALL | {"joints": 17}, "has 17 joints, not a hand's 21"),
    ):
        model = build_model(name, shape)
        save_weights(tmp_path / "w", deploy(model, model.net, {}))
        with pytest.raises(BadInput, match=told):
            HandFinder.load(tmp_path / "w")
