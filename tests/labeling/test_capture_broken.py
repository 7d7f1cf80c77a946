"""Recordings that cannot be: one line each, exit code 2, nothing written."""

import json
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from commands import assert_refused, call
from recordings import (
    CAMERA,
    PERIOD_NS,
    ROS_DEPTH,
    START_NS,
    RosWriter,
    build_calibration,
    make_known,
    write_exr,
    write_kinect,
    write_npz,
    write_pictures,
    write_realsense,
    write_ros,
)

KNOWN = make_known()
IMAGE = KNOWN.depth[0]
CASES: dict[str, tuple[Callable[[Path], object], str, tuple[str, ...]]] = {}


def case(*said: str, options: str = "") -> Callable[[Any], Any]:
    """A maker of a recording in a folder, which returns its path, and what is said of it."""

    def register(make: Callable[[Path], object]) -> Callable[[Path], object]:
        CASES[make.__name__] = (make, options, said)
        return make

    return register


def cut(path: Path, share: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def claim(png: bytes, width: int, height: int) -> bytes:
    return png[:16] + struct.pack(">II", width, height) + png[24:]


@case("does not exist")
def not_there(at: Path) -> Path:
    return at / "nothing.bag"


@case("must be one of .bag, .db3")
def no_recording(at: Path) -> Path:
    (at / "a.txt").write_text("hello")
    return at / "a.txt"


@case("has no depth images")
def empty_folder(at: Path) -> Path:
    (at / "in").mkdir()
    return at / "in"


@case("has no camera.json", "--camera")
def folder_without_camera(at: Path) -> Path:
    folder = write_pictures(at / "in", KNOWN)
    (folder / "camera.json").unlink()
    return folder


@case("no such file, and the presets are", options="--camera none.json")
def camera_not_there(at: Path) -> Path:
    return write_pictures(at / "in", KNOWN)


@case("has 48 x 36 pixels, the camera has 424 x 240", options="--camera d435 --depth-scale 1000")
def camera_of_another_size(at: Path) -> Path:
    return write_pictures(at / "in", KNOWN)


@case("depth scale", "is unknown: give --depth-scale")
def folder_without_scale(at: Path) -> Path:
    folder = write_pictures(at / "in", KNOWN)
    (folder / "camera.json").write_text(json.dumps(CAMERA))
    return folder


@case("depth_scale must be > 0, got -5", options="--depth-scale -5")
def negative_scale(at: Path) -> Path:
    return write_pictures(at / "in", KNOWN)


@case("fps must be > 0, got inf", options="--fps inf")
def endless_fps(at: Path) -> Path:
    return write_pictures(at / "in", KNOWN)


@case("camera.json is not valid JSON")
def broken_camera(at: Path) -> Path:
    folder = write_pictures(at / "in", KNOWN)
    (folder / "camera.json").write_text("{")
    return folder


@case("003.depth.png", "must be a depth image of 16 bits and one channel, got 8 bits and 3")
def depth_of_8_bits(at: Path) -> Path:
    folder = write_pictures(at / "in", KNOWN)
    cv2.imwrite(str(folder / "003.depth.png"), np.zeros((36, 48, 3), np.uint8))
    return folder


@case("004.depth.png has 20 x 10 pixels, the camera has 48 x 36")
def sizes_that_disagree(at: Path) -> Path:
    folder = write_pictures(at / "in", KNOWN)
    cv2.imwrite(str(folder / "004.depth.png"), np.zeros((10, 20), np.uint16))
    return folder


@case("its header says 40000 x 25000 pixels: sides of 1 to 8192 can be")
def a_few_bytes_that_claim_a_thousand_million_pixels(at: Path) -> Path:
    folder = write_pictures(at / "in", KNOWN)
    path = folder / "002.depth.png"
    path.write_bytes(claim(path.read_bytes(), 40_000, 25_000)[:33])
    return folder


@case("002.depth.png cannot be read as a picture: its header is cut off")
def four_bytes(at: Path) -> Path:
    folder = write_pictures(at / "in", KNOWN)
    path = folder / "002.depth.png"
    path.write_bytes(path.read_bytes()[:8] + b"\0" * 4)
    return folder


@case("its header says 100000 x 36 pixels")
def tiff_that_claims_too_much(at: Path) -> Path:
    folder = write_pictures(at / "in", KNOWN, ".tiff")
    path = folder / "000.depth.tiff"
    data = bytearray(path.read_bytes())
    place = struct.unpack_from("<I", data, 4)[0]
    for k in range(struct.unpack_from("<H", data, place)[0]):
        at_entry = place + 2 + 12 * k
        if struct.unpack_from("<H", data, at_entry)[0] == 256:
            struct.pack_into("<HHII", data, at_entry, 256, 4, 1, 100_000)
    path.write_bytes(data)
    return folder


@case("001.rgb.png cannot be read as a picture")
def broken_colour(at: Path) -> Path:
    folder = write_pictures(at / "in", KNOWN)
    (folder / "001.rgb.png").write_bytes(b"no picture")
    return folder


@case("time stamps of", "are out of order: frame 2 has", "--fps N counts frames instead")
def times_out_of_order(at: Path) -> Path:
    folder = write_pictures(at / "in", KNOWN)
    names = sorted(p.name for p in folder.glob("*.depth.png"))
    times = ("1.0", "2.0", "1.5", "3.0", "4.0")
    rows = [f"{n} {t}" for n, t in zip(names, times, strict=True)]
    (folder / "timestamps.txt").write_text("\n".join(rows))
    return folder


@case("has no time for 004.depth.png")
def times_of_some(at: Path) -> Path:
    folder = write_pictures(at / "in", KNOWN)
    path = folder / "timestamps.txt"
    path.write_text("\n".join(path.read_text().splitlines()[:4]))
    return folder


@case("has 3 times for 5 depth images")
def too_few_times(at: Path) -> Path:
    folder = write_pictures(at / "in", KNOWN)
    (folder / "timestamps.txt").write_text("1\n2\n3\n")
    return folder


@case("must have a time in every line, line 3 is 'soon'")
def times_in_words(at: Path) -> Path:
    folder = write_pictures(at / "in", KNOWN)
    (folder / "timestamps.txt").write_text("1\n2\nsoon\n3\n4\n")
    return folder


@case("is a dataset already")
def a_dataset(at: Path) -> Path:
    (at / "in").mkdir()
    (at / "in" / "dataset.json").write_text("{}")
    return at / "in"


@case("holds recordings: name one, such as")
def folder_of_bags(at: Path) -> Path:
    (at / "in").mkdir()
    (at / "in" / "b.bag").write_bytes(b"")
    return at / "in"


@case("is no EXR file")
def exr_of_text(at: Path) -> Path:
    pytest.importorskip("OpenEXR")
    folder = write_exr(at / "in", [IMAGE.astype(np.float32)] * 2)
    (folder / "001.exr").write_bytes(b"abcd")
    return folder


@case("001.exr is truncated or broken")
def exr_cut(at: Path) -> Path:
    pytest.importorskip("OpenEXR")
    folder = write_exr(at / "in", [IMAGE.astype(np.float32)] * 2)
    cut(folder / "001.exr", 0.1)
    return folder


@case("has the channels A, B: one called Z must be the depth")
def exr_of_two_channels(at: Path) -> Path:
    OpenEXR = pytest.importorskip("OpenEXR")
    folder = write_exr(at / "in", [])
    header = {"type": OpenEXR.scanlineimage}
    channels = {name: IMAGE.astype(np.float32) for name in "AB"}
    OpenEXR.File(header, channels).write(str(folder / "0.exr"))
    return folder


@case("would be 1e+03 m in the median, at 1 a metre: give --depth-scale (1000 for millimetres)")
def exr_in_millimetres(at: Path) -> Path:
    pytest.importorskip("OpenEXR")
    return write_exr(at / "in", [np.full((36, 48), 1000, np.float32)])


@case("has depth in floats and", "in whole numbers")
def floats_beside_whole_numbers(at: Path) -> Path:
    folder = write_pictures(at / "in", KNOWN)
    np.save(folder / "9.npy", np.ones((36, 48), np.float32))
    return folder


@case("is truncated: an array of (25000, 40000, 1)")
def npy_that_claims_too_much(at: Path) -> Path:
    (at / "camera.json").write_text(json.dumps(CAMERA))
    header = "{'descr': '<u2', 'fortran_order': False, 'shape': (25000, 40000, 1), }\n"
    data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + b"\0\0\0\0"
    (at / "a.npy").write_bytes(data)
    return at / "a.npy"


@case("must hold numbers, got object")
def npy_of_objects(at: Path) -> Path:
    np.save(at / "a.npy", np.array([{}, {}], object), allow_pickle=True)
    return at / "a.npy"


@case("is stored column by column")
def npy_by_columns(at: Path) -> Path:
    np.save(at / "a.npy", np.asfortranarray(np.stack(KNOWN.depth)))
    return at / "a.npy"


@case("must be 0 to 65535, got -1")
def npy_of_negative_depth(at: Path) -> Path:
    (at / "camera.json").write_text(json.dumps({**CAMERA, "depth_scale_per_m": 1000}))
    np.save(at / "a.npy", np.full((2, 36, 48), -1, np.int32))
    return at / "a.npy"


@case("has no array depth, it has color, infrared, time_s, K, depth_scale")
def npz_without_depth(at: Path) -> Path:
    return write_npz(at / "a.npz", KNOWN, depth=None)


@case("[color.npy] must hold (N, H, W, 3) uint8 with N = 5, got (3, 36, 48, 3) uint8")
def npz_of_several_lengths(at: Path) -> Path:
    return write_npz(at / "a.npz", KNOWN, color=np.zeros((3, 36, 48, 3), np.uint8))


@case("[time_s.npy] must be (5,) seconds in floats or ns in int64, got (4,) float64")
def npz_of_other_times(at: Path) -> Path:
    return write_npz(at / "a.npz", KNOWN, time_s=np.arange(4.0))


@case("must be finite seconds")
def npz_of_no_times(at: Path) -> Path:
    return write_npz(at / "a.npz", KNOWN, time_s=np.full(5, np.nan))


@case("camera fx must be a focal length > 0 px, got 0.0", "a.npz")
def npz_of_no_camera(at: Path) -> Path:
    return write_npz(at / "a.npz", KNOWN, K=np.zeros((3, 3)))


@case("has no depth frame")
def npz_of_no_frame(at: Path) -> Path:
    return write_npz(at / "a.npz", KNOWN, depth=np.zeros((0, 36, 48), np.uint16), time_s=None,
                     color=None, infrared=None)  # fmt: skip


@case("a.npz is truncated or broken")
def npz_cut(at: Path) -> Path:
    return cut(write_npz(at / "a.npz", KNOWN), 0.5)


def need_rosbags() -> None:
    pytest.importorskip("rosbags")


@case("a.bag is truncated or broken")
def bag_cut(at: Path) -> Path:
    need_rosbags()
    return cut(write_ros(at / "a.bag", KNOWN, "ros1"), 0.7)


@case("a.bag is truncated or broken")
def bag_of_four_bytes(at: Path) -> Path:
    need_rosbags()
    (at / "a.bag").write_bytes(b"abcd")
    return at / "a.bag"


@case("a.mcap is truncated or broken")
def mcap_cut(at: Path) -> Path:
    need_rosbags()
    return cut(write_ros(at / "a", KNOWN, "mcap") / "a.mcap", 0.6)


@case("a.db3 is truncated or broken")
def db3_cut(at: Path) -> Path:
    need_rosbags()
    return cut(write_ros(at / "a", KNOWN, "sqlite3") / "a.db3", 0.5)


@case("is truncated or broken")
def metadata_of_nothing(at: Path) -> Path:
    need_rosbags()
    folder = write_ros(at / "a", KNOWN, "mcap")
    (folder / "metadata.yaml").write_text("a: [")
    return folder


@case("has no images on the topic /nowhere; images are on /camera/color/image_raw,",
      options="--topic /nowhere")  # fmt: skip
def wrong_topic(at: Path) -> Path:
    need_rosbags()
    return write_ros(at / "a.bag", KNOWN, "ros1")


@case("has images of bgr8: depth is 16UC1 or 32FC1", options="--topic /camera/color/image_raw")
def topic_of_colour(at: Path) -> Path:
    need_rosbags()
    return write_ros(at / "a.bag", KNOWN, "ros1")


@case("has no topic with depth; images are on /color/image: give --topic")
def bag_without_depth(at: Path) -> Path:
    need_rosbags()
    with RosWriter(at / "a", "mcap") as bag:
        bag.image("/color/image", START_NS, np.zeros((4, 4, 3), np.uint8), "rgb8")
    return at / "a"


@case("has no topic with depth; images are on none")
def bag_of_nothing(at: Path) -> Path:
    need_rosbags()
    with RosWriter(at / "a", "mcap") as bag:
        bag.number("/x", START_NS, 1.0)
    return at / "a"


@case("has several topics with depth: give --topic, one of /a/depth/image, /b/depth/image")
def bag_of_two_depths(at: Path) -> Path:
    need_rosbags()
    with RosWriter(at / "a", "mcap") as bag:
        for name in "ab":
            bag.image(f"/{name}/depth/image", START_NS, IMAGE, "16UC1")
    return at / "a"


@case("has no camera_info beside it: give its camera with --camera")
def bag_without_camera(at: Path) -> Path:
    need_rosbags()
    with RosWriter(at / "a", "mcap") as bag:
        bag.image(ROS_DEPTH, START_NS, IMAGE, "16UC1")
    return at / "a"


@case("has the lens model 'Ftheta' with coefficients, which is unknown here")
def bag_of_a_strange_lens(at: Path) -> Path:
    need_rosbags()
    with RosWriter(at / "a", "mcap") as bag:
        bag.info("/depth/camera_info", START_NS, CAMERA, "Ftheta", (0.5,) * 5)
        bag.image("/depth/image", START_NS, IMAGE, "16UC1")
    return at / "a"


def write_depth(at: Path, **options: Any) -> Path:
    """A bag whose third message is like no other."""
    need_rosbags()
    with RosWriter(at / "a", "mcap") as bag:
        bag.info("/depth/camera_info", START_NS, CAMERA)
        for k in range(4):
            image = options.pop("image", IMAGE) if k == 2 else IMAGE
            encoding = options.pop("encoding", "16UC1") if k == 2 else "16UC1"
            more = options if k == 2 else {}
            bag.image("/depth/image", START_NS + k * PERIOD_NS, image, encoding, **more)
    return at / "a"


@case("says 40000 x 25000 pixels: sides of 1 to 8192 can be")
def message_that_claims_too_much(at: Path) -> Path:
    return write_depth(at, width=40_000, height=25_000)


@case("says 48 x 36 pixels in rows of 96 bytes, and has 4 bytes")
def message_without_data(at: Path) -> Path:
    return write_depth(at, data=np.zeros(4, np.uint8))


@case("pixels in rows of 1 bytes")
def message_of_short_rows(at: Path) -> Path:
    return write_depth(at, step=1)


@case("has 20 x 10 pixels, the camera has 48 x 36")
def message_of_another_size(at: Path) -> Path:
    return write_depth(at, image=np.zeros((10, 20), np.uint16))


@case("has images of the unknown encoding 'x9'")
def message_of_a_strange_encoding(at: Path) -> Path:
    return write_depth(at, encoding="x9")


@case("has depth of uint16 and of float32")
def message_of_another_kind(at: Path) -> Path:
    return write_depth(at, image=IMAGE.astype(np.float32), encoding="32FC1")


@case("are out of order: frame 2 has")
def messages_out_of_order(at: Path) -> Path:
    need_rosbags()
    with RosWriter(at / "a", "mcap") as bag:
        bag.info("/depth/camera_info", START_NS, CAMERA)
        for k, t in enumerate((0, 2, 1, 3)):
            log = START_NS + k * PERIOD_NS
            bag.image("/depth/image", START_NS + t * PERIOD_NS, IMAGE, "16UC1", log_ns=log)
    return at / "a"


@case("its header says 40000 x 25000 pixels")
def compressed_that_claims_too_much(at: Path) -> Path:
    need_rosbags()
    png = claim(cv2.imencode(".png", IMAGE)[1].tobytes(), 40_000, 25_000)
    with RosWriter(at / "a", "mcap") as bag:
        bag.info("/depth/camera_info", START_NS, CAMERA)
        bag.compressed("/depth/image/compressedDepth", START_NS, bytes(12) + png[:60],
                       "16UC1; compressedDepth png")  # fmt: skip
    return at / "a"


@case("is compressed by RVL")
def compressed_otherwise(at: Path) -> Path:
    need_rosbags()
    with RosWriter(at / "a", "mcap") as bag:
        bag.info("/depth/image/camera_info", START_NS, CAMERA)
        bag.compressed("/depth/image/compressedDepth", START_NS, bytes(60),
                       "16UC1; compressedDepth rvl")  # fmt: skip
    return at / "a"


@case("has a depth unit of 1e-09 m: give --depth-scale")
def realsense_of_strange_units(at: Path) -> Path:
    need_rosbags()
    from dataclasses import replace

    return write_realsense(at / "a.bag", replace(KNOWN, scale=1e9), "ros1")


KINECT = make_known(1000.0, 4, (320, 288))


def need_av() -> None:
    pytest.importorskip("av")


@case("a.mkv is truncated")
def mkv_cut(at: Path) -> Path:
    need_av()
    return cut(write_kinect(at / "a.mkv", make_known(1000.0, 20, (320, 288))), 0.5)


@case("a.mkv is truncated or broken")
def mkv_of_four_bytes(at: Path) -> Path:
    need_av()
    (at / "a.mkv").write_bytes(b"abcd")
    return at / "a.mkv"


@case("has no track DEPTH, it has COLOR, DEPTH_OFF, IR: was the depth camera on?")
def mkv_without_depth(at: Path) -> Path:
    need_av()
    return write_kinect(at / "a.mkv", KINECT, depth=False)


@case("has no calibration.json attached: give the camera with --camera")
def mkv_without_calibration(at: Path) -> Path:
    need_av()
    return write_kinect(at / "a.mkv", KINECT, calibration=None)


@case("the calibration in", "is truncated or broken")
def mkv_of_a_broken_calibration(at: Path) -> Path:
    need_av()
    return write_kinect(at / "a.mkv", KINECT, calibration=build_calibration()[:99])


@case("has no camera CALIBRATION_CameraLocationD0")
def mkv_of_another_calibration(at: Path) -> Path:
    need_av()
    other = b'{"CalibrationInformation": {"Cameras": []}}'
    return write_kinect(at / "a.mkv", KINECT, calibration=other)


@case("has depth of 48 x 36 pixels; Azure Kinect's is 320 x 288")
def mkv_of_no_mode(at: Path) -> Path:
    need_av()
    return write_kinect(at / "a.mkv", KNOWN)


@pytest.mark.parametrize("name", list(CASES))
def test_a_recording_that_cannot_be(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    make, options, said = CASES[name]
    path = make(tmp_path)
    out = tmp_path / "out"
    found = call(capfd, "capture", path, out, *options.split())
    assert_refused(found, *said)
    assert not out.exists()


def test_the_same_folder_twice(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = write_pictures(tmp_path / "in", KNOWN)
    assert_refused(call(capfd, "capture", folder, folder), "must have a folder of its own")
    assert_refused(
        call(capfd, "capture", folder, tmp_path / "out", "--frames-per-shard", "0"),
        "frames-per-shard must be between 1",
    )
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("keep")
    assert_refused(call(capfd, "capture", folder, full), "is not empty and no dataset")
    assert (full / "mine.txt").read_text() == "keep"
