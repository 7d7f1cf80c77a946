"""The included weights, and weights by any of the names that a user may give."""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from torch import nn

from frames.errors import BadInput
from train_tiny.models import CROP_MODELS
from train_tiny.run_folder import WEIGHTS_NAME, hash_file, read_run
from train_tiny.weights import load_weights

SHIPPED: Final = "shipped"
"""The name of the weights that come along."""

FOLDER: Final = Path(__file__).parent / "shipped"
HAND_FILE: Final = "handlite.safetensors"
FINDER_FILE: Final = "finder.safetensors"


@dataclass(frozen=True, eq=False)
class HandNet:
    """A hand network, ready for use on the CPU."""

    name: str
    net: nn.Module
    input_px: int
    provenance: dict[str, Any]
    sha256: str
    """Of the file."""


def find_weights(name: str | Path, file: str) -> Path:
    """The file that is meant by "shipped", a run's folder, or a file.

    file: which of the shipped ones. Raises BadInput, saying what to do, where there is none.
    """
    if str(name) == SHIPPED:
        path = FOLDER / file
        if not path.is_file():
            raise BadInput(
                f"no weights come along with this handloom ({path} is not there): name a file of"
                " weights or the folder of a run (handloom train makes one)"
            )
        return path
    path = Path(name)
    if path.is_dir():
        read_run(path)
        if not (path / WEIGHTS_NAME).is_file():
            raise BadInput(
                f"the run {path} has no {WEIGHTS_NAME} yet: they are written when it has a best"
                " validation or ends"
            )
        return path / WEIGHTS_NAME
    if not path.exists():
        raise BadInput(f"there are no weights {path}: name a file, the folder of a run, or shipped")
    return path


def load_hand_net(name: str | Path) -> HandNet:
    """A network for crops of one hand. Raises BadInput for what is none, or of another kind."""
    path = find_weights(name, HAND_FILE)
    found = load_weights(path)
    if found.name not in CROP_MODELS:
        raise BadInput(
            f"{path} has the weights of {found.name}, which is no network for crops of one hand"
            f" ({' or '.join(CROP_MODELS)}): is it meant as --finder?"
        )
    side = int(found.config.get("input_px", 128))
    return HandNet(found.name, found.net, side, found.provenance, hash_file(path))


def load_finder(name: str | Path | None) -> Any:
    """A network that finds hands in whole frames; None for None if none comes along."""
    if name is None:
        if not (FOLDER / FINDER_FILE).is_file():
            return None
        name = SHIPPED
    path = find_weights(name, FINDER_FILE)
    return import_module("train_tiny.finding.hand_finder").HandFinder.load(path)
