"""The HTML of reports: sections, tables, facts, pictures; nothing outside the file is asked for."""

import base64
import html
import urllib.parse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from frames.errors import BadInput
from frames.store.disk import write_file

QUALITY: Final = 86
"""Of WebP pictures; at the eye's limit for depth in colour."""

LOSSLESS: Final = 101
"""OpenCV's quality for WebP without loss, as charts need: a fifth of their PNG."""

CONTENT_POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""What a browser lets a report load: nothing but what it brings."""

_STYLE: Final = """
:root{color-scheme:dark}
body{background:#0e1116;color:#e2e8f0;font:15px/1.5 system-ui,sans-serif}
body{margin:0 auto;max-width:1740px;padding:24px}
h1{font-size:26px;margin:0 0 4px}h2{font-size:20px;margin:38px 0 6px}
h3{font-size:16px;margin:18px 0 4px}
p{color:#8a96a6;max-width:96ch;margin:4px 0 14px}a{color:#5cc9b8}
nav{display:flex;flex-wrap:wrap;gap:4px 18px;margin:10px 0 6px}
nav a{text-decoration:none}nav a:hover{text-decoration:underline}
.wide{overflow-x:auto;margin:0 0 18px}
table{border-collapse:collapse;background:#181c23;font-variant-numeric:tabular-nums}
td,th{padding:4px 14px;text-align:right;border-bottom:1px solid #343c48;white-space:nowrap}
th{color:#8a96a6;font-weight:500}td:first-child,th:first-child{text-align:left}
.facts td{text-align:left;white-space:normal}.facts td:first-child{color:#8a96a6;white-space:nowrap}
.grid{display:grid;gap:14px;margin:0 0 14px}
img{max-width:100%;height:auto;display:block;border-radius:4px;margin:0 0 14px}
.grid img{width:100%;margin:0}
pre{background:#181c23;border-radius:4px;padding:8px 14px;margin:4px 0 12px;overflow-x:auto}
pre b{color:#5cc9b8;font-weight:500}
.tiles{display:flex;flex-wrap:wrap;gap:12px;margin:0 0 16px}
.tiles div{background:#181c23;border-radius:6px;padding:10px 18px;color:#8a96a6}
.tiles b{display:block;color:#e2e8f0;font-size:24px;font-weight:600;line-height:1.25}
"""


@dataclass(frozen=True)
class Section:
    """A part of a report."""

    title: str
    parts: tuple[str, ...]
    """HTML."""


def render_document(title: str, lead: str, sections: Sequence[Section]) -> str:
    """A whole page. lead: HTML under the title; then links to the sections, and these."""
    kept = [section for section in sections if section.parts]
    links = "".join(f'<a href="#{_name(s.title)}">{html.escape(s.title)}</a>' for s in kept)
    body = [f"<h1>{html.escape(title)}</h1>", lead]
    body += [f"<nav>{links}</nav>"] if len(kept) > 1 else []
    for section in kept:
        body.append(f'<h2 id="{_name(section.title)}">{html.escape(section.title)}</h2>')
        body += section.parts
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{CONTENT_POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style>"
        f"<body>{chr(10).join(body)}</body></html>\n"
    )


def write_document(path: Path, title: str, lead: str, sections: Sequence[Section]) -> None:
    """Write the page. Raises BadInput for a path that is none of a page, or cannot be written."""
    check_report_path(path)
    write_file(path, render_document(title, lead, sections).encode())


def check_report_path(path: Path) -> None:
    """Raises BadInput, before the work is done."""
    if path.suffix.lower() not in (".html", ".htm"):
        raise BadInput(f"a report is written as .html, got {path}")


def _name(title: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in title.lower())


def render_links(links: Mapping[str, str]) -> str:
    """What can be opened beside the page: names to places relative to it."""
    items = (
        f'<a href="{html.escape(urllib.parse.quote(place))}">{html.escape(name)}</a>'
        for name, place in links.items()
    )
    return f"<nav>{''.join(items)}</nav>" if links else ""


def render_terminal(command: str, said: str = "") -> str:
    """A command, and what it prints."""
    lines = [f"<b>$ {html.escape(line.strip())}</b>" for line in command.splitlines()]
    return f"<pre>{chr(10).join([*lines, html.escape(said.strip())]).strip()}</pre>"


def say_words(text: str) -> str:
    """A paragraph."""
    return f"<p>{html.escape(text)}</p>"


def render_picture(picture: np.ndarray, lossless: bool = True, words: str = "") -> str:
    """A picture (H, W, 3) uint8 as an element of HTML.

    lossless: as charts and text need it. words: what it shows, for those who do not see it.
    """
    quality = LOSSLESS if lossless else QUALITY
    bgr = np.ascontiguousarray(picture[..., ::-1])
    data = cv2.imencode(".webp", bgr, [cv2.IMWRITE_WEBP_QUALITY, quality])[1].tobytes()
    return (
        f'<img alt="{html.escape(words)}" width="{picture.shape[1]}" height="{picture.shape[0]}"'
        f' src="data:image/webp;base64,{base64.b64encode(data).decode()}">'
    )


def render_grid(
    pictures: Iterable[np.ndarray], width: int, lossless: bool = True, words: str = ""
) -> str:
    """Pictures side by side, as many in a row as fit, each about `width` pixels wide."""
    elements = "".join(render_picture(p, lossless, words) for p in pictures)
    columns = f"repeat(auto-fill,minmax(min(100%,{width * 9 // 10}px),1fr))"
    return f'<div class="grid" style="grid-template-columns:{columns}">{elements}</div>'


def render_tiles(numbers: Mapping[str, str]) -> str:
    """The few numbers that say most, large: what they are to what they read."""
    cells = "".join(
        f"<div><b>{html.escape(value)}</b>{html.escape(name)}</div>"
        for name, value in numbers.items()
    )
    return f'<div class="tiles">{cells}</div>'


def render_facts(facts: Mapping[str, Any]) -> str:
    """Names and values; those that are None or "" are left out."""
    rows = "".join(
        f"<tr><td>{html.escape(name)}</td><td>{html.escape(str(value))}</td></tr>"
        for name, value in facts.items()
        if value not in (None, "")
    )
    return f'<div class="wide"><table class="facts">{rows}</table></div>' if rows else ""


def render_table(
    name: str,
    groups: Mapping[str, Mapping[str, Any]],
    columns: Sequence[tuple[str, str, str]],
) -> str:
    """A row for each group; columns of (key, head, format)."""
    head = "".join(f"<th>{html.escape(h)}</th>" for _, h, _ in columns)
    rows = [f"<tr><th>{html.escape(name)}</th>{head}</tr>"]
    for key, row in groups.items():
        cells = "".join(f"<td>{say_number(row, column, form)}</td>" for column, _, form in columns)
        rows.append(f"<tr><td>{html.escape(key)}</td>{cells}</tr>")
    return f'<div class="wide"><table>{"".join(rows)}</table></div>'


def format_table(
    groups: Mapping[str, Mapping[str, Any]], columns: Sequence[tuple[str, str, str]]
) -> str:
    """The same for a terminal: plain text, numbers to the right."""
    width = max(map(len, groups)) + 2
    lines = [" " * width + "  ".join(f"{head:>8}" for _, head, _ in columns)]
    for name, row in groups.items():
        cells = (f"{say_number(row, k, form):>{max(8, len(head))}}" for k, head, form in columns)
        lines.append(f"{name:<{width}}" + "  ".join(cells))
    return "\n".join(lines)


def say_number(row: Mapping[str, Any], key: str, form: str) -> str:
    """A number in its format; "-" for one that is not known."""
    value = row.get(key)
    return "-" if value is None or not np.isfinite(value) else form.format(value)
