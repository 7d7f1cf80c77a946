"""Render frames of a dataset again and compare them with what is stored, byte for byte."""

from pathlib import Path
from typing import Any

import pyarrow as pa

from augment.occluding import META_KEY as OCCLUSION_KEY
from augment.sensing import Sensing, read_sensing
from frames.camera import Camera
from frames.camera_file import REQUIRED, build_camera
from frames.errors import BadInput
from frames.store.dataset import open_dataset
from frames.store.schema import SCHEMA
from frames.store.shard import open_shard, read_row_group, shard_path
from frames.stream import generator
from synth.config_file import config_from_meta
from synth.description import describe, handloom_version
from synth.generator import Generator


def rerender(folder: Path, count: int, pick: int = 0) -> list[str]:
    """Render `count` random frames again; one line for each that differs, or for why it cannot be.

    pick: seed of the choice. Raises BadInput if the folder is no synthetic dataset or its inputs (a
    camera file, meshes, a MANO file) are gone.
    """
    if count < 1:
        raise BadInput(f"rerender must be >= 1 frames, got {count}")
    data = open_dataset(folder, partial=True)
    config = config_from_meta(data.meta)
    problems = find_changes(data.meta)
    if problems:
        return problems
    sensing = read_sensing(data.meta, folder)
    maker = build_again(data.meta, sensing and sensing.check())
    rng = generator(pick, 0, "verify/rerender")
    chosen = sorted(rng.choice(config.frames, size=min(count, config.frames), replace=False))
    for frame in chosen:
        index, row = divmod(int(frame), config.frames_per_shard)
        path = shard_path(folder, index)
        if not path.exists():
            continue  # a missing shard is a problem of its own
        try:
            was = _read_row(path, row)
        except BadInput as error:
            problems.append(str(error))
            continue
        now = maker.make_table(int(frame), int(frame) + 1)
        differing = [n for n in now.column_names if not _same(was.column(n), now.column(n))]
        if differing:
            problems.append(
                f"frame {frame} in {path.name} renders otherwise now: {', '.join(differing)}"
            )
    return problems


def build_again(meta: dict[str, Any], sensing: Sensing | None) -> Generator:
    """The generator that made a dataset, from its metadata, with a sensor."""
    return Generator(config_from_meta(meta), _stored_camera(meta), sensing)


def find_changes(meta: dict[str, Any]) -> list[str]:
    """Why a dataset can not be rendered as it was, one line each; none if it can.

    Raises BadInput if it is not one of ours.
    """
    return _changed_inputs(meta, describe(config_from_meta(meta), _stored_camera(meta)))


def _stored_camera(meta: dict[str, Any]) -> Camera:
    """The camera as it was then: its file may have changed or be gone."""
    stored = meta.get("camera")
    if not isinstance(stored, dict):
        raise BadInput("dataset.json has no camera: was the file edited?")
    missing = [key for key in REQUIRED if key not in stored]
    if missing:
        raise BadInput(f"the camera in dataset.json lacks {', '.join(missing)}: was it edited?")
    return build_camera(stored, " (in dataset.json)")


def _changed_inputs(was: dict[str, object], now: dict[str, object]) -> list[str]:
    lines = []
    if OCCLUSION_KEY in was:
        lines.append("occlusion cannot be rendered again: check the dataset that it was put into")
    if was.get("generator_version") != now["generator_version"]:
        lines.append(
            f"the dataset was made by handloom {was.get('generator_version')}, this is"
            f" {handloom_version()}: render again with that version"
        )
    if was.get("inputs") != now["inputs"]:
        lines.append(f"input files have changed: {was.get('inputs')} then, {now['inputs']} now")
    return lines


def _read_row(path: Path, row: int) -> pa.Table:
    file = open_shard(path)
    for group in range(file.num_row_groups):
        rows = file.metadata.row_group(group).num_rows
        if row < rows:
            return read_row_group(file, path, group, list(SCHEMA.names)).slice(row, 1)
        row -= rows
    raise BadInput(f"{path} has too few rows: run handloom verify")


def _same(a: pa.ChunkedArray, b: pa.ChunkedArray) -> bool:
    """Equal to the bit; NaN equals NaN. Python writes every float so that no bit is lost."""
    return repr(a.to_pylist()) == repr(b.to_pylist())
