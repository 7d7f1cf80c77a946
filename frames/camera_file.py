"""Camera files: JSON or TOML with the fields of `Camera`, every bad value told in one line."""

import errno
import json
import sys
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from frames.camera import CAMERAS, Camera
from frames.errors import BadInput
from frames.whole_file import read_whole_text

REQUIRED: Final = ("model", "width", "height", "fx", "fy", "cx", "cy")
OPTIONAL: Final = ("distortion", "max_theta_rad", "depth_scale_per_m", "name", "comment", "source")
"""The last four say something about the recording, not about its geometry, and are not kept."""

_MOST_BYTES = 1_000_000


def read_camera(path: Path) -> Camera:
    """The camera in a JSON or TOML file.

    Fields: model, width, height, fx, fy, cx, cy in pixels; optional distortion (list),
    max_theta_rad and depth_scale_per_m. Raises BadInput for a file that is missing or unreadable,
    a key that is missing or unknown, and any value that cannot be a camera's.
    """
    values = _parse(path, _read_text(path))
    unknown = sorted(set(values) - {*REQUIRED, *OPTIONAL})
    missing = [key for key in REQUIRED if key not in values]
    if missing:
        raise BadInput(f"camera file {path} lacks {', '.join(missing)}")
    if unknown:
        known = ", ".join((*REQUIRED, *OPTIONAL))
        raise BadInput(f"camera file {path} has the unknown key {unknown[0]!r}; known: {known}")
    scale = values.get("depth_scale_per_m")
    if scale is not None and not (_is_number(scale) and 0 < scale <= sys.float_info.max):
        raise BadInput(f"depth_scale_per_m must be > 0, got {scale!r} (in {path})")
    return build_camera(values, f" (in {path})")


def build_camera(values: dict[str, Any], where: str = "") -> Camera:
    """A camera from plain values (see `Camera.to_dict`); `where` ends the error's line."""
    distortion = values.get("distortion") or ()
    if not isinstance(distortion, list | tuple) or not all(_is_number(k) for k in distortion):
        raise BadInput(f"camera distortion must be a list of numbers, got {distortion!r}{where}")
    names = {f.name for f in fields(Camera)}
    known = {k: v for k, v in values.items() if k in names and k != "distortion"}
    # JSON has no whole numbers of its own: 640.0 is 640.
    for key in ("width", "height"):
        if isinstance(known.get(key), float) and known[key].is_integer():
            known[key] = int(known[key])
    try:
        return Camera(**known, distortion=tuple(distortion))
    except BadInput as error:
        raise BadInput(f"{error}{where}") from None


def _read_text(path: Path) -> str:
    if not path.exists():
        presets = ", ".join(CAMERAS)
        raise BadInput(f"unknown camera {str(path)!r}: no such file, and the presets are {presets}")
    try:
        return read_whole_text(path, _MOST_BYTES)
    except UnicodeDecodeError:
        raise BadInput(f"camera file {path} is neither JSON nor TOML: it is not text") from None
    except OSError as error:
        end = ": not a camera" if error.errno == errno.EFBIG else ""
        raise BadInput(f"cannot read camera file {path}: {error.strerror}{end}") from None


def _parse(path: Path, text: str) -> dict[str, Any]:
    kind = "TOML" if path.suffix.lower() == ".toml" else "JSON"
    try:
        values = tomllib.loads(text) if kind == "TOML" else json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"camera file {path} is not valid {kind}: {reason}") from None
    if not isinstance(values, dict):
        raise BadInput(
            f"camera file {path} must hold one object of fields, got {kind} of another kind"
        )
    return values


def _is_number(value: object) -> bool:
    huge = isinstance(value, int) and abs(value) > 2**53
    return isinstance(value, int | float) and not isinstance(value, bool) and not huge
