"""A dataset's folder: what it says of itself, which shards are finished, what is left over.

    OUT/dataset.json   the metadata: schema version, frames, configuration, seed, licences
    OUT/README.md      the dataset card
    OUT/shards/        frames-00000.parquet, frames-00000.parquet.sha256, ...

The file system is the only truth: a shard is finished when its file is there, for it appears whole.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from frames.errors import BadInput
from frames.store.card import build_card
from frames.store.disk import explain_write_error, is_temporary, make_folder, write_file
from frames.store.lock import lock_folder
from frames.store.object_store import create_object
from frames.store.place import ObjectPath
from frames.store.schema import READABLE_VERSIONS, SCHEMA_VERSION, name_readable
from frames.store.shard import SHARD_FOLDER, SUM_SUFFIX, shard_name
from frames.store.splits import read_splits

META_NAME: Final = "dataset.json"
CARD_NAME: Final = "README.md"
FORMAT: Final = "handloom"
MOST_FRAMES: Final = 10**12
"""Of a dataset: a thousand times the largest that anybody has thought of."""


def create_dataset(folder: Path, meta: dict[str, Any], card: str | None = None) -> dict[str, Any]:
    """Make a dataset folder, or accept the identical one that is there (resume).

    meta: plain JSON values; must have "frames" and "frames_per_shard" (whole numbers > 0), may have
    "splits" (`splits`); "format" and "schema_version" are added. Written with sorted keys
    and no times, so the same configuration gives the same bytes. card: Markdown, made from the
    metadata if None. Returns the metadata as stored. Raises BadInput, naming the first key that
    differs, if the folder holds another dataset; also for a folder that holds something else, and
    for what the disk refuses.
    """
    text = format_meta(meta, folder)
    stored = check_meta(json.loads(text), folder)
    path = folder / META_NAME
    if not path.exists() and folder.is_dir():
        other = sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))
        if other and not path.exists():  # another process may just have written it
            raise BadInput(
                f"{folder} is not empty and no dataset (it holds {other[0]}): choose another"
            )
    with lock_folder(folder):
        # Nobody else writes here now: these are what a process that was killed left behind.
        for name in filter(is_temporary, _list_names(folder)):
            _remove(folder / name)
        if path.exists() or not _create_file(path, text.encode()):
            check_same(folder, meta)
        if not (folder / CARD_NAME).exists():
            write_file(folder / CARD_NAME, (build_card(stored) if card is None else card).encode())
    make_folder(folder / SHARD_FOLDER)
    return stored


def format_meta(meta: dict[str, Any], folder: Path) -> str:
    """The text of dataset.json for these metadata. Raises BadInput for what is not plain JSON."""
    stored = {**meta, "format": FORMAT, "schema_version": SCHEMA_VERSION}
    try:
        return json.dumps(stored, sort_keys=True, indent=2, allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        raise BadInput(f"metadata of {folder} is not plain JSON: {error}") from None


def _create_file(path: Path, data: bytes) -> bool:
    """Write a new file; False if another process was first, as without locks it may be."""
    if isinstance(path, ObjectPath):
        return create_object(path, data)
    write_file(path, data)
    return True


def check_same(folder: Path, meta: dict[str, Any]) -> None:
    """Raise BadInput, naming the first key that differs, if the folder holds another dataset."""
    difference = _find_difference(read_meta(folder), json.loads(format_meta(meta, folder)))
    if difference is not None:
        name, old, new = difference
        raise BadInput(
            f"{folder} holds another dataset: {name} is {old} there and {new} here; "
            f"choose another folder or the same settings"
        )


def read_meta(folder: Path) -> dict[str, Any]:
    """The checked metadata of a dataset folder. Raises BadInput if it is none, or of another
    version.
    """
    path = folder / META_NAME
    if not path.is_file():
        if folder.is_dir():
            what = "it has no dataset.json"
        else:
            what = "it is a file, not a folder" if folder.exists() else "there is no such folder"
        raise BadInput(f"{folder} is not a dataset: {what}")
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        reason = (str(error).splitlines() or ["?"])[0]
        raise BadInput(f"{path} is not valid JSON: {reason}; was the file edited?") from None
    return check_meta(meta, folder)


def check_meta(meta: Any, folder: Path) -> dict[str, Any]:
    """meta itself if it is usable metadata. Raises BadInput, in one line, if not."""
    path = folder / META_NAME
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        raise BadInput(f'{path} is not a handloom dataset\'s: "format" must be "{FORMAT}"')
    version = meta.get("schema_version")
    if version not in READABLE_VERSIONS:
        raise BadInput(
            f"{path} has schema version {version}, this handloom reads {name_readable()}: "
            f"use the handloom that wrote it"
        )
    for key in ("frames", "frames_per_shard"):
        value = meta.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST_FRAMES:
            raise BadInput(
                f"{key} must be a whole number > 0, got {value!r}, and at most {MOST_FRAMES}"
                f" ({path})"
            )
    read_splits(meta, path)
    return meta


def count_shards(meta: dict[str, Any]) -> int:
    """How many shards the whole dataset has."""
    return -(-int(meta["frames"]) // int(meta["frames_per_shard"]))


def count_rows(meta: dict[str, Any], index: int) -> int:
    """How many frames shard `index` has."""
    first = index * int(meta["frames_per_shard"])
    return max(0, min(int(meta["frames_per_shard"]), int(meta["frames"]) - first))


def find_shards(meta: dict[str, Any], frames: range) -> range:
    """Indices of the shards that hold some of a range of frames."""
    per_shard = int(meta["frames_per_shard"])
    return range(frames.start // per_shard, -(-frames.stop // per_shard))


def finished_shards(folder: Path) -> set[int]:
    """Indices of the shards that are there with their sidecars."""
    names = _list_names(folder / SHARD_FOLDER)
    found = (_parse_index(name) for name in names if name + SUM_SUFFIX in names)
    return {i for i in found if i is not None}


def sweep_orphans(folder: Path, indices: Iterable[int] | None = None) -> list[str]:
    """Remove what killed writers left: temporary files, and sidecars whose shard never came.

    indices: only of these shards (others may be in another process's hands); None for all. Returns
    the names removed. An object store has no temporary names, and its sidecars stay: a writer that
    was given up may still put the shard. Raises BadInput if they cannot be removed.
    """
    if isinstance(folder, ObjectPath):
        return []
    wanted = None if indices is None else {shard_name(i) for i in indices}
    names = _list_names(folder / SHARD_FOLDER)
    removed = []
    for name in sorted(names):
        if is_temporary(name):
            shard = name[1:].split(".parquet")[0] + ".parquet"
        elif name.endswith(SUM_SUFFIX) and name.removesuffix(SUM_SUFFIX) not in names:
            shard = name.removesuffix(SUM_SUFFIX)
        else:
            continue
        if wanted is None or shard in wanted:
            _remove(folder / SHARD_FOLDER / name)
            removed.append(name)
    return removed


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise explain_write_error(path, error) from None


def _list_names(folder: Path) -> set[str]:
    try:
        return {p.name for p in folder.iterdir()}
    except (FileNotFoundError, NotADirectoryError):
        return set()
    except OSError as error:
        raise BadInput(f"cannot list {folder}: {error.strerror}") from None


def _parse_index(name: str) -> int | None:
    digits = name.removeprefix("frames-").removesuffix(".parquet")
    return int(digits) if digits.isdecimal() and shard_name(int(digits)) == name else None


def _find_difference(old: Any, new: Any, name: str = "") -> tuple[str, str, str] | None:
    """The first key, dotted, in which two JSON values differ, and both values, shortened."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            inner = _find_difference(old.get(key), new.get(key), f"{name}.{key}" if name else key)
            if inner is not None:
                return inner
        return None
    if old == new:
        return None
    return name, _shorten(old), _shorten(new)


def _shorten(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
