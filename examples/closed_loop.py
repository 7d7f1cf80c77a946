"""The closed loop, from a recording to a better network, with people played by a program.

    python examples/closed_loop.py OUT [--init RUN] [--frames 480] [--steps 300] [--seeds 3]

Reality is simulated (examples/other_headset.toml): another artist's hand before a camera on the
chest, an SR300; nothing of it is in the synthetic data. Its depth alone becomes a recording, is
captured, pushed to a Label Studio, labelled, pulled and trained on, all by the commands that real
data need. The annotator is a program: the true keypoints with normal noise of 2 px along both axes,
and whether something hides them. One sequence in eight is left for later.

Then, for each seed, networks that began alike and had as many steps are scored on frames of the
same camera that nobody labelled: one had synthetic data, the others a mix of these and the
corrected ones, as pulled and as pulled with --no-refine. The first seed's better network draws the
hands of what was left, that is corrected as well, and 'label status' tells how far each network's
joints were moved. Every step is skipped whose result is there, so the script can be stopped;
OUT/figures.json has what it found.

Needs 'make setup-label' and a Label Studio ('make label-studio'; --studio-venv says where).
docs/closed_loop.md has the figures.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from frames import open_dataset
from frames.record import Frame
from labeling.proposals import add_spares, propose_labels
from labeling.sdk_studio import SdkStudio
from labeling.secret import read_token
from labeling.tasks import build_prediction

HERE = Path(__file__).resolve().parent
PROJECT = "closed-loop"
NOISE_PX = 2.0
SYNTHETIC = 3072
LATER = 8
"""Every so many-th sequence is left for the better network."""
WAYS = {"synthetic": "", "corrected": "corrected", "as-placed": "as-placed"}
"""What is mixed with synthetic frames: nothing, labels as pulled, labels as people placed them."""
MEASURES = ("pck", "auc", "epe_px_median", "epe_mm")


@dataclass(frozen=True)
class Loop:
    """What was chosen."""

    out: Path
    venv: Path
    """Label Studio's."""
    init: Path | None
    predictor: str
    finder: tuple[str, ...]
    steps: int
    seeds: int

    @property
    def studio(self) -> Path:
        """Folder of the server."""
        return self.out / "studio"


def run(*arguments: object) -> dict[str, Any]:
    """One handloom command; what it says for machines."""
    words = [str(a) for a in arguments]
    print("$ handloom", " ".join(words), flush=True)
    command = [sys.executable, "-m", "handloom", *words]
    if words[0] not in ("synth", "train"):
        command.append("--json")
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    lines = done.stdout.strip().splitlines()
    return dict(json.loads(lines[-1])) if lines and lines[-1].startswith("{") else {}


def record(out: Path, frames: int) -> None:
    """A recording as a camera leaves it: 16-bit pictures, a folder a sequence, and the lens."""
    config = HERE / "other_headset.toml"
    for name, seed in (("reality", 5), ("held-out", 55)):
        run("synth", out / name, "--config", config, "--frames", frames, "--seed", seed,
            "--sensor", "sr300", "--bake")  # fmt: skip
    folder = out / "recording"
    if folder.exists():
        return
    for frame in open_dataset(out / "reality"):
        place = folder / f"{frame.sequence_id:03d}"
        place.mkdir(parents=True, exist_ok=True)
        stamp = f"{frame.time_s:.6f}"
        cv2.imwrite(str(place / f"{stamp}.png"), frame.depth)
    lens = {**open_dataset(out / "reality")[0].camera.to_dict(), "depth_scale_per_m": 10_000}
    (folder / "camera.json").write_text(json.dumps(lens))


@contextmanager
def serve(loop: Loop) -> Iterator[str]:
    """A Label Studio while within; its address."""
    command = [sys.executable, "-m", "handloom", "label", "serve", str(loop.studio), "--port", "0",
               "--venv", str(loop.venv), "--json"]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield str(json.loads(server.stdout.readline())["url"])
        finally:
            server.terminate()


def answer(truth: Frame, rng: np.random.Generator) -> list[dict[str, Any]]:
    """What the played annotator submits for a frame."""
    drawn = []
    for hand in propose_labels(truth):
        noise = rng.normal(0, NOISE_PX, hand.keypoints_px.shape)
        inside = truth.camera.contains(hand.keypoints_px)
        limit = (truth.camera.width - 0.51, truth.camera.height - 0.51)
        placed = np.clip(hand.keypoints_px + noise, -0.49, limit)
        px = np.where(inside[:, None], placed, hand.keypoints_px)
        drawn.append(replace(hand, keypoints_px=px))
    result: list[dict[str, Any]] = build_prediction(
        add_spares(drawn, truth.camera), truth.camera, "annotator"
    )["result"]
    return result


def annotate(loop: Loop, url: str, project: int, everything: bool) -> None:
    """Answer the tasks that have no answer: all, or all but those that are left for later."""
    from label_studio_sdk import LabelStudio

    token = read_token(None, loop.studio, {})
    reality, captured = open_dataset(loop.out / "reality"), open_dataset(loop.out / "capture")
    people = LabelStudio(base_url=url, api_key=token.reveal(), max_retries=0)
    for task in list(SdkStudio(url, token).list_tasks(project)):
        place = int(task.data["frame"])
        truth = reality[place]
        seen = captured[place].depth
        assert truth.depth is not None and seen is not None and (truth.depth == seen).all()
        later = truth.sequence_id is not None and truth.sequence_id % LATER == LATER - 1
        if task.annotations or (later and not everything):
            continue
        result = answer(truth, np.random.default_rng(place))
        people.annotations.create(task.number, result=result, lead_time=45.0)


