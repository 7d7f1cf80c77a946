"""The folder of a run: its configuration, hashes of its data, its results.

config.json           what was asked for, hashes of the data, the code, the machine
curves.csv, .png      losses, rates and validations over the steps
metrics.json          the last and the best validation, and how the run ended
last.ckpt             all that is needed to go on (`train_tiny.training.checkpoint`)
best.ckpt             the averaged weights of the best validation, all heads, norms unfolded
weights.safetensors   the same as they are deployed (`train_tiny.weights`)
events.out.tfevents*  the curves for TensorBoard
"""

import csv
import hashlib
import io
import json
import platform
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import torch

from frames.errors import BadInput
from frames.store.disk import make_folder, write_file
from synth.description import handloom_version

CONFIG_NAME: Final = "config.json"
CURVES_NAME: Final = "curves.csv"
CHART_NAME: Final = "curves.png"
METRICS_NAME: Final = "metrics.json"
LAST_NAME: Final = "last.ckpt"
BEST_NAME: Final = "best.ckpt"
WEIGHTS_NAME: Final = "weights.safetensors"
ROUNDS_NAME: Final = "rounds"

FORMAT: Final = "handloom run"


def open_run(folder: Path, identity: Mapping[str, Any], made: Mapping[str, Any]) -> bool:
    """Make the folder of a run, or accept the one that is there; returns whether it has begun.

    identity: what must be the same for a run to go on, plain JSON values. made: what is merely
    told. Raises BadInput, naming the first value that differs, for another run's folder, and for
    one that holds something else.
    """
    path = folder / CONFIG_NAME
    asked = json.loads(json.dumps(dict(identity)))
    if path.is_file():
        there = read_run(folder)
        difference = _find_difference(there["run"], asked)
        begun = (folder / LAST_NAME).is_file()
        if difference is not None and begun:
            name, old, new = difference
            raise BadInput(
                f"{folder} holds another run: {name} is {old} there and {new} here; choose another"
                " folder, or the same settings to go on"
            )
        if difference is None:
            return begun
        # Nothing was learnt yet, as after a first try with a mistake in it.
    elif folder.is_dir() and any(not p.name.startswith(".") for p in folder.iterdir()):
        raise BadInput(f"{folder} is not empty and no run: choose another folder")
    make_folder(folder)
    _write_json(path, {"format": FORMAT, "run": asked, "made": dict(made)})
    return False


def read_run(folder: Path) -> dict[str, Any]:
    """config.json of a run's folder. Raises BadInput for what is none."""
    path = folder / CONFIG_NAME
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise BadInput(f"{folder} is no run: it has no {CONFIG_NAME}") from None
    except (ValueError, RecursionError) as error:
        reason = (str(error).splitlines() or ["?"])[0]
        raise BadInput(f"{path} is not valid JSON: {reason}; was the file edited?") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT or "run" not in found:
        raise BadInput(f'{path} is not a run\'s: "format" must be "{FORMAT}"')
    return found


def hash_file(path: Path) -> str:
    """SHA-256 of a file. Raises BadInput for one that cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from None


def describe_machine(device: torch.device) -> dict[str, Any]:
    """The code and the machine of this process."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor()
    return {
        "handloom": handloom_version(),
        "commit": find_commit(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "device": str(device),
        "processor": name or platform.machine(),
        "threads": torch.get_num_threads(),
    }


def find_commit() -> str | None:
    """The commit of the code's checkout, with "+" if files differ from it; None outside of one."""
    here = Path(__file__).resolve().parent.parent
    if not (here / ".git").exists():
        return None
    try:
        asked = ("rev-parse", "HEAD"), ("status", "--porcelain", "--untracked-files=no")
        commit, changed = (
            subprocess.run(
                ["git", "-C", str(here), *words], capture_output=True, text=True, check=True
            ).stdout.strip()
            for words in asked
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return commit + ("+" if changed else "")


def write_metrics(folder: Path, metrics: Mapping[str, Any]) -> None:
    """metrics.json; numbers that are not known become null."""
    _write_json(folder / METRICS_NAME, clean_values(metrics))


def read_metrics(folder: Path) -> dict[str, Any]:
    """metrics.json; {} of a run that has not ended. Raises BadInput for a file that is broken."""
    path = folder / METRICS_NAME
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        return {}
    except (ValueError, RecursionError) as error:
        reason = (str(error).splitlines() or ["?"])[0]
        raise BadInput(f"{path} is not valid JSON: {reason}; was the file edited?") from None
    return found if isinstance(found, dict) else {}


def read_curves(folder: Path, until: int) -> list[dict[str, float]]:
    """The rows of curves.csv up to a step; what a killed run wrote beyond its checkpoint, or half,
    is left out."""
    try:
        text = (folder / CURVES_NAME).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    rows = []
    for found in csv.DictReader(io.StringIO(text)):
        try:
            row = {k: float(v) for k, v in found.items() if k and v not in ("", None)}
        except ValueError:
            continue
        if "step" in row and row["step"] <= until and None not in found:
            rows.append(row)
    return rows


def write_curves(folder: Path, rows: Sequence[Mapping[str, float]]) -> None:
    """curves.csv anew: a column for every name, empty where a row has none."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({k: f"{v:.7g}" for k, v in row.items()})
    write_file(folder / CURVES_NAME, out.getvalue().encode())


def clean_values(value: Any) -> Any:
    """JSON values with null in the place of NaN and infinity."""
    if isinstance(value, Mapping):
        return {str(k): clean_values(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [clean_values(v) for v in value]
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    return value


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    write_file(path, (json.dumps(value, indent=2, allow_nan=False) + "\n").encode())


def _find_difference(old: Any, new: Any, name: str = "") -> tuple[str, str, str] | None:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*new, *old]):
            inner = _find_difference(old.get(key), new.get(key), f"{name}.{key}" if name else key)
            if inner is not None:
                return inner
        return None
    return None if old == new else (name, json.dumps(old)[:60], json.dumps(new)[:60])
