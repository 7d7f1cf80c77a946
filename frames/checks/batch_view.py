"""A batch as the label checks look at it: hands with their frame, place and nearest pixels."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Batch = dict[str, Any]
"""All columns of some frames, as `frames.store.dataset.Dataset.batches` gives them."""

RIGID_TOLERANCE: Final = 1e-4


@dataclass(frozen=True)
class BatchView:
    """A batch and what every rule needs of it; N hands in all."""

    batch: Batch
    frame: NDArray[np.int64]
    """(N,) the hand's row."""

    slot: NDArray[np.int64]
    """(N,) its place within the frame."""

    column: NDArray[np.int64]
    """(N, 21) nearest pixel of each keypoint, 0 where it is outside."""

    row: NDArray[np.int64]
    inside: Mask
    """(N, 21) whether that pixel is in the image."""

    synthetic: Mask
    """(N,) whether the hand is of a synthetic frame: complete by definition."""

    def hand(self, name: str) -> NDArray[Any]:
        """A hands' column."""
        return np.asarray(self.batch[f"hands.{name}"])


def look_at(batch: Batch) -> BatchView:
    counts = np.asarray(batch["hand_counts"], np.int64)
    frame = np.repeat(np.arange(len(counts)), counts)
    slot = np.arange(len(frame)) - np.repeat(np.cumsum(counts) - counts, counts)
    camera = batch["camera"]
    px = batch["hands.keypoints_px"].astype(np.float64)
    size = np.array([(c.width, c.height) for c in camera], np.float64).reshape(-1, 2)[frame]
    with np.errstate(invalid="ignore"):
        nearest = np.floor(px + 0.5)
        inside = ((nearest >= 0) & (nearest < size[:, None])).all(-1)
    index = np.where(inside[..., None], nearest, 0).astype(np.int64)
    synthetic = np.array([s == "synthetic" for s in batch["source"]], bool)[frame]
    return BatchView(batch, frame, slot, index[..., 0], index[..., 1], inside, synthetic)


def read_depth(view: BatchView) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Depth in metres under every keypoint (0 = nothing) and the length of one step, or None."""
    images = view.batch["clean_depth"]
    images = view.batch["depth"] if images is None else images
    if images is None:
        return None
    scale = np.asarray(view.batch["depth_scale"], np.float64)[view.frame][:, None]
    # A scale that cannot be is told elsewhere.
    scale = np.where(scale > 0, scale, 1.0)
    return images[view.frame[:, None], view.row, view.column] / scale, 1.0 / scale


def is_bent(transforms: NDArray[Any]) -> Mask:
    """(n,) whether (n, 4, 4) are not rigid; NaN (absent) is not."""
    transforms = np.asarray(transforms, np.float64).reshape(-1, 4, 4)
    absent = np.isnan(transforms).all((1, 2))
    finite = np.asarray(np.isfinite(transforms).all((1, 2)))
    rotation = np.where(finite[:, None, None], transforms[:, :3, :3], 0.0)
    product = rotation @ rotation.transpose(0, 2, 1)
    good = finite & (np.abs(product - np.eye(3)) <= RIGID_TOLERANCE).all((1, 2))
    good &= np.linalg.det(rotation) > 0
    good &= np.equal(transforms[:, 3], (0, 0, 0, 1)).all(-1)
    return np.asarray(~good & ~absent)


def is_torn(vectors: NDArray[Any]) -> Mask:
    """(n,) whether vectors (n, ...) are neither finite nor absent (all NaN)."""
    rest = tuple(range(1, vectors.ndim))
    return np.asarray(~np.isfinite(vectors).all(rest) & ~np.isnan(vectors).all(rest))
