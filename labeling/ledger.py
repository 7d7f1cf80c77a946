"""The ledger: what was sent of a project and what came back, one SQLite file each.

It remembers, it does not decide: which tasks exist is asked of the server, whose word counts. What
people answered is kept here for good, every version of it.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import sqlite3
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from frames.errors import BadInput
from frames.store.disk import make_folder
from labeling.studio import TaskState

LEDGERS: Final = "ledgers"

VERSION: Final = "1"

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS frames (
    key TEXT PRIMARY KEY, dataset TEXT NOT NULL, folder TEXT NOT NULL, frame INTEGER NOT NULL,
    depth_sha256 TEXT NOT NULL, sent_s REAL);
CREATE TABLE IF NOT EXISTS tasks (number INTEGER PRIMARY KEY, key TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS tasks_key ON tasks (key);
CREATE TABLE IF NOT EXISTS proposals (
    key TEXT NOT NULL, model TEXT NOT NULL, prediction TEXT NOT NULL, score REAL NOT NULL,
    sent INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (key, model));
CREATE TABLE IF NOT EXISTS answers (
    annotation INTEGER NOT NULL, digest TEXT NOT NULL, task INTEGER NOT NULL, key TEXT,
    updated_at TEXT NOT NULL, seen_s REAL NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (annotation, digest));
CREATE TABLE IF NOT EXISTS standing (
    annotation INTEGER PRIMARY KEY, digest TEXT NOT NULL, task INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS outcomes (
    key TEXT PRIMARY KEY, digest TEXT NOT NULL, outcome TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS fits (
    key TEXT PRIMARY KEY, digest TEXT NOT NULL, label TEXT NOT NULL, doubted INTEGER NOT NULL,
    fits TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS fetched (task INTEGER PRIMARY KEY, updated_at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS standing_task ON standing (task);
"""


@dataclass(frozen=True)
class KnownFrame:
    """A frame that a project has, or is to have, a task of."""

    key: str
    """What it is known by: `labeling.keys.key_of`."""

    dataset: str
    """Name of the dataset it comes from."""

    folder: str
    """Where that dataset was."""

    frame: int
    """Its place there."""

    depth_sha256: str


@dataclass(frozen=True)
class KeptFits:
    """The hands that were fitted to a frame's label."""

    key: str
    digest: str
    """Of all that they depend on: the frame's label and its neighbours'."""

    label: str
    """Digest of the frame's own label."""

    doubted: bool
    """Whether a hand disagrees with its label or the depth."""

    fits: str
    """As `labeling.refinement.pulled` writes it."""


