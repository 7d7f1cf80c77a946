"""The formats side by side: bytes and time a frame, and how fast each is read for training.

python -m bench.exports [FRAMES|DATA]    frames without sensor, made anew, or those of a dataset

One dataset, one process, one run. For the depth of a sensor: `handloom augment DATA NOISY --sensor
d435 --bake`, and NOISY.

Read is what a keypoint network is trained on, in the order of the files: depth as an array, and the
keypoints and visibility of every hand. Each reader is its library's own way of reading a folder
without a shuffle or a worker.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_OFFLINE", "1")

import cv2
import datasets
import h5py
import numpy as np
import webdataset as wds
from faster_coco_eval import COCO
from rich.console import Console
from rich.table import Table

from augment.export_source import SensedSource
from bench.render import describe_machine
from frames.exports.exporting import export_dataset
from frames.exports.formats import choose_format
from frames.store.dataset import open_dataset
from frames.store.folder import read_meta
from synth.config import SynthConfig
from synth.engine import generate

FORMATS: Final = ("coco", "yolo", "webdataset", "hdf5", "hf")
ROUNDS: Final = 3


def count_ours(folder: Path, depth: str) -> int:
    """Our own dataset in batches of whole arrays."""
    columns = [depth, "hands.keypoints_px", "hands.visibility"]
    return sum(len(b["hand_counts"]) for b in open_dataset(folder).batches(columns))


def count_frames(folder: Path, depth: str) -> int:
    """Our own dataset as single frames, through `stream`."""
    return sum(f.reading is not None for f in open_dataset(folder).stream([depth, "hands"]))


def count_coco(out: Path) -> int:
    """faster-coco-eval's API and OpenCV; the index is made anew, as every run of training does."""
    coco = COCO(str(out / "annotations" / "all.json"))
    found = 0
    for image in coco.loadImgs(coco.getImgIds()):
        cv2.imread(str(out / "images" / image["file_name"]), cv2.IMREAD_UNCHANGED)
        for one in coco.loadAnns(coco.getAnnIds(image["id"])):
            np.array(one["keypoints"], np.float32).reshape(21, 3)
        found += 1
    return found


def count_yolo(out: Path) -> int:
    """OpenCV and numpy: Ultralytics' own loader would need all of it."""
    found = 0
    for path in sorted((out / "images").rglob("*.png")):
        cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        text = Path(str(path).replace("/images/", "/labels/")).with_suffix(".txt").read_text()
        np.array([line.split() for line in text.splitlines()], np.float32)
        found += 1
    return found


def _decode_png(key: str, data: bytes) -> Any:
    if not key.endswith(".png"):
        return None
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def count_webdataset(out: Path) -> int:
    """webdataset's library; the part image is left alone."""
    files = sorted(str(p) for p in out.glob("*.tar"))
    chosen = wds.WebDataset(files, shardshuffle=False, select_files=lambda n: "parts" not in n)
    found = 0
    for sample in chosen.decode(_decode_png):
        for hand in sample["json"]["hands"]:
            np.array(hand["keypoints_px"], np.float32), np.array(hand["visibility"], np.uint8)
        found += 1
    return found


def count_hdf5(out: Path) -> int:
    """h5py, an image at a time, labels whole."""
    found = 0
    for path in sorted(out.glob("*.h5")):
        with h5py.File(path) as file:
            file["hands/keypoints_px"][:], file["hands/visibility"][:]
            depth = file["depth"]
            for place in range(len(depth)):
                depth[place]
                found += 1
    return found


def count_hub(out: Path, cache: Path) -> Callable[[], int]:
    """datasets: loaded once (which copies it into Arrow files), then read as numpy."""
    loaded = datasets.load_dataset(str(out), split="train", cache_dir=str(cache))
    chosen = loaded.select_columns(["depth", "hands"])

    def read() -> int:
        found = 0
        for row in chosen:
            np.asarray(row["depth"])
            for hand in row["hands"]:
                np.array(hand["keypoints_px"], np.float32), np.array(hand["visibility"], np.uint8)
            found += 1
        return found

    return read


def measure(run: Callable[[], int]) -> float:
    """Frames a second of this process' own time, the best of some rounds."""
    best = 0.0
    for _ in range(ROUNDS):
        began = time.process_time()
        count = run()
        best = max(best, count / (time.process_time() - began))
    return best


def sum_bytes(folder: Path) -> int:
    """Of all files, as long as they are."""
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def list_runs(root: Path, data: Path) -> Iterator[tuple[str, Path, float, Callable[[], int]]]:
    """Name, folder, frames/s of writing and what reads it, of each format."""
    depth = "clean_depth" if read_meta(data).get("sensor") is None else "depth"
    yield "handloom, `batches`", data, float("nan"), lambda: count_ours(data, depth)
    yield "handloom, `stream`", data, float("nan"), lambda: count_frames(data, depth)
    readers = {
        "coco": count_coco, "yolo": count_yolo, "webdataset": count_webdataset,
        "hdf5": count_hdf5,
    }  # fmt: skip
    for name in FORMATS:
        out = root / name
        began = time.process_time()
        count = export_dataset(SensedSource(data), out, choose_format(name))["written"]
        rate = count / (time.process_time() - began)
        if name == "hf":
            yield name, out, rate, count_hub(out, root / "cache")
        else:
            yield name, out, rate, lambda out=out, name=name: readers[name](out)


def main(what: str = "2048") -> None:
    """Print the table. what: how many frames, or a dataset without splits."""
    datasets.disable_progress_bars()
    quiet, told = open(os.devnull, "w"), sys.stdout  # noqa: SIM115, PTH123
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        data = root / "data"
        if what.isdecimal():
            generate(data, SynthConfig(frames=int(what), seed=1), 1)
        else:
            data = Path(what)
        meta = read_meta(data)
        count, sensor = meta["frames"], meta.get("sensor", {}).get("profile", {}).get("name")
        table = Table("format", "bytes a frame", "files", "written, frames/s", "read, frames/s")
        for title, folder, rate, read in list_runs(root, data):
            sys.stdout = quiet  # COCO's index tells what it does
            try:
                speed = measure(read)
            finally:
                sys.stdout = told
            size, files = sum_bytes(folder), sum(1 for p in folder.rglob("*") if p.is_file())
            shown = "" if rate != rate else f"{rate:,.0f}"
            table.add_row(title, f"{size / count:,.0f}", f"{files:,}", shown, f"{speed:,.0f}")
        table.title = (
            f"{describe_machine()}\n{count:,} frames, depth of {sensor or 'no sensor'}; frames a"
            " second of one process' own time"
        )
        Console(width=110).print(table)


if __name__ == "__main__":
    main(*sys.argv[1:2])
