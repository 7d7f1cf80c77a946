"""The bridge against the real Label Studio: what the one in memory cannot show."""

import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest
from captures import write_capture
from live.conftest import Live
from live.proxy import run_proxy

from frames.store.dataset import open_dataset
from labeling.ledger import Ledger, ledger_path
from labeling.predictors import open_predictor
from labeling.pull import PullPlan, PullReport, pull
from labeling.push import PushPlan, PushReport, push
from labeling.secret import read_token
from labeling.sending import Patience
from labeling.server import run_server
from labeling.status import read_status

ROOT = Path(__file__).resolve().parents[3]
QUICK = Patience(settle_s=3.0, pause_s=0.1, longest_pause_s=1.0, tries=12)


def send(live: Live, studio: Any, capture: Path, title: str, **more: Any) -> PushReport:
    """A push as the command does it; the ledger is the server's, whatever stands before it."""
    ledger = Ledger(ledger_path(live.home, live.url, title))
    plan = PushPlan(
        title, live.home / "pictures", patience=QUICK, batch=more.pop("batch", 20), **more
    )
    try:
        return push(studio, open_dataset(capture), ledger, open_predictor("labels"), plan)
    finally:
        ledger.close()


def fetch(live: Live, studio: Any, title: str, out: Path, **plan: Any) -> PullReport:
    ledger = Ledger(ledger_path(live.home, live.url, title))
    try:
        return pull(studio, ledger, out, PullPlan(patience=QUICK, **plan))
    finally:
        ledger.close()


def count_tasks(studio: Any, title: str) -> Counter[str]:
    projects = studio.find_projects(title)
    assert len(projects) == 1
    return Counter(t.key for t in studio.list_tasks(projects[0].number))


def list_numbers(studio: Any, title: str) -> list[int]:
    return [t.number for t in studio.list_tasks(studio.find_projects(title)[0].number)]


def accept(studio: Any, number: int, **more: Any) -> dict[str, Any]:
    """Submit a task's prediction, as a person does who finds it right."""
    task = studio._get(f"api/tasks/{number}")
    body = {"result": task["predictions"][0]["result"], "lead_time": 10.0, **more}
    return dict(studio._send("POST", f"api/tasks/{number}/annotations", body))


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("live") / "capture"
    write_capture(folder, 60)
    return folder


