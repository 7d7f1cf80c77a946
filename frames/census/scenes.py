"""The census of scenes: situations, objects, grasps, contact and motion, counted batch by batch."""

from collections import Counter
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from frames.census.tally import Tally
from frames.parts import FOREARM
from frames.skeleton import KEYPOINTS, WRIST

FRAME_COLUMNS: Final = (*("frame_id", "situation", "background", "sequence_id", "camera_velocity"),)
HAND_COLUMNS: Final = (
    *("wearer", "grasp", "held", "contact_gap_m", "worn", "keypoints_velocity_m_s"),
)
OBJECT_COLUMNS: Final = ("kind", "name", "velocity")

TOUCH_M: Final = 0.002
"""A part nearer than this to what the hand touches is in contact with it."""

DEEP_M: Final = 0.003
"""Deeper penetration than this shows."""


class SceneCounts:
    """Everything counted so far."""

    def __init__(self) -> None:
        self.situations: Counter[str] = Counter()
        self.backgrounds: Counter[str] = Counter()
        self.owners: Counter[str] = Counter()
        self.grasps: Counter[str] = Counter()
        self.worn: Counter[str] = Counter()
        self.holding = 0
        self.objects_per_frame: Counter[int] = Counter()
        self.kinds: Counter[str] = Counter()
        self.names: set[str] = set()
        self.touching = np.zeros(FOREARM + 1, np.int64)
        self.touching_by: dict[str, np.ndarray] = {}
        self.deepest_by: dict[str, float] = {}
        self.penetration = Tally(0.0, 0.01, "m", 10_000)
        self.deep = 0
        self.deepest_frame: int | None = None
        self.sequences = 0
        self.sequence_id, self.run = -1, 0
        self.lengths = Tally(0.0, 4000.0, "frames")
        self.speeds = {
            "hand_m_s": Tally(0.0, 10.0, "m/s"),
            "object_m_s": Tally(0.0, 10.0, "m/s"),
            "camera_m_s": Tally(0.0, 10.0, "m/s"),
            "camera_turn_rad_s": Tally(0.0, 20.0, "rad/s"),
        }

    def add(self, batch: pa.RecordBatch) -> None:
        """Count a batch of frames that has the columns named above."""
        _count(self.situations, batch.column("situation"), "none")
        _count(self.backgrounds, batch.column("background"))
        self._add_sequences(batch.column("sequence_id"))
        velocity = take_vectors(batch.column("camera_velocity"), (6,))
        self.speeds["camera_m_s"].add(_lengths(velocity[:, :3]))
        self.speeds["camera_turn_rad_s"].add(_lengths(velocity[:, 3:]))
        things = batch.column("objects")
        _count_lengths(self.objects_per_frame, things)
        objects = things.flatten()
        _count(self.kinds, objects.field("kind"))
        self.names.update(pc.unique(objects.field("name").drop_null()).to_pylist())
        moving = take_vectors(objects.field("velocity"), (6,))
        self.speeds["object_m_s"].add(_lengths(moving[:, :3]))
        self._add_hands(batch)

    def _add_hands(self, batch: pa.RecordBatch) -> None:
        lists = batch.column("hands")
        hands = lists.flatten()
        own = pc.sum(hands.field("wearer")).as_py() or 0
        self.owners.update({"wearer": own, "other people": len(hands) - own})
        _count(self.grasps, hands.field("grasp"))
        worn: Counter[str] = Counter()
        _count(worn, hands.field("worn"))
        for words, count in worn.items():
            for word in filter(None, words.split(",")):
                self.worn[word] += count
        self.holding += len(hands) - hands.field("held").null_count
        velocity = take_vectors(hands.field("keypoints_velocity_m_s"), (KEYPOINTS, 3))
        self.speeds["hand_m_s"].add(_lengths(velocity[:, WRIST]))
        touches = hands.field("contact_gap_m")
        there = touches.is_valid().to_numpy(zero_copy_only=False)
        counts = pc.list_value_length(lists).to_numpy(zero_copy_only=False)
        row = np.repeat(np.arange(len(batch)), counts)[there]
        frame = batch.column("frame_id").to_numpy()[row]
        situation = batch.column("situation").take(pa.array(row))
        kind = pc.coalesce(hands.field("grasp").filter(pa.array(there)), situation, "none")
        gap = take_vectors(touches, (FOREARM,))
        self._add_contact(gap, frame, np.array(kind.to_pylist(), object))

    def _add_contact(self, gap: np.ndarray, frame: np.ndarray, kind: np.ndarray) -> None:
        """Count the gaps (n, 17) of hands in contact, by their grasp or else situation (n,)."""
        if not len(gap):
            return
        depth = np.maximum(-np.nan_to_num(gap, nan=1.0).min(-1).astype(np.float64), 0.0)
        if self.deepest_frame is None or depth.max() > self.penetration.high:
            self.deepest_frame = int(frame[np.argmax(depth)])
        self.penetration.add(depth)
        self.deep += int((depth > DEEP_M).sum())
        parts = (gap <= TOUCH_M).sum(-1)  # NaN is far
        self.touching += np.bincount(parts, minlength=FOREARM + 1)
        for name in sorted(set(kind)):
            mine = kind == name
            counts = np.bincount(parts[mine], minlength=FOREARM + 1)
            self.touching_by[name] = self.touching_by.get(name, 0) + counts
            self.deepest_by[name] = max(self.deepest_by.get(name, 0.0), float(depth[mine].max()))

    def _add_sequences(self, column: pa.Array) -> None:
        """Count runs of one sequence id; a run may go on in the next batch."""
        ids = column.fill_null(-1).to_numpy()
        starts = np.flatnonzero(np.diff(ids, prepend=self.sequence_id))
        if not len(starts):
            self.run += len(ids)
            return
        self._end_run(self.run + int(starts[0]))
        for start, length in zip(starts[:-1], np.diff(starts), strict=True):
            self.sequence_id = int(ids[start])
            self._end_run(int(length))
        self.sequence_id, self.run = int(ids[-1]), len(ids) - int(starts[-1])

    def _end_run(self, length: int) -> None:
        if self.sequence_id >= 0 and length:
            self.sequences += 1
            self.lengths.add(np.array([length]))

    def summarize(self) -> dict[str, Any]:
        """What was counted, as JSON values (see frames.census.stats)."""
        self._end_run(self.run)
        self.run = 0
        hands = int(self.touching.sum())
        return {
            "situations": rank(self.situations),
            "backgrounds": rank(self.backgrounds),
            "owners": dict(self.owners),
            "grasps": rank(self.grasps),
            "worn": rank(self.worn),
            "holding_hands": self.holding,
            "objects_per_frame": {str(n): c for n, c in sorted(self.objects_per_frame.items())},
            "object_kinds": rank(self.kinds),
            "object_names": len(self.names),
            "contact": {
                "hands": hands,
                "parts": {str(n): int(c) for n, c in enumerate(self.touching) if c},
                "at_least_2_parts": share_of_at_least(2, self.touching),
                "at_least_3_parts": share_of_at_least(3, self.touching),
                "by_kind": {
                    name: {
                        "hands": int(counts.sum()),
                        "at_least_2_parts": share_of_at_least(2, counts),
                        "at_least_3_parts": share_of_at_least(3, counts),
                        "deepest_m": self.deepest_by[name],
                    }
                    for name, counts in sorted(self.touching_by.items())
                },
            },
            "penetration_m": {
                **self.penetration.summarize(),
                "p99": self.penetration.quantile(0.99) if hands else None,
                "over_3_mm": self.deep / max(1, hands),
                "deepest_frame": self.deepest_frame,
            },
            "sequences": {"count": self.sequences, "frames": self.lengths.summarize()},
            "speeds": {name: tally.summarize() for name, tally in self.speeds.items()},
        }


def share_of_at_least(parts: int, counts: np.ndarray) -> float:
    """The share of hands with so many parts in contact or more; counts (18,) by that number."""
    return float(counts[parts:].sum() / max(1, int(counts.sum())))


def rank(counts: Counter[str]) -> dict[str, int]:
    """Counts as a plain dict, the most frequent first."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def take_vectors(column: pa.Array, shape: tuple[int, ...]) -> np.ndarray:
    """The vectors of a fixed-size list column that are there, (n, *shape)."""
    return column.flatten().to_numpy(zero_copy_only=False).reshape(-1, *shape)


def _count(counter: Counter[str], column: pa.Array, absent: str | None = None) -> None:
    """Count the texts of a column; nulls as `absent`, or not at all."""
    for entry in pc.value_counts(column):
        name = entry["values"].as_py() or absent
        if name is not None:
            counter[name] += entry["counts"].as_py()


def _count_lengths(counter: Counter[int], lists: pa.Array) -> None:
    lengths = np.bincount(pc.list_value_length(lists).to_numpy(zero_copy_only=False))
    counter.update({n: int(c) for n, c in enumerate(lengths) if c})


def _lengths(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.norm(vectors.astype(np.float64), axis=-1))
