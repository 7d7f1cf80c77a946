"""Recordings as devices write them, made with the formats' own libraries: small, and known.

Every one has `COUNT` frames of `SIZE` with colour and infrared where the format can.
"""

import json
import struct
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

COUNT = 5
WIDTH, HEIGHT = 48, 36
PERIOD_NS = 33_333_333
START_NS = 1_700_000_000_123_456_789
CAMERA = {
    "model": "pinhole", "width": WIDTH, "height": HEIGHT,
    "fx": 40.25, "fy": 40.5, "cx": 23.75, "cy": 17.5,
}  # fmt: skip


@dataclass(frozen=True)
class Known:
    """What a recording holds."""

    depth: list[np.ndarray]
    """uint16 as recorded."""
    scale: float
    """Steps a metre."""
    time_ns: np.ndarray
    color: list[np.ndarray] | None = None
    """(H, W, 3) red first."""
    infrared: list[np.ndarray] | None = None
    camera: dict[str, Any] = field(default_factory=lambda: dict(CAMERA))


def make_known(
    scale: float = 1000.0, count: int = COUNT, size: tuple[int, int] = (WIDTH, HEIGHT)
) -> Known:
    """A hand-sized box that moves before a wall, with holes and with every bit of 16 used."""
    rng = np.random.default_rng(7)
    width, height = size
    depth, color, infrared = [], [], []
    for k in range(count):
        image = rng.normal(1.0, 0.002, (height, width)) * scale
        image[8:20, 4 + 6 * k : 14 + 6 * k] = 0.4 * scale
        image = np.clip(image, 0, 65535).astype(np.uint16)
        image[rng.random(image.shape) < 0.1] = 0
        image[0, :4] = (1, 255, 256, 65535)
        depth.append(image)
        color.append(rng.integers(0, 256, (height, width, 3)).astype(np.uint8))
        infrared.append(rng.integers(0, 256, (height, width)).astype(np.uint8))
    times = START_NS + PERIOD_NS * np.arange(count)
    return Known(depth, scale, times, color, infrared)


def write_pictures(folder: Path, known: Known, suffix: str = ".png", beside: bool = True) -> Path:
    """NNN.depth.png with NNN.rgb.png, NNN.ir.png, camera.json and timestamps.txt."""
    folder.mkdir(parents=True, exist_ok=True)
    stated = {**known.camera, "depth_scale_per_m": known.scale}
    (folder / "camera.json").write_text(json.dumps(stated))
    lines = []
    for k, image in enumerate(known.depth):
        name = f"{k:03d}.depth{suffix}"
        assert cv2.imwrite(str(folder / name), image)
        lines.append(f"{name} {known.time_ns[k] // 10**9}.{known.time_ns[k] % 10**9:09d}")
        if beside and known.color is not None and known.infrared is not None:
            cv2.imwrite(str(folder / f"{k:03d}.rgb.png"), known.color[k][..., ::-1])
            cv2.imwrite(str(folder / f"{k:03d}.ir.png"), known.infrared[k].astype(np.uint16) * 9)
    (folder / "timestamps.txt").write_text("\n".join(lines) + "\n")
    return folder


def write_exr(folder: Path, images: list[np.ndarray], channel: str = "Z") -> Path:
    """NNN.exr of floats, and camera.json."""
    import OpenEXR

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "camera.json").write_text(json.dumps(CAMERA))
    header = {"type": OpenEXR.scanlineimage, "compression": OpenEXR.ZIP_COMPRESSION}
    for k, image in enumerate(images):
        OpenEXR.File(header, {channel: image}).write(str(folder / f"{k:03d}.exr"))
    return folder


def write_npz(path: Path, known: Known, **changes: Any) -> Path:
    """All that an .npz may have; changes replace arrays, None leaves one out."""
    K = [[known.camera["fx"], 0, known.camera["cx"]], [0, known.camera["fy"], known.camera["cy"]]]
    arrays: dict[str, Any] = {
        "depth": np.stack(known.depth),
        "color": np.stack(known.color or []),
        "infrared": np.stack(known.infrared or []),
        "time_s": known.time_ns / 1e9,
        "K": np.array([*K, [0, 0, 1]]),
        "depth_scale": np.array(known.scale),
        **changes,
    }
    np.savez_compressed(path, **{k: v for k, v in arrays.items() if v is not None})
    return path


