"""Checkpoints and weights: whole or refused in one line."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from frames.errors import BadInput  # noqa: E402
from train_tiny.folding import fold_norms  # noqa: E402
from train_tiny.models import build_model  # noqa: E402
from train_tiny.run_folder import open_run, read_run  # noqa: E402
from train_tiny.training.checkpoint import load_checkpoint, save_checkpoint  # noqa: E402
from train_tiny.training.place import load_net  # noqa: E402
from train_tiny.weights import (  # noqa: E402
    MOST_BYTES,
    Deployed,
    deploy,
    load_weights,
    pack_weights,
    save_weights,
)


def warm(net: torch.nn.Module) -> torch.nn.Module:
    """Norms with statistics and scales of their own."""
    generator = torch.Generator().manual_seed(3)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for tensor, low in ((module.running_mean, -1), (module.bias.data, -1)):
                tensor.uniform_(low, 1, generator=generator)
            for tensor in (module.running_var, module.weight.data):
                tensor.uniform_(0.5, 2, generator=generator)
    return net.eval()


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    state = {"a": torch.arange(5), "b": {"c": [1, 2.5, "x", None]}, "d": torch.zeros(0)}
    save_checkpoint(tmp_path / "a.ckpt", state)
    found = load_checkpoint(tmp_path / "a.ckpt")
    assert found["b"] == state["b"]
    assert torch.equal(found["a"], state["a"])
    assert [p.name for p in tmp_path.iterdir()] == ["a.ckpt"]


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda d: d[: len(d) // 2], "is damaged: its SHA-256 differs"),
        (lambda d: d[:-100] + b"x" + d[-99:], "is damaged: its SHA-256 differs"),
        (lambda d: d[:20], "is damaged: its SHA-256 differs"),
        (lambda d: b"", "is no checkpoint of handloom"),
        (lambda d: b"PK" + d, "is no checkpoint of handloom"),
    ],
)
def test_a_corrupt_checkpoint_is_one_line(
    tmp_path: Path, harm: Callable[[bytes], bytes], said: str
) -> None:
    path = tmp_path / "last.ckpt"
    save_checkpoint(path, {"net": torch.zeros(1000)})
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(BadInput) as caught:
        load_checkpoint(path)
    assert said in str(caught.value) and str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_checkpoint_runs_no_code(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return print, ("run",)

    save_checkpoint(tmp_path / "a.ckpt", {"x": Evil()})
    with pytest.raises(BadInput, match="cannot be read"):
        load_checkpoint(tmp_path / "a.ckpt")


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    model = build_model("handlite")
    save_checkpoint(tmp_path / "best.ckpt", {"net": model.net.state_dict()})
    load_net(build_model("handlite"), tmp_path / "best.ckpt")
    with pytest.raises(BadInput, match=r"does not fit handlite: .*size mismatch"):
        load_net(build_model("handlite", {"decoder": 24}), tmp_path / "best.ckpt")
    with pytest.raises(BadInput, match=r"cannot read the checkpoint .*nowhere"):
        load_net(model, tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["handlite", "mobilenetv2"])
def test_folding_changes_nothing(name: str) -> None:
    net = warm(build_model(name).net).double()
    folded = fold_norms(net)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in folded.modules())
    x = torch.rand(2, 1, 64, 64, dtype=torch.float64)
    for task, wanted in net(x).items():
        # Weights are kept in float32: 24 bits, some dozen layers deep.
        got = folded.double()(x)[task]
        scale = wanted.abs().max()
        assert (got - wanted).abs().max() < 1e-4 * scale, task


def test_deployed_weights_are_small_and_come_back(tmp_path: Path) -> None:
    model = build_model("handlite", seed=5)
    warm(model.net)
    provenance = {"run": "shipped", "command": "--data " + 40 * "d", "seed": 5, "val_pck": 0.912345}
    path = tmp_path / "w.safetensors"
    size = save_weights(path, deploy(model, model.net, provenance))
    assert size == path.stat().st_size <= MOST_BYTES
    found = load_weights(path)
    assert found.provenance == provenance
    assert (found.config["mask"], found.config["depth"]) == (False, True)
    x = torch.rand(3, 1, 128, 128)
    wanted, got = model.net(x), found.net(x)
    assert set(got) == {"keypoints", "visibility", "side", "depth"}
    for task, value in got.items():
        assert torch.allclose(value, wanted[task], atol=2e-4, rtol=2e-4), task
    assert path.read_bytes() == pack_weights(deploy(model, model.net, provenance))


def test_weights_are_a_file_of_safetensors(tmp_path: Path) -> None:
    """As its format is defined: a length, a JSON header, numbers without gaps."""
    model = build_model("handlite")
    data = pack_weights(deploy(model, model.net, {}))
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    assert all(isinstance(v, str) for v in header.pop("__metadata__").values())
    (entry,) = header.values()
    assert entry["data_offsets"] == [0, len(data) - 8 - length]
    numbers = np.frombuffer(data, "<f4", offset=8 + length)
    assert entry["shape"] == [len(numbers)] and entry["dtype"] == "F32"
    first = next(iter(deploy(model, model.net, {}).net.state_dict().values())).flatten()
    assert np.array_equal(numbers[: len(first)], first.numpy())


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda d: d[:-4], "are damaged"),
        (lambda d: d[:-4] + b"abcd", "are damaged"),
        (lambda d: d[:5], "was cut short"),
        (lambda d: b"", "was cut short"),
        (lambda d: b"\x89PNG" + d, "was cut short"),
        (lambda d: d[:8] + b"?" + d[9:], "its header has no metadata"),
        (lambda d: d.replace(b"handloom weights 1", b"handloom weights 2"), "its format must be"),
        (lambda d: d.replace(b"handlite", b"handlike"), "unknown model 'handlike'"),
        (lambda d: d.replace(b'\\"decoder\\":32', b'\\"decoder\\":16'), "of another handlite"),
    ],
)
def test_broken_weights_are_one_line(
    tmp_path: Path, harm: Callable[[bytes], bytes], said: str
) -> None:
    model = build_model("handlite")
    path = tmp_path / "w.safetensors"
    save_weights(path, deploy(model, model.net, {}))
    harmed = harm(path.read_bytes())
    assert harmed != path.read_bytes()
    path.write_bytes(harmed)
    with pytest.raises(BadInput) as caught:
        load_weights(path)
    assert said in str(caught.value) and str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_part_can_be_left_out(tmp_path: Path) -> None:
    model = build_model("handlite", {"depth": False, "side": False})
    made = deploy(model, model.net, {})
    assert isinstance(made, Deployed)
    assert set(made.net(torch.zeros(1, 1, 128, 128))) == {"keypoints", "visibility"}
    save_weights(tmp_path / "w", made)
    assert load_weights(tmp_path / "w").config["side"] is False


def test_a_folder_belongs_to_one_run(tmp_path: Path) -> None:
    identity = {"training": {"rate": 0.1, "stages": (0.1, 0.9)}, "data": [{"source": "a"}]}
    out = tmp_path / "run"
    assert open_run(out, identity, {"commit": "c"}) is False
    assert open_run(out, identity, {"commit": "d"}) is False
    # Nothing was learnt yet: a first try with another value is no run.
    assert open_run(out, {**identity, "data": []}, {"commit": "c"}) is False
    assert open_run(out, identity, {"commit": "c"}) is False
    (out / "last.ckpt").touch()
    assert open_run(out, identity, {}) is True
    assert read_run(out)["made"] == {"commit": "c"}
    other = {**identity, "training": {"rate": 0.2, "stages": (0.1, 0.9)}}
    with pytest.raises(BadInput, match=r"another run: training.rate is 0.1 there and 0.2 here"):
        open_run(out, other, {})
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x").touch()
    with pytest.raises(BadInput, match="is not empty and no run"):
        open_run(tmp_path / "other", identity, {})
    with pytest.raises(BadInput, match="is no run"):
        read_run(tmp_path / "other")
    (out / "config.json").write_text("{")
    with pytest.raises(BadInput, match="not valid JSON"):
        open_run(out, identity, {})
