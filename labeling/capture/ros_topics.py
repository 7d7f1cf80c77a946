"""Which topics of a ROS bag have depth, colour, infrared and the camera of the depth."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from frames.errors import BadInput

IMAGE: Final = "sensor_msgs/msg/Image"
COMPRESSED: Final = "sensor_msgs/msg/CompressedImage"
CAMERA_INFO: Final = "sensor_msgs/msg/CameraInfo"
FLOAT: Final = "std_msgs/msg/Float32"

_REALSENSE: Final = re.compile(r"^/device_\d+/sensor_\d+/")
_DEPTH: Final = re.compile(r"depth", re.IGNORECASE)
_COLOR: Final = re.compile(r"colou?r|rgb", re.IGNORECASE)
_INFRARED: Final = re.compile(r"infra|/ir\d?(/|$)|/ir_", re.IGNORECASE)
_RESAMPLED: Final = re.compile(r"aligned|registered|to_color|to_rgb|points|confidence", re.I)


@dataclass(frozen=True)
class Topics:
    """Connections of rosbags, by what they carry."""

    depth: Any
    color: Any | None
    infrared: Any | None
    camera: Any | None
    color_camera: Any | None
    units: Any | None
    """RealSense's depth unit."""

    realsense: bool
    """Whether librealsense itself recorded it."""


def choose_topics(connections: Iterable[Any], topic: str, place: str) -> Topics:
    """The topics of a bag. topic: the depth's, "" for the only one that is called so.

    Depth as the sensor has it goes before depth resampled into the colour image, and messages
    before their compressed copies. Raises BadInput, listing the topics with images, for a topic
    that is not there, for none with depth, and where there are several.
    """
    known = {c.topic: c for c in connections}
    images = [c for c in known.values() if c.msgtype in (IMAGE, COMPRESSED)]
    listed = ", ".join(sorted(c.topic for c in images)) or "none"
    if topic:
        if topic not in {c.topic for c in images}:
            raise BadInput(f"{place} has no images on the topic {topic}; images are on {listed}")
        depth = known[topic]
    else:
        found = [
            c for c in images if _DEPTH.search(c.topic) and not _INFRARED.search(c.topic)
        ]  # fmt: skip
        found = [c for c in found if not _RESAMPLED.search(c.topic)] or found
        found = _drop_copies(found)
        if not found:
            raise BadInput(f"{place} has no topic with depth; images are on {listed}: give --topic")
        if len(found) > 1:
            names = ", ".join(sorted(c.topic for c in found))
            raise BadInput(f"{place} has several topics with depth: give --topic, one of {names}")
        depth = found[0]
    realsense = bool(_REALSENSE.match(depth.topic))
    color = _choose(images, _COLOR, depth)
    units = None
    if realsense:
        sensor = "/".join(depth.topic.split("/")[:3])
        wanted = re.compile(re.escape(sensor) + r"/option/Depth.Units/value", re.IGNORECASE)
        units = next((c for c in known.values() if wanted.fullmatch(c.topic)), None)
    return Topics(
        depth,
        color,
        _choose(images, _INFRARED, depth),
        _find_info(known, depth.topic),
        None if color is None else _find_info(known, color.topic),
        units,
        realsense,
    )


def _choose(images: Sequence[Any], name: re.Pattern[str], depth: Any) -> Any | None:
    """The first topic of this kind by name; a raw one before its compressed copy."""
    found = [c for c in images if name.search(c.topic) and not _DEPTH.search(c.topic)]
    found = _drop_copies([c for c in found if c.topic != depth.topic])
    return min(found, key=lambda c: c.topic, default=None)


def _drop_copies(found: Sequence[Any]) -> list[Any]:
    """The topics without those that are compressed copies of others among them."""
    raw = {c.topic for c in found if c.msgtype == IMAGE}
    return [
        c for c in found if c.msgtype == IMAGE or c.topic.rpartition("/")[0] not in raw
    ]  # fmt: skip


def _find_info(known: dict[str, Any], topic: str) -> Any | None:
    """The camera_info of an image topic: beside it, or where librealsense puts it."""
    base = topic
    nested = re.search(r"/(compressed\w*|image/data)$", topic) is not None
    for _ in range(2 if nested else 1):
        base = base.rpartition("/")[0]
        for name in (f"{base}/camera_info", f"{base}/info/camera_info"):
            if name in known and known[name].msgtype == CAMERA_INFO:
                return known[name]
    return None
