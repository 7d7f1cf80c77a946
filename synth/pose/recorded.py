"""Hand poses as headsets recorded them: 17 from two packages that may ship (MIT).

`tools/build_recorded_poses.py` made `recorded.json` from npm's handy-work 3.1.13 (Ada Rose Cannon)
and iwer 2.5.0 (Meta); LICENSES/recorded-poses.md. Both hands of a recording are there, as right
hands.
"""

import json
from functools import cache
from importlib import resources
from typing import Final

from synth.hand.bones import FINGERS
from synth.pose.presets import Finger, Preset, Thumb, meet

KEY_OF: Final = {
    "fist": "fist",
    "flat": "open",
    "relax-left": "open",
    "relaxed": "open",
    "point": "L",
    "pinch": "OK",
}
"""Key poses by their own names, whole or without the hand. It is the shape that counts: the
pointing hands hold their thumbs out, and the pinch its other fingers straight."""


@cache
def recorded_presets() -> tuple[Preset, ...]:
    """The recordings in the order of the file."""
    text = resources.files("synth.pose").joinpath("recorded.json").read_text("utf-8")
    presets = []
    for name, pose in json.loads(text).items():
        kind = name.rsplit("-", 1)[0]
        thumb: Thumb = tuple(pose["thumb"])
        fingers: list[Finger] = [tuple(pose[f]) for f in FINGERS]
        index, middle, ring, pinky = fingers
        presets.append(
            Preset(
                f"recorded-{name}",
                KEY_OF.get(name, KEY_OF.get(kind, "none")),
                thumb,
                index,
                middle,
                ring,
                pinky,
                pose["palm_arch"],
                meet(1) if kind == "pinch" else (),
            )
        )
    return tuple(presets)
