"""A person at work: the real Label Studio in a real browser, and what comes back of it."""

import copy
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from captures import write_capture
from live.conftest import CHROMIUM, Live
from live.test_server import fetch, list_numbers, send

from frames.parts import PROVENANCE_NONE
from frames.skeleton import BONES, KEYPOINT_NAMES
from frames.store.dataset import open_dataset
from labeling.tasks import mark_prediction

OPTIONS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
WAIT_MS = 240_000

_LOOK = """() => {
  const store = window.Htx.annotationStore.selected, image = store.names.get('img');
  const stage = image.stageRef, box = stage.container().getBoundingClientRect();
  return {
    type: store.type,
    box: [box.x, box.y],
    offset: [stage.x(), stage.y()],
    scale: [stage.scaleX(), stage.scaleY()],
    unit: [image.stageWidth / image.naturalWidth, image.stageHeight / image.naturalHeight],
    size: [image.naturalWidth, image.naturalHeight],
    regions: store.regionStore.regions.map(r => ({
      name: r.cleanId, labels: r.labels,
      vertices: r.vertices.map(v => [v.id, v.x, v.y, v.prevPointId || null]),
      lines: stage.find('Path').length + stage.find('Line').length,
    })),
  };
}"""


class Person:
    """Someone who labels: everything is done with mouse and keyboard."""

    def __init__(self, page: Any, live: Live, pictures: Path) -> None:
        self.page, self.live, self.pictures = page, live, pictures
        page.set_default_timeout(WAIT_MS)
        page.goto(f"{live.url}/user/login/?next=/projects/")
        page.fill("#email", live.user)
        page.fill("#password", live.password)
        page.click("button[type=submit]")
        page.wait_for_url("**/projects/**")

    def open(self, project: int, task: int) -> None:
        self.page.goto(f"{self.live.url}/projects/{project}/data?task={task}")
        self.page.wait_for_selector(".konvajs-content canvas")
        self.page.wait_for_function(
            "() => { const s = window.Htx?.annotationStore?.selected;"
            " const i = s?.names?.get('img'); return i?.stageRef && i.naturalWidth > 1"
            " && s.regionStore.regions.length > 0 && s.type === 'annotation'; }"
        )
        time.sleep(3)

    def look(self) -> dict[str, Any]:
        found: dict[str, Any] = self.page.evaluate(_LOOK)
        return found

    def hand(self, name: str) -> dict[str, Any]:
        return next(r for r in self.look()["regions"] if r["name"] == name)

    def joint(self, hand: str, joint: str) -> np.ndarray:
        """(2,) place on the screen."""
        seen = self.look()
        region = next(r for r in seen["regions"] if r["name"] == hand)
        place = next(v[1:3] for v in region["vertices"] if v[0] == joint)
        return self.to_screen(seen, np.array(place))

    def to_screen(self, seen: dict[str, Any], place: np.ndarray) -> np.ndarray:
        """From Label Studio's coordinates in the image, pixels from its corner."""
        return np.asarray(
            np.array(seen["box"])
            + np.array(seen["offset"])
            + np.array(seen["scale"]) * place * np.array(seen["unit"])
        )

    def select(self, label: str) -> None:
        """Click a hand in the list of regions."""
        self.page.locator(".lsf-outliner-item, .lsf-tree-node-content-wrapper").filter(
            has_text=label
        ).last.click()
        self.page.wait_for_timeout(800)

    def drag(self, start: np.ndarray, end: np.ndarray) -> None:
        mouse = self.page.mouse
        mouse.move(*start.tolist())
        mouse.down()
        mouse.move(*end.tolist(), steps=12)
        mouse.up()
        self.page.wait_for_timeout(500)

    def shoot(self, name: str) -> None:
        self.page.screenshot(path=str(self.pictures / f"{name}.png"))

    def submit(self) -> None:
        with self.page.expect_response(
            lambda r: "/annotations" in r.url and r.request.method == "POST"
        ) as waited:
            self.page.get_by_role("button", name="Submit").click()
        assert waited.value.status == 201
        self.page.wait_for_timeout(4000)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: HANDLOOM_SCREENSHOTS, or a folder of the test run."""
    kept = os.environ.get("HANDLOOM_SCREENSHOTS")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def person(live: Live, pictures: Path) -> Iterator[Person]:
    from playwright.sync_api import sync_playwright

    if CHROMIUM is None:
        pytest.skip("needs chromium: make test-label")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=OPTIONS)
        page = browser.new_page(viewport={"width": 1500, "height": 1000})
        yield Person(page, live, pictures)
        browser.close()


def test_a_person_corrects_a_task(live: Live, person: Person, tmp_path: Path) -> None:
    write_capture(tmp_path / "capture", 3)
    capture = open_dataset(tmp_path / "capture")
    studio = live.connect()
    report = send(live, studio, tmp_path / "capture", "by hand")
    number = next(t.number for t in studio.list_tasks(report.project) if t.data["frame"] == 0)
    assert len(list_numbers(studio, "by hand")) == 3
    person.open(report.project, number)
    person.shoot("1-opened")
    seen = person.look()
    assert seen["size"] == [capture[0].camera.width, capture[0].camera.height]
    assert {r["name"]: r["labels"] for r in seen["regions"]} == {
        "left": ["Left"],
        "right": ["Right"],
    }
    truth = {h.side: h.keypoints_px.astype(np.float64) for h in capture[0].hands}
    for region in seen["regions"]:
        # Both skeletons, each joint at its place and tied to the one before it.
        assert [v[0] for v in region["vertices"]] == list(KEYPOINT_NAMES)
        places = np.array([v[1:3] for v in region["vertices"]], np.float64) - 0.5
        assert np.abs(places - truth[region["name"]]).max() < 1e-3
        ties = {(v[3], v[0]) for v in region["vertices"] if v[3]}
        assert ties == {(KEYPOINT_NAMES[a], KEYPOINT_NAMES[b]) for a, b in BONES}
        _assert_edges(person, seen, region)

    person.select("Right")
    moved_to = np.array((110.0, 40.0))
    person.drag(person.joint("right", "index_tip"), person.to_screen(person.look(), moved_to + 0.5))
    person.shoot("2-dragged")
    now = {v[0]: v[1:3] for v in person.hand("right")["vertices"]}
    assert np.abs(np.array(now["index_tip"]) - 0.5 - moved_to).max() < 1.0
    person.page.keyboard.down("Alt")
    person.page.mouse.click(*person.joint("right", "thumb_tip").tolist())
    person.page.keyboard.up("Alt")
    person.page.wait_for_timeout(800)
    assert "thumb_tip" not in {v[0] for v in person.hand("right")["vertices"]}
    # The first of two lists of joints is the one of those that something hides.
    person.page.get_by_text("ring_pip", exact=False).first.click()
    person.page.wait_for_timeout(500)
    person.shoot("3-marked")
    person.select("Left")
    person.page.locator(".lsf-label", has_text="Right").first.click()
    person.page.wait_for_timeout(500)
    assert person.hand("left")["labels"] == ["Right"]
    # Both are right hands now; the one below in the list becomes the left one.
    person.select("Right")
    person.page.locator(".lsf-label", has_text="Left").first.click()
    person.page.wait_for_timeout(500)
    assert person.hand("right")["labels"] == ["Left"]
    person.shoot("4-turned")
    person.submit()
    person.shoot("5-submitted")

    out = tmp_path / "labels"
    assert not fetch(live, studio, "by hand", out).reviews
    frame = open_dataset(out)[0]
    k = {name: i for i, name in enumerate(KEYPOINT_NAMES)}
    hands = {h.side: h for h in frame.hands}
    was_right, was_left = hands["left"], hands["right"]
    assert np.abs(was_left.keypoints_px - truth["left"]).max() < 1e-6
    assert np.abs(was_right.keypoints_px[k["index_tip"]] - moved_to).max() < 1.0
    same = [i for n, i in k.items() if n not in ("index_tip", "thumb_tip")]
    assert np.abs(was_right.keypoints_px[same] - truth["right"][same]).max() < 1e-6
    assert was_right.provenance[k["thumb_tip"]] == PROVENANCE_NONE
    marks = json.loads((out / "labels" / "frames.jsonl").read_text())["hands"]
    mine = next(h for h in marks if h["side"] == "left")["marks"]
    wanted = {"thumb_tip": "deleted", "ring_pip": "occluded"}
    assert mine == [wanted.get(name, "placed") for name in KEYPOINT_NAMES]
    rest = next(h for h in marks if h["side"] == "right")["marks"]
    assert rest == ["placed"] * 21
    if os.environ.get("HANDLOOM_SCREENSHOTS"):
        shutil.copytree(out, person.pictures / "labels", dirs_exist_ok=True)


def test_the_later_of_two_predictions_is_offered(
    live: Live, person: Person, tmp_path: Path
) -> None:
    """What `label propagate` relies on: it adds to the shown model's predictions."""
    write_capture(tmp_path / "capture", 2)
    studio = live.connect()
    report = send(live, studio, tmp_path / "capture", "followed")
    task = next(t for t in studio.list_tasks(report.project) if t.data["frame"] == 0)
    (first,) = studio._get("api/predictions", task=task.number)
    mark = "followed from frame 9 (0a1b2c3d)"
    later = mark_prediction({"result": copy.deepcopy(first["result"])}, mark, ("left", "right"))
    for item in later["result"]:
        for vertex in item["value"].get("vertices", []):
            vertex["y"] -= 10.0
    body = {"task": task.number, "model_version": "labels", "score": 0.01, **later}
    studio.import_predictions(report.project, [body])
    found = studio.find_predicted(report.project, [task.number], "labels", {task.number: mark})
    assert found == {task.number}
    other = {task.number: "followed from frame 8"}
    assert not studio.find_predicted(report.project, [task.number], "labels", other)
    person.open(report.project, task.number)
    person.shoot("6-followed")
    height = person.look()["size"][1]
    wanted = {
        item["id"]: {v["id"]: v["y"] / 100 * height for v in item["value"]["vertices"]}
        for item in later["result"]
        if item["type"] == "vectorlabels"
    }
    for region in person.look()["regions"]:
        seen = {v[0]: v[2] for v in region["vertices"]}
        assert seen == pytest.approx(wanted[region["name"]], abs=1e-3)


def _assert_edges(person: Person, seen: dict[str, Any], region: dict[str, Any]) -> None:
    """The screen has the region's colour in the middle of its bones."""
    import cv2

    data = np.frombuffer(person.page.screenshot(), np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1].astype(int)
    color = np.array({"left": (0xFF, 0x5D, 0x8F), "right": (0xFF, 0xB0, 0x00)}[region["name"]])
    places = {v[0]: np.array(v[1:3]) for v in region["vertices"]}
    found = 0
    for a, b in BONES:
        middle = (places[KEYPOINT_NAMES[a]] + places[KEYPOINT_NAMES[b]]) / 2
        u, v = np.rint(person.to_screen(seen, middle)).astype(int)
        around = picture[v - 3 : v + 4, u - 3 : u + 4].reshape(-1, 3)
        found += bool((np.abs(around - color).max(-1) < 60).any())
    assert found >= 18, f"{found} of 20 bones are drawn"
