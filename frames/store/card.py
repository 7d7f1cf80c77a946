"""The dataset card: Markdown with the YAML header that the Hugging Face hub reads."""

import json
from typing import Any, Final

_SIZES: Final = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"),
)

_WHAT: Final = {
    "synthetic": "of hands with exact labels",
    "real": "of a real camera, its readings as recorded",
}

_BODY: Final = """\
# {title}

{frames:,} depth frames {what}, made by handloom {version}.

Every row of `shards/*.parquet` is one frame: camera, depth image, part image, and for every hand
its 21 keypoints in pixels and metres, visibility and its cause, boxes, joint angles and shape.
Images are zstd blobs; depth is uint16, {scale} steps a metre, 0 = no reading.

```python
import frames

data = frames.open_dataset("{folder}")
print(len(data), data[0].{example})
```

Each shard has its SHA-256 beside it: `cd shards && sha256sum -c *.sha256`. `handloom verify`
checks that and the labels.

## Metadata

| key | value |
|---|---|
{table}
"""


def build_card(meta: dict[str, Any]) -> str:
    """The card of a dataset from its metadata; the same metadata give the same bytes.

    Read where present: "title", "license" (an SPDX id), "generator_version", "depth_scale"; every
    key is listed in a table, long values shortened.
    """
    frames = int(meta["frames"])
    license_id = str(meta.get("license", "other")).lower()
    header = [
        "---",
        f"license: {license_id}",
        "task_categories:",
        "- keypoint-detection",
        "- depth-estimation",
        "tags:",
        "- hand-pose",
        "- depth",
        "- egocentric",
        f"- {meta.get('source', 'synthetic')}",
        "size_categories:",
        f"- {next((name for limit, name in _SIZES if frames < limit), 'n>100M')}",
        "configs:",
        "- config_name: default",
        "  data_files: shards/*.parquet",
        "---",
        "",
    ]
    rows = []
    for key in sorted(meta):
        value = json.dumps(meta[key], sort_keys=True)
        value = value if len(value) <= 200 else value[:197] + "..."
        escaped = value.replace("|", "\\|")
        rows.append(f"| {key} | `{escaped}` |")
    body = _BODY.format(
        title=meta.get("title", "Hand depth frames"),
        frames=frames,
        example="depth.shape" if meta.get("source") == "real" else "hands[0].keypoints_px",
        what=_WHAT.get(str(meta.get("source")), _WHAT["synthetic"]),
        version=meta.get("generator_version", ""),
        scale=f"{meta.get('depth_scale', 10_000):,.0f}",
        folder="path/to/this/folder",
        table="\n".join(rows),
    )
    return "\n".join(header) + body
