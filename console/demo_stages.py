"""The stages of the demo: what each does, by which commands, and what there is to see of it."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

CLIP: Final = 48
"""Frames of the recording."""

BOXES: Final = "boxes.jsonl"

HAS_FINDER: Final = (
    Path(__file__).parents[1] / "train_tiny" / "shipped" / "finder.safetensors"
).is_file()
"""Whether weights come along that find hands in whole frames."""


@dataclass(frozen=True)
class DemoConfig:
    """What a demo is made of."""

    out: Path
    frames: int
    steps: int
    seed: int
    workers: int
    """0: one a core."""


@dataclass(frozen=True)
class Stage:
    """One step of the demo."""

    name: str
    text: str
    """What it does, in one line."""
    words: str
    """What to look at, for the page."""
    commands: tuple[tuple[str, ...], ...]
    """Arguments of handloom, one after another."""
    makes: tuple[Path, ...]
    """Files and folders that are there when it is done."""
    seconds: float
    """Typical, on two quiet cores."""
    pictures: tuple[Path, ...] = ()
    """To show on the page."""
    links: tuple[tuple[str, Path], ...] = ()
    """Names and places of what can be opened."""
    needs: tuple[str, ...] = ()
    """Packages without which it is left out."""
    extra: str = "handloom[train]"
    """What brings these."""
    finish: Callable[[], None] | None = None
    """Done after the commands."""

    def say_command(self) -> str:
        """The commands as a person would type them."""
        return "\n    ".join("handloom " + shlex.join(c) for c in self.commands)

    def is_made(self) -> bool:
        """Whether everything is still there."""
        return all(path.exists() for path in self.makes)


def list_stages(config: DemoConfig) -> list[Stage]:
    """All stages in their order."""
    out, seed = config.out, str(config.seed)
    data, noisy, run = out / "data", out / "noisy", out / "run"
    many = ("--workers", str(config.workers)) if config.workers else ()
    return [
        Stage(
            "generate",
            f"render {config.frames:,} depth frames of hands with exact labels",
            "Hands gesture, hold things, touch, meet; arms wear sleeves; rooms stand behind. The"
            " first run compiles for one to two minutes. Splits share no person, thing or room.",
            (
                (
                    *("synth", str(data), "--frames", str(config.frames), "--seed", seed),
                    *("--split", "train:0.8,val:0.1,test:0.1", "--frames-per-shard", "128", *many),
                ),
                ("verify", str(data), "--rerender", "8"),
                ("view", str(data), "--out", str(out / "frames.png"), "--count", "9"),
                ("view", str(data), "--out", str(out / "frames.html"), "--count", "60"),
            ),
            (data / "dataset.json", out / "frames.png", out / "frames.html"),
            150.0,
            pictures=(out / "frames.png",),
            links=(("leaf through the frames", out / "frames.html"),),
        ),
        Stage(
            "degrade",
            "read them as depth cameras would, another one each frame",
            "Noise, holes, shadows beside outlines, melting edges: from left to right what is"
            " there, what the camera reads, why it does not, and how far it is off.",
            (
                ("augment", str(data), str(noisy), "--sensor", "random", "--bake", *many),
                (
                    *("view", str(noisy), "--sensor", "--out", str(out / "sensor.png")),
                    *("--first", "1", "--count", "4"),
                ),
                ("report", str(noisy), "--out", str(out / "noisy.html"), "--looked-at", "96"),
            ),
            (noisy / "dataset.json", out / "sensor.png", out / "noisy.html"),
            60.0,
            pictures=(out / "sensor.png",),
            links=(("report of the dataset", out / "noisy.html"),),
        ),
        Stage(
            "train",
            f"train HandLite, 73,000 parameters, from nothing on {32 * config.steps:,} crops",
            "A thirtieth of what the weights that come along have seen, so expect less of it.",
            (
                (
                    *("train", str(run), "--data", str(noisy), "--batch", "32"),
                    *("--steps", str(config.steps), "--rate", "0.003", "--stages", "0.02", "0.98"),
                    *("0", "--views", "2", "--fresh-epochs", "2", "--no-occlusion"),
                    *("--validate-every", str(max(1, config.steps // 4))),
                    *("--validate-crops", "256", "--workers", "1", "--threads", "1"),
                    *("--seed", seed, "--device", "cpu"),
                ),
            ),
            (run / "metrics.json",),
            170.0,
            pictures=(run / "curves.png",),
            needs=("torch",),
        ),
        Stage(
            "evaluate",
            "score it, and the weights that come along, on hands that neither has seen",
            "PCK@0.2: the share of keypoints within a fifth of the palm's length of their label.",
            (
                (
                    *("report", str(run), "--data", str(noisy), "--hands", "500"),
                    *("--out", str(out / "run.html")),
                ),
                (
                    *("report", "shipped", "--data", str(noisy), "--hands", "500"),
                    *("--out", str(out / "shipped.html")),
                ),
            ),
            (out / "run.html", out / "shipped.html"),
            40.0,
            links=(
                ("report of this run", out / "run.html"),
                ("report of the weights that come along", out / "shipped.html"),
            ),
            needs=("torch",),
        ),
        *_plan_capture(out, seed, many),
        _plan_export(out, noisy, run, many),
    ]


def _plan_capture(out: Path, seed: str, many: tuple[str, ...]) -> list[Stage]:
    film, recording, found = out / "film", out / "recording", out / "found"
    # Without a network that finds hands, the first frame says where they are.
    place = () if HAS_FINDER else ("--boxes", str(recording / BOXES), "--follow", "10")
    told = " Where hands are is told in the first frame alone: one that comes later is not found."
    told = "" if HAS_FINDER else told
    return [
        Stage(
            "record",
            f"make a recording: {CLIP} depth images of 16 bits and a camera file, nothing else",
            "A film, rendered and read by an Azure Kinect, then stripped of all that a real"
            " recording does not have. Any folder of depth images and a camera.json does as well.",
            (
                (
                    *("synth", str(film), "--frames", str(CLIP), "--seed", str(int(seed) + 1000)),
                    *("--sequence-length", str(CLIP), "--fps", "30", "--sensor", "azure-kinect"),
                    *("--frames-per-shard", str(CLIP), *many),
                ),
            ),
            (recording / "camera.json",),
            12.0,
            links=(("the recording", recording),),
            finish=partial(write_recording, film, recording),
        ),
        Stage(
            "predict",
            "find the hands in it with the weights that come along",
            "Filled joints are seen, hollow ones hidden; left and right are the network's." + told,
            (
                (
                    *("predict", str(recording), str(found), "--fps", "30", *place),
                    *("--pictures", "--video", "--sheet", "9"),
                ),
            ),
            (found / "predictions.parquet", found / "sheet.png"),
            15.0,
            pictures=(found / "sheet.png",),
            links=(
                ("video", found / "predictions.mp4"),
                ("predictions, a row a hand", found / "predictions.jsonl"),
                ("every frame", found / "pictures"),
            ),
            needs=("torch",),
        ),
    ]


def write_recording(film: Path, recording: Path) -> None:
    """Depth images (16-bit PNG) and camera.json of a dataset's frames, as its sensor reads them;
    and boxes of the hands of the first frame.
    """
    import json

    import cv2

    from augment.sensed import open_sensed
    from frames.store.disk import make_folder, write_file

    make_folder(recording)
    boxes: list[dict[str, object]] = []
    for frame in open_sensed(film):
        assert frame.depth is not None
        name = f"{frame.frame_id:04d}.png"
        write_file(recording / name, cv2.imencode(".png", frame.depth)[1].tobytes())
        if not boxes:
            boxes = [
                {"frame": name, "box_px": [round(float(v), 1) for v in hand.box_px]}
                for hand in frame.hands
                if hand.box_px[0] == hand.box_px[0]
            ]
    lines = "".join(json.dumps(box) + "\n" for box in boxes)
    write_file(recording / BOXES, lines.encode())
    camera = {**frame.camera.to_dict(), "depth_scale_per_m": frame.depth_scale}
    write_file(recording / "camera.json", (json.dumps(camera, indent=2) + "\n").encode())


def _plan_export(out: Path, noisy: Path, run: Path, many: tuple[str, ...]) -> Stage:
    coco = out / "coco"
    return Stage(
        "export",
        "write the dataset as COCO keypoints, for others' tools",
        "Also Ultralytics, WebDataset, HDF5 and Hugging Face; handloom package writes the network"
        " for ONNX and ExecuTorch.",
        (("export", str(noisy), str(coco), "--format", "coco", "--split", "test", *many),),
        (coco,),
        15.0,
        links=(("the export", coco),),
    )
