"""The closed loop, from a recording to a better network, with people played by a program.

    python examples/closed_loop.py OUT [--init RUN] [--frames 480] [--steps 300] [--labels-alone]

Reality is simulated (examples/other_headset.toml): another artist's hand before a camera on the
chest, an SR300; nothing of it is in the synthetic data. Its depth alone becomes a recording, is
captured, pushed to a Label Studio, labelled, pulled and trained on, all by the commands that real
data need. The annotator is a program: the true keypoints with normal noise of 2 px along both axes,
and whether something hides them. In the end two networks that began alike, and had as many steps,
are scored on frames of the same camera that nobody labelled: one had synthetic data, the other a
mix of these and the corrected ones. Every step is skipped whose result is there, so the script can
be stopped.

Needs 'make setup-label' and a Label Studio ('make label-studio'; --studio-venv says where).
docs/closed_loop.md has the figures.
"""

import argparse
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
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
def serve(studio: Path, venv: Path) -> Iterator[str]:
    """A Label Studio while within; its address."""
    command = [sys.executable, "-m", "handloom", "label", "serve", str(studio), "--port", "0",
               "--venv", str(venv), "--json"]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield str(json.loads(server.stdout.readline())["url"])
        finally:
            server.send_signal(signal.SIGINT)


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


def annotate(out: Path, url: str, project: int) -> None:
    """Answer every task that has no answer."""
    studio = SdkStudio(url, read_token(None, out / "studio"))
    reality, captured = open_dataset(out / "reality"), open_dataset(out / "capture")
    for task in studio.list_tasks(project):
        place = int(task.data["frame"])
        truth = reality[place]
        assert np.array_equal(truth.depth, captured[place].depth)
        if task.annotations:
            continue
        body = {"result": answer(truth, np.random.default_rng(place)), "lead_time": 45.0}
        studio._send("POST", f"api/tasks/{task.number}/annotations", body)


def label(out: Path, venv: Path, predictor: str, finder: str) -> None:
    """Capture, push, have it corrected, pull."""
    studio = out / "studio"
    run("capture", out / "recording", out / "capture")
    with serve(studio, venv) as url:
        where = ("--studio", studio)
        found = ("--predictor", predictor, *(("--finder", finder) if finder else ()))
        pushed = run("label", "push", out / "capture", "--project", PROJECT, *found, *where)
        annotate(out, url, int(pushed["project"]))
        print(run("label", "status", PROJECT, *where))
        pulled = run("label", "pull", PROJECT, out / "corrected", *where)
        print({k: v for k, v in pulled.items() if k != "out"})


def train(out: Path, init: Path | None, steps: int) -> None:
    """Two networks from the same beginning: synthetic data alone, and with what was corrected."""
    run("synth", out / "synthetic", "--frames", SYNTHETIC, "--seed", 6, "--sensor", "random")
    if init is None:
        init = out / "first"
        run("train", init, "--data", out / "synthetic", "--sensor", "random", "--steps", 4 * steps,
            "--views", 2, "--batch", 32, "--seed", 1)  # fmt: skip
    alike = ("--sensor", "random", "--init", init, "--batch", 32, "--steps", steps,
             "--rate", 0.001, "--warm-up", 20, "--stages", 0, 1, 0, "--views", 2, "--workers", 0,
             "--threads", 1, "--seed", 3)  # fmt: skip
    synthetic, corrected = out / "synthetic", out / "corrected"
    run("train", out / "alone", "--data", synthetic, *alike)
    run("train", out / "mixed", "--data", synthetic, "--data", corrected, "--mix", "0.5,0.5",
        *alike)  # fmt: skip


def score(out: Path, init: Path | None) -> None:
    """All of them on the frames that nobody labelled."""
    runs = {"before": init or out / "first", "synthetic alone": out / "alone",
            "synthetic + corrected": out / "mixed"}  # fmt: skip
    for name, folder in runs.items():
        found = run("eval", folder, "--data", out / "held-out", "--workers", 0)
        print(
            f"{name:22} PCK@0.2 {found['pck']:.3f}  AUC {found['auc']:.3f}"
            f"  {found['epe_px_median']:.1f} px in the median  {found['epe_mm']:.1f} mm"
            f"  ({found['hands']} hands)",
            flush=True,
        )


def push_again(out: Path, venv: Path, finder: str) -> None:
    """The better network draws the hands of what nobody has labelled yet."""
    with serve(out / "studio", venv):
        found = ("--finder", finder) if finder else ()
        run("label", "push", out / "held-out", "--project", PROJECT, "--predictor", out / "mixed",
            *found, "--studio", out / "studio", "--count", 24)  # fmt: skip


def main() -> None:
    """See above."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--init", type=Path, help="run to begin with; by default one is trained")
    parser.add_argument("--frames", type=int, default=480, help="of the recording, and held out")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--predictor", default="shipped", help="who draws hands at first; or none")
    parser.add_argument("--finder", default="", help="run or weights that find hands")
    parser.add_argument("--studio-venv", type=Path, default=Path(".venv-label-studio"))
    parser.add_argument("--labels-alone", action="store_true", help="stop before training")
    chosen = parser.parse_args()
    out = chosen.out
    out.mkdir(parents=True, exist_ok=True)
    record(out, chosen.frames)
    label(out, chosen.studio_venv.absolute(), chosen.predictor, chosen.finder)
    if chosen.labels_alone:
        return
    train(out, chosen.init, chosen.steps)
    score(out, chosen.init)
    if chosen.predictor != "none":
        push_again(out, chosen.studio_venv.absolute(), chosen.finder)


if __name__ == "__main__":
    main()
