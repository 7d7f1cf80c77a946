"""How far joints lie behind the skin that a camera sees: `labeling.lifting.FLESH_M` measured again.

python -m tools.measure_flesh DATA        # a generated dataset with clean depth
"""

import sys

import numpy as np

from frames.parts import VISIBILITY_VISIBLE
from frames.skeleton import KEYPOINT_NAMES, TIPS
from frames.store.dataset import open_dataset

HANDS = 20_000
SAME_FINGER_M = 0.03
"""A tip whose pixel shows a surface farther behind than this shows what is behind the finger."""


def main(folder: str) -> None:
    """Print median and quartiles in millimetres, by joint."""
    columns = ["hands.keypoints_cam_m", "hands.surface_depth_m", "hands.visibility"]
    found: list[np.ndarray] = []
    for batch in open_dataset(folder, partial=True).batches(columns, size=512):
        behind = batch["hands.keypoints_cam_m"][..., 2] - batch["hands.surface_depth_m"]
        seen = batch["hands.visibility"] == VISIBILITY_VISIBLE
        found.append(np.where(seen, behind, np.nan))
        if sum(map(len, found)) > HANDS:
            break
    behind = np.concatenate(found)
    for k, name in enumerate(KEYPOINT_NAMES):
        mine = behind[:, k][np.isfinite(behind[:, k])]
        if k in TIPS:
            # Zero is a tip on the skin's very edge, read at its own place by construction.
            mine = mine[(mine > -SAME_FINGER_M) & (np.abs(mine) > 1e-4)]
        low, middle, high = np.percentile(mine, (25, 50, 75)) * 1000
        print(f"{name:11} {middle:5.1f}  ({low:.1f} .. {high:.1f})  {len(mine):,}")


if __name__ == "__main__":
    main(*sys.argv[1:])
