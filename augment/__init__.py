"""What a real sensor and a real scene do to a clean frame (docs/sensors.md, docs/occlusion.md).

    from augment import open_sensed

    data = open_sensed("out/demo")
    data[0].depth

Names load on first use, so that `import augment` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from augment.profile import load_profile
    from augment.sensed import SensedDataset, open_sensed
    from augment.sensor import sense

__all__ = ["SensedDataset", "load_profile", "open_sensed", "sense"]

_HOMES = {
    "SensedDataset": "sensed",
    "load_profile": "profile",
    "open_sensed": "sensed",
    "sense": "sensor",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'augment' has no attribute {name!r}")
    return getattr(import_module(f"augment.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
