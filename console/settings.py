"""A command's options from a TOML file: the command line takes precedence."""

import json
import tomllib
from pathlib import Path
from typing import Any

from console.arguments import find_option
from frames.errors import BadInput
from frames.whole_file import read_whole_text


def expand_settings(arguments: list[str], name: str = "--config") -> list[str]:
    """The arguments with the options of a file in the place of `--config FILE`.

    Keys are options; true and false are switches, a table is NAME=VALUE by NAME=VALUE, of which
    those on the command line change only the names that they have. Raises BadInput for a file that
    cannot be read.
    """
    file = find_option(arguments, name)
    if file is None:
        return arguments
    try:
        settings = tomllib.loads(read_whole_text(Path(file)))
    except OSError as error:
        raise BadInput(f"cannot read the settings {file}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{file} is not TOML: {str(error).splitlines()[0]}") from None
    rest = list(arguments)
    place = next(k for k, a in enumerate(rest) if a == name or a.startswith(name + "="))
    del rest[place : place + (2 if rest[place] == name else 1)]
    for key, value in settings.items():
        if isinstance(value, dict) and f"--{key}" in rest:
            own = {a.partition("=")[0] for a in rest}
            place = rest.index(f"--{key}") + 1
            rest[place:place] = _spell_table({k: v for k, v in value.items() if k not in own})
    given = {a.partition("=")[0] for a in rest if a.startswith("--")}
    made = [part for key, value in settings.items() for part in _spell(key, value, given)]
    # Before the first option, behind what stands by its place.
    first = next((k for k, a in enumerate(rest) if a.startswith("--")), len(rest))
    return [*rest[:first], *made, *rest[first:]]


def _spell(key: str, value: Any, given: set[str]) -> list[str]:
    option = "--" + key.replace("_", "-")
    if option in given or f"--no-{option[2:]}" in given:
        return []
    if isinstance(value, bool):
        return [option if value else f"--no-{option[2:]}"]
    if isinstance(value, dict):
        return [option, *_spell_table(value)]
    if isinstance(value, list) and key == "data":
        return [part for v in value for part in (option, str(v))]
    return [option, *(str(v) for v in (value if isinstance(value, list) else [value]))]


def _spell_table(table: dict[str, Any]) -> list[str]:
    # TOML has dates and times, which JSON has not.
    texts = {name: json.dumps(v, separators=(",", ":"), default=str) for name, v in table.items()}
    return [f"{name}={text}" for name, text in texts.items()]
