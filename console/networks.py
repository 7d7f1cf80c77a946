"""What commands with networks share: datasets by name, and torch."""

from pathlib import Path
from typing import Annotated

import tyro

from frames.errors import BadInput

Several = Annotated[tuple[str, ...], tyro.conf.UseAppendAction]
"""An option that may come several times."""


def import_torch() -> None:
    """Raises BadInput where torch is not installed."""
    try:
        import torch  # noqa: F401
    except ImportError:
        raise BadInput("networks need torch: pip install 'handloom[train]'") from None


def find_target(target: Path) -> Path:
    """A run's folder or a file of weights; of "shipped", the included file of HandLite's weights.

    Raises BadInput where nothing is included. Needs torch.
    """
    from train_tiny.shipped import HAND_FILE, SHIPPED, find_weights

    return find_weights(target, HAND_FILE) if str(target) == SHIPPED else target
