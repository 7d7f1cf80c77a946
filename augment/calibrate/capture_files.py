"""Which files of a folder are depth images, masks and amplitudes, and which of them form a clip."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from frames.errors import BadInput
from frames.store.pictures import read_image

PICTURES: Final = (".png", ".tif", ".tiff")
_ROLES: Final = {
    "hand": ("mask", "masks"),
    "amplitude": ("amplitude", "amp", "ir", "infrared", "intensity"),
    "color": ("rgb", "color", "colour"),
    "": ("confidence", "preview", "vis"),
}
"""Words of a file's name, between dots, dashes or underscores, that say what it is; "" is passed
over. All else is depth."""

_FOLDERS: Final = ("depth", *(word for words in _ROLES.values() for word in words))

_MOST_FILES: Final = 400_000


@dataclass
class ClipFiles:
    """The files of one clip, each list in order."""

    name: str
    depth: list[Path] = field(default_factory=list)
    hand: list[Path] = field(default_factory=list)
    amplitude: list[Path] = field(default_factory=list)
    color: list[Path] = field(default_factory=list)


def list_clips(
    folder: Path,
    suffixes: Sequence[str] = (*PICTURES, ".npy"),
    numbered: Sequence[str] = PICTURES,
) -> list[ClipFiles]:
    """The clips of a folder: its own files and those one folder down.

    Files belong to one clip if they differ by their last number only: wall_050_0001.png and
    wall_050_0002.png, or everything in a folder whose files are named by numbers. suffixes: the
    kinds of files to look at. numbered: those whose last number counts frames; a file of another
    kind is a clip of its own. Raises BadInput for a folder without depth images.
    """
    paths = [p for pattern in ("*", "*/*") for p in folder.glob(pattern)]
    if len(paths) > _MOST_FILES:
        raise BadInput(
            f"{folder} holds more than {_MOST_FILES:,} files: name a folder of one capture"
        )
    clips: dict[str, ClipFiles] = {}
    for path in sorted(paths, key=_order):
        if path.suffix.lower() not in suffixes or path.name.startswith("."):
            continue
        role, name = _classify(path, folder, numbered)
        if role:
            getattr(clips.setdefault(name, ClipFiles(name)), role).append(path)
    out = [c for c in clips.values() if c.depth]
    if not out:
        kinds = ", ".join(suffixes)
        raise BadInput(f"{folder} has no depth images ({kinds}), nor have the folders in it")
    return out


def read_images(paths: list[Path], most: int) -> NDArray[np.uint16]:
    """(N, H, W) uint16 of the first `most` frames. Raises BadInput for what is not 16 bit, or of
    several sizes.
    """
    frames: list[NDArray[np.uint16]] = []
    for path in paths:
        for image in read_file(path):
            if frames and image.shape != frames[0].shape:
                raise BadInput(
                    f"{path} has {image.shape[1]} x {image.shape[0]} pixels, {paths[0]} has"
                    f" {frames[0].shape[1]} x {frames[0].shape[0]}: one clip has one size"
                )
            frames.append(image)
        if len(frames) >= most:
            break
    return np.stack(frames[:most])


def read_masks(paths: list[Path], most: int) -> NDArray[np.bool_]:
    """(N, H, W) bool of the first `most` masks: whatever is not 0."""
    frames = []
    for path in paths:
        if path.suffix.lower() == ".npy":
            stack = _load_array(path)
            frames += list(stack[None] if stack.ndim == 2 else stack)
            continue
        image = read_image(path)
        frames.append(image if image.ndim == 2 else image[..., :3].max(-1))
    if len({f.shape for f in frames}) > 1:
        raise BadInput(f"masks beside {paths[0]} have several sizes")
    return np.stack(frames[:most]) > 0


def read_file(path: Path) -> list[NDArray[np.uint16]]:
    """The depth images in one file. Raises BadInput for what is none of 16 bits."""
    if path.suffix.lower() == ".npy":
        stack = _load_array(path)
        if stack.dtype != np.uint16 or stack.ndim not in (2, 3):
            raise BadInput(
                f"{path} must hold (H, W) or (N, H, W) uint16, got {stack.dtype} {stack.shape}"
            )
        return list(stack[None] if stack.ndim == 2 else stack)
    image = read_image(path)
    if image.dtype != np.uint16 or image.ndim != 2:
        bits, channels = image.dtype.itemsize * 8, 1 if image.ndim == 2 else image.shape[2]
        raise BadInput(
            f"{path} must be a depth image of 16 bits and one channel, got {bits} bits and"
            f" {channels}; name pictures that are no depth NAME.rgb.png, masks NAME.mask.png"
        )
    return [np.asarray(image)]


def _load_array(path: Path) -> NDArray[np.generic]:
    try:
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except Exception as error:  # a broken header makes numpy's reader raise almost anything
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise BadInput(f"{path} cannot be read as a numpy array: {reason}") from None


def _classify(path: Path, folder: Path, numbered: Sequence[str]) -> tuple[str, str]:
    """What a file is ("depth" or one of `_ROLES`), and the name of its clip."""
    # A file named by its time, 1305031102.160407.png, is no frame of a clip 1305031102.
    words = re.split(r"[._\- ]+", re.sub(r"^(\d{9,})\.(\d+)$", r"\1\2", path.stem))
    role = "depth"
    for kind, names in _ROLES.items():
        if any(w.lower() in names for w in words):
            role = kind
            words = [w for w in words if w.lower() not in names]
    words = [w for w in words if w.lower() != "depth"]
    if path.suffix.lower() in numbered and words:
        words[-1] = re.sub(r"\d+$", "", words[-1])
    parent = "" if path.parent == folder else path.parent.name
    # A folder of masks beside one of depth images: both are one clip's.
    if parent.lower() in _FOLDERS:
        for kind, names in _ROLES.items():
            role = kind if parent.lower() in names else role
        parent = ""
    name = "/".join(filter(None, (parent, "_".join(filter(None, words)))))
    return role, name or "frames"


def _order(path: Path) -> tuple[object, ...]:
    """Names in the order of the numbers in them."""
    pieces = re.split(r"(\d+)", str(path))
    return tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in pieces)
