"""What is in a dataset, as numbers; `stats_text` and `frames.viewing.stats_page` show them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from frames.census.label_batches import read_label_batches
from frames.census.labels import count_batches
from frames.errors import BadInput
from frames.store.folder import META_NAME, find_shards
from frames.store.shard import SHARD_FOLDER, shard_name
from frames.store.splits import find_split


class LabelledDataset(Protocol):
    """What statistics need of a dataset (frames.store.dataset.Dataset has it)."""

    @property
    def folder(self) -> Path:
        """The dataset's folder."""

    @property
    def meta(self) -> Mapping[str, Any]:
        """The contents of dataset.json."""


def collect_stats(dataset: LabelledDataset, split: str | None = None) -> dict[str, Any]:
    """Count a dataset's labels; images are not read.

    Args:
        dataset: what to count.
        split: only the frames of this split; None for all.

    Returns:
        JSON values. Counts: frames, hands, shards and bytes (not of a split), hands_per_frame,
        sides, wearer_hands, key_poses, keypoints, causes. Shares: visible_by_keypoint,
        out_of_frame. Summaries with min, p5, median, mean, p95, max and a histogram
        (`tally`): distance_m to the mean keypoint, palm_angle_deg between the palm's normal
        and the line to the camera, axis_roll_deg of the hand in the image (0 up, 90 right),
        visible_fraction, box_side_px, and joint_angles (a list, radians). Maps of 10-degree cells:
        palm_directions and axis_directions (`labels.count_directions`).
        Of scenes, counts: situations, backgrounds, owners, grasps, worn, holding_hands,
        objects_per_frame, object_kinds, object_names (how many). contact: hands that touch
        something, parts within 2 mm of it, shares of hands with two and three of them at least, and
        the same by_kind, the grasp's name or else the situation's.
        penetration_m of the deepest part of these hands: a summary with p99, over_3_mm (share) and
        deepest_frame. sequences: count and lengths; speeds: summaries of hands and objects relative
        to the camera, and of the camera. splits: frames, hands, identities, objects and background
        images of each; disjoint: whether no two share any of those.

    Raises:
        BadInput: there is no shard, or one cannot be read; the split is unknown.
    """
    paths = sorted((dataset.folder / SHARD_FOLDER).glob("*.parquet"))
    frames = None
    if split is not None:
        meta = dict(dataset.meta)
        frames = find_split(meta, split, dataset.folder / META_NAME)
        wanted = {shard_name(i) for i in find_shards(meta, frames)}
        paths = [path for path in paths if path.name in wanted]
    if not paths:
        raise BadInput(f"there are no shards in {dataset.folder / SHARD_FOLDER}")
    counted = count_batches(
        read_label_batches(paths, frames=frames),
        dataset.meta.get("joint_angle_names", ()),
        dataset.meta.get("background_images", ()),
    )
    if split is not None:  # its shards may hold frames of others: their size says nothing
        return counted
    size = sum(path.stat().st_size for path in paths)
    disk = {"shards": len(paths), "bytes": size}
    disk["bytes_per_frame"] = round(size / max(1, counted["frames"]))
    return {**disk, **counted}


def share_out(counts: Mapping[str, int]) -> dict[str, float]:
    """Return counts as shares of their sum."""
    total = max(1, sum(counts.values()))
    return {name: count / total for name, count in counts.items()}


def headline(stats: Mapping[str, Any]) -> str:
    """Return the counts and the size on disk in words."""
    words = f"{stats['frames']:,} frames, {stats['hands']:,} hands"
    if not stats.get("bytes"):
        return words
    size = f"{stats['bytes'] / 1e6:,.1f} MB in {stats['shards']:,} shards"
    return f"{words}, {size}, {stats['bytes_per_frame']:,} bytes a frame"
