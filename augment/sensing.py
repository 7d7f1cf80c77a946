"""Which sensor a dataset is read by, as dataset.json keeps it: whole profile, seed, baked or not.

"sensor": {"profile": {"name": "d435", ...}, "seed": 7, "baked": false}
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from augment.profile import Mixture, Profile, load_profile, parse_profile
from frames.errors import BadInput

META_KEY: Final = "sensor"

PAIRED: Final = "matched-stereo"
"""The model that needs a rendered pair."""

NO_SENSOR: Final = ("", "none")
"""Names that stand for clean depth."""

MAX_SEED: Final = 2**63 - 1


@dataclass(frozen=True)
class Sensing:
    """A sensor before the frames of a dataset."""

    profile: Profile | Mixture
    seed: int
    """Of its noise, and of what its light meets (`augment.materials`)."""
    baked: bool
    """Whether its depth is stored, or made when a frame is loaded."""

    @property
    def needs_pair(self) -> bool:
        """Whether it matches rendered stereo pairs, which a stored frame does not have."""
        profiles = self.profile.profiles if isinstance(self.profile, Mixture) else (self.profile,)
        return any(profile.model == PAIRED for profile in profiles)

    def check(self) -> "Sensing":
        """Itself, if it can be run. Raises BadInput for parameters that do not fit its model."""
        self.profile.check()
        return self

    def to_meta(self) -> dict[str, Any]:
        """The entry of dataset.json: nothing else is needed to sense again."""
        return {"profile": self.profile.to_dict(), "seed": self.seed, "baked": self.baked}


def read_sensing(meta: Mapping[str, Any], folder: Path) -> Sensing | None:
    """A dataset's own sensor, None for a clean one. Raises BadInput for an entry that cannot be.

    Its model's parameters may be another release's: a dataset whose sensor is not to read again is
    as good as ever. `Sensing.check` says whether this release can run it.
    """
    entry = meta.get(META_KEY)
    if entry is None:
        return None
    where = f"{META_KEY} in {folder / 'dataset.json'}"
    if not isinstance(entry, dict) or not isinstance(entry.get("profile"), dict):
        raise BadInput(f"{where} must have profile, seed and baked: was the file edited?")
    seed, baked = entry.get("seed"), entry.get("baked")
    if not isinstance(baked, bool):
        raise BadInput(f"baked must be true or false, got {baked!r} ({where})")
    where += ": by another release or edited; --sensor NAME reads with this one's"
    return Sensing(parse_profile(entry["profile"], where), check_seed(seed, where), baked)


def choose_sensing(name: str | Path, seed: int, baked: bool) -> Sensing | None:
    """A sensor by profile name or TOML file, None for "none" or "".

    One that needs pairs is always baked. Raises BadInput in one line.
    """
    if str(name) in NO_SENSOR:
        if baked:
            raise BadInput("bake stores what a sensor reads: name one with --sensor")
        return None
    sensing = Sensing(load_profile(name), check_seed(seed, "the sensor's"), baked)
    return replace(sensing, baked=baked or sensing.needs_pair)


def check_seed(seed: Any, where: str) -> int:
    """A seed that Arrow's int64 holds. Raises BadInput otherwise."""
    whole = isinstance(seed, int) and not isinstance(seed, bool)
    if not whole or not 0 <= seed <= MAX_SEED:
        raise BadInput(f"seed must be a whole number from 0 to 2^63 - 1, got {seed!r} ({where})")
    return int(seed)
