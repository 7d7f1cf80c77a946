"""The README.md of an export: what it is, what a pixel means, how it is read."""

from pathlib import Path
from typing import Final

from frames.exports.layout import About
from frames.store.disk import write_file

_HEAD: Final = """\
# {title}

{frames:,} depth frames of hands as {kind}, made by handloom {version}; depth as read by: {sensor}.
License: {license}.

Depth: {depth}. It is z along the optical axis, not the distance along the ray.
Keypoints: 21 a hand, wrist, then thumb, index, middle, ring, pinky, each from the palm to the tip.
Whole numbers are the centres of pixels. Visibility: 2 visible, 1 hidden, 0 outside the picture or
not labelled. Left and right are the person's own.

"""

_KINDS: Final = {
    "coco": "COCO keypoints",
    "yolo": "Ultralytics pose",
    "webdataset": "WebDataset",
    "hdf5": "HDF5",
}

_BODIES: Final = {
    "coco": """\
`annotations/*.json`, pictures under `images`. Categories 1 left_hand, 2 right_hand. A box goes
around the whole hand, what covers it or not, counted from the picture's corner; `area` is the
box's; `segmentation` has the pixels in which the hand is seen, without its forearm. Beyond COCO:
images have `depth_scale` and `camera`; annotations `side`, `wearer`, `occlusion` (a cause for each
keypoint: 0 none, 1 self, 2 other_hand, 3 object, 4 outside, 5 dropout), `keypoints_cam_m` (x, y, z
in the camera's axes), `bbox_visible`, `visible_fraction`.

```python
from pycocotools.coco import COCO  # or faster_coco_eval
import cv2

coco = COCO("annotations/{split}.json")
image = coco.loadImgs(coco.getImgIds()[:1])[0]
depth = cv2.imread("images/" + image["file_name"], cv2.IMREAD_UNCHANGED)
hands = coco.loadAnns(coco.getAnnIds(image["id"]))
```

mmpose: `metainfo=dict(from_file="dataset_info.py")`.
""",
    "yolo": """\
Classes 0 left_hand, 1 right_hand. Places are shares of the picture's size from its corner: a pixel
is x * width - 0.5.

    yolo pose train data=data.yaml model=yolo11n-pose.yaml fliplr=0

`fliplr=0` is needed: a mirror makes a right hand of a left one, and would leave its class.
""",
    "webdataset": """\
A sample is KEY.depth.png, KEY.parts.png and KEY.json. Decode PNG yourself: `.decode("pil")` cuts 16
bits to 8.

```python
import cv2
import numpy as np
import webdataset as wds

def decode_png(key, data):
    if key.endswith(".png"):
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)

data = wds.WebDataset("{pattern}", shardshuffle=False).decode(decode_png)
sample = next(iter(data))
depth_m = sample["depth.png"] / sample["json"]["depth_scale"]
px = np.array(sample["json"]["hands"][0]["keypoints_px"], float)  # null is NaN
```
""",
    "hdf5": """\
A file a split. Frame i's hands are the rows `hand_offsets[i]` to `hand_offsets[i + 1]` of `hands`,
its objects likewise. NaN, -1 and "" stand for what is absent.

```python
import h5py

with h5py.File("{split}.h5") as file:
    depth_m = file["depth"][3] / file["depth_scale"][3]
    first, stop = file["hand_offsets"][3:5]
    px = file["hands/keypoints_px"][first:stop]  # (hands, 21, 2)
```
""",
}


def write_readme(folder: Path, kind: str, about: About, **words: str) -> None:
    """Write it. words: what its parts name besides: depth, split, pattern."""
    head = _HEAD.format(
        title=about.title,
        frames=about.frames,
        kind=_KINDS[kind],
        version=about.version,
        sensor=about.sensor,
        license=about.license,
        depth=words["depth"],
    )
    body = _BODIES[kind].replace("{split}", words["split"])
    body = body.replace("{pattern}", words.get("pattern", ""))
    write_file(folder / "README.md", (head + body).encode())
