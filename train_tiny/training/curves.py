"""The curves of a run as one picture."""

from collections.abc import Mapping, Sequence

import numpy as np

from frames.viewing.line_chart import draw_lines, join_panels

Rows = Sequence[Mapping[str, float]]


def draw_curves(rows: Rows) -> np.ndarray:
    """One picture (H, W, 3) uint8 of what the rows of curves.csv have; one row at least."""
    return join_panels(list_panels(rows), 3)


def list_panels(rows: Rows) -> list[np.ndarray]:
    """The same as panels, each (330, 560, 3)."""
    losses = _list_columns(rows, "loss_")
    panels = [draw_lines("Loss of each task", losses, "steps", log=True)]
    scores = {k: v for k, v in _list_columns(rows, "val_").items() if k in ("auc", "pck", "score")}
    if scores:
        panels.append(draw_lines("Validation", scores, "steps", low=0.0, high=1.0))
    errors = {k: v for k, v in _list_columns(rows, "val_").items() if k.startswith("epe")}
    if errors:
        panels.append(draw_lines("Validation, mean error, pixels", errors, "steps", low=0.0))
    panels.append(draw_lines("Learning rate", _list_columns(rows, "rate"), "steps", low=0.0))
    lengths = _list_columns(rows, "gradient")
    panels.append(draw_lines("Length of the gradient", lengths, "steps", log=True))
    weights = _list_columns(rows, "weight_")
    if weights:
        panels.append(draw_lines("Weight of each task", weights, "steps", low=0.0))
    speed = _list_columns(rows, "samples_s")
    panels.append(draw_lines("Samples a second", speed, "steps", low=0.0))
    return panels


def _list_columns(rows: Rows, prefix: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    names = dict.fromkeys(name for row in rows for name in row if name.startswith(prefix))
    out = {}
    for name in names:
        points = np.array([(row["step"], row[name]) for row in rows if name in row])
        short = name.removeprefix(prefix) or name.replace("_", " ")
        out[short] = points[:, 0], points[:, 1]
    return out
