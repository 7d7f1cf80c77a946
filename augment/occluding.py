"""Which occlusion a dataset was given: settings from a file, an entry in dataset.json, the frames.

"occlusion": {"seed": 7, "share_before": 0.5, ...}
"""

import dataclasses
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from augment.occlusion.config import Occlusion
from augment.occlusion.dropout import drop_readings
from augment.occlusion.frame import occlude_frame
from augment.occlusion.sprites import Sprite, cut_sprites
from augment.readings import sense_frame
from augment.sensing import Sensing, check_seed
from augment.unread import forget_unread
from frames.errors import BadInput
from frames.record import Frame
from frames.store.dataset import open_dataset
from frames.store.splits import read_splits
from frames.whole_file import read_whole_text

META_KEY: Final = "occlusion"
USUAL: Final = "usual"
"""The name of the settings that a file need not give."""

SPRITE_FRAMES: Final = 128
"""Frames of each split from which hands are cut, at most."""


@dataclass(frozen=True)
class Occluding:
    """What is put into the frames of a dataset."""

    config: Occlusion
    seed: int

    def to_meta(self) -> dict[str, Any]:
        """The entry of dataset.json."""
        return {"seed": self.seed, **dataclasses.asdict(self.config)}


def choose_occluding(name: str | Path, seed: int) -> Occluding:
    """The usual settings, or those of a TOML file over them. Raises BadInput in one line."""
    if str(name) == USUAL:
        return Occluding(Occlusion(), check_seed(seed, "the occlusion's"))
    path = Path(name)
    try:
        given = tomllib.loads(read_whole_text(path))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise BadInput(f"occlusion file {path} cannot be read: {reason}") from error
    except (ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"occlusion file {path} is not valid TOML: {reason}") from error
    known = {f.name for f in dataclasses.fields(Occlusion)}
    unknown = sorted(given.keys() - known)
    if unknown:
        raise BadInput(f"unknown key {unknown[0]} in {path}: see docs/occlusion.md")
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
    return Occluding(Occlusion(**values), check_seed(seed, "the occlusion's"))


def collect_sprites(folder: Path) -> dict[str | None, list[Sprite]]:
    """Hands to cut from a dataset's own frames, for each split those of its first frames: nobody of
    a test comes into a training.
    """
    meta = open_dataset(folder).meta
    names: Sequence[str | None] = [*read_splits(meta)] or [None]
    columns = ["clean_depth", "depth", "parts", "hands"]
    found: dict[str | None, list[Sprite]] = {}
    for name in names:
        data = open_dataset(folder, columns, split=name)
        found[name] = cut_sprites(data[i] for i in range(min(len(data), SPRITE_FRAMES)))
    return found


def degrade_frame(
    frame: Frame, occluding: Occluding, sensing: Sensing | None, sprites: Sequence[Sprite]
) -> Frame:
    """The frame cut by borders, with occluders, read by the sensor, with patches lost.

    Without a sensor a synthetic frame stays clean, and a real one keeps its own. Raises BadInput
    for a sensor before a frame without clean depth.
    """
    if frame.clean_depth is not None:
        frame = _clean(frame)
    frame = occlude_frame(frame, occluding.config, occluding.seed, sprites=sprites)
    if sensing is not None:
        frame = sense_frame(sensing, frame)
    if frame.depth is None:
        return frame
    return drop_readings(frame, occluding.config, occluding.seed)


def _clean(frame: Frame) -> Frame:
    """A synthetic frame before any sensor."""
    hands = []
    for hand in frame.hands:
        visibility, occlusion = forget_unread(hand.visibility, hand.occlusion)
        hands.append(dataclasses.replace(hand, visibility=visibility, occlusion=occlusion))
    return dataclasses.replace(
        frame, depth=None, invalid=None, sensor=None, sensor_seed=None, hands=tuple(hands)
    )
