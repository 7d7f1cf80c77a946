"""What a run leaves in its folder while it goes on: curves, the best weights, its metrics."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from frames.viewing.sheet import write_picture
from train_tiny.models import Model
from train_tiny.run_folder import (
    BEST_NAME,
    CHART_NAME,
    WEIGHTS_NAME,
    read_curves,
    write_curves,
    write_metrics,
)
from train_tiny.training.checkpoint import save_checkpoint
from train_tiny.training.curves import draw_curves
from train_tiny.training.events import EventFile
from train_tiny.weights import deploy, save_weights


class Record:
    """The folder's curves and best weights; only the first of several processes writes."""

    def __init__(
        self, folder: Path, step: int, writes: bool, provenance: Mapping[str, Any]
    ) -> None:
        """step: of the checkpoint that the run goes on from; later rows are of what was lost."""
        self.folder, self._writes, self._provenance = folder, writes, dict(provenance)
        self.rows = read_curves(folder, step) if writes else []
        self._events: EventFile | None = None
        self._began = time.monotonic()
        self._before = self.rows[-1].get("seconds", 0.0) if self.rows else 0.0

    def add(self, row: dict[str, float]) -> None:
        """One more row of the curves."""
        if not self._writes:
            return
        row = row | {"seconds": self._before + time.monotonic() - self._began}
        # As the file has them, so that a run that goes on has the same rows.
        row = {name: float(f"{value:.7g}") for name, value in row.items()}
        self.rows.append(row)
        write_curves(self.folder, self.rows)
        if self._events is None:
            self._events = EventFile(self.folder)
        self._events.add({k: v for k, v in row.items() if k != "step"}, int(row["step"]))

    def keep(
        self, model: Model, net: torch.nn.Module, step: int, found: Mapping[str, float]
    ) -> None:
        """The best weights so far: whole for further training, and as they are deployed."""
        provenance = {
            **self._provenance,
            "step": step,
            **{k: round(v, 6) for k, v in found.items()},
        }
        state = {
            "model": {"name": model.name, "config": model.config},
            "net": {k: v.cpu() for k, v in net.state_dict().items()},
            "step": step,
            "scores": dict(found),
        }
        save_checkpoint(self.folder / BEST_NAME, state)
        provenance = {k: None if v != v else v for k, v in provenance.items()}
        if model.deployable:
            save_weights(self.folder / WEIGHTS_NAME, deploy(model, net, provenance))

    def draw(self) -> None:
        """curves.png anew."""
        if self._writes and self.rows:
            write_picture(draw_curves(self.rows), self.folder / CHART_NAME)

    def finish(self, place: Any, total: int, size: int) -> dict[str, Any]:
        """metrics.json: how it ended, the last and the best row."""
        validated = [r for r in self.rows if any(name.startswith("val_") for name in r)]
        best = [r for r in validated if r["step"] == place.best_step]
        metrics = {
            "ended": place.ended,
            "steps": place.step,
            "of_steps": total,
            "samples": place.step * size,
            "seconds": self.rows[-1].get("seconds", 0.0) if self.rows else 0.0,
            "best_step": place.best_step,
            "best": best[-1] if best else None,
            "last": self.rows[-1] if self.rows else None,
        }
        if self._writes:
            write_metrics(self.folder, metrics)
            if self._events is not None:
                self._events.close()
        return metrics
