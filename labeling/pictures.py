"""Pictures for the eye: 8 bits, of the same size as the depth (a 16-bit image shows almost black).

The colour map is spent on the hands' range; relief shading shows where one finger ends and the next
begins; pixels without a reading are striped.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from frames.errors import BadInput
from frames.record import Frame
from frames.store.disk import explain_write_error, make_folder
from frames.viewing.palette import HATCH_PERIOD, NO_READING_HATCH, color_depth_m
from labeling.proposals import SEEN, Proposal

Picture = NDArray[np.uint8]

PICTURES: Final = "pictures"
"""The folder that the server shows, and nothing but pictures in it."""

NOTHING: Final = "none.png"
"""Stands where a frame has no previous one, no colour."""

HAND_DEPTH_M: Final = 0.10
"""Half of the range shown about hands that were found: fingers reach so far from the palm."""

REACH_M: Final = 0.45
"""The range shown from the nearest surface on where no hand was found: an arm's."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.png)?")


def find_range(depth_m: NDArray[np.float32], proposals: Sequence[Proposal]) -> tuple[float, float]:
    """Nearest and farthest depth of interest in metres: of the hands proposed, else of what is
    nearest. (0.2, 1.0) for an image without a reading.
    """
    readings: list[float] = []
    height, width = depth_m.shape
    for p in proposals:
        if p.spare:
            continue
        known = np.isfinite(p.keypoints_px).all(-1) & (p.likely_visible >= SEEN)
        uv = np.floor(p.keypoints_px[known] + 0.5).astype(np.int64)
        inside = ((uv >= 0) & (uv < (width, height))).all(-1)
        z = depth_m[uv[inside, 1], uv[inside, 0]]
        z = z[z > 0]
        if len(z):
            # A joint on the rim may read the room behind.
            middle = np.median(z)
            readings += z[np.abs(z - middle) < 2 * HAND_DEPTH_M].tolist()
    if readings:
        near, far = float(np.min(readings)), float(np.max(readings))
        spare = max(0.02, HAND_DEPTH_M - 0.5 * (far - near))
        return max(0.0, near - spare), far + spare
    read = depth_m[depth_m > 0]
    if not read.size:
        return 0.2, 1.0
    # Flying pixels are nearer than anything that is there.
    near = float(np.percentile(read, 0.5))
    return max(0.0, near - 0.05), near + REACH_M


def draw_depth(
    depth_m: NDArray[np.float32], pixel_rad: float, near_m: float, far_m: float
) -> Picture:
    """(H, W) metres, 0 for no reading -> (H, W, 3) uint8, red first."""
    picture = color_depth_m(depth_m, near_m, far_m, pixel_rad)
    y, x = np.ogrid[: depth_m.shape[0], : depth_m.shape[1]]
    picture[(depth_m == 0) & ((x + y) % HATCH_PERIOD < 2)] = NO_READING_HATCH
    return picture


def draw_frame(frame: Frame, proposals: Sequence[Proposal]) -> Picture:
    """A frame's depth for the eye. Raises BadInput for a frame without depth."""
    depth = frame.reading
    if depth is None:
        raise BadInput(f"frame {frame.frame_id} has no depth image: there is nothing to show")
    depth_m = depth.astype(np.float32) / np.float32(frame.depth_scale)
    return draw_depth(depth_m, 1.0 / frame.camera.fx, *find_range(depth_m, proposals))


def draw_nothing(height: int, width: int) -> Picture:
    """What is shown where there is no picture."""
    picture = np.full((height, width, 3), 32, np.uint8)
    cv2.line(picture, (0, 0), (width - 1, height - 1), (60, 60, 60), 1, cv2.LINE_AA)
    cv2.line(picture, (0, height - 1), (width - 1, 0), (60, 60, 60), 1, cv2.LINE_AA)
    return picture


def place_picture(root: Path, folder: str, name: str) -> Path:
    """Where a picture goes: always directly in a folder of the served root.

    Raises BadInput for names that could lead elsewhere, and for a folder that is a link: the server
    follows links out of its root.
    """
    for part in (folder, name):
        if not _NAME.fullmatch(part):
            raise BadInput(f"a picture's name must be letters, digits, - and _, got {part!r}")
    if (root / folder).is_symlink() or (root / folder / name).is_symlink():
        raise BadInput(f"{root / folder / name} must not be a link: it would be served")
    return root / folder / name


def write_picture(path: Path, picture: Picture) -> None:
    """Store a PNG, whole or not at all."""
    ok, data = cv2.imencode(".png", picture[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not ok:
        raise BadInput(f"cannot encode {path.name} {picture.shape}")
    make_folder(path.parent)
    # Outside the folder that is served.
    temporary = path.parent.parent.parent / f".{path.name}.tmp"
    try:
        temporary.write_bytes(data.tobytes())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise explain_write_error(path, error) from None