def test_the_server_keeps_to_itself(live: Live, capture: Path, tmp_path: Path) -> None:
    for name in ("token", "login", "data/secret-key"):
        assert stat.S_IMODE((live.home / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((live.home / "data").stat().st_mode) == 0o700
    port = int(live.url.rsplit(":", 1)[1])
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    bound = {line.split()[1] for line in lines if line.split()[3] == "0A"}
    mine = {b for b in bound if int(b.split(":")[1], 16) == port}
    assert mine == {f"0100007F:{port:04X}"}

    token = read_token(None, live.home, {}).reveal()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert token.encode() not in path.read_bytes()
        except OSError:
            continue
    assert token not in (live.home / "data" / "server.log").read_text(errors="replace")

    def code(path: str, headers: dict[str, str] | None = None) -> int:
        request = urllib.request.Request(live.url + path, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return -1 if "/user/login" in answer.url else int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    assert _sign_up(live) == 403
    studio = live.connect()
    send(live, studio, capture, "kept apart", frames=range(2))
    bearer = {"Authorization": "Bearer " + studio._http.base_headers()["Authorization"].split()[1]}
    task = studio._get(f"api/tasks/{list_numbers(studio, 'kept apart')[0]}")
    shown = task["data"]["image"]
    assert code(shown) in (-1, 401, 403)
    assert code(shown, bearer) == 200
    for outside in ("../login", "../token", "../data/secret-key", "%2e%2e/token", "/etc/passwd"):
        # 500 is how Label Studio words its refusal to leave the folder.
        assert code(f"/data/local-files/?d={outside}", bearer) in (403, 404, 500)


def _sign_up(live: Live) -> int:
    """The answer to a stranger who fills in the form."""
    jar = CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    page = f"{live.url}/user/signup/"
    opener.open(page, timeout=60).close()
    token = next(c.value for c in jar if c.name == "csrftoken")
    form = {"csrfmiddlewaretoken": token, "email": "x@y.z", "password": "long enough 1"}
    body = urllib.parse.urlencode(form).encode()
    try:
        with opener.open(
            urllib.request.Request(page, body, {"Referer": page}), timeout=60
        ) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_round_trip(live: Live, capture: Path, tmp_path: Path) -> None:
    studio = live.connect()
    report = send(live, studio, capture, "round trip")
    assert (report.sent, report.failures) == (60, 0)
    numbers = list_numbers(studio, "round trip")
    for number in numbers[:6]:
        accept(studio, number)
    accept(studio, numbers[6], was_cancelled=True)
    out = tmp_path / "labels"
    first = fetch(live, studio, "round trip", out)
    assert (first.frames, first.reviews) == (6, [])
    source = open_dataset(capture)
    keys = {t.number: t.data["frame"] for t in studio.list_tasks(report.project)}
    frames = sorted(keys[n] for n in numbers[:6])
    for frame, place in zip(open_dataset(out), frames, strict=True):
        for ours, theirs in zip(frame.hands, source[place].hands, strict=True):
            inside = frame.camera.contains(theirs.keypoints_px)
            assert abs(ours.keypoints_px - theirs.keypoints_px)[inside].max() < 1e-6
    # Only what changed is asked for: one new, one corrected, one deleted.
    accept(studio, numbers[7])
    annotations = {a["task"]: a["id"] for a in (accept(studio, n) for n in numbers[8:10])}
    assert fetch(live, studio, "round trip", out).fetched == 3
    studio._send("PATCH", f"api/annotations/{annotations[numbers[8]]}", {"result": []})
    studio._request("DELETE", f"api/annotations/{annotations[numbers[9]]}")
    again = fetch(live, studio, "round trip", out)
    assert again.fetched <= 2 and again.frames == 8
    assert fetch(live, studio, "round trip", out, full=True).frames == 8
    ledger = Ledger(ledger_path(live.home, live.url, "round trip"))
    assert ledger.count_answers() == 6 + 1 + 1 + 2 + 1
    status = read_status(studio, ledger, QUICK)
    ledger.close()
    assert (status["tasks"], status["done"], status["skipped"]) == (60, 8 + 0, 1)


@pytest.mark.parametrize("fault", ["drop", "502", "hang", "refuse"])
def test_faults_between(live: Live, capture: Path, fault: str) -> None:
    """Every other import, and every third answer of any kind."""
    title = f"faults {fault}"
    counts: Counter[str] = Counter()
    lock = threading.Lock()

    def choose(method: str, path: str) -> str | None:
        with lock:
            kind = "import" if method == "POST" and "/import" in path else "other"
            counts[kind] += 1
            if kind == "import":
                return fault if counts[kind] % 2 else None
            return fault if fault != "hang" and counts[kind] % 3 == 0 else None

    with run_proxy(live.url, choose) as url:
        studio = live.connect(url, timeout_s=5.0)
        report = send(live, studio, capture, title)
    assert report.failures >= 2
    tasks = count_tasks(live.connect(), title)
    assert len(tasks) == 60 and set(tasks.values()) == {1}


def test_killed_again_and_again(live: Live, capture: Path, tmp_path: Path) -> None:
    """SIGKILL at whatever moment, then the same command; two at once at the end."""
    title = "killed"
    command = [
        *(sys.executable, str(ROOT / "handloom.py"), "label", "push", str(capture)),
        *("--project", title, "--predictor", "labels", "--studio", str(live.home), "--json"),
    ]
    (live.home / "login").stat()
    studio = live.connect()
    kills = 0
    for wait_s in (0.2, 0.5, 0.9, 1.4):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        end = time.monotonic() + 60
        # Count from the first sign of life: how long imports take depends on the machine.
        while time.monotonic() < end and process.poll() is None:
            if studio.find_projects(title):
                break
            time.sleep(0.05)
        time.sleep(wait_s)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.communicate()
    both = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    assert [p.wait(300) for p in both] == [0, 0]
    tasks = count_tasks(studio, title)
    assert len(tasks) == 60 and set(tasks.values()) == {1}
    assert kills >= 1
    for number in list_numbers(studio, title)[:20]:
        accept(studio, number)
    out = tmp_path / "labels"
    ask = [
        *(sys.executable, str(ROOT / "handloom.py"), "label", "pull", title, str(out)),
        *("--studio", str(live.home), "--json"),
    ]
    for wait_s in (1.0, 1.6, 2.2):
        process = subprocess.Popen(ask, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(wait_s)
        process.kill()
        process.communicate()
    assert subprocess.run(ask, stdout=subprocess.PIPE, check=False).returncode == 0
    # Whatever the fit of the hand model thinks of an answer, it is in one place or the other.
    review = (out / "labels" / "review.jsonl").read_text().splitlines()
    kept = {line["frame"] for line in map(json.loads, review)}
    assert len(open_dataset(out)) + len(kept) == 20 and len(kept) == len(review)
    # As people placed them, all are there.
    plain = [*ask[:5], str(tmp_path / "plain"), *ask[6:], "--no-refine"]
    assert subprocess.run(plain, stdout=subprocess.PIPE, check=False).returncode == 0
    assert len(open_dataset(tmp_path / "plain")) == 20


def test_people_work_while_a_push_runs(live: Live, capture: Path, tmp_path: Path) -> None:
    """200 answers while new frames and a new model's predictions come in: each is there after."""
    title = "meanwhile"
    more = tmp_path / "more"
    write_capture(more, 260)
    studio = live.connect()
    send(live, studio, more, title, frames=range(210))
    numbers = list_numbers(studio, title)[:200]
    done: list[int] = []

    def work() -> None:
        person = live.connect()
        for number in numbers:
            body = {"result": [], "lead_time": 1.0}
            done.append(person._send("POST", f"api/tasks/{number}/annotations", body)["id"])

    thread = threading.Thread(target=work)
    thread.start()
    ledger = Ledger(ledger_path(live.home, live.url, title))
    plan = PushPlan(title, live.home / "pictures", patience=QUICK, batch=20)
    push(studio, open_dataset(more), ledger, open_predictor("none"), plan)
    ledger.close()
    thread.join()
    tasks = count_tasks(studio, title)
    assert len(tasks) == 260 and set(tasks.values()) == {1}
    report = fetch(live, studio, title, tmp_path / "labels")
    assert report.frames == 200 and len(set(done)) == 200
    ledger = Ledger(ledger_path(live.home, live.url, title))
    assert ledger.count_answers() == 200
    ledger.close()


def test_the_server_is_restarted_under_a_push(live: Live, tmp_path: Path) -> None:
    """Killed in the middle; the push waits for it and goes on."""
    more = tmp_path / "more"
    write_capture(more, 120)
    from labeling.server import Login

    login = Login(live.url, live.user, live.password)
    studio = live.connect(timeout_s=30.0)
    reports: list[PushReport] = []
    patience = Patience(settle_s=3.0, pause_s=0.5, longest_pause_s=8.0, tries=60)

    def work() -> None:
        ledger = Ledger(ledger_path(live.home, live.url, "restarted"))
        plan = PushPlan("restarted", live.home / "pictures", patience=patience, batch=5)
        reports.append(push(studio, open_dataset(more), ledger, open_predictor("labels"), plan))
        ledger.close()

    thread = threading.Thread(target=work)
    thread.start()
    other = live.connect()
    while not (other.find_projects("restarted") and len(list_numbers(other, "restarted")) >= 20):
        time.sleep(0.05)
    os.killpg(live.process.pid, signal.SIGKILL)
    live.process.wait()
    program = Path(os.environ["HANDLOOM_LABEL_STUDIO"]) / "bin" / "label-studio"
    with run_server(live.home, program, login):
        thread.join(300)
        assert reports and reports[0].failures >= 1
        tasks = count_tasks(live.connect(), "restarted")
    assert len(tasks) == 120 and set(tasks.values()) == {1}