class Ledger:
    """One project's ledger. Not to be shared by threads; processes take turns by `lock`."""

    def __init__(self, path: Path) -> None:
        """Open it, or begin it. Raises BadInput for a file that is none."""
        make_folder(path.parent)
        self.path = path
        try:
            self._base = sqlite3.connect(path, timeout=60.0, isolation_level=None)
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute("PRAGMA synchronous = NORMAL")
            self._base.executescript(_TABLES)
            with self.change():
                self._base.execute(
                    "INSERT OR IGNORE INTO about VALUES ('version', ?), ('ledger', ?)",
                    (VERSION, uuid.uuid4().hex),
                )
        except sqlite3.DatabaseError as error:
            raise BadInput(f"{path} is no ledger: {error}; move it away to begin anew") from None
        if self.read("version") != VERSION:
            raise BadInput(f"{path} is of another handloom (version {self.read('version')})")

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()

    @property
    def name(self) -> str:
        """What tells this ledger from others: a project remembers it."""
        return self.read("ledger") or ""

    @contextmanager
    def change(self) -> Iterator[None]:
        """Everything within happens, or nothing of it."""
        self._base.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._base.execute("ROLLBACK")
            raise
        self._base.execute("COMMIT")

    def read(self, name: str) -> str | None:
        """A fact about the project."""
        row = self._base.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def write(self, name: str, value: str) -> None:
        """Remember a fact about the project."""
        self._base.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (name, value))

    def add_frames(self, frames: Iterable[KnownFrame]) -> None:
        """Frames that there are to be tasks of; where a frame is found is brought up to date."""
        rows = [(f.key, f.dataset, f.folder, f.frame, f.depth_sha256) for f in frames]
        with self.change():
            self._base.executemany(
                "INSERT INTO frames (key, dataset, folder, frame, depth_sha256) VALUES (?,?,?,?,?)"
                " ON CONFLICT (key) DO UPDATE SET dataset = excluded.dataset,"
                " folder = excluded.folder, frame = excluded.frame",
                rows,
            )

    def list_frames(self) -> dict[str, KnownFrame]:
        """All frames by key, as they lie in their datasets."""
        rows = self._base.execute(
            "SELECT key, dataset, folder, frame, depth_sha256 FROM frames"
            " ORDER BY dataset, folder, frame"
        )
        return {row[0]: KnownFrame(*row) for row in rows}

    def set_tasks(self, states: Iterable[TaskState], whole: bool) -> None:
        """What the server has. whole: these are all of its tasks."""
        rows = [(s.number, s.key) for s in states if s.key is not None]
        with self.change():
            if whole:
                self._base.execute("DELETE FROM tasks")
            self._base.executemany("INSERT OR REPLACE INTO tasks VALUES (?, ?)", rows)

    def list_tasks(self) -> dict[str, list[int]]:
        """Tasks of every frame that has any; more than one only if something else made them."""
        found: dict[str, list[int]] = {}
        for key, number in self._base.execute("SELECT key, number FROM tasks ORDER BY number"):
            found.setdefault(key, []).append(number)
        return found

    def begin_sending(self, keys: Sequence[str]) -> None:
        """These frames are about to be sent: until they are seen, they may be under way."""
        now = time.time()
        with self.change():
            self._base.executemany(
                "UPDATE frames SET sent_s = ? WHERE key = ?", [(now, key) for key in keys]
            )

    def list_unanswered(self) -> dict[str, float]:
        """Frames that were sent but have no task that we know of, and when (seconds since 1970)."""
        rows = self._base.execute(
            "SELECT key, sent_s FROM frames WHERE sent_s IS NOT NULL"
            " AND key NOT IN (SELECT key FROM tasks)"
        )
        return {key: float(sent) for key, sent in rows}

    def forget_sending(self, keys: Iterable[str]) -> None:
        """These frames are not under way."""
        with self.change():
            self._base.executemany(
                "UPDATE frames SET sent_s = NULL WHERE key = ?", [(key,) for key in keys]
            )

    def put_proposals(self, model: str, rows: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """Predictions of a model as they are to be sent, by frame."""
        values = [(key, model, json.dumps(p), float(p["score"])) for key, p in rows]
        with self.change():
            self._base.executemany(
                "INSERT OR REPLACE INTO proposals (key, model, prediction, score) VALUES (?,?,?,?)",
                values,
            )

    def list_scores(self, model: str) -> dict[str, float]:
        """The score of every frame that the model has seen."""
        rows = self._base.execute("SELECT key, score FROM proposals WHERE model = ?", (model,))
        return dict(rows.fetchall())

    def read_proposals(self, keys: Sequence[str], model: str) -> list[dict[str, Any]]:
        """Predictions of these frames, in their order. Raises KeyError where there is none."""
        found = {}
        for key in keys:
            row = self._base.execute(
                "SELECT prediction FROM proposals WHERE key = ? AND model = ?", (key, model)
            ).fetchone()
            if row is None:
                raise KeyError(key)
            found[key] = json.loads(row[0])
        return [found[key] for key in keys]

    def mark_predicted(self, keys: Iterable[str], model: str, under_way: bool = False) -> None:
        """The server has this model's predictions of these frames, or is about to get them."""
        with self.change():
            self._base.executemany(
                "UPDATE proposals SET sent = ? WHERE key = ? AND model = ?",
                [(2 if under_way else 1, key, model) for key in keys],
            )

    def list_predicted(self, model: str, under_way: bool = False) -> set[str]:
        """Frames whose prediction by this model the server has, or was about to get."""
        rows = self._base.execute(
            "SELECT key FROM proposals WHERE model = ? AND sent = ?", (model, 2 if under_way else 1)
        )
        return {row[0] for row in rows}

    def list_models(self) -> list[str]:
        """Models whose predictions were sent, the last one last."""
        rows = self._base.execute(
            "SELECT model FROM proposals WHERE sent = 1 GROUP BY model ORDER BY MAX(rowid)"
        )
        return [row[0] for row in rows]

    def keep_answers(self, tasks: Iterable[Mapping[str, Any]]) -> int:
        """Keep raw tasks' annotations, every version; what is no longer there is noted, not lost.

        Returns how many versions are new.
        """
        now, new = time.time(), 0
        with self.change():
            for task in tasks:
                number = int(task["id"])
                data = task.get("data")
                key = data.get("frame_id") if isinstance(data, dict) else None
                self._base.execute("DELETE FROM standing WHERE task = ?", (number,))
                for annotation in task.get("annotations") or []:
                    body = json.dumps(annotation, sort_keys=True)
                    digest = hashlib.sha256(body.encode()).hexdigest()[:32]
                    number_a = int(annotation["id"])
                    new += self._base.execute(
                        "INSERT OR IGNORE INTO answers VALUES (?,?,?,?,?,?,?)",
                        (
                            *(number_a, digest, number, key),
                            *(str(annotation.get("updated_at") or ""), now, body),
                        ),
                    ).rowcount
                    self._base.execute(
                        "INSERT OR REPLACE INTO standing VALUES (?,?,?)",
                        (number_a, digest, number),
                    )
        return new

    def find_stale(self, changed: Iterable[tuple[int, str]]) -> list[int]:
        """Of tasks and the times they changed, those that were not fetched since."""
        known = dict(self._base.execute("SELECT task, updated_at FROM fetched").fetchall())
        return [task for task, time in changed if known.get(task) != time]

    def mark_fetched(self, changed: Iterable[tuple[int, str]]) -> None:
        """The answers of these tasks are here, as they were at these times."""
        with self.change():
            self._base.executemany("INSERT OR REPLACE INTO fetched VALUES (?, ?)", list(changed))

    def forget_tasks(self, there: set[int]) -> None:
        """Only these tasks still have answers; those of others stand no more (they are kept)."""
        rows = self._base.execute("SELECT DISTINCT task FROM standing").fetchall()
        with self.change():
            self._base.executemany(
                "DELETE FROM standing WHERE task = ?", [r for r in rows if r[0] not in there]
            )

    def list_answers(self) -> dict[str, list[dict[str, Any]]]:
        """Annotations that stand, by frame, oldest first; each with `task`."""
        rows = self._base.execute(
            "SELECT a.key, a.task, a.body FROM standing s"
            " JOIN answers a ON a.annotation = s.annotation AND a.digest = s.digest"
            " ORDER BY a.updated_at, a.annotation"
        )
        found: dict[str, list[dict[str, Any]]] = {}
        for key, task, body in rows:
            found.setdefault(key or "", []).append({**json.loads(body), "task": task})
        return found

    def list_standing(self) -> dict[str, list[tuple[int, str, int]]]:
        """Annotations that stand, by frame: number, digest and task of each, oldest first."""
        rows = self._base.execute(
            "SELECT a.key, s.annotation, s.digest, s.task FROM standing s"
            " JOIN answers a ON a.annotation = s.annotation AND a.digest = s.digest"
            " ORDER BY a.updated_at, a.annotation"
        )
        found: dict[str, list[tuple[int, str, int]]] = {}
        for key, *one in rows:
            found.setdefault(key or "", []).append((one[0], one[1], one[2]))
        return found

    def read_versions(self, versions: Iterable[tuple[int, str, int]]) -> list[dict[str, Any]]:
        """Annotations as `list_standing` names them."""
        return [
            json.loads(
                self._base.execute(
                    "SELECT body FROM answers WHERE annotation = ? AND digest = ?", (number, digest)
                ).fetchone()[0]
            )
            for number, digest, _ in versions
        ]

    def list_outcomes(self) -> dict[str, tuple[str, str]]:
        """What answers became, by frame: the digest of those answers, and the outcome."""
        rows = self._base.execute("SELECT key, digest, outcome FROM outcomes")
        return {key: (digest, outcome) for key, digest, outcome in rows}

    def put_outcomes(self, rows: Iterable[tuple[str, str, str]]) -> None:
        """Remember what answers became: key, digest and outcome."""
        with self.change():
            self._base.executemany("INSERT OR REPLACE INTO outcomes VALUES (?,?,?)", list(rows))

    def list_fits(self) -> dict[str, KeptFits]:
        """Fitted hands by frame."""
        rows = self._base.execute("SELECT key, digest, label, doubted, fits FROM fits")
        return {r[0]: KeptFits(r[0], r[1], r[2], bool(r[3]), r[4]) for r in rows}

    def put_fits(self, rows: Iterable[KeptFits]) -> None:
        """Remember fitted hands."""
        values = [(r.key, r.digest, r.label, int(r.doubted), r.fits) for r in rows]
        with self.change():
            self._base.executemany("INSERT OR REPLACE INTO fits VALUES (?,?,?,?,?)", values)

    def list_doubted(self) -> dict[str, str]:
        """Frames with a fitted hand that disagrees, and the digest of the label that it is of."""
        rows = self._base.execute("SELECT key, label FROM fits WHERE doubted")
        return dict(rows.fetchall())

    def list_history(self, key: str) -> list[dict[str, Any]]:
        """Every version of every annotation of a frame, oldest first."""
        rows = self._base.execute(
            "SELECT body FROM answers WHERE key = ? ORDER BY updated_at, seen_s", (key,)
        )
        return [json.loads(body) for (body,) in rows]

    def count_answers(self) -> int:
        """How many versions of annotations are kept."""
        return int(self._base.execute("SELECT COUNT(*) FROM answers").fetchone()[0])


def ledger_path(studio: Path, url: str, project: str) -> Path:
    """Where the ledger of a server's project lies."""
    slug = "".join(c if c.isalnum() else "-" for c in project).strip("-")[:40] or "project"
    digest = hashlib.sha256(f"{url}\n{project}".encode()).hexdigest()[:8]
    return studio / LEDGERS / f"{slug}-{digest}.sqlite"


def find_ledgers(studio: Path, project: str, url: str = "") -> list[Path]:
    """Ledgers of projects of this title, whatever server they are on; url: on this one only."""
    found = []
    for path in sorted((studio / LEDGERS).glob("*.sqlite")):
        ledger = Ledger(path)
        try:
            same = ledger.read("title") == project and url in ("", ledger.read("url"))
        finally:
            ledger.close()
        if same:
            found.append(path)
    return found


@contextmanager
def lock_ledger(path: Path, wait_s: float, on_wait: Any = None) -> Iterator[None]:
    """Be the only one who sends or fetches for a project; goes with its process, however it ends.

    Waits for another one up to wait_s seconds, then raises BadInput. on_wait() is called once.
    """
    make_folder(path.parent)
    handle = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        end = time.monotonic() + wait_s
        told = False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > end:
                    raise BadInput(
                        f"another handloom has been working on this project for {wait_s:.0f} s"
                        f" ({path.name}): wait for it"
                    ) from None
                if on_wait is not None and not told:
                    on_wait()
                told = True
                time.sleep(0.05)
        yield
    finally:
        with contextlib.suppress(OSError):
            os.close(handle)