class RosWriter:
    """A ROS 1 or 2 recording: messages by topic."""

    def __init__(self, path: Path, kind: str) -> None:
        """kind: ros1, sqlite3 or mcap."""
        from rosbags.typesys import Stores, get_typestore

        self.first = kind == "ros1"
        self.store = get_typestore(Stores.ROS1_NOETIC if self.first else Stores.ROS2_HUMBLE)
        if self.first:
            from rosbags.rosbag1 import Writer

            self.writer: Any = Writer(path)
        else:
            from rosbags.rosbag2 import StoragePlugin
            from rosbags.rosbag2 import Writer as Writer2

            plugin = StoragePlugin.MCAP if kind == "mcap" else StoragePlugin.SQLITE3
            self.writer = Writer2(path, version=9, storage_plugin=plugin)
        self.connections: dict[str, Any] = {}

    def __enter__(self) -> "RosWriter":
        self.writer.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.writer.__exit__(*error)

    def type(self, name: str) -> Any:
        return self.store.types[name]

    def header(self, time_ns: int) -> Any:
        stamp = self.type("builtin_interfaces/msg/Time")(
            sec=int(time_ns) // 10**9, nanosec=int(time_ns) % 10**9
        )
        more = {"seq": 0} if self.first else {}
        return self.type("std_msgs/msg/Header")(stamp=stamp, frame_id="camera", **more)

    def write(self, topic: str, kind: str, log_ns: int, message: Any, tail: bytes = b"") -> None:
        if topic not in self.connections:
            self.connections[topic] = self.writer.add_connection(topic, kind, typestore=self.store)
        serialize = self.store.serialize_ros1 if self.first else self.store.serialize_cdr
        data = bytes(serialize(message, kind)) + tail
        self.writer.write(self.connections[topic], int(log_ns), data)

    def image(
        self, topic: str, time_ns: int, image: np.ndarray, encoding: str, **options: Any
    ) -> None:
        """options: log_ns, tail, pad (bytes after each row), and fields of the message."""
        log_ns = options.pop("log_ns", time_ns)
        tail, pad = options.pop("tail", b""), options.pop("pad", 0)
        rows = np.ascontiguousarray(image).view(np.uint8).reshape(len(image), -1)
        rows = np.pad(rows, ((0, 0), (0, pad)))
        values: dict[str, Any] = {
            "header": self.header(time_ns), "height": image.shape[0], "width": image.shape[1],
            "encoding": encoding, "is_bigendian": 0, "step": rows.shape[1],
            "data": rows.ravel(), **options,
        }  # fmt: skip
        kind = "sensor_msgs/msg/Image"
        self.write(topic, kind, log_ns, self.type(kind)(**values), tail)

    def compressed(self, topic: str, time_ns: int, data: bytes, form: str) -> None:
        kind = "sensor_msgs/msg/CompressedImage"
        values = np.frombuffer(data, np.uint8)
        message = self.type(kind)(header=self.header(time_ns), format=form, data=values)
        self.write(topic, kind, time_ns, message)

    def info(
        self, topic: str, time_ns: int, camera: dict[str, Any], lens: str = "plumb_bob",
        D: tuple[float, ...] = (0.0,) * 5,
    ) -> None:  # fmt: skip
        kind = "sensor_msgs/msg/CameraInfo"
        K = np.array(
            [camera["fx"], 0, camera["cx"], 0, camera["fy"], camera["cy"], 0, 0, 1], np.float64
        )
        names = ("D", "K", "R", "P") if self.first else ("d", "k", "r", "p")
        values = (np.array(D, np.float64), K, np.eye(3).ravel(), np.zeros(12))
        roi = self.type("sensor_msgs/msg/RegionOfInterest")(0, 0, 0, 0, False)
        message = self.type(kind)(
            header=self.header(time_ns), height=camera["height"], width=camera["width"],
            distortion_model=lens, binning_x=0, binning_y=0, roi=roi,
            **dict(zip(names, values, strict=True)),
        )  # fmt: skip
        self.write(topic, kind, time_ns, message)

    def number(self, topic: str, time_ns: int, value: float) -> None:
        kind = "std_msgs/msg/Float32"
        self.write(topic, kind, time_ns, self.type(kind)(data=value))


ROS_DEPTH = "/camera/depth/image_rect_raw"


def write_ros(path: Path, known: Known, kind: str, **options: Any) -> Path:
    """A bag as realsense-ros records one. Returns what to name as the recording."""
    with RosWriter(path, kind) as bag:
        bag.info("/camera/depth/camera_info", START_NS, known.camera)
        bag.info("/camera/color/camera_info", START_NS, {**known.camera, "fx": 99.0})
        for k, image in enumerate(known.depth):
            t = int(known.time_ns[k])
            bag.image(ROS_DEPTH, t, image, "16UC1", log_ns=t + 5_000_000, **options)
            assert known.color is not None and known.infrared is not None
            color = known.color[k][..., ::-1]
            bag.image("/camera/color/image_raw", t + 4_000_000, color, "bgr8", pad=16)
            bag.image("/camera/infra1/image_rect_raw", t, known.infrared[k], "mono8")
    return path


REALSENSE = "/device_0/sensor_0/Depth_0"


