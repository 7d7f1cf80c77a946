"""handloom view: frames as pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console.arguments import Data, Json, fill_option, parse_call
from console.output import print_result
from frames.errors import BadInput

if TYPE_CHECKING:
    from frames.record import Frame

OWN = "own"
"""What `--sensor` stands for without a name."""

DEFAULT_COUNTS = {".html": 200, ".png": 24, ".rrd": 48}
SENSOR_COUNT = 8

VIEWER = "viewer"
"""What `--rerun` stands for without a file."""


def run_view(arguments: list[str]) -> int:
    """handloom view DATA [--out sheet.png|page.html] [--rerun [FILE.rrd]] [--sensor [NAME]]"""

    def view(
        data: Data,
        out: Path = Path("sheet.png"),
        count: int = 0,
        first: int = -1,
        split: str = "",
        sensor: str = "",
        sensor_seed: int = -1,
        rerun: str = "",
        json: Json = False,
    ) -> int:
        """Draw frames: a contact sheet (.png) or a page to leaf through in a browser (.html); or
        show them in space, in rerun (docs/looking.md).

        Depth is shown as the dataset's sensor reads it, if it has one.

        Args:
            out: Picture or page to write.
            count: Frames to show; 0 for 24 on a sheet, 8 with --sensor, 200 on a page, 48 in rerun.
            first: Show consecutive frames from this one; -1 for frames spread over the dataset.
            split: Show only frames of this split; first counts from its beginning.
            sensor: Show clean depth, what a sensor reads, why not, and the difference side by side:
                --sensor alone for the dataset's own, --sensor NAME or FILE for another; none shows
                clean depth alone.
            sensor_seed: Seed of the sensor's noise; -1 for the dataset's own.
            rerun: Depth, points, hand meshes and skeletons on a timeline: --rerun alone writes
                view.rrd and opens the viewer where there is a screen; --rerun FILE.rrd writes that.
                Frames of sequences come in their order.
        """
        if rerun:
            return _show_in_space(data, rerun, count, first, split, sensor, sensor_seed, json)
        if out.suffix not in DEFAULT_COUNTS:
            raise BadInput(f"out must end in .png or .html, got {out}")
        if count < 0:
            raise BadInput(f"count must be >= 0, got {count}")
        from frames.viewing.page import write_page
        from frames.viewing.reading_sheet import draw_reading_sheet
        from frames.viewing.sheet import draw_sheet, write_picture

        beside = sensor not in ("", "none") and out.suffix == ".png"
        usual = SENSOR_COUNT if beside else DEFAULT_COUNTS[out.suffix]
        dataset = _open(data, split, sensor, sensor_seed)
        shown = _pick(dataset, data, count or usual, first)
        if out.suffix == ".html":
            write_page(shown, out, title=str(data))
        elif beside:
            write_picture(draw_reading_sheet(shown, title=str(data)), out)
        else:
            columns = min(4, max(1, round(len(shown) ** 0.5)))
            write_picture(draw_sheet(shown, columns, title=str(data)), out)
        print_result(json, f"{out}: {len(shown)} frames", {"out": str(out), "frames": len(shown)})
        return 0

    given = fill_option(fill_option(arguments, "--sensor", OWN), "--rerun", VIEWER)
    return int(parse_call(view, "handloom view", given)())


def _show_in_space(
    data: Path,
    rerun: str,
    count: int,
    first: int,
    split: str,
    sensor: str,
    sensor_seed: int,
    as_json: bool,
) -> int:
    """An .rrd file, and the viewer where there is a screen."""
    from console.progress import Bar
    from frames.viewing.rerun_recording import import_rerun, open_viewer, save_recording
    from synth.posed_meshes import open_mesher

    if count < 0:
        raise BadInput(f"count must be >= 0, got {count}")
    import_rerun()
    shown = rerun == VIEWER and _has_screen()
    path = Path("view.rrd" if rerun == VIEWER else rerun)
    dataset = _open(data, split, sensor, sensor_seed)
    in_order = first < 0 and len(dataset) and dataset[0].sequence_id is not None
    places = _choose(dataset, data, count or DEFAULT_COUNTS[".rrd"], 0 if in_order else first)
    mesher = open_mesher(dataset.meta)
    with Bar("frames", as_json) as bar:
        bar.begin(len(places), 0)
        frames = (_take(dataset, i) for i in places)
        save_recording(path, str(data), frames, mesher, bar.advance)
    if shown:
        open_viewer(path)
    how = "in the viewer" if shown else f"to look at them: rerun --bind 127.0.0.1 {path}"
    said = f"{path}: {len(places)} frames; {how}"
    print_result(as_json, said, {"out": str(path), "frames": len(places)})
    return 0


def _has_screen() -> bool:
    """Whether a window can open here."""
    import os
    import sys

    named = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return sys.platform in ("darwin", "win32") or bool(named)


def _open(data: Path, split: str, sensor: str, seed: int) -> Any:
    """The dataset as it is to be shown."""
    from augment.sensed import open_sensed
    from augment.sensing import NO_SENSOR, read_sensing
    from frames.store.dataset import open_dataset
    from frames.store.folder import read_meta

    own = read_sensing(read_meta(data), data)
    if sensor == OWN and own is None:
        raise BadInput(f"{data} has no sensor of its own: name one, as in --sensor d435")
    if sensor == "none" or (own is None and sensor in NO_SENSOR):
        return open_dataset(data, partial=True, split=split or None)
    name = None if sensor in ("", OWN) else sensor
    chosen = None if seed < 0 else seed
    return open_sensed(data, partial=True, split=split or None, sensor=name, seed=chosen)


def _pick(dataset: Any, data: Path, count: int, first: int) -> "Sequence[Frame]":
    """Frames spread over a dataset, or consecutive ones."""
    return [_take(dataset, i) for i in _choose(dataset, data, count, first)]


def _choose(dataset: Any, data: Path, count: int, first: int) -> list[int]:
    """Places of frames spread over a dataset, or of consecutive ones from `first`."""
    import numpy as np

    wanted = min(count, len(dataset))
    if not len(dataset):
        raise BadInput(f"{data} has no finished shard yet: run the same command again")
    if not -1 <= first < len(dataset):
        raise BadInput(
            f"first must be below {len(dataset)} (the frames there are), or -1 for frames"
            f" spread over all, got {first}"
        )
    if first >= 0:
        return list(range(first, min(first + wanted, len(dataset))))
    return [int(i) for i in np.linspace(0, len(dataset) - 1, wanted).round()]


def _take(dataset: Any, place: int) -> "Frame":
    """A frame as it is to be shown."""
    from frames.store.dataset import Dataset

    frame: Frame = dataset[place]
    return _bare(frame) if isinstance(dataset, Dataset) else frame


def _bare(frame: "Frame") -> "Frame":
    """A synthetic frame without its sensor, so that its clean depth is what is shown."""
    from dataclasses import replace

    if frame.clean_depth is None:
        return frame
    return replace(frame, depth=None, invalid=None, sensor=None, sensor_seed=None)
