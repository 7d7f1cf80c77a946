"""How long labelling's traffic takes: 2,000 tasks pushed, pulled, and 20 of them pulled again.

    HANDLOOM_LABEL_STUDIO=.venv-label-studio .venv-label/bin/python -m bench.labeling [TASKS]

Against the real Label Studio on this machine, frames of 160 x 120 with two skeletons each. Answers
are written straight into its database, for that is what people do in weeks.
"""

import os
import sqlite3
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from frames.camera import CAMERAS
from frames.record import Frame, Hand
from frames.store.dataset import create_dataset, open_dataset
from frames.store.frame_table import build_frame_table
from frames.store.shard import write_shard
from labeling import server
from labeling.ledger import Ledger, ledger_path
from labeling.predictors import open_predictor
from labeling.pull import PullPlan, pull
from labeling.push import PushPlan, push
from labeling.sdk_studio import SdkStudio
from labeling.secret import read_token

TASKS = 2000
CHANGED = 20
CAMERA = CAMERAS["ego-small"]


def make_frame(number: int) -> Frame:
    """A wall with noise, and two hands' keypoints somewhere."""
    rng = np.random.default_rng(number)
    depth = rng.normal(8000, 20, (CAMERA.height, CAMERA.width))
    hands = []
    for k, side in enumerate(("left", "right")):
        px = rng.uniform((10, 10), (150, 110), (21, 2)).astype(np.float32)
        cam = (CAMERA.unproject(px) * 0.8).astype(np.float32)
        nothing = np.full(4, np.nan, np.float32)
        hands.append(
            Hand(
                *(side, True, 32 * k, px, cam, np.full(21, 0.8, np.float32)),
                *(np.full(21, 2, np.uint8), np.zeros(21, np.uint8), float("nan")),
                *(nothing, nothing, None, None, None, None, None, np.ones(21, np.uint8)),
            )
        )
    return Frame(
        *(number, "real", CAMERA, None, 10_000.0, depth.astype(np.uint16)),
        *(None, None, None, None, None, tuple(hands), ()),
    )


def write_frames(folder: Path, count: int) -> None:
    """A dataset of them."""
    create_dataset(folder, {"frames": count, "frames_per_shard": 250})
    for index, first in enumerate(range(0, count, 250)):
        rows = [make_frame(i) for i in range(first, min(first + 250, count))]
        write_shard(folder, index, build_frame_table(rows))


def answer(studio: SdkStudio, base: Path, project: int, tasks: list[int], since_s: float) -> None:
    """Accept the predictions of these tasks, one every ten seconds, the last one `since_s` ago:
    copied within the database.
    """
    last = datetime.now(UTC) - timedelta(seconds=since_s)
    with sqlite3.connect(base, timeout=60) as database:
        columns = [r[1] for r in database.execute("PRAGMA table_info(task_completion)")]
        model = studio._send("POST", f"api/tasks/{tasks[0]}/annotations", {"result": []})["id"]
        row = dict(
            zip(
                columns,
                database.execute("SELECT * FROM task_completion WHERE id=?", (model,)).fetchone(),
                strict=True,
            )
        )
        database.execute("DELETE FROM task_completion WHERE id = ?", (model,))
        for place, number in enumerate(tasks):
            at = last - timedelta(seconds=10 * (len(tasks) - 1 - place))
            moment = at.strftime("%Y-%m-%d %H:%M:%S.%f")
            (result,) = database.execute(
                "SELECT result FROM prediction WHERE task_id = ?", (number,)
            ).fetchone()
            unique = {"unique_id": os.urandom(16).hex()} if "unique_id" in row else {}
            values = {
                **row,
                **unique,
                "id": None,
                "task_id": number,
                "result": result,
                "result_count": 2,
                "created_at": moment,
                "updated_at": moment,
            }
            marks = ",".join("?" * len(values))
            database.execute(
                f"INSERT INTO task_completion ({','.join(values)}) VALUES ({marks})",
                list(values.values()),
            )
            database.execute(
                "UPDATE task SET total_annotations = 1, is_labeled = 1, updated_at = ?"
                " WHERE id = ?",
                (moment, number),
            )


def main(tasks: int = TASKS) -> None:
    """Print the figures."""
    venv = Path(os.environ["HANDLOOM_LABEL_STUDIO"])
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "studio"
        write_frames(Path(folder) / "capture", tasks)
        login = server.prepare(home, server.find_port(0))
        with server.run_server(home, server.install(venv), login) as process:
            server.ensure_token(home, login)
            studio = SdkStudio(login.url, read_token(None, home, {}))
            measure(home, studio, Path(folder), process.pid)


class Clock:
    """Time on the wall, and of processors: ours and the server's."""

    def __init__(self, server: int) -> None:
        self._server = server
        self._began = self._read()

    def _read(self) -> tuple[float, float, float]:
        stat = Path(f"/proc/{self._server}/stat").read_text().rpartition(")")[2].split()
        ticks = int(stat[11]) + int(stat[12])
        return time.perf_counter(), time.process_time(), ticks / os.sysconf("SC_CLK_TCK")

    def say(self) -> str:
        """What passed since it was made."""
        wall, ours, theirs = (b - a for a, b in zip(self._began, self._read(), strict=True))
        return f"{wall:.2f} s (processor: bridge {ours:.2f} s, server {theirs:.2f} s)"


def measure(home: Path, studio: SdkStudio, folder: Path, server: int) -> None:
    """Push, pull, pull what changed."""
    ledger = Ledger(ledger_path(home, studio.url, "bench"))
    capture, out = open_dataset(folder / "capture"), folder / "labels"
    warm = PushPlan("bench", home / "pictures", frames=range(2))
    push(studio, capture, ledger, open_predictor("labels"), warm)

    clock = Clock(server)
    report = push(
        studio, capture, ledger, open_predictor("labels"), PushPlan("bench", home / "pictures")
    )
    print(f"push of {report.sent} tasks: {clock.say()}")

    numbers = [t.number for t in studio.list_tasks(report.project)]
    base = home / "data" / "label_studio.sqlite3"
    answer(studio, base, report.project, numbers, 3600.0)
    clock = Clock(server)
    found = pull(studio, ledger, out, PullPlan())
    print(f"pull of {found.frames} frames, {found.hands} hands: {clock.say()}")

    answer(studio, base, report.project, numbers[-CHANGED:], 0.0)
    clock = Clock(server)
    found = pull(studio, ledger, out, PullPlan())
    print(f"pull of {found.fetched} that changed, of {found.frames}: {clock.say()}")
    ledger.close()


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:]))
