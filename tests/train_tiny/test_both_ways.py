"""Asked both ways: a mirrored crop has mirrored answers; each answer is the mean of two."""

import pytest

torch = pytest.importorskip("torch")

from train_tiny.losses.heatmaps import find_peaks  # noqa: E402
from train_tiny.networks.handlite import HandLite, HandLiteConfig  # noqa: E402
from train_tiny.prediction.both_ways import BothWays  # noqa: E402


@torch.no_grad()
def test_a_mirrored_crop_has_mirrored_answers() -> None:
    torch.manual_seed(3)
    net = HandLite(HandLiteConfig(mask=False, key_pose=False)).eval()
    both, images = BothWays(net).eval(), torch.rand(3, 1, 64, 64)
    out, mirrored = both(images), both(images.flip(-1))
    places, others = find_peaks(out["keypoints"])[0], find_peaks(mirrored["keypoints"])[0]
    assert torch.allclose(places[..., 0], 15 - others[..., 0], atol=1e-4)
    assert torch.allclose(places[..., 1], others[..., 1], atol=1e-4)
    assert torch.allclose(out["side"], -mirrored["side"], atol=1e-6)
    for name in ("visibility", "depth"):
        assert torch.allclose(out[name], mirrored[name], atol=1e-6)


@torch.no_grad()
def test_the_mean_of_both() -> None:
    torch.manual_seed(4)
    net, images = HandLite(HandLiteConfig(mask=False)).eval(), torch.rand(2, 1, 64, 64)
    out, plain, mirrored = BothWays(net)(images), net(images), net(images.flip(-1))
    heat = [m["keypoints"].flatten(2).softmax(-1).view(2, 21, 16, 16) for m in (plain, mirrored)]
    wanted = (heat[0] + heat[1].flip(-1)) / 2
    assert torch.allclose(out["keypoints"].exp(), wanted, atol=1e-6)
    assert torch.allclose(out["depth"], (plain["depth"] + mirrored["depth"]) / 2, atol=1e-6)
    assert torch.allclose(out["side"], (plain["side"] - mirrored["side"]) / 2, atol=1e-6)
