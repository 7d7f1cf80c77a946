"""What the documents name of the code is there: modules, functions, files, targets, options."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from test_documents import COMMANDS, OPTION, OWN_WORDS, PAGES, ROOT, list_options

ALL = [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
ROOMS = (
    *("augment", "console", "frames", "labeling", "synth", "train_tiny"),
    *("bench", "tools", "tests", "examples", "handloom"),
)
ROOM = "|".join(ROOMS)
SPAN = re.compile(r"`([^`\n]+)`")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$|((?:^ {4,}[^\n]*\n)+)", re.M | re.S)
DOTTED = re.compile(rf"(?<![\w/.-])((?:{ROOM})(?:\.[A-Za-z_]\w*)+)(?![\w/])")
FILE = re.compile(rf"(?<![\w/.-])((?:{ROOM}|docs|LICENSES|\.ci)/[\w./*-]*[\w*])(?![<{{])")
SUFFIXES = {"md", "toml", "sh", "txt", "npz", "json", "git"}
"""What follows a dot in a file's name rather than a module's."""
OTHERS = re.compile(
    r"pip install|python -m|python (tools|bench)/|torchrun|rerun |sbatch|dask worker"
)
"""Commands that are not ours, or have options of their own."""
FOREIGN = {"--bind", "--web-viewer", "--only"}
"""Options that a sentence goes on about: of rerun, and of bench.ablation."""
TARGET = re.compile(r"^ *make ((?:[a-z-]+ ?)+)", re.M)


def read_code(page: Path) -> list[str]:
    """Spans and blocks of code of a page."""
    text = page.read_text()
    blocks = [m[2] or m[3] for m in BLOCK.finditer(text)]
    return blocks + SPAN.findall(BLOCK.sub("", text))


@cache
def list_names(path: Path) -> frozenset[str]:
    """Everything that a module gives a name: read, not imported, so that no package is needed."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.Name(id=name, ctx=ast.Store()) | ast.alias(asname=str(name)):
                found.add(name)
            case ast.alias(name=name):
                found.add(name)
            case ast.Constant(value=str(name)) if path.name == "__init__.py":
                found.add(name)  # names that load on first use
    return frozenset(found)


def is_there(dotted: str) -> bool:
    """Whether room.module.name is something."""
    place, parts = ROOT, dotted.split(".")
    while parts and (place / parts[0]).is_dir():
        place /= parts.pop(0)
    if parts and (place / f"{parts[0]}.py").exists():
        place /= f"{parts.pop(0)}.py"
    elif parts:
        place /= "__init__.py"
    return not parts or (place.exists() and parts[0] in list_names(place))


def find_missing_names(code: str) -> list[str]:
    """Dotted names and imports of our rooms that lead nowhere."""
    named = [n for n in DOTTED.findall(code) if n.rpartition(".")[2] not in SUFFIXES]
    imports = re.findall(r"^from (\w+(?:\.\w+)*) import ([\w, ]+)", code, re.M)
    named += [
        f"{module}.{name}"
        for module, names in imports
        if module.split(".")[0] in ROOMS
        for name in names.replace(" ", "").split(",")
    ]
    return [name for name in named if not name.endswith(".py") and not is_there(name)]


def find_missing_files(code: str) -> list[str]:
    return [
        name
        for name in FILE.findall(code)
        if "NAME" not in name and not any([*ROOT.glob(name), *ROOT.glob(f"{name}.py")])
    ]


def find_missing_targets(code: str) -> list[str]:
    makefile = (ROOT / "Makefile").read_text()
    named = [word for words in TARGET.findall(code) for word in words.split()]
    return [name for name in named if not re.search(rf"^{name}:", makefile, re.M)]


@cache
def list_every_option() -> frozenset[str]:
    words = [(name,) for name in COMMANDS]
    words += [(name, own) for name, several in OWN_WORDS.items() for own in several]
    return frozenset().union(*(list_options(w) for w in words))


def find_missing_options(code: str) -> list[str]:
    """Options of none of our commands."""
    joined = code.replace("\\\n", " ")
    lines = [line for line in joined.splitlines() if not OTHERS.search(line)]
    known = list_every_option() | FOREIGN
    return [o for line in lines for o in OPTION.findall(line) if o not in known]


@pytest.mark.parametrize(
    "find", [find_missing_names, find_missing_files, find_missing_targets, find_missing_options]
)
@pytest.mark.parametrize("page", ALL, ids=lambda p: str(p.relative_to(ROOT)))
def test_what_code_on_a_page_names_is_there(page: Path, find) -> None:
    missing = [name for code in read_code(page) for name in find(code)]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_python_on_a_page_can_be_parsed(page: Path) -> None:
    for m in BLOCK.finditer(page.read_text()):
        if m[1] == "python":
            ast.parse(m[2])


def test_what_is_missing_is_noticed() -> None:
    names = "frames.open_datasets; train_tiny.loading.crop_loading.LoaderConfig"
    assert find_missing_names(names) == ["frames.open_datasets"]
    assert find_missing_names("from train_tiny.loading.crop_loading import LoaderConfig, knit") == [
        "train_tiny.loading.crop_loading.knit"
    ]
    assert find_missing_files("synth/knitting.py, synth/config.py") == ["synth/knitting.py"]
    assert find_missing_targets("make setup knit") == ["knit"]
    assert find_missing_options("--frames 3 --colour red") == ["--colour"]
    assert find_missing_options("python -m bench.likeness --captures DIR") == []


def slug(heading: str) -> str:
    """The anchor that a heading gets."""
    return re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading.lower()).strip())


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_anchors_are_headings(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)\s#:]*)#([^)\s]+)\)", page.read_text()):
        text = (page.parent / target).read_text() if target else page.read_text()
        assert anchor in {slug(h) for h in re.findall(r"^#+ (.*)$", text, re.M)}, anchor
