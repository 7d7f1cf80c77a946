"""Multiply-adds by two counters, and times."""

import time

import pytest

torch = pytest.importorskip("torch")

from train_tiny.cost import count_macs, time_calls  # noqa: E402
from train_tiny.models import build_model  # noqa: E402
from train_tiny.networks.litepose import build_litepose  # noqa: E402


@pytest.mark.parametrize("name", ["handlite", "mobilenetv2", "litepose-xs"])
def test_two_counters_agree(name: str) -> None:
    side = (192, 256) if name.startswith("litepose") else (128, 128)
    macs = count_macs(build_model(name).net.eval(), torch.zeros(1, 1, *side))
    assert macs.ours == macs.torch > 1e7


def test_counts_are_those_of_paper_and_pencil() -> None:
    net = torch.nn.Sequential(
        torch.nn.Conv2d(2, 6, 3, 2, 1, groups=2),  # 6 x 4 x 4 outputs of 1 x 3 x 3 products
        torch.nn.ConvTranspose2d(6, 5, 4, 2, 1),  # 6 x 4 x 4 inputs onto 5 x 4 x 4
        torch.nn.Flatten(2),
        torch.nn.Linear(64, 7),
    )
    macs = count_macs(net.eval(), torch.zeros(1, 2, 8, 8))
    counts = {"convolution": 6 * 16 * 9, "transposed": 96 * 80, "linear": 5 * 7 * 64}
    assert macs.by_kind == counts and macs.ours == macs.torch == sum(counts.values())


def test_litepose_costs_what_was_published() -> None:
    net = build_litepose("xs", 14, 3).eval()
    assert count_macs(net, torch.zeros(1, 3, 256, 256)).ours / 1e9 == pytest.approx(0.883, abs=5e-4)


def test_handlite_is_within_its_budget_with_all_heads() -> None:
    model = build_model("handlite")
    macs = count_macs(model.net.eval(), torch.zeros(1, 1, 128, 128))
    assert macs.ours <= 17.5e6
    # What its heads read under the heatmaps is a product of matrices.
    assert set(macs.by_kind) == {"convolution", "linear", "product"}


def test_times_are_of_this_process_alone() -> None:
    """Sleep costs no core: what others do meanwhile is not counted."""

    def work() -> None:
        until = time.process_time() + 0.002
        while time.process_time() < until:
            pass

    slept, worked = time_calls([lambda: time.sleep(0.002), work], 5)
    assert slept < 1 < 2 <= worked
