"""Models that every stock holds besides what hands take: boxes, arms, clothes, bodies."""

from collections.abc import Sequence

from synth.scene.jewellery import bands, cases, rings
from synth.scene.lap import head, shank, thigh, trunk
from synth.scene.pieces import CUBE
from synth.scene.sleeve import forearm_sleeves, short_sleeves, upper_sleeves
from synth.scene.surroundings import MODELS
from synth.scene.upper_arm import arm_model, elbow_model
from synth.things.model import Model


def fixed_models() -> dict[str, Sequence[Model]]:
    """Groups of models by name, in the order of the stock."""
    return {
        "surroundings": MODELS,
        "board": [MODELS[CUBE]],
        "arm": [arm_model()],
        "elbow": [elbow_model()],
        "sleeves": forearm_sleeves(),
        "upper sleeves": upper_sleeves(),
        "short sleeves": short_sleeves(),
        "bands": bands(),
        "cases": cases(),
        "rings": rings(),
        "trunk": [trunk()],
        "head": [head()],
        "thigh": [thigh()],
        "shank": [shank()],
    }
