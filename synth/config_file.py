"""Reading a configuration from TOML or from a dataset's metadata."""

import dataclasses
import tomllib
import typing
from pathlib import Path
from typing import Any, Literal

from frames.errors import BadInput
from frames.whole_file import read_whole_text
from synth.config import SynthConfig


def load_config(path: Path) -> SynthConfig:
    """Read a SynthConfig from TOML; tables are nested configurations, what is absent is default.

    Raises BadInput for a missing or broken file, an unknown key or a value of the wrong type.
    """
    try:
        text = read_whole_text(path)
    except OSError as error:
        raise BadInput(f"config {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"config {path} is not UTF-8 text: {error.reason}") from error
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"config {path} is not valid TOML: {reason}") from error
    config = _build(SynthConfig, data, str(path), "")
    assert isinstance(config, SynthConfig)
    return config


def config_from_meta(meta: dict[str, Any]) -> SynthConfig:
    """The configuration stored in a dataset's metadata."""
    stored = meta.get("config")
    if not isinstance(stored, dict):
        raise BadInput("dataset.json has no config: the dataset was not made by handloom synth")
    config = _build(SynthConfig, stored, "dataset.json", "")
    assert isinstance(config, SynthConfig)
    return config


def _build(kind: Any, data: dict[str, Any], where: str, prefix: str) -> object:
    known = {f.name: f for f in dataclasses.fields(kind)}
    hints = typing.get_type_hints(kind)
    values: dict[str, Any] = {}
    for key, value in data.items():
        name = key.replace("-", "_")
        if name not in known:
            raise BadInput(f"unknown key {prefix}{key} in {where}: known are {', '.join(known)}")
        values[name] = _convert(hints[name], value, where, prefix + name)
    return kind(**values)


def _convert(hint: Any, value: Any, where: str, name: str) -> Any:
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, dict):
            raise BadInput(f"{name} must be a table, got {value!r} ({where})")
        return _build(hint, value, where, name + ".")
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        if value not in args:
            raise BadInput(f"{name} must be one of {', '.join(args)}, got {value!r} ({where})")
        return value
    if origin is tuple:
        if not isinstance(value, list) or len(value) != len(args):
            raise BadInput(f"{name} must be a list of {len(args)} numbers, got {value!r} ({where})")
        return tuple(_convert(a, v, where, name) for a, v in zip(args, value, strict=True))
    if hint is float and type(value) is int and abs(value) < 2**63:
        return float(value)
    if not isinstance(value, hint) or isinstance(value, bool) is not (hint is bool):
        raise BadInput(f"{name} must be of type {hint.__name__}, got {value!r} ({where})")
    return value
