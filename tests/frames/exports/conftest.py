"""A dataset to export, and what its consumers' libraries must not do."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

# Before `datasets` is imported: it would ask the hub, and write into the user's home.
os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

from fabricate import write_dataset

from frames.record import Frame
from frames.store.dataset import open_dataset

SPLITS = {"train": (0, 14), "my-val": (14, 22)}
"""Two frames are in none."""


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 frames of one to three hands, some of them partly or wholly out of the picture."""
    return write_dataset(tmp_path_factory.mktemp("source") / "data", 24, 8, splits=SPLITS)


@pytest.fixture(scope="session")
def shown(source: Path) -> list[Frame]:
    """Its frames."""
    return list(open_dataset(source))