def label(loop: Loop) -> dict[str, Any]:
    """Capture, push, have most of it corrected, pull."""
    out, where = loop.out, ("--studio", loop.studio)
    run("capture", out / "recording", out / "capture")
    with serve(loop) as url:
        pushed = run("label", "push", out / "capture", "--project", PROJECT, *where,
                     "--predictor", loop.predictor, *loop.finder)  # fmt: skip
        annotate(loop, url, int(pushed["project"]), False)
        status = run("label", "status", PROJECT, *where)
        pulled = run("label", "pull", PROJECT, out / "corrected", *where)
        run("label", "pull", PROJECT, out / "as-placed", "--no-refine", *where)
    return {"status": status, "pull": {k: v for k, v in pulled.items() if k != "out"}}


def train(loop: Loop) -> Path:
    """Networks from the same beginning; returns the run that is it."""
    out, steps = loop.out, loop.steps
    synthetic = out / "synthetic"
    run("synth", synthetic, "--frames", SYNTHETIC, "--seed", 6, "--sensor", "random")
    first = loop.init or out / "first"
    if loop.init is None:
        run("train", first, "--data", synthetic, "--sensor", "random", "--steps", 4 * steps,
            "--views", 2, "--batch", 32, "--seed", 1)  # fmt: skip
    for seed in range(3, 3 + loop.seeds):
        for name, corrected in WAYS.items():
            data = ["--data", synthetic]
            if corrected:
                data += ["--data", out / corrected, "--mix", "0.5,0.5"]
            run("train", out / "runs" / f"{name}-{seed}", *data, "--sensor", "random", "--init",
                first, "--batch", 32, "--steps", steps, "--rate", 0.001, "--warm-up", 20,
                "--stages", 0, 1, 0, "--views", 2, "--workers", 0, "--threads", 1,
                "--seed", seed)  # fmt: skip
    return first


def score(loop: Loop, first: Path) -> dict[str, Any]:
    """All of them on the frames that nobody labelled."""
    runs = {"before": [first]}
    runs |= {w: [loop.out / "runs" / f"{w}-{s}" for s in range(3, 3 + loop.seeds)] for w in WAYS}
    found = {
        name: [_evaluate(loop, folder) for folder in folders] for name, folders in runs.items()
    }
    for name, scores in found.items():
        told = [f"{name:10} {scores[0]['hands']} hands, {len(scores)} seeds:"]
        for measure in MEASURES:
            values = [s[measure] for s in scores]
            spread = f" +- {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
            told.append(f"{measure} {np.mean(values):.3f}{spread}")
        print("  ".join(told), flush=True)
    return found


def _evaluate(loop: Loop, folder: Path) -> dict[str, float]:
    kept = loop.out / "scores" / f"{folder.name}.json"
    if not kept.exists():
        found = run("eval", folder, "--data", loop.out / "held-out", "--workers", 0)
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(json.dumps({k: found[k] for k in ("hands", *MEASURES)}))
    return dict(json.loads(kept.read_text()))


def push_again(loop: Loop) -> dict[str, Any]:
    """The better network draws the hands of what nobody has labelled yet; then that is corrected,
    too."""
    where = ("--studio", loop.studio)
    better = loop.out / "runs" / "corrected-3"
    with serve(loop) as url:
        pushed = run("label", "push", loop.out / "capture", "--project", PROJECT, *where,
                     "--predictor", better, *loop.finder)  # fmt: skip
        annotate(loop, url, int(pushed["project"]), True)
        status = run("label", "status", PROJECT, *where)
        pulled = run("label", "pull", PROJECT, loop.out / "corrected-all", *where)
    return {"push": pushed, "status": status, "pull": pulled}


def main() -> None:
    """See above."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--init", type=Path, help="run to begin with; by default one is trained")
    parser.add_argument("--frames", type=int, default=480, help="of the recording, and held out")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=3, help="how often each way is trained")
    parser.add_argument("--predictor", default="shipped", help="who draws hands at first; or none")
    parser.add_argument("--finder", default="", help="run or weights that find hands")
    parser.add_argument("--studio-venv", type=Path, default=Path(".venv-label-studio"))
    parser.add_argument("--labels-alone", action="store_true", help="stop before training")
    told = parser.parse_args()
    told.out.mkdir(parents=True, exist_ok=True)
    finder = ("--finder", told.finder) if told.finder else ()
    loop = Loop(told.out, told.studio_venv.absolute(), told.init, told.predictor, finder,
                told.steps, told.seeds)  # fmt: skip
    record(loop.out, told.frames)
    figures = {"labels": label(loop)}
    if not told.labels_alone:
        figures["scores"] = score(loop, train(loop))
        figures["second push"] = push_again(loop)
    (loop.out / "figures.json").write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
