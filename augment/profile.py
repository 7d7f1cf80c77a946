"""Sensor profiles: which model a device is, and its parameters with their sources, as TOML.

    name = "d435"
    model = "stereo"
    about = "Intel RealSense D435 ..."

    [baseline_m]
    value = 0.05
    unit = "m"
    source = "data sheet 337029, table 3-6"
    spread = [0.049, 0.051]

A profile is data: a file beside the dataset works as well as one of ours.
"""

import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, TypeGuard

from augment.ideal import Ideal
from augment.matched_stereo.sensing import MatchedStereo
from augment.parameter import Given, build_model
from augment.stereo.model import Stereo
from augment.structured_light.model import StructuredLight
from augment.time_of_flight.model import TimeOfFlight
from frames.errors import BadInput
from frames.whole_file import read_whole_text

MODELS: Final[dict[str, type]] = {
    "ideal": Ideal,
    "structured-light": StructuredLight,
    "stereo": Stereo,
    "matched-stereo": MatchedStereo,
    "time-of-flight": TimeOfFlight,
}
"""Sensor models by the name that a profile gives them."""

PROFILES: Final = (
    *("ideal", "kinect-v1", "sr300", "d435", "zed", "azure-kinect", "ahat", "random"),
    *("d435-matched", "zed-matched", "random-matched"),
)
"""Names of the profiles that come along."""

_WORDS: Final = ("name", "model", "about")


@dataclass(frozen=True)
class Profile:
    """One device."""

    name: str
    model: str
    """A key of `MODELS`."""
    about: str
    given: dict[str, Given]
    """Parameters by name."""
    where: str = field(default="", compare=False)
    """What it was read from, for messages."""

    @cached_property
    def parameters(self) -> Any:
        """An instance of the model's dataclass. Raises BadInput if its parameters do not fit."""
        return build_model(MODELS[self.model], self.given, self.where or f"profile {self.name}")

    def check(self) -> None:
        """Raises BadInput in one line for a model whose parameters do not fit."""
        _ = self.parameters

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as a file has them."""
        out: dict[str, Any] = {"name": self.name, "model": self.model, "about": self.about}
        for name, one in self.given.items():
            out[name] = {"value": one.value, "unit": one.unit, "source": one.source}
            if one.spread is not None:
                out[name]["spread"] = list(one.spread)
        return out


@dataclass(frozen=True)
class Mixture:
    """Several devices, one drawn a frame (a sequence keeps its own), parameters within spreads."""

    name: str
    about: str
    profiles: tuple[Profile, ...]
    weights: tuple[float, ...]
    """How often each is drawn; they need not sum to 1."""

    def check(self) -> None:
        """See `Profile.check`."""
        for profile in self.profiles:
            profile.check()

    def to_dict(self) -> dict[str, Any]:
        """Plain values: whole profiles, so that nothing else is needed to draw again."""
        return {
            "name": self.name,
            "model": "mixture",
            "about": self.about,
            "weights": list(self.weights),
            "profiles": [p.to_dict() for p in self.profiles],
        }


def load_profile(name_or_path: str | Path) -> Profile | Mixture:
    """A profile that comes along, by name, or a TOML file. Raises BadInput in one line."""
    name = str(name_or_path)
    if name in PROFILES:
        resource = files("augment") / "profiles" / f"{name}.toml"
        return build_profile(_parse(resource.read_text("utf-8"), f"{name}.toml"), f"{name}.toml")
    path = Path(name_or_path)
    if path.suffix != ".toml":
        raise BadInput(f"sensor must be {', '.join(PROFILES)} or a .toml file, got {name!r}")
    try:
        text = read_whole_text(path)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise BadInput(f"sensor profile {path} cannot be read: {reason}") from error
    return build_profile(_parse(text, str(path)), str(path))


def build_profile(content: dict[str, Any], where: str) -> Profile | Mixture:
    """A profile from a file's content, or from `to_dict`. Raises BadInput in one line."""
    profile = parse_profile(content, where)
    profile.check()
    return profile


def parse_profile(content: dict[str, Any], where: str) -> Profile | Mixture:
    """A profile whose parameters may be those of another release's model: `check` says.

    Raises BadInput in one line for what is no profile at all.
    """
    for word in _WORDS:
        if not isinstance(content.get(word), str):
            raise BadInput(f"{word} must be a text, got {content.get(word)!r} ({where})")
    if content["model"] == "mixture":
        return _parse_mixture(content, where)
    if content["model"] not in MODELS:
        known = ", ".join(MODELS)
        raise BadInput(f"model must be mixture, {known}; got {content['model']!r} ({where})")
    given = {k: _build_given(k, v, where) for k, v in content.items() if k not in _WORDS}
    return Profile(content["name"], content["model"], content["about"], given, where)


def _parse_mixture(content: dict[str, Any], where: str) -> Mixture:
    members, weights = content.get("profiles"), content.get("weights")
    if not isinstance(members, list) or not members:
        raise BadInput(f"profiles must be a list of names or profiles, got {members!r} ({where})")
    if not isinstance(weights, list) or len(weights) != len(members):
        raise BadInput(
            f"weights must be a list of {len(members)} numbers, got {weights!r} ({where})"
        )
    numbers = [w for w in weights if isinstance(w, int | float) and not isinstance(w, bool)]
    if len(numbers) < len(weights) or not all(0 <= w < 1e9 for w in numbers) or not sum(numbers):
        raise BadInput(f"weights must be >= 0 and not all 0, got {weights} ({where})")
    profiles = []
    for one in members:
        found = parse_profile(one, where) if isinstance(one, dict) else load_profile(str(one))
        if isinstance(found, Mixture):
            raise BadInput(f"a mixture of mixtures is not known: {found.name} ({where})")
        profiles.append(found)
    return Mixture(content["name"], content["about"], tuple(profiles), tuple(map(float, numbers)))


def _build_given(name: str, entry: Any, where: str) -> Given:
    if not isinstance(entry, dict):
        raise BadInput(f"{name} must be a table of value, unit and source, got {entry!r} ({where})")
    unknown = sorted(set(entry) - {"value", "unit", "source", "spread"})
    if unknown:
        raise BadInput(f"{name} has no {unknown[0]!r}: value, unit, source, spread ({where})")
    value = entry.get("value")
    if not _is_number(value):
        raise BadInput(f"the value of {name} must be a number, got {value!r} ({where})")
    for word in ("unit", "source"):
        if not isinstance(entry.get(word), str):
            raise BadInput(f"{name} needs a {word}, got {entry.get(word)!r} ({where})")
    spread = entry.get("spread")
    if spread is None:
        return Given(float(value), entry["unit"], entry["source"])
    if not (isinstance(spread, list) and len(spread) == 2 and all(map(_is_number, spread))):
        raise BadInput(f"the spread of {name} must be [low, high], got {spread!r} ({where})")
    low, high = map(float, spread)
    return Given(float(value), entry["unit"], entry["source"], (low, high))


def _is_number(value: object) -> TypeGuard[float]:
    huge = isinstance(value, int) and abs(value) > 2**53
    return isinstance(value, int | float) and not isinstance(value, bool) and not huge


def _parse(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{where} is no TOML: {str(error).splitlines()[0]}") from error
