"""Ablations are files that the command reads, and each network is what its file says."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from console.arguments import parse  # noqa: E402
from console.settings import expand_settings  # noqa: E402
from console.train import build_from  # noqa: E402
from console.train_command import TrainCommand  # noqa: E402
from frames.errors import BadInput  # noqa: E402
from train_tiny.models import Model, build_model  # noqa: E402
from train_tiny.networks.litepose import InvertedBottleneck  # noqa: E402
from train_tiny.weights import deploy  # noqa: E402

FILES = Path(__file__).parents[2] / "examples" / "ablations"


def build(name: str, *more: str) -> Model:
    arguments = expand_settings(["out", "--config", str(FILES / f"{name}.toml"), *more])
    default = TrainCommand(out=Path())
    return build_from(parse(TrainCommand, "handloom train", arguments, default=default))


@pytest.mark.parametrize("kernel", [3, 5, 7, 9])
def test_kernels(kernel: int) -> None:
    model = build(f"kernel-{kernel}")
    assert model.name == "litepose-s" and model.size_px == (448, 336)
    sizes = {b.depth_conv[0].kernel_size for b in model.net.modules()
             if isinstance(b, InvertedBottleneck)}  # fmt: skip
    assert sizes == {(kernel, kernel)}


def test_heads() -> None:
    assert not build("plain-head").net.deconv_raw
    assert build("kernel-7").net.deconv_raw


@pytest.mark.parametrize("step", range(4))
def test_branches_shrink(step: int) -> None:
    model = build(f"shrink-{step}")
    assert model.name == "branches"
    counts = [[len(branch) for branch in stage] for stage in model.net.stage]
    before = build(f"shrink-{max(0, step - 1)}")
    for mine, theirs in zip(counts, before.net.stage, strict=True):
        assert all(n <= len(other) for n, other in zip(mine, theirs, strict=True))


def test_branches_give_maps_as_litepose_does() -> None:
    model = build_model("branches", {"size_px": [64, 32], "joints": 5, "fourth": [0, 0, 1, 1]})
    net = model.net.eval()
    quarter, half = net(torch.rand(2, 1, 32, 64))
    assert quarter.shape == (2, 10, 8, 16) and half.shape == (2, 5, 16, 32)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    images = torch.rand(2, 1, 32, 64)
    folded = deploy(model, net, {}).net
    for mine, theirs in zip(folded(images), net(images), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-4)
    with pytest.raises(BadInput, match="multiples of 32"):
        build_model("branches", {"size_px": [48, 32]})
    with pytest.raises(BadInput, match="second of branches must be 2 whole numbers"):
        build_model("branches", {"second": [1]})


def test_settings_give_way_to_options(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text(
        'rate = 0.1\nocclusion = false\ndata = ["a", "b"]\n'
        "network = { stages = [1, 2], x = true }\n"
    )
    made = expand_settings(["out", "--rate", "0.2", "--config", str(path), "--json"])
    wanted = ["out", "--no-occlusion", "--data", "a", "--data", "b", "--network", "stages=[1,2]"]
    assert made == [*wanted, "x=true", "--rate", "0.2", "--json"]
    assert expand_settings(["out", f"--config={path}", "--occlusion"])[-1] == "--occlusion"
    both = expand_settings(["out", "--network", "x=false", "y=1", "--config", str(path)])
    assert both[both.index("--network") + 1 :] == ["stages=[1,2]", "x=false", "y=1"]
    assert expand_settings(["out", "--rate", "1"]) == ["out", "--rate", "1"]
    path.write_text("rate = ")
    with pytest.raises(BadInput, match="is not TOML"):
        expand_settings(["--config", str(path)])
    with pytest.raises(BadInput, match="cannot read the settings"):
        expand_settings(["--config", str(tmp_path / "none.toml")])