def write_realsense(path: Path, known: Known, kind: str) -> Path:
    """A recording as librealsense makes one: .bag with four bytes after images, or .db3 with
    compressed depth and without the messages' definitions.
    """
    old = kind == "ros1"
    with RosWriter(path, kind) as bag:
        bag.number("/device_0/sensor_0/option/Depth Units/value", START_NS, 1.0 / known.scale)
        bag.info(f"{REALSENSE}/info/camera_info", START_NS, known.camera, "Brown Conrady")
        bag.info("/device_0/sensor_1/Color_0/info/camera_info", START_NS, known.camera, "None")
        for k, image in enumerate(known.depth):
            t = int(known.time_ns[k])
            if old:
                bag.image(f"{REALSENSE}/image/data", t, image, "mono16", tail=b"\1\2\3\4")
            else:
                png = cv2.imencode(".png", image)[1].tobytes()
                data = struct.pack("<iff", 0, 0.0, 0.0) + png
                form = "16UC1; compressedDepth png"
                bag.compressed(f"{REALSENSE}/image/data", t, data, form)
            assert known.color is not None and known.infrared is not None
            bag.image("/device_0/sensor_1/Color_0/image/data", t, known.color[k], "rgb8",
                      tail=b"\1\2\3\4" if old else b"")  # fmt: skip
            bag.image("/device_0/sensor_0/Infrared_1/image/data", t, known.infrared[k], "8UC1",
                      tail=b"\1\2\3\4" if old else b"")  # fmt: skip
    if old:
        return path
    import sqlite3

    file = path / f"{path.name}.db3"
    with sqlite3.connect(file) as base:
        base.execute("DELETE FROM message_definitions")
    base.close()
    return file.rename(path.parent / f"{path.name}.db3")


def build_calibration(width: int = 1024) -> bytes:
    """The depth camera that the preset azure-nfov was made from, and a colour one."""
    from frames.camera import CAMERAS

    c = CAMERAS["azure-nfov"]
    k1, k2, p1, p2, k3, k4, k5, k6 = c.distortion
    depth = [(c.cx + 96.5) / 512, (c.cy + 90.5) / 512, c.fx / 512, c.fy / 512]
    color = [0.5, 0.5, 0.45, 0.6]
    cameras = [
        {
            "Location": f"CALIBRATION_CameraLocation{place}",
            "Intrinsics": {
                "ModelParameterCount": 14,
                "ModelParameters": [*first, k1, k2, k3, k4, k5, k6, 0, 0, p2, p1],
                "ModelType": "CALIBRATION_LensDistortionModelBrownConrady",
            },
            "MetricRadius": 1.74,
            "Rt": {"Rotation": list(np.eye(3).ravel()), "Translation": [0, 0, 0]},
            "SensorWidth": sensor[0],
            "SensorHeight": sensor[1],
        }
        for place, first, sensor in (("D0", depth, (width, width)), ("PV0", color, (4096, 3072)))
    ]
    return json.dumps({"CalibrationInformation": {"Cameras": cameras}}).encode() + b"\0"


def write_kinect(path: Path, known: Known, **options: Any) -> Path:
    """A Matroska file as k4arecorder makes one. options: calibration (None: not attached), depth
    (False: no track), color ("mjpeg" or "none").
    """
    import av

    calibration = options.get("calibration", build_calibration())
    height, width = known.depth[0].shape
    with av.open(str(path), "w", format="matroska", container_options={"allow_raw_vfw": "1"}) as f:
        tracks: dict[str, Any] = {}
        for title in ("COLOR", "DEPTH", "IR"):
            if title == "COLOR" and options.get("color") == "none":
                continue
            name = "DEPTH_OFF" if title == "DEPTH" and not options.get("depth", True) else title
            stream = f.add_stream("mjpeg" if title == "COLOR" else "rawvideo", rate=30)
            stream.width, stream.height = width, height
            stream.pix_fmt = "yuvj444p" if title == "COLOR" else "gray16be"
            stream.metadata["title"] = name
            tracks[title] = stream
        if calibration is not None:
            f.add_attachment("calibration.json", "application/octet-stream", calibration)
        for k in range(len(known.depth)):
            t = int(known.time_ns[k] - known.time_ns[0]) // 1_000_000
            for title, stream in tracks.items():
                if title == "COLOR":
                    assert known.color is not None
                    frame = av.VideoFrame.from_ndarray(known.color[k], format="rgb24")
                    frame = frame.reformat(format="yuvj444p")
                else:
                    gray = known.depth[k] if title == "DEPTH" else (known.infrared or [])[k]
                    frame = av.VideoFrame(width, height, "gray16be")
                    plane = np.zeros((height, frame.planes[0].line_size // 2), ">u2")
                    plane[:, :width] = gray
                    frame.planes[0].update(plane.tobytes())
                frame.pts, frame.time_base = t, Fraction(1, 1000)
                for packet in stream.encode(frame):
                    f.mux(packet)
        for stream in tracks.values():
            for packet in stream.encode():
                f.mux(packet)
    # libavformat leaves the name of raw video out of its codec private data; k4arecorder has b16g.
    data = path.read_bytes()
    plain = struct.pack("<HH", 1, 16) + bytes(4)
    named = struct.pack("<HH", 1, 16) + b"b16g"
    assert data.count(plain) >= 1
    path.write_bytes(data.replace(plain, named))
    return path
