"""A small dataset in COCO's format: disks for joints, and whatever a test adds."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from train_tiny.persons.joint_layout import COCO as COCO_JOINTS
from train_tiny.persons.joint_layout import CROWDPOSE

SIZE = 96, 64
"""Width and height."""

HANDS = tuple(f"joint_{k}" for k in range(21))


def name_joints(count: int) -> tuple[str, ...]:
    """Of COCO, CrowdPose and a hand."""
    return {17: COCO_JOINTS, 14: CROWDPOSE, 21: HANDS}[count]


def color_joint(joint: int) -> tuple[int, int, int]:
    """RGB that tells a joint from all others."""
    return 255 - 11 * joint, 60 + 9 * joint, (joint * 97) % 256


def write_persons(
    folder: Path, joints: int = 17, pictures: int = 6, change: Any = None, seed: int = 0
) -> str:
    """Write pictures and annotations; returns the name of the source.

    change: a function that may spoil the contents of the file.
    """
    rng = np.random.default_rng(seed)
    images = folder / "images"
    images.mkdir(parents=True)
    names = name_joints(joints)
    if joints == 21:
        categories = [
            {"id": k + 1, "name": f"{side}_hand", "keypoints": names}
            for k, side in enumerate(("left", "right"))
        ]
    else:
        categories = [{"id": 1, "name": "person", "keypoints": names}]
    meta: dict[str, Any] = {"info": {"year": 1}, "categories": categories}
    meta["images"], meta["annotations"] = [], []
    for number in range(pictures):
        picture = np.full((SIZE[1], SIZE[0], 3), 20, np.uint8)
        name = f"{number:06d}.png"
        meta["images"].append(
            {"id": 10 + number, "file_name": name, "width": SIZE[0], "height": SIZE[1]}
        )
        cells = rng.permutation(11 * 7)
        for person in range(number % 3):
            points = place_joints(rng, cells[person * joints : (person + 1) * joints])
            for joint, (x, y, v) in enumerate(points):
                if v:
                    cv2.circle(picture, (x, y), 2, color_joint(joint), -1)
            annotate(meta, 10 + number, points, 1 + int(rng.integers(len(categories))))
        cv2.imwrite(str(images / name), picture[..., ::-1])
    file = folder / "annotations.json"
    if change is not None:
        change(meta)
    file.write_text(json.dumps(meta))
    return f"coco:{file}@{images}"


def place_joints(rng: np.random.Generator, cells: np.ndarray) -> list[tuple[int, int, int]]:
    """x, y, v in cells of 8 x 8 pixels, the last one not labelled."""
    out = [(8 + 8 * int(c % 11), 7 + 8 * int(c // 11), 1 + int(rng.integers(2))) for c in cells]
    out[-1] = (0, 0, 0)
    return out


def annotate(
    meta: dict[str, Any],
    image: int,
    points: Sequence[Sequence[int]] | None,
    category: int = 1,
    **more: Any,
) -> None:
    """One annotation."""
    count = len(meta["categories"][0]["keypoints"])
    flat = [0] * 3 * count if points is None else [n for p in points for n in p]
    known = sum(p[2] > 0 for p in points or ())
    box = [1.0, 2.0, 30.0, 40.0]
    meta["annotations"].append(
        {
            "id": len(meta["annotations"]) + 1,
            "image_id": image,
            "category_id": category,
            "keypoints": flat,
            "num_keypoints": known,
            "iscrowd": 0,
            "bbox": box,
            **more,
        }
    )


def compress(runs: Sequence[int]) -> str:
    """COCO's compressed runs, written from the format's description."""
    out = []
    for k, run in enumerate(runs):
        number = run - (runs[k - 2] if k > 2 else 0)
        while True:
            bits = number & 31
            number >>= 5
            done = number == -1 if bits & 16 else number == 0
            out.append(chr(48 + (bits | (0 if done else 32))))
            if done:
                break
    return "".join(out)


def count_runs(mask: np.ndarray) -> list[int]:
    """The runs of a mask (H, W), column after column, beginning with what is outside."""
    runs, inside, length = [], False, 0
    for value in mask.T.ravel():
        if bool(value) != inside:
            runs.append(length)
            inside, length = not inside, 0
        length += 1
    return [*runs, length]
