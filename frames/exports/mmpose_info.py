"""What mmpose is told of the keypoints: `dataset_info`, as its dataset files have it."""

from pprint import pformat
from typing import Any, Final

from frames.exports.layout import About
from frames.skeleton import BONES, KEYPOINT_COLORS, KEYPOINT_NAMES, KEYPOINTS

SIGMAS: Final = (
    *(0.029, 0.022, 0.035, 0.037, 0.047, 0.026, 0.025, 0.024, 0.035, 0.018, 0.024),
    *(0.022, 0.026, 0.017, 0.021, 0.021, 0.032, 0.02, 0.019, 0.022, 0.031),
)
"""Of object keypoint similarity, by COCO-WholeBody (Jin et al. 2020, arXiv 2007.11858)."""


def build_info(about: About) -> dict[str, Any]:
    """The dictionary. A mirror swaps sides of hands and no keypoints: `swap` is empty."""
    return {
        "dataset_name": "handloom",
        "paper_info": {
            "author": "",
            "title": about.title,
            "container": f"handloom {about.version}",
            "year": "",
            "homepage": "",
        },
        "keypoint_info": {
            k: {
                "name": KEYPOINT_NAMES[k],
                "id": k,
                "color": list(KEYPOINT_COLORS[k]),
                "type": "",
                "swap": "",
            }
            for k in range(KEYPOINTS)
        },
        "skeleton_info": {
            i: {
                "link": (KEYPOINT_NAMES[a], KEYPOINT_NAMES[b]),
                "id": i,
                "color": list(KEYPOINT_COLORS[b]),
            }
            for i, (a, b) in enumerate(BONES)
        },
        "joint_weights": [1.0] * KEYPOINTS,
        "sigmas": list(SIGMAS),
    }


def write_info(about: About) -> str:
    """The file: `metainfo=dict(from_file="dataset_info.py")`."""
    return f"dataset_info = {pformat(build_info(about), sort_dicts=False, width=100)}\n"
