"""What the documents say is there: commands, options, pages, pictures."""

import contextlib
import io
import re
import textwrap
from functools import cache
from pathlib import Path

import pytest

from handloom import COMMANDS, find_command

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
FENCED = re.compile(r"^```\w*\n(.*?)^```$", re.M | re.S)
COMMAND = re.compile(
    r"(?:^ {4,}(?:\$ |torchrun .*?)?|`)(?:handloom|handloom\.py) ([a-z]+)((?:[^`\n\\]|\\\n)*)", re.M
)
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9.-]*")
LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)]*)?\)")
OWN_WORDS = {"label": ("serve", "push", "pull", "status", "refine", "agree", "propagate")}
"""Commands of a command."""


def read_commands(page: Path) -> list[tuple[str, str]]:
    """(command, what follows on its line) of everything in code that starts with handloom."""
    text = FENCED.sub(lambda m: textwrap.indent(m[1], "    "), page.read_text())
    return [(m[1], m[2].split("  #")[0]) for m in COMMAND.finditer(text)]


@cache
def list_options(words: tuple[str, ...]) -> set[str]:
    """Options in the help of a command."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        find_command(words[0])([*words[1:], "--help"])
    return set(OPTION.findall(out.getvalue()))


def find_unknown(command: str, rest: str) -> list[str]:
    """What of a documented command does not exist."""
    if command not in COMMANDS:
        return [command]
    inner = rest.split()
    own = OWN_WORDS.get(command, ())
    words = (command, inner[0]) if inner and inner[0] in own else (command,)
    return [option for option in OPTION.findall(rest) if option not in list_options(words)]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_commands_and_options_exist(page: Path):
    unknown = {
        f"handloom {command}{rest}": missing
        for command, rest in read_commands(page)
        if (missing := find_unknown(command, rest))
    }
    assert unknown == {}


def test_commands_are_read_from_code_alone(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text(
        "handloom does well\n\n    handloom synth A \\\n      --frames 3  # few\n\n"
        "`handloom stats B`\n"
        "```sh\nhandloom verify C\n```\n"
    )
    assert [name for name, _ in read_commands(page)] == ["synth", "stats", "verify"]
    assert "--frames 3" in read_commands(page)[0][1]


def test_unknown_commands_and_options_are_noticed():
    assert find_unknown("knit", " out") == ["knit"]
    assert find_unknown("synth", " out --frames 3 --colour red") == ["--colour"]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path):
    links = [link for link in LINK.findall(page.read_text()) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_page_is_in_the_navigation():
    listed = set(re.findall(r"- ([\w/]+\.md)", (ROOT / "mkdocs.yml").read_text()))
    there = {str(page.relative_to(ROOT / "docs")) for page in PAGES if page.name != "README.md"}
    assert listed == there


def test_every_picture_is_shown():
    text = "".join(page.read_text() for page in PAGES)
    pictures = [p.name for p in (ROOT / "docs" / "pictures").iterdir()]
    assert [name for name in pictures if name not in text] == []
