"""Packaged networks compute what torch does, in the bytes that were promised, and say how to use
them."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

torch = pytest.importorskip("torch")
onnxruntime = pytest.importorskip("onnxruntime")

from frames.errors import BadInput  # noqa: E402
from tests.train_tiny.packages import deploy_stirred, teach  # noqa: E402
from train_tiny.export import packaging  # noqa: E402
from train_tiny.export.bias_correction import correct_biases, round_weights  # noqa: E402
from train_tiny.export.checks import Wanted, load_checks, run_in_parts  # noqa: E402
from train_tiny.export.interface import describe_network  # noqa: E402
from train_tiny.export.onnx_export import PROPERTY, export_onnx, finish_model  # noqa: E402
from train_tiny.export.onnx_graph import slim_model  # noqa: E402
from train_tiny.export.onnx_quantisation import quantise_model  # noqa: E402
from train_tiny.export.packaging import compare, export_network, load_deployed, package  # noqa: E402
from train_tiny.export.runners import run_onnx, run_torch  # noqa: E402
from train_tiny.loading.crop_loading import LoaderConfig, open_sources  # noqa: E402
from train_tiny.loading.eval_loading import make_eval_loader  # noqa: E402
from train_tiny.models import build_model  # noqa: E402
from train_tiny.weights import MOST_BYTES, deploy, load_weights, save_weights  # noqa: E402

MOST_INT8 = 110_000

FRAMES = {"size_px": [64, 48], "stages": [8, 8, 16, 16], "blocks": [1, 1, 1, 1]}


@pytest.fixture(scope="module")
def whole() -> tuple[object, onnx.ModelProto]:
    """HandLite as it ships."""
    interface = describe_network(deploy_stirred("handlite"))
    return interface, export_onnx(interface)


def test_handlite_keeps_to_its_budgets(whole: tuple[object, onnx.ModelProto]) -> None:
    """With biases and norms that are no zeros: equal constants are stored once."""
    interface, model = whole
    size = len(finish_model(slim_model(model, "handlite"), interface))
    assert 4 * 70_000 < size <= MOST_BYTES
    images = np.random.default_rng(0).random((4, *interface.shape[1:]), np.float32)
    small = finish_model(quantise_model(model, images), interface)
    assert len(small) <= MOST_INT8
    onnx.checker.check_model(onnx.load_from_string(small), full_check=True)


def test_int8_is_computed_in_integers(
    whole: tuple[object, onnx.ModelProto], tmp_path: Path
) -> None:
    """Every convolution but the last becomes one of integers when the runtime loads the file."""
    interface, model = whole
    images = np.random.default_rng(0).random((2, *interface.shape[1:]), np.float32)
    data = quantise_model(model, images).SerializeToString()
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.graph_optimization_level, options.log_severity_level = level, 3
    onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    kinds = [n.op_type for n in onnx.load(tmp_path / "optimised.onnx").graph.node]
    convolutions = sum(n.op_type == "Conv" for n in model.graph.node)
    assert kinds.count("QLinearConv") == convolutions - 1 and kinds.count("Conv") == 1


def test_slimming_changes_no_number(whole: tuple[object, onnx.ModelProto]) -> None:
    interface, model = whole
    fat = onnx.ModelProto()
    fat.CopyFrom(model)
    for number, node in enumerate(fat.graph.node):
        node.name, node.doc_string = f"a long name of node {number}", "what it is for"
    twin = fat.graph.initializer.add()
    twin.CopyFrom(fat.graph.initializer[0])
    twin.name = "twin"
    slim = slim_model(fat, "handlite")
    assert slim.SerializeToString(True) == slim_model(slim, "handlite").SerializeToString(True)
    assert slim.ByteSize() <= model.ByteSize() < fat.ByteSize()
    image = np.random.default_rng(1).random(interface.shape, np.float32)
    for ours, theirs in zip(
        *(run_onnx(m.SerializeToString())(image) for m in (slim, fat)), strict=True
    ):
        assert np.array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("name", "config", "decode"),
    [
        ("handlite", {"input_px": 64}, False),
        ("handlite", {"input_px": 64, "local": False, "side": False}, True),
        ("mobilenetv2", {"decoder": 16, "input_px": 64}, False),
        ("litepose-xs", FRAMES, False),
        ("finder", {"size_px": [64, 48], "tiers": [8, 8, 16], "stem": 8}, False),
    ],
)
def test_onnx_equals_torch_on_what_a_sensor_reads(
    name: str, config: dict[str, object], decode: bool, rendered: Path
) -> None:
    """Of any number of images, by the names that the interface gives."""
    interface = describe_network(deploy_stirred(name, config), decode)
    deployed = deploy_stirred(name, config)
    wanted = Wanted(str(rendered), "val", "d435", compared=12, calibrated=4)
    checks, calibration = load_checks(deployed, wanted)
    assert len(checks.images) == 12 and len(calibration) == 4
    data = export_network(interface, "onnx", calibration)
    session = onnxruntime.InferenceSession(data)
    assert tuple(o.name for o in session.get_outputs()) == interface.outputs
    assert [i.name for i in session.get_inputs()] == ["image"]
    truth = run_in_parts(run_torch(interface), checks.images, interface.outputs)
    for count in (1, 5):
        found = dict(zip(interface.outputs, run_onnx(data)(checks.images[:count]), strict=True))
        for key, value in found.items():
            size = np.abs(truth[key]).max()
            assert np.abs(value - truth[key][:count]).max() < 1e-4 * max(size, 1), key
    told = {o["name"]: o["shape"] for o in interface.text["outputs"]}
    assert {k: ["batch", *v.shape[1:]] for k, v in truth.items()} == told


def test_int8_costs_little_on_what_was_learnt() -> None:
    """A briefly trained network: it finds drawn hands, and in 8 bits nearly as well."""
    deployed, checks, calibration = teach()
    interface = describe_network(deployed)
    data = export_network(interface, "onnx-int8", calibration)
    found = compare(interface, "onnx-int8", data, checks, 3)
    assert found.torch_scores["pck"] > 0.5
    assert found.scores["pck"] > found.torch_scores["pck"] - 0.03
    assert found.scores["px"] < 1.1 * found.torch_scores["px"] + 0.05
    assert 0 < found.apart_px < 1
    assert found.macs.ours == found.macs.torch


def test_corrected_biases_give_back_what_rounding_takes() -> None:
    """The mean output of a convolution with rounded weights is that of the convolution."""
    torch.manual_seed(0)
    images = np.random.default_rng(0).random((40, 4, 12, 12), np.float32)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(4, 8, 3, groups=2), torch.nn.ReLU6(), torch.nn.Conv2d(8, 6, 1, bias=False)
    )
    corrected = correct_biases(net, images)
    means = []
    for first, bias in ((net[0], None), (net[0], net[0].bias), (corrected[0], corrected[0].bias)):
        layer = torch.nn.Conv2d(4, 8, 3, groups=2)
        layer.load_state_dict(first.state_dict())
        if bias is not None:
            layer.weight.data = round_weights(first.weight.data)
        with torch.no_grad():
            means.append(layer(torch.from_numpy(images)).mean((0, 2, 3)))
    true, rounded, mended = means
    # What is left: windows of a convolution do not weigh all pixels alike.
    assert (mended - true).abs().max() < 0.1 * (rounded - true).abs().max()
    assert torch.equal(corrected[2].weight, net[2].weight)


def test_a_stranger_needs_nothing_but_the_file(rendered: Path) -> None:
    """From a depth crop to pixels by the words in the file, in numpy alone."""
    deployed, _, _ = teach()
    interface = describe_network(deployed)
    session = onnxruntime.InferenceSession(export_network(interface, "onnx", None))
    text = json.loads(session.get_modelmeta().custom_metadata_map[PROPERTY])
    assert text == interface.text
    given = text["input"]
    side = given["shape"][-1]
    config = LoaderConfig(
        batch=8, size_px=side, split="val", sensor="d435", occlusion=None, geometry=None
    )
    images, _, facts = next(make_eval_loader(open_sources([str(rendered)]), config))
    for z, image, reference in zip(facts.depth_m, images[:, 0], facts.reference_m, strict=True):
        near = np.sort(z[side // 4 : -(-3 * side // 4), side // 4 : -(-3 * side // 4)], axis=None)
        near = near[near > 0]
        assert len(near) and near[int(0.25 * (len(near) - 1))] == pytest.approx(reference)
        half = given["half_range_m"]
        encoded = np.where(z > 0, np.clip((reference + half - z) / (2 * half), 0, 1), 0)
        assert np.allclose(encoded, image, atol=1e-5)
    heats = session.run(["keypoints"], {given["name"]: images.numpy()})[0]
    chance = np.exp(heats - heats.max((2, 3), keepdims=True))
    y, x = np.unravel_index(chance.reshape(*chance.shape[:2], -1).argmax(-1), chance.shape[2:])
    decoded = describe_network(deployed, decode=True)
    truth = run_torch(decoded)(images.numpy())[0]
    stride = side // heats.shape[-1]
    for n, j in np.ndindex(*x.shape):
        rows, columns = (slice(max(c - 2, 0), c + 3) for c in (y[n, j], x[n, j]))
        local = chance[n, j, rows, columns] / chance[n, j, rows, columns].sum()
        at = np.arange(heats.shape[-1])
        cell = np.array([(local.sum(0) * at[columns]).sum(), (local.sum(1) * at[rows]).sum()])
        assert np.allclose(stride * (cell + 0.5) - 0.5, truth[n, j], atol=1e-3)


def test_the_same_network_gives_the_same_bytes() -> None:
    one, two = (
        export_network(describe_network(deploy_stirred("handlite", {"input_px": 32})), "onnx", None)
        for _ in range(2)
    )
    assert one == two


def test_what_differs_from_torch_is_not_written(
    rendered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed = deploy_stirred("handlite", {"input_px": 32})
    other = describe_network(deploy_stirred("handlite", {"input_px": 32, "expansion": 3}))
    wrong = export_network(other, "onnx", None)
    monkeypatch.setattr(packaging, "export_network", lambda *_: wrong)
    wanted = Wanted(str(rendered), "val", "ideal", 4, 4)
    with pytest.raises(BadInput, match=r"onnx of handlite differs from torch by .* in keypoints"):
        package(deployed, tmp_path / "hand.onnx", "onnx", wanted, rounds=1)
    assert not list(tmp_path.iterdir())


def test_heads_are_chosen(tmp_path: Path) -> None:
    deployed = deploy_stirred("handlite", {"input_px": 32})
    path = tmp_path / "hand.safetensors"
    save_weights(path, deployed)
    few = load_deployed(path, ("depth",))
    assert describe_network(few).outputs == ("keypoints", "depth")
    image = torch.rand(1, 1, 32, 32)
    assert torch.equal(few.net(image)["depth"], load_weights(path).net(image)["depth"])
    assert describe_network(load_deployed(path, ())).outputs == ("keypoints",)
    with pytest.raises(BadInput, match="has no head mask: it has visibility, side, depth"):
        load_deployed(path, ("mask",))
    with pytest.raises(BadInput, match="unknown head 'hat': known are mask"):
        load_deployed(path, ("hat",))


@pytest.mark.parametrize(("name", "config"), [("litepose-xs", FRAMES), ("finder", {})])
def test_whole_frames_are_not_decoded(name: str, config: dict[str, object]) -> None:
    with pytest.raises(BadInput, match=f"{name} finds any number of hands"):
        describe_network(deploy_stirred(name, config), decode=True)


def test_a_finder_says_from_where_on_a_hand_is_one() -> None:
    model = build_model("finder")
    text = describe_network(deploy(model, model.net, {"least_score": 0.37})).text
    assert text["least_score"] == 0.37
    assert [o["name"] for o in text["outputs"]] == ["centre", "box"] and text["keypoints"] == []
    assert all("edge" in o["meaning"] or "middle" in o["meaning"] for o in text["outputs"])


def test_calibration_has_other_images_than_the_comparison(rendered: Path) -> None:
    deployed = deploy_stirred("handlite", {"input_px": 32})
    for split in ("auto", "val", "train", ""):
        wanted = Wanted(str(rendered), split, "ideal", compared=10, calibrated=10)
        checks, calibration = load_checks(deployed, wanted)
        assert len(checks.images) == len(calibration) == 10
        same = (checks.images[:, None] == calibration).all((2, 3, 4))
        assert not same.any()
