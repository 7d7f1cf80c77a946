"""What may be named as data: a dataset's place, `live:CONFIG.toml`, `coco:ANNOTATIONS@IMAGES`."""

import hashlib
from pathlib import Path
from typing import Any, Final

from frames.errors import BadInput
from frames.store.folder import META_NAME, finished_shards, read_meta
from frames.store.place import find_place
from frames.store.shard import shard_path, sum_path
from frames.store.splits import read_splits

LIVE: Final = "live:"
"""Begins the name of a configuration whose frames are rendered as they are consumed."""

COCO: Final = "coco:"
"""Begins the name of a file of annotations of persons."""


def list_splits(spec: str) -> tuple[str, ...]:
    """Names of the splits of a dataset or a live configuration."""
    if spec.startswith(LIVE):
        from synth.config_file import load_config
        from synth.split import parse_split

        text = load_config(Path(spec.removeprefix(LIVE))).split
        return tuple(parse_split(text).names) if text else ()
    return tuple(read_splits(read_meta(find_place(spec))))


def split_spec(spec: str) -> tuple[Path, Path]:
    """File and folder of a source's name."""
    text, _, folder = spec.removeprefix(COCO).rpartition("@")
    if not text:
        text, folder = folder, ""
    path = Path(text)
    return path, Path(folder) if folder else path.parent


def hash_data(spec: str) -> dict[str, Any]:
    """What decides the contents of a source: hashes of dataset.json and of all shards' sums."""
    if spec.startswith(LIVE):
        path = Path(spec.removeprefix(LIVE))
    elif spec.startswith(COCO):
        path = split_spec(spec)[0]
    else:
        path = None
    if path is not None:
        try:
            return {"source": spec, "config": hashlib.sha256(path.read_bytes()).hexdigest()}
        except OSError as error:
            raise BadInput(f"cannot read {path}: {error.strerror}") from None
    folder = find_place(spec)
    meta = read_meta(folder)
    sums = hashlib.sha256()
    for index in sorted(finished_shards(folder)):
        sums.update(sum_path(shard_path(folder, index)).read_bytes())
    return {
        "source": spec,
        "frames": meta["frames"],
        "dataset": hashlib.sha256((folder / META_NAME).read_bytes()).hexdigest(),
        "shards": sums.hexdigest(),
    }
