"""Pages as people use them: in Chromium, with keys and pointer."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from browser import needs_chromium, use_page

from frames.report.document import Section, render_grid, say_words, write_document
from frames.viewing.page import write_page
from tests.frames.sphere_hands import fabricate_frame

pytestmark = needs_chromium

FRAMES = [
    fabricate_frame(0),
    fabricate_frame(1, hands=0),
    fabricate_frame(2, noisy=True),
    fabricate_frame(3, sideways_m=0.2),
]

LEAF = """
  const text = (id) => document.getElementById(id).textContent.trim(), out = {};
  const picture = document.getElementById("picture"), marks = document.getElementById("marks");
  const width = WIDTH;
  const painted = () => picture.width === width;
  await wait(painted);
  const place = [];
  const point = (u, v) => {
    const r = picture.getBoundingClientRect();
    const x = r.left + (u + 0.5) / picture.width * r.width;
    const y = r.top + (v + 0.5) / picture.height * r.height;
    picture.dispatchEvent(new MouseEvent("mousemove", { clientX: x, clientY: y, bubbles: true }));
    return text("under");
  };
  const colors = () => {
    const data = picture.getContext("2d").getImageData(0, 0, picture.width, picture.height).data;
    return data.reduce((sum, v) => (31 * sum + v) % 1000003, 7);
  };
  out.first = text("count"); out.read = PIXELS.map(([u, v]) => point(u, v));
  const count = (shape) => marks.querySelectorAll(shape).length;
  out.dots = count("circle"); out.boxes = count("rect");
  press("s"); out.hidden = count("circle"); press("s");
  press("b"); out.unboxed = count("rect"); press("b");
  const depth = colors(); press("p");
  const parts = colors(); press("p");
  const blend = colors(); press("p");
  out.layers = [depth, parts, blend].map((c, k, all) => all.indexOf(c) === k);
  out.same = colors() === depth;
  press("ArrowRight"); out.second = text("count"); await wait(() => !marks.querySelector("circle"));
  out.empty = document.querySelectorAll("#labels section").length;
  press("End"); out.last = text("count"); press("ArrowRight"); out.beyond = text("count");
  await wait(() => marks.querySelector("circle"));
  out.place = location.hash; out.rows = document.querySelectorAll("tr.joint").length;
  press("Home"); press(" "); await wait(() => text("count") !== out.first); press(" ");
  out.played = text("count"); await new Promise((done) => setTimeout(done, 500));
  out.stopped = text("count");
  const side = document.getElementById("side");
  side.value = "none"; side.dispatchEvent(new Event("change")); out.handless = text("count");
  document.getElementById("theme").click(); out.theme = document.documentElement.dataset.theme;
  return out;
"""


def test_the_page_is_leafed_through_with_keys(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    write_page(FRAMES, page, "four <frames>")
    frame = FRAMES[0]
    pixels = [[40, 60], [80, 60], [3, 5], [120, 100]]
    script = LEAF.replace("PIXELS", str(pixels)).replace("WIDTH", str(frame.camera.width))
    told = use_page(page, script, tmp_path)
    found = told["value"]
    assert told["faults"] == [] and told["asked"] == []
    assert (found["first"], found["second"]) == ("1 / 4", "2 / 4")
    for (u, v), said in zip(pixels, found["read"], strict=True):
        depth = frame.reading[v, u] / frame.depth_scale
        words = f"{depth:.4f} m" if depth else "no reading"
        assert said.startswith(f"({u}, {v})") and words in said, (said, depth)
    shown = sum(int((hand.visibility > 0).sum()) for hand in frame.hands)
    assert found["dots"] == shown > 0 and found["hidden"] == 0
    assert found["boxes"] >= len(frame.hands) and found["unboxed"] == 0
    assert found["layers"] == [True] * 3 and found["same"]
    assert found["empty"] == 1
    assert found["last"] == found["beyond"] == "4 / 4" and found["place"] == "#3"
    assert found["rows"] == 21 * len(FRAMES[3].hands)
    assert found["played"] == found["stopped"] != "1 / 4"
    assert found["handless"] == "1 / 1" and found["theme"] in ("light", "dark")


def test_a_report_shows_all_its_pictures(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 255, (33, 50, 3)).astype(np.uint8) for _ in range(3)]
    page = tmp_path / "report.html"
    sections = [Section("One", (render_grid(pictures, 50),)), Section("Two", (say_words("x"),))]
    write_document(page, "a report", "", sections)
    script = """
      const links = [...document.querySelectorAll("nav a")];
      return { sizes: [...document.images].map((i) => [i.naturalWidth, i.naturalHeight]),
               wide: document.documentElement.scrollWidth <= innerWidth,
               lost: links.filter((a) => !document.querySelector(a.hash)).length };
    """
    told = use_page(page, script, tmp_path)
    assert told["value"] == {"sizes": [[50, 33]] * 3, "wide": True, "lost": 0}
    assert told["faults"] == [] and told["asked"] == []


def test_what_is_asked_for_is_noticed(tmp_path: Path) -> None:
    """The check above would see a picture from outside."""
    page = tmp_path / "bad.html"
    write_document(page, "bad", '<img src="http://127.0.0.1:9/x.png">', [])
    told = use_page(page, "await wait(() => faults.length || asked().length); return 0;", tmp_path)
    assert told["asked"] == ["http://127.0.0.1:9/x.png"] or told["faults"]


def test_frames_without_anything_do_not_break_the_page(tmp_path: Path) -> None:
    bare = replace(
        FRAMES[0], clean_depth=None, parts=None, hands=(), objects=(), camera=FRAMES[0].camera
    )
    page = tmp_path / "bare.html"
    write_page([bare], page)
    script = """
      await wait(() => document.getElementById("picture").width > 4);
      return document.querySelectorAll("#labels section").length;
    """
    told = use_page(page, script, tmp_path)
    assert told["value"] == 1 and told["faults"] == [] and told["asked"] == []
