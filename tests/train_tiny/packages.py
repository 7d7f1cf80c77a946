"""Small networks to package, and images to package them with."""

from functools import cache
from typing import Any

import numpy as np
import torch
from torch import nn

from tests.train_tiny.drawn_hands import SIDE, draw_crops, pick
from train_tiny.export.checks import CropChecks
from train_tiny.losses.balance import FIXED
from train_tiny.models import Model, build_model
from train_tiny.weights import Deployed, deploy

SMALL = {"stem": 8, "tiers": [12, 16, 24], "blocks": [1, 1, 1], "decoder": 16, "input_px": SIDE}


def stir(net: nn.Module, seed: int = 0) -> nn.Module:
    """No two numbers the same, as after training: fresh norms and biases are zeros and ones."""
    rng = torch.Generator().manual_seed(seed)
    for name, value in net.state_dict().items():
        if name.endswith(("bias", "running_mean")):
            value.copy_(0.1 * torch.randn(value.shape, generator=rng))
        elif value.ndim == 1 and value.is_floating_point():
            value.copy_(1 + 0.3 * torch.rand(value.shape, generator=rng))
    return net


def deploy_stirred(name: str, config: dict[str, Any] | None = None) -> Deployed:
    """A network of random weights."""
    model = build_model(name, config)
    stir(model.net)
    return deploy(model, model.net, {"run": "a test", "command": "handloom train " + 400 * "x"})


@cache
def teach() -> tuple[Deployed, CropChecks, np.ndarray]:
    """A small HandLite that has learnt to find drawn hands, others to compare on, some to
    calibrate on."""
    torch.set_num_threads(1)
    model: Model = build_model("handlite", SMALL)
    images, targets = draw_crops(256, seed=1)
    optimiser = torch.optim.AdamW(model.net.parameters(), 4e-3)
    rows = torch.Generator().manual_seed(0)
    model.net.train()
    for _ in range(150):
        chosen = torch.randint(0, len(images), (16,), generator=rows)
        losses = model.measure(model.net(images[chosen]), pick(targets, chosen))
        optimiser.zero_grad()
        torch.stack([FIXED[name] * loss for name, loss in losses.items()]).sum().backward()
        optimiser.step()
    others, labels = draw_crops(96, seed=2)
    checks = CropChecks(others.numpy(), labels.keypoints_px.numpy())
    return deploy(model, model.net.eval(), {"run": "a test"}), checks, images[:64].numpy()
