"""Sizes and names of the networks: published tables to the parameter, budgets by two counters."""

import pytest

torch = pytest.importorskip("torch")

from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from train_tiny.networks.handlite import HandLite, HandLiteConfig, JointHead, pool_under  # noqa: E402
from train_tiny.networks.layers import count_parameters  # noqa: E402
from train_tiny.networks.litepose import LITEPOSE, build_litepose, load_published  # noqa: E402
from train_tiny.networks.mobilenet import MobileNetV2  # noqa: E402

PUBLISHED = {
    "xs": (1_675_552, 1_675_912, 1_676_392),
    "s": (2_731_240, 2_731_624, 2_732_136),
    "m": (3_533_808, 3_534_336, 3_535_040),
    "l": (5_738_120, 5_738_672, 5_739_408),
}
"""Parameters of the official code with 14, 17 and 21 joints and three channels."""


def count_macs(net: torch.nn.Module, channels: int, side: int) -> float:
    """Multiply-adds by torch's own counter, transposed convolutions at their input's size."""
    net.eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(torch.zeros(1, channels, side, side))
    return counter.get_total_flops() / 2


def count_by_hand(net: torch.nn.Module, channels: int, side: int) -> float:
    """The same from the shapes that pass through every layer."""
    total = 0.0

    def hook(layer: torch.nn.Module, given: tuple[torch.Tensor], out: torch.Tensor) -> None:
        nonlocal total
        if isinstance(layer, torch.nn.Conv2d):
            total += out[0].numel() * layer.weight[0].numel()
        elif isinstance(layer, torch.nn.Linear):
            total += layer.weight.numel()
        elif isinstance(layer, JointHead):
            total += layer.weight.numel()
            if layer.whole is None:
                # One of the heads has the features of each joint averaged under its map.
                total += given[0][0].numel() * (side // 4) ** 2

    hooks = [m.register_forward_hook(hook) for m in net.modules()]  # type: ignore[arg-type]
    net.eval()
    with torch.no_grad():
        net(torch.zeros(1, channels, side, side))
    for handle in hooks:
        handle.remove()
    return total


@pytest.mark.parametrize("name", LITEPOSE)
def test_litepose_has_the_published_parameters(name: str) -> None:
    found = tuple(count_parameters(build_litepose(name, joints, 3)) for joints in (14, 17, 21))
    assert found == PUBLISHED[name]


def test_litepose_costs_what_was_published() -> None:
    assert count_macs(build_litepose("xs", 14, 3), 3, 256) / 1e9 == pytest.approx(0.883, abs=5e-4)
    assert count_macs(build_litepose("s", 17, 3), 3, 448) / 1e9 == pytest.approx(3.624, abs=5e-4)


def test_litepose_names_its_weights_as_published() -> None:
    net = build_litepose("xs", 14, 3)
    state = net.state_dict()
    assert len(state) == 679
    for name in (
        *("first.0.0.weight", "first.1.1.running_mean", "first.2.weight", "first.3.bias"),
        *("stage.0.0.inv.0.weight", "stage.3.9.depth_conv.1.weight", "stage.1.7.point_conv.1.bias"),
        *("deconv_refined.2.weight", "deconv_raw.0.weight", "deconv_bnrelu.1.0.weight"),
        *("final_refined.0.conv.0.weight", "final_raw.1.conv.3.weight"),
    ):
        assert name in state
    wrapped = {"state_dict": {f"module.{k}": v for k, v in state.items()}, "epoch": 3}
    load_published(build_litepose("xs", 14, 3), wrapped)
    other = build_litepose("xs", 21, 1).state_dict()
    changed = [k for k in state if state[k].shape != other[k].shape]
    assert changed == ["first.0.0.weight", *(k for k in state if k.endswith("conv.3.weight"))]
    with pytest.raises(RuntimeError):
        load_published(build_litepose("xs", 21, 3), wrapped)


@pytest.mark.parametrize("fusion", [True, False])
@pytest.mark.parametrize("kernel", [3, 9])
def test_litepose_makes_maps_of_both_sizes(fusion: bool, kernel: int) -> None:
    net = build_litepose("xs", 21, 1, fusion=fusion, kernel=kernel)
    half, quarter = net(torch.zeros(2, 1, 96, 128))[::-1]
    assert half.shape == (2, 21, 48, 64)
    assert quarter.shape == (2, 42, 24, 32)


def test_handlite_stays_within_its_budget() -> None:
    bare = HandLite(HandLiteConfig(mask=False, visibility=False, side=False, key_pose=False,
                                   depth=False))  # fmt: skip
    assert count_parameters(bare) == 71_413
    assert 4 * count_parameters(HandLite()) <= 300 * 1024
    assert count_macs(HandLite(), 1, 128) == pytest.approx(count_by_hand(HandLite(), 1, 128))
    for counter in (count_macs, count_by_hand):
        assert counter(HandLite(), 1, 128) <= 17.5e6
        assert counter(bare, 1, 128) / 1e6 == pytest.approx(15.95, abs=0.05)


def test_handlite_gives_what_its_heads_promise() -> None:
    out = HandLite()(torch.zeros(3, 1, 128, 128))
    assert {k: tuple(v.shape) for k, v in out.items()} == {
        "keypoints": (3, 21, 32, 32),
        "mask": (3, 1, 32, 32),
        "visibility": (3, 21),
        "side": (3,),
        "key_pose": (3, 9),
        "depth": (3, 21, 2),
    }
    assert list(HandLite(HandLiteConfig(mask=False, side=False)).heads) == [
        "visibility",
        "key_pose",
        "depth",
    ]


def test_mobilenet_is_the_baseline() -> None:
    net = MobileNetV2()
    assert count_parameters(net) == pytest.approx(1.895e6, abs=1e3)
    assert count_macs(net, 1, 128) / 1e6 == pytest.approx(110.8, abs=0.1)
    assert net(torch.zeros(2, 1, 128, 128))["keypoints"].shape == (2, 21, 32, 32)


def test_a_joints_head_reads_what_is_under_its_heatmap() -> None:
    net = HandLite().eval()
    features = torch.randn(2, 32, 8, 8)
    maps = torch.full((2, 21, 8, 8), -50.0)
    for joint in range(21):
        maps[:, joint, joint // 8, joint % 8] = 50.0
    local = pool_under(maps, features)
    for joint in range(21):
        assert torch.allclose(local[:, joint], features[:, :, joint // 8, joint % 8], atol=1e-5)
    head, whole = net.heads["depth"], torch.randn(2, 48)
    out = head(local, whole)
    for joint in range(21):
        alone = local[:, joint] @ head.weight[joint] + head.bias[joint]
        alone[:, 1] += whole @ head.whole.weight[joint]
        assert torch.allclose(out[:, joint], alone, atol=1e-5)


def test_heads_of_the_whole_crop_are_an_option() -> None:
    net = HandLite(HandLiteConfig(local=False))
    assert count_parameters(net) == count_parameters(HandLite())
    assert net(torch.zeros(1, 1, 64, 64))["depth"].shape == (1, 21, 2)
