"""Weights, checkpoints, folders of runs and searches, predictions, broken: one clear line each."""

import hashlib
import io
import json
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from fuzzing import (
    SEEDS,
    Target,
    few,
    harm_bytes,
    harm_json,
    harm_lines,
    harm_value,
    meet,
    meets_refusals,
)
from hypothesis import given

torch = pytest.importorskip("torch")

from train_tiny.loading.kept_rounds import _pack, _unpack  # noqa: E402
from train_tiny.models import build_model  # noqa: E402
from train_tiny.prediction.given_boxes import read_given_boxes  # noqa: E402
from train_tiny.run_folder import open_run, read_curves, read_metrics, read_run  # noqa: E402
from train_tiny.search.searching import read_json, read_scores  # noqa: E402
from train_tiny.training.checkpoint import MAGIC, load_checkpoint, save_checkpoint  # noqa: E402
from train_tiny.training.place import load_net  # noqa: E402
from train_tiny.weights import deploy, load_weights, save_weights  # noqa: E402

SHAPES: dict[str, dict[str, Any]] = {
    "handlite": {"input_px": 32},
    "finder": {"size_px": [32, 32]},
    "litepose-xs": {"size_px": [32, 32]},
    "mobilenetv2": {"decoder": 8, "input_px": 32},
}


def write_weights(name: str, folder: Path) -> Path:
    model = build_model(name, SHAPES[name])
    path = folder / "weights.safetensors"
    save_weights(path, deploy(model, model.net, {"steps": 1}))
    return path


def harm_header(random: Random, data: bytes) -> bytes:
    """Weights whose header is wrong, the length before it right."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    meta = header["__metadata__"]
    if random.randrange(4):
        meta["model"] = json.dumps(harm_value(random, json.loads(meta["model"])))
    else:
        header = harm_value(random, header)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


def write_checkpoint(folder: Path) -> Path:
    path = folder / "best.ckpt"
    model = build_model("handlite", SHAPES["handlite"])
    save_checkpoint(path, {"net": model.net.state_dict(), "step": 3})
    return path


def harm_checkpoint(random: Random, data: bytes) -> bytes:
    """A checkpoint that is wrong although its digest is right."""
    start = len(MAGIC) + 32
    body = harm_bytes(random, data[start:])
    if random.randrange(3) == 0:
        state = torch.load(io.BytesIO(data[start:]), weights_only=True)
        names = list(state["net"])
        name = random.choice(names)
        state["net"][name] = random.choice(
            (torch.zeros(3), 1, None, "x", state["net"][random.choice(names)], torch.zeros(0))
        )
        if random.randrange(4) == 0:
            state = random.choice(({}, {"net": 3}, [1], {"net": {}}, {"net": None}, None))
        buffer = io.BytesIO()
        torch.save(state, buffer)
        body = buffer.getvalue()
    return MAGIC + hashlib.sha256(body).digest() + body


def read_checkpoint(path: Path) -> None:
    load_checkpoint(path)
    load_net(build_model("handlite", SHAPES["handlite"]), path)


RUN = {"data": [{"source": "a", "frames": 3}], "model": {"name": "handlite", "input_px": 32}}


def write_run(folder: Path) -> Path:
    open_run(folder / "run", RUN, {"handloom": "0"})
    return folder / "run" / "config.json"


def read_run_of(path: Path) -> None:
    read_run(path.parent)
    open_run(path.parent, RUN, {"handloom": "0"})


def put(name: str, text: str, folder: Path) -> Path:
    path = folder / name
    path.write_text(text)
    return path


METRICS = json.dumps({"last": {"pck": 0.5}, "best": {"pck": 0.6, "step": 3}, "ended": "steps"})
CURVES = "step,loss,rate\n1,0.5,0.001\n2,0.25,0.001\n"
SCORES = '{"genes": [0, 1, 2], "score": 0.5}\n{"genes": [1, 1, 2], "score": 0.75}\n'


def read_curves_of(path: Path) -> None:
    read_curves(path.parent, 10)


def read_boxes(path: Path) -> None:
    read_given_boxes(str(path))


def write_predictions(folder: Path) -> Path:
    """What `handloom predict` writes, given as boxes."""
    import pyarrow.parquet as pq

    from train_tiny.prediction.files import SCHEMA

    row: dict[str, Any] = dict.fromkeys(SCHEMA.names)
    row |= {"frame_id": 3, "hand": 0, "score": 0.5, "found_by": "box", "box_px": [1, 2, 3, 4]}
    row |= {"keypoints_px": [0.0] * 42, "keypoints_cam_m": [0.0] * 63, "confidence": [0.5] * 21}
    import pyarrow as pa

    path = folder / "predictions.parquet"
    pq.write_table(pa.Table.from_pylist([row], SCHEMA), path)
    return path


def write_round(folder: Path) -> Path:
    path = folder / "0000-000000.round"
    packed = {"image": torch.rand(2, 1, 8, 8), "points": torch.from_numpy(np.ones((2, 21, 2)))}
    path.write_bytes(_pack(packed))
    return path


def read_round(path: Path) -> None:
    _unpack(path.read_bytes(), path, False)


TARGETS = (
    *(Target(f"weights-{n}", partial(write_weights, n), load_weights, harm_header) for n in SHAPES),
    Target("weights-bytes", partial(write_weights, "handlite"), load_weights, harm_bytes),
    Target("checkpoint-bytes", write_checkpoint, read_checkpoint, harm_bytes),
    Target("checkpoint", write_checkpoint, read_checkpoint, harm_checkpoint),
    Target("run", write_run, read_run_of, harm_json),
    Target("metrics", partial(put, "metrics.json", METRICS), lambda p: read_metrics(p.parent),
           harm_json),
    Target("curves", partial(put, "curves.csv", CURVES), read_curves_of, harm_bytes, patient=True),
    Target("scores", partial(put, "scores.jsonl", SCORES), read_scores, harm_lines, patient=True),
    Target("search", partial(put, "search.json", METRICS), read_json, harm_json),
    Target("predictions", write_predictions, read_boxes, harm_bytes),
    Target("round", write_round, read_round, harm_bytes),
)  # fmt: skip


@pytest.mark.parametrize("target", TARGETS, ids=lambda t: t.name)
@few(25)
@given(seed=SEEDS)
def test_broken(target: Target, seed: int) -> None:
    meet(target, seed)


@pytest.mark.parametrize("target", TARGETS, ids=lambda t: t.name)
def test_what_is_broken_is_read(target: Target) -> None:
    """Else there would be nothing to refuse."""
    assert meets_refusals(target) != target.patient
