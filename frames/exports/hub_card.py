"""The dataset card of an export for the Hugging Face hub."""

from typing import Any, Final

from frames.exports.layout import About
from frames.store.card import build_card

_BODY: Final = """\
# {title}

{frames:,} depth frames of hands with labels, made by handloom {version}; depth as read by:
{sensor}.

```python
import numpy as np
from datasets import load_dataset

data = load_dataset("path/to/this/folder", split="{split}")
frame = data[0]
depth_m = np.asarray(frame["depth"]) / frame["depth_scale"]  # z, not range; 0 is no reading
px = np.array(frame["hands"][0]["keypoints_px"])  # (21, 2)
```

`depth` is a 16-bit PNG, `depth_scale` steps a metre; `parts` codes of what is seen: 0 background,
32 k + 1 ... 32 k + 17 hand number k from palm to forearm, 224 + j object number j.
21 keypoints a hand: wrist, then thumb, index, middle, ring, pinky, each from the palm to the tip.
Visibility: 2 visible, 1 hidden, 0 outside the picture or not labelled. Left and right are the
person's own. NaN and null stand for what is absent. `croissant.json` describes every column.

| split | frames |
|---|---|
{splits}

## Columns

{columns}
"""


def build_hub_card(about: About, rows: dict[str, int], features: dict[str, Any]) -> str:
    """The card: YAML by which `load_dataset` finds the splits, and Markdown."""
    # The dataset's own card has the hub's other keys.
    header = build_card({**about.meta, "frames": about.frames}).split("---\n")[1]
    kept = header.split("configs:")[0]
    files = "".join(f"  - split: {s}\n    path: data/{s}-*.parquet\n" for s in rows)
    body = _BODY.format(
        title=about.title,
        frames=about.frames,
        version=about.version,
        sensor=about.sensor,
        split=next(iter(rows)),
        splits="\n".join(f"| {s} | {n:,} |" for s, n in rows.items()),
        columns=", ".join(f"`{name}`" for name in features),
    )
    return f"---\n{kept}configs:\n- config_name: default\n  data_files:\n{files}---\n\n{body}"
