"""The identity of a frame on the server and in the ledger: a digest of what the camera saw.

It stays when a dataset is moved or made again, so that a frame cannot become two tasks; frames
that are equal to the last bit are one.
"""

import hashlib
import json

import numpy as np
from numpy.typing import NDArray

from frames.errors import BadInput
from frames.record import Frame

LENGTH = 24
"""Hex digits of a key: 96 bits."""


def sum_depth(depth: NDArray[np.uint16]) -> str:
    """SHA-256 of a depth image's rows, little-endian."""
    return hashlib.sha256(np.ascontiguousarray(depth, "<u2").tobytes()).hexdigest()


def key_of(frame: Frame) -> tuple[str, str]:
    """A frame's key, and the SHA-256 of its depth. Raises BadInput for a frame without depth."""
    depth = frame.reading
    if depth is None:
        raise BadInput(f"frame {frame.frame_id} has no depth image: there is nothing to label")
    digest = sum_depth(depth)
    seen = {"depth": digest, "camera": frame.camera.to_dict(), "scale": frame.depth_scale}
    text = json.dumps(seen, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH], digest
