"""Arguments read by tyro, with its complaints in one line."""

import contextlib
import functools
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import tyro

from frames.errors import BadInput
from frames.store.place import find_place

Json = Annotated[bool, tyro.conf.arg(help="print one JSON object, for machines")]
Place = Annotated[
    Path,
    tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar="FOLDER|s3://BUCKET/PREFIX",
        instance_from_str=lambda words: find_place(words[0]),
        is_instance=lambda value: isinstance(value, Path),
        str_from_instance=lambda value: [str(value)],
    ),
]
"""Where a dataset lies."""
Data = Annotated[Place, tyro.conf.Positional, tyro.conf.arg(help="dataset")]


_PATHS = tyro.constructors.ConstructorRegistry()
"""How a path is read: as tyro does, but an empty one is refused."""


@_PATHS.primitive_rule
def _read_path(
    kind: tyro.constructors.PrimitiveTypeInfo,
) -> tyro.constructors.PrimitiveConstructorSpec[Path] | None:
    if kind.type is not Path:
        return None
    return tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar="PATH",
        instance_from_str=_make_path,
        is_instance=lambda value: isinstance(value, Path),
        str_from_instance=lambda value: [str(value)],
    )


def _make_path(words: list[str]) -> Path:
    if not words[0]:  # a script's variable that is not set; Path makes it the folder one is in
        raise ValueError("expected a path, got ''")
    return Path(words[0])


def parse(kind: Any, prog: str, arguments: list[str], default: Any = None) -> Any:
    """tyro's reading of the arguments; what it complains of in a box becomes one line."""
    box = io.StringIO()
    extra = {} if default is None else {"default": default}
    try:
        with contextlib.redirect_stderr(box), _PATHS:
            return tyro.cli(kind, prog=prog, args=arguments, **extra)
    except SystemExit as end:
        if not end.code:
            raise
        raise BadInput(f"{_flatten_box(box.getvalue())}; see {prog} --help") from None


def parse_call(function: Callable[..., int], prog: str, arguments: list[str]) -> Callable[[], int]:
    """The function with its arguments, to be called once nothing of tyro is around it."""

    @functools.wraps(function)
    def bind(*args: Any, **options: Any) -> Callable[[], int]:
        return functools.partial(function, *args, **options)

    call: Callable[[], int] = parse(bind, prog, arguments)
    return call


def _flatten_box(text: str) -> str:
    """The message in a box that tyro draws: its first section, and the options it suggests."""
    # Drawn with letters where the terminal has no lines.
    rows = [row.strip("│|╭╮╰╯+ ") for row in text.splitlines()[1:-1]]
    sections = [s.strip() for s in re.split(r"[─-]{4,}", " ".join(rows)) if s.strip()]
    message = sections[0]
    message = message.replace("invalid literal for int() with base 10:", "expected a number, got")
    message = message.replace("could not convert string to float:", "expected a number, got")
    message = re.sub(r"no type matching .*<class '[\w.]+'>: ", "", message)
    message = re.sub(r" into tuple type typing.*", "", message).rstrip(".")
    message = message.replace(". Expected 1 values", ": expected a value")
    message = message.replace(". Expected", ": expected")
    if "(required)" in message:
        message = _list_missing(message)
    similar = [s for s in sections[1:] if s.startswith("Perhaps you meant")]
    if similar:
        message += f" (did you mean {' or '.join(re.findall(r'--[a-z-]+', similar[0])[:2])}?)"
    return message[:1].lower() + message[1:]


def _list_missing(message: str) -> str:
    """Arguments that are missing, each with what it is for in brackets."""
    lead, _, rest = message.partition(": ")
    named = []
    for part in rest.split("(required)"):
        if found := re.match(r"((?:--\S+ )?\S+)\s*(.*)", part.strip()):
            name, use = found[1], found[2].strip().rstrip(".")
            named.append(f"{name} ({use[:1].lower()}{use[1:]})" if use else name)
    return f"{lead}: {', '.join(named)}"


def find_option(arguments: list[str], name: str) -> str | None:
    """The value of an option that is needed before the others can be read."""
    for at, argument in enumerate(arguments):
        if argument == name and at + 1 < len(arguments):
            return arguments[at + 1]
        if argument.startswith(name + "="):
            return argument.removeprefix(name + "=")
    return None


def fill_option(arguments: list[str], name: str, value: str) -> list[str]:
    """The arguments with a value after an option that came without one."""
    filled = []
    for at, argument in enumerate(arguments):
        filled.append(argument)
        alone = at + 1 == len(arguments) or arguments[at + 1].startswith("-")
        if argument == name and alone:
            filled.append(value)
    return filled
