"""ExecuTorch programs compute what torch does."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("executorch")

from tests.train_tiny.packages import deploy_stirred, teach  # noqa: E402
from train_tiny.export.checks import run_in_parts  # noqa: E402
from train_tiny.export.interface import describe_network  # noqa: E402
from train_tiny.export.packaging import compare, export_network  # noqa: E402
from train_tiny.export.runners import run_executorch, run_torch  # noqa: E402


@pytest.mark.slow
def test_a_program_equals_torch() -> None:
    """LitePose, HandLite and the finder, image after image."""
    small = {"size_px": [64, 48], "stages": [8, 8, 16, 16], "blocks": [1, 1, 1, 1]}
    shape = {"stem": 8, "tiers": [8, 8, 16], "blocks": [1, 1, 1], "decoder": 8, "input_px": 32}
    whole = {"size_px": [64, 48], "tiers": [8, 8, 16], "decoder": 8}
    for name, config in (("litepose-xs", small), ("handlite", shape), ("finder", whole)):
        interface = describe_network(deploy_stirred(name, config))
        run = run_executorch(export_network(interface, "executorch", None))
        images = np.random.default_rng(0).random((3, *interface.shape[1:]), np.float32)
        truth = run_in_parts(run_torch(interface), images, interface.outputs)
        for (key, wanted), found in zip(truth.items(), run(images), strict=True):
            assert np.abs(found - wanted).max() < 1e-4 * max(np.abs(wanted).max(), 1), key


@pytest.mark.slow
def test_eight_bits_cost_little_on_what_was_learnt() -> None:
    deployed, checks, calibration = teach()
    interface = describe_network(deployed)
    whole = export_network(interface, "executorch", None)
    data = export_network(interface, "executorch-int8", calibration[:16])
    assert len(data) < len(whole)
    found = compare(interface, "executorch-int8", data, checks, 3)
    assert found.torch_scores["pck"] > 0.5
    assert found.scores["pck"] > found.torch_scores["pck"] - 0.03
    assert 0 < found.apart_px < 1
