"""The search for the best subnet of a trained supernet within a budget of multiply-adds.

Every subnet is cut out, its norms are measured on training images, and it is scored on frames that
neither trained nor validated the supernet. Scores are kept in a file as they come, so a search that
was stopped goes on, and ends as if it had not been.
"""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from frames.errors import BadInput
from frames.store.disk import make_folder, write_file
from train_tiny.loading.resizing import resize_images
from train_tiny.models import Model, build_model
from train_tiny.networks.litepose import LitePose
from train_tiny.run_folder import BEST_NAME, CONFIG_NAME, FORMAT, read_run
from train_tiny.search.calibration import calibrate_norms
from train_tiny.search.evolution import Genes, Scored, evolve
from train_tiny.search.evolution_config import Evolution
from train_tiny.search.subnets import count_macs, describe_shape, fit_size
from train_tiny.search.supernet import SuperLitePose, extract_subnet
from train_tiny.search.supernet_training import SUPER
from train_tiny.training.place import load_net
from train_tiny.training.record import Record

SEARCH_NAME: Final = "search.json"
SCORES_NAME: Final = "scores.jsonl"
FOUND_NAME: Final = "found.json"


@dataclass(frozen=True, eq=False)
class Search:
    """A supernet, what it is asked, and the budget."""

    model: Model
    macs: int
    """Most multiply-adds of an image."""
    calibration: Tensor
    """(N, C, H, W) training images of that size, float16."""
    score: Callable[[nn.Module, tuple[int, int]], float]
    """Of a net at a size (width, height): better the higher it is."""
    device: torch.device
    batch: int = 16

    @property
    def net(self) -> SuperLitePose:
        """The supernet."""
        assert isinstance(self.model.net, SuperLitePose)
        return self.model.net

    def cost(self, genes: Genes) -> int:
        """Multiply-adds of a subnet."""
        return cost_subnet(self.model, genes)

    def cut(self, genes: Genes) -> tuple[LitePose, tuple[int, int]]:
        """A subnet with norms of its own, in evaluation mode, and the size of its input."""
        shape = self.net.space.shape(genes)
        size = fit_size(self.model.size_px, shape.input_px)
        alone = extract_subnet(self.net, shape)
        parts = self.calibration.split(self.batch)
        calibrate_norms(alone, (resize_images(p.to(self.device).float(), size) for p in parts))
        return alone, size

    def ask(self, genes: Genes) -> float:
        """The score of a subnet."""
        return self.score(*self.cut(genes))


def search(
    task: Search, how: Evolution, folder: Path, told: Callable[[int], None] = lambda count: None
) -> Iterator[list[Scored]]:
    """All subnets that were scored, the best first, after every generation.

    folder: of the scores, which are read again by a search that goes on. told: is given the number
    of individuals that a generation is done with.
    """
    path = folder / SCORES_NAME
    known = read_scores(path)

    def ask(genes: Genes) -> float:
        if genes not in known:
            known[genes] = task.ask(genes)
            _append(path, {"genes": genes, "score": known[genes], "macs": task.cost(genes)})
        return known[genes]

    counts = [len(options) for options in task.net.space.options]
    for ranked in evolve(how, counts, lambda genes: task.cost(genes) <= task.macs, ask):
        told(how.population)
        yield ranked


def cost_subnet(model: Model, genes: Genes) -> int:
    """Multiply-adds of a supernet's subnet at its own input size."""
    assert isinstance(model.net, SuperLitePose)
    shape = model.net.space.shape(genes)
    size = fit_size(model.size_px, shape.input_px)
    return count_macs(shape, size, model.net.joints, model.config["channels"])


def check_budget(model: Model, macs: int) -> None:
    """Raises BadInput for one that not even the smallest subnet is within."""
    assert isinstance(model.net, SuperLitePose)
    smallest = cost_subnet(model, tuple(len(o) - 1 for o in model.net.space.options))
    if macs < smallest:
        raise BadInput(
            f"the budget of {macs / 1e9:.4g} GMAC is below the smallest subnet's"
            f" {smallest / 1e9:.4g}: allow more, or train a supernet with narrower widths"
        )


