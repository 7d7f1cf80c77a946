"""What commands with networks share: datasets by name, and torch."""

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
