"""The formats by name, and their options as the command line gives them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from frames.errors import BadInput
from frames.exports.coco import Coco
from frames.exports.hdf5 import Hdf5
from frames.exports.hub import Hub
from frames.exports.layout import Format
from frames.exports.picture import DepthPicture, Kind
from frames.exports.planes import choose_planes
from frames.exports.tars import Tars
from frames.exports.yolo import Yolo

FormatName = Literal["coco", "yolo", "webdataset", "hdf5", "hf"]


@dataclass(frozen=True)
class FormatOptions:
    """What a format may be told; None and "" for its own choice."""

    image: Kind | None = None
    """coco, yolo: how depth becomes a picture."""
    near_m: float | None = None
    """The same: where depth8 and colour begin."""
    far_m: float | None = None
    images: str = ""
    """webdataset, hdf5, hf: names of `frames.exports.planes`, joined by commas."""
    frames_per_file: int = 0
    """webdataset, hf."""


_TAKES: Final = {
    "coco": ("image", "near_m", "far_m"),
    "yolo": ("image", "near_m", "far_m"),
    "webdataset": ("images", "frames_per_file"),
    "hdf5": ("images",),
    "hf": ("images", "frames_per_file"),
}
_MAKES: Final[dict[str, Callable[..., Any]]] = {
    "coco": Coco,
    "yolo": Yolo,
    "webdataset": Tars,
    "hdf5": Hdf5,
    "hf": Hub,
}


def choose_format(name: str, options: FormatOptions = FormatOptions()) -> Format:
    """A format with its options. Raises BadInput for an unknown one, and for an option that it does
    not take."""
    if name not in _MAKES:
        raise BadInput(f"format must be one of {', '.join(get_args(FormatName))}, got {name!r}")
    given = {k: v for k, v in vars(options).items() if v}
    unused = [k for k in given if k not in _TAKES[name]]
    if unused:
        taken = ", ".join(f"--{k.replace('_', '-')}" for k in _TAKES[name])
        raise BadInput(f"{name} does not take --{unused[0].replace('_', '-')}: it takes {taken}")
    if "images" in given:
        given["planes"] = choose_planes(given.pop("images"))
    if name in ("coco", "yolo"):
        kind: Kind = given.get("image") or ("depth16" if name == "coco" else "depth8")
        bounds = {k: v for k, v in given.items() if k != "image"}
        if bounds and kind == "depth16":
            raise BadInput("near-m and far-m belong to --image depth8 or colour")
        given = {"picture": DepthPicture(kind, **bounds)}
    made: Format = _MAKES[name](**given)
    return made