def open_search(folder: Path, identity: dict[str, Any]) -> None:
    """Make the folder of a search, or accept the one that is there.

    identity: what must be the same for a search to go on. Raises BadInput, naming the first value
    that differs, for another one's, and for a folder that holds something else.
    """
    path = folder / SEARCH_NAME
    asked = json.loads(json.dumps(identity))
    if path.is_file():
        there = read_json(path)
        name = next((k for k in {**asked, **there} if asked.get(k) != there.get(k)), None)
        if name is None:
            return
        if (folder / SCORES_NAME).is_file():
            raise BadInput(
                f"{folder} holds another search: {name} is {_say(there.get(name))} there and"
                f" {_say(asked.get(name))} here; choose another folder, or the same settings to go"
                " on"
            )
    elif folder.is_dir() and any(not p.name.startswith(".") for p in folder.iterdir()):
        raise BadInput(f"{folder} is not empty and no search: choose another folder")
    make_folder(folder)
    write_file(path, (json.dumps(asked, indent=2) + "\n").encode())


def read_json(path: Path) -> dict[str, Any]:
    """An object. Raises BadInput for what is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BadInput(f"{path} is not valid JSON: was the file edited?")
    return found


def read_scores(path: Path) -> dict[Genes, float]:
    """Those of a search so far; a line that was cut short is left out."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    known = {}
    for line in lines:
        try:
            row = json.loads(line)
            known[tuple(int(g) for g in row["genes"])] = float(row["score"])
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            continue
    return known


def load_supernet(path: Path, device: torch.device) -> Model:
    """That of a run. Raises BadInput for another network's."""
    run = read_run(path)["run"]
    name = run["model"]["name"]
    if name != SUPER:
        raise BadInput(f"{path} trained {name}: a search needs a run with --model {SUPER}")
    model = build_model(name, {k: v for k, v in run["model"].items() if k != "name"})
    load_net(model, path / BEST_NAME)
    model.net.to(device, memory_format=torch.channels_last)
    return model


def keep_found(
    task: Search, best: Scored, folder: Path, told: dict[str, Any]
) -> tuple[Model, LitePose]:
    """The best subnet, kept as a run keeps its best weights: to be scored, deployed, or trained on.

    told: of the search, for the weights' header.
    """
    model, net = make_found(task, best)
    run = {"model": {"name": model.name, **model.config}, "search": told}
    config = json.dumps({"format": FORMAT, "run": run, "made": {}}, indent=2)
    write_file(folder / CONFIG_NAME, (config + "\n").encode())
    Record(folder, 0, True, told).keep(model, net, 0, {"score": best.score})
    return model, net


def make_found(task: Search, best: Scored) -> tuple[Model, LitePose]:
    """The best subnet as a model that can be trained and deployed, and its weights."""
    alone, size = task.cut(best.genes)
    shape = {k: v for k, v in asdict(alone.config).items() if k != "input_px"}
    more = {"size_px": size, "joints": alone.joints, "channels": task.model.config["channels"]}
    model = build_model("litepose", more | shape)
    model.net.load_state_dict(alone.cpu().state_dict())
    return model, alone


def list_front(task: Search, ranked: list[Scored]) -> list[dict[str, Any]]:
    """The subnets that no cheaper one beats, the cheapest first."""
    rows: list[dict[str, Any]] = []
    for one in sorted(ranked, key=lambda s: (task.cost(s.genes), -s.score, s.genes)):
        if not rows or one.score > rows[-1]["score"]:
            shape = describe_shape(task.net.space.shape(one.genes))
            rows.append({"score": one.score, "macs": task.cost(one.genes), **shape})
    return rows


def _say(value: Any) -> str:
    return json.dumps(value)[:60]


def _append(path: Path, row: dict[str, Any]) -> None:
    # Begins with a line's end, so that a line that was cut short spoils no other.
    with path.open("a", encoding="utf-8") as file:
        file.write("\n" + json.dumps(row))
        file.flush()
        os.fsync(file.fileno())
