"""Reports' HTML: nothing is asked for from outside, nothing in the data breaks it."""

import base64
import re
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

from frames.errors import BadInput
from frames.report.document import (
    Section,
    render_document,
    render_facts,
    render_grid,
    render_links,
    render_picture,
    render_table,
    render_terminal,
    render_tiles,
    say_words,
    write_document,
)

BAD = '<script src="https://evil.example/x.js">&\'"'


class Reader(HTMLParser):
    """Tags, what they refer to, and the words."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.places: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.places += [v or "" for k, v in attrs if k in ("src", "href", "srcset", "data")]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    return reader


def make_page() -> str:
    picture = np.random.default_rng(0).integers(0, 255, (20, 30, 3)).astype(np.uint8)
    parts = (
        say_words(BAD),
        render_facts({BAD: BAD, "gone": None, "empty": ""}),
        render_table(
            BAD, {BAD: {"x": float("nan"), "y": 0.25}}, [("x", BAD, "{:.1f}"), ("y", "y", "{:.0%}")]
        ),
        render_tiles({BAD: BAD}),
        render_grid([picture, picture], 30, False, BAD),
        render_links({BAD: 'a "folder"/x y.html'}),
        render_terminal(f"handloom {BAD}\n handloom two", BAD),
    )
    return render_document(BAD, say_words(BAD), [Section(BAD, parts), Section("empty", ())])


def test_nothing_in_the_data_becomes_markup() -> None:
    reader = read(make_page())
    assert "script" not in reader.tags
    assert sum(BAD in words for words in reader.words) >= 9
    assert "gone" not in reader.words and "empty" not in reader.words
    assert "-" in reader.words and "25%" in reader.words


def test_everything_is_within() -> None:
    """Pictures are data, links are on the page or beside it, and the browser is told so."""
    page = make_page()
    for place in read(page).places:
        assert (
            place.startswith(("data:image/webp;base64,", "#"))
            or place == "a%20%22folder%22/x%20y.html"
        )
    assert "Content-Security-Policy\" content=\"default-src 'none'; img-src data:;" in page
    style = re.search(r"<style>(.*?)</style>", page, re.S)
    assert style is not None and not re.search(r"url\(|@import|//", style[1])


def test_links_to_sections_lead_somewhere() -> None:
    page = render_document(
        "t", "", [Section("One two", ("<p>a</p>",)), Section("B/c", ("<p>b</p>",))]
    )
    links = [p[1:] for p in read(page).places if p.startswith("#")]
    assert links == re.findall(r'<h2 id="([^"]*)"', page) and len(links) == 2


def test_charts_are_lossless_and_pictures_small() -> None:
    picture = np.random.default_rng(1).integers(0, 255, (64, 48, 3)).astype(np.uint8)
    found = {}
    for lossless in (True, False):
        text = render_picture(picture, lossless)
        data = base64.b64decode(re.search(r"base64,([^\"]*)", text)[1])
        found[lossless] = cv2.imdecode(np.frombuffer(data, np.uint8), 1)[..., ::-1], len(data)
        assert 'width="48" height="64"' in text
    assert np.array_equal(found[True][0], picture)
    assert found[False][1] < found[True][1]


def test_only_pages_are_written(tmp_path) -> None:
    with pytest.raises(BadInput, match=r"written as \.html, got .*r\.pdf"):
        write_document(tmp_path / "r.pdf", "t", "", [])
    write_document(tmp_path / "r.html", "t", "", [])
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")
