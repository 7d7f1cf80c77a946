"""Every format, written by its own library, comes back to the last bit: depth, scale, times,
colour, infrared, camera.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from recordings import (
    CAMERA,
    COUNT,
    HEIGHT,
    PERIOD_NS,
    ROS_DEPTH,
    START_NS,
    WIDTH,
    Known,
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

from frames.camera import CAMERAS
from frames.errors import BadInput
from frames.store.pictures import decode_picture
from labeling.capture.opening import open_recording
from labeling.capture.recording import Recording, Request, Sight

Write = Callable[[Path], tuple[Path, Known]]


def open_path(path: Path, **options: Any) -> Recording:
    return open_recording(Request(str(path), **options))


def read_all(recording: Recording) -> list[Sight]:
    return list(recording.read(range(len(recording.head.timeline))))


def check_depth(recording: Recording, known: Known) -> list[Sight]:
    """All frames' depth, bit by bit, and the scale; the sights."""
    sights = read_all(recording)
    assert recording.head.units.depth_scale == known.scale
    assert len(sights) == len(known.depth)
    for sight, depth in zip(sights, known.depth, strict=True):
        assert sight.depth.dtype == np.uint16
        np.testing.assert_array_equal(sight.depth, depth)
    return sights


def check_camera(recording: Recording, known: Known) -> None:
    for name in ("width", "height", "fx", "fy", "cx", "cy"):
        assert getattr(recording.head.camera, name) == known.camera[name]


def check_pictures(sights: list[Sight], known: Known, infrared_step: int = 1) -> None:
    for k, sight in enumerate(sights):
        assert sight.color is not None and sight.infrared is not None
        assert known.color is not None and known.infrared is not None
        np.testing.assert_array_equal(decode_picture(sight.color), known.color[k])
        infrared = known.infrared[k].astype(np.uint16) * infrared_step
        np.testing.assert_array_equal(decode_picture(sight.infrared), infrared)


@pytest.mark.parametrize("scale", [1000.0, 4000.0, 10_000.0])
@pytest.mark.parametrize("suffix", [".png", ".tiff", ".tif"])
def test_folders_of_pictures(suffix: str, scale: float, tmp_path: Path) -> None:
    known = make_known(scale)
    recording = open_path(write_pictures(tmp_path / "a", known, suffix))
    check_pictures(check_depth(recording, known), known, 9)
    check_camera(recording, known)
    np.testing.assert_array_equal(recording.head.timeline.time_ns, known.time_ns)
    assert recording.name_origin(3) == f"003.depth{suffix}"


def test_a_jpeg_beside_stays_the_file_that_it_is(tmp_path: Path) -> None:
    known = make_known()
    folder = write_pictures(tmp_path / "a", known, beside=False)
    (folder / "rgb").mkdir()
    data = cv2.imencode(".jpg", np.full((9, 12, 3), 80, np.uint8))[1].tobytes()
    (folder / "rgb" / "2.jpg").write_bytes(data)
    sights = read_all(open_path(folder))
    assert [s.color for s in sights] == [None, None, data, None, None]
    assert all(s.color is None for s in read_all(open_path(folder, pictures=False)))


def test_folders_are_sequences_and_frames_go_by_number(tmp_path: Path) -> None:
    known = make_known()
    write_pictures(tmp_path / "a", known, beside=False)
    for clip, first in (("left", 8), ("right", 98)):
        (tmp_path / "a" / clip).mkdir()
        for k in range(3):
            path = tmp_path / "a" / clip / f"frame_{first + k}.png"
            cv2.imwrite(str(path), known.depth[k])
    for path in (tmp_path / "a").glob("*.depth.png"):
        path.unlink()
    (tmp_path / "a" / "timestamps.txt").unlink()
    recording = open_path(tmp_path / "a", fps=10.0)
    timeline = recording.head.timeline
    assert timeline.names == ("left/frame", "right/frame")
    assert timeline.sequence.tolist() == [0, 0, 0, 1, 1, 1]
    assert timeline.time_ns is not None
    assert timeline.time_ns.tolist() == [0, 10**8, 2 * 10**8] * 2
    assert [recording.name_origin(k) for k in range(3)] == [
        "left/frame_8.png", "left/frame_9.png", "left/frame_10.png",
    ]  # fmt: skip


@pytest.mark.parametrize("style", ["csv", "tum", "times alone", "names"])
def test_times_by_lists_and_by_names(style: str, tmp_path: Path) -> None:
    known = make_known()
    folder = write_pictures(tmp_path / "a", known, beside=False)
    (folder / "timestamps.txt").unlink()
    names = [f"{k:03d}.depth.png" for k in range(COUNT)]
    seconds = [f"{t // 10**9}.{t % 10**9:09d}" for t in known.time_ns.tolist()]
    if style == "csv":
        rows = ["name,time", *(f"{n},{s}" for n, s in zip(names, seconds, strict=True))]
        (folder / "timestamps.csv").write_text("\n".join(rows))
    elif style == "tum":
        rows = [f"{s} depth/{n}" for n, s in zip(names, seconds, strict=True)]
        (folder / "depth.txt").write_text("# depth images\n" + "\n".join(rows))
    elif style == "times alone":
        (folder / "times.txt").write_text("\n".join(seconds))
    else:
        for name, second in zip(names, seconds, strict=True):
            (folder / name).rename(folder / f"{second}.png")
    timeline = open_path(folder).head.timeline
    np.testing.assert_array_equal(timeline.time_ns, known.time_ns)


def test_pictures_named_by_times_are_paired_by_them(tmp_path: Path) -> None:
    known = make_known()
    folder = write_pictures(tmp_path / "a", known, beside=False)
    for name in ("depth", "rgb"):
        (folder / name).mkdir()
    assert known.color is not None
    for k, t in enumerate(known.time_ns.tolist()):
        (folder / f"{k:03d}.depth.png").rename(folder / "depth" / f"{t}.png")
        if k != 2:
            path = folder / "rgb" / f"{t + 6_000_000}.png"
            cv2.imwrite(str(path), known.color[k][..., ::-1])
    (folder / "timestamps.txt").unlink()
    sights = check_depth(open_path(folder), known)
    assert [s.color is None for s in sights] == [False, False, True, False, False]
    np.testing.assert_array_equal(decode_picture(sights[4].color or b""), known.color[4])


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.uint32])
def test_exr(dtype: Any, tmp_path: Path) -> None:
    pytest.importorskip("OpenEXR")
    known = make_known(10_000.0)
    whole = np.dtype(dtype).kind == "u"
    images = [d.astype(dtype) if whole else (d / 10_000).astype(dtype) for d in known.depth]
    if not whole:
        for image in images:
            image[1, :4] = (np.nan, np.inf, -1.0, 7.0)
    recording = open_path(write_exr(tmp_path / "a", images), depth_scale=10_000.0 if whole else 0)
    sights = read_all(recording)
    assert recording.head.units.depth_scale == 10_000.0
    for sight, image, depth in zip(sights, images, known.depth, strict=True):
        if dtype == np.float32:  # metres that are whole steps come back as these
            depth = depth.copy()
            depth[1, :4] = 0
        elif dtype == np.float16:
            with np.errstate(invalid="ignore", over="ignore"):
                depth = np.rint(image.astype(np.float64) * 10_000)
            depth = np.where((depth > 0) & (depth <= 65535), depth, 0)
        np.testing.assert_array_equal(sight.depth, depth)


def test_floats_are_rounded_to_the_nearest_step(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    depth_m = rng.uniform(0.2, 6.5, (2, HEIGHT, WIDTH)).astype(np.float32)
    path = write_npz(tmp_path / "a.npz", make_known(), depth=depth_m, depth_scale=None,
                     color=None, infrared=None, time_s=None)  # fmt: skip
    for sight, metres in zip(read_all(open_path(path)), depth_m, strict=True):
        error = np.abs(sight.depth / 10_000 - metres.astype(np.float64))
        assert error.max() <= 0.5e-4 + 1e-12


@pytest.mark.parametrize("dtype", ["<u2", ">u2", "u1", "<i4", "<u8"])
def test_whole_numbers_of_any_width_are_kept(dtype: str, tmp_path: Path) -> None:
    known = make_known()
    stack = np.stack(known.depth)
    stack = np.minimum(stack, 255) if dtype == "u1" else stack
    path = tmp_path / "a.npy"
    np.save(path, stack.astype(dtype))
    (tmp_path / "camera.json").write_text(json.dumps({**CAMERA, "depth_scale_per_m": 1000}))
    for sight, image in zip(read_all(open_path(path)), stack, strict=True):
        np.testing.assert_array_equal(sight.depth, image)


def test_npz(tmp_path: Path) -> None:
    known = make_known(5000.0)
    recording = open_path(write_npz(tmp_path / "a.npz", known, time_ns=known.time_ns))
    check_pictures(check_depth(recording, known), known)
    check_camera(recording, known)
    np.testing.assert_array_equal(recording.head.timeline.time_ns, known.time_ns)
    assert [s.depth[0, 3] for s in recording.read([1, 4])] == [65535, 65535]
    for position in range(COUNT):
        (sight,) = recording.read([position])
        np.testing.assert_array_equal(sight.depth, known.depth[position])


def test_a_folder_of_npy_files_is_one_sequence_of_frames_and_stacks(tmp_path: Path) -> None:
    known = make_known()
    (tmp_path / "camera.json").write_text(json.dumps({**CAMERA, "depth_scale_per_m": 1000}))
    np.save(tmp_path / "a_1.npy", known.depth[0])
    np.save(tmp_path / "a_2.npy", np.stack(known.depth[1:4]))
    np.save(tmp_path / "a_10.npy", known.depth[4])
    recording = open_path(tmp_path)
    check_depth(recording, known)
    assert recording.head.timeline.names == ("a",)
    assert recording.name_origin(2) == "a_2.npy 1"


ROS = ("ros1", "sqlite3", "mcap")


@pytest.mark.parametrize("kind", ROS)
def test_ros_bags(kind: str, tmp_path: Path) -> None:
    pytest.importorskip("rosbags")
    known = make_known()
    path = write_ros(tmp_path / ("a.bag" if kind == "ros1" else "a"), known, kind)
    recording = open_path(path)
    check_pictures(check_depth(recording, known), known)
    check_camera(recording, known)
    # When it was taken, not when it was written down.
    np.testing.assert_array_equal(recording.head.timeline.time_ns, known.time_ns)
    assert recording.name_origin(2) == f"{ROS_DEPTH} 2"
    assert recording.head.about["color_camera"]["fx"] == 99.0
    for positions in ([0], [4], [1, 3], [2, 4]):
        found = list(recording.read(positions))
        for position, sight in zip(positions, found, strict=True):
            np.testing.assert_array_equal(sight.depth, known.depth[position])
            assert sight.color == read_all(recording)[position].color


@pytest.mark.parametrize("kind", ["sqlite3", "mcap"])
def test_a_bare_file_of_a_ros_2_bag_will_do(kind: str, tmp_path: Path) -> None:
    pytest.importorskip("rosbags")
    known = make_known()
    folder = write_ros(tmp_path / "a", known, kind)
    suffix = ".mcap" if kind == "mcap" else ".db3"
    check_depth(open_path(folder / f"a{suffix}"), known)


@pytest.mark.parametrize("kind", ["ros1", "sqlite3"])
def test_realsense_recordings(kind: str, tmp_path: Path) -> None:
    pytest.importorskip("rosbags")
    known = make_known(4000.0)  # an L515's quarter of a millimetre
    path = write_realsense(tmp_path / ("a.bag" if kind == "ros1" else "a"), known, kind)
    recording = open_path(path)
    assert path.suffix == (".bag" if kind == "ros1" else ".db3")
    check_pictures(check_depth(recording, known), known)
    check_camera(recording, known)
    assert recording.head.kind == "RealSense recording"
    np.testing.assert_array_equal(recording.head.timeline.time_ns, known.time_ns)


@pytest.mark.parametrize("unit", [0.001, 0.0001, 0.00025, 0.0005])
def test_realsense_units_are_what_they_were_set_to(unit: float, tmp_path: Path) -> None:
    pytest.importorskip("rosbags")
    known = make_known(1 / unit)
    recording = open_path(write_realsense(tmp_path / "a.bag", known, "ros1"))
    assert recording.head.units.depth_scale == round(1 / unit)


def write_topics(path: Path, topics: dict[str, np.ndarray], encoding: str, **options: Any) -> Path:
    with RosWriter(path, "mcap") as bag:
        for topic, image in topics.items():
            bag.info(topic.rpartition("/")[0] + "/camera_info", START_NS, CAMERA)
            for k in range(3):
                bag.image(topic, START_NS + k * PERIOD_NS, image, encoding, **options)
    return path


@pytest.mark.parametrize("big", [0, 1])
@pytest.mark.parametrize("pad", [0, 8])
@pytest.mark.parametrize("encoding", ["16UC1", "mono16", "32FC1"])
def test_encodings_rows_and_byte_orders(encoding: str, pad: int, big: int, tmp_path: Path) -> None:
    pytest.importorskip("rosbags")
    depth = make_known().depth[0].astype(np.int64)
    kind = ("f4" if encoding == "32FC1" else "u2").rjust(3, ">" if big else "<")
    image = (depth / 1000 if encoding == "32FC1" else depth).astype(kind)
    path = write_topics(
        tmp_path / "a", {"/depth/image": image}, encoding, pad=pad, is_bigendian=big
    )
    (sight, *_) = read_all(open_path(path))
    wanted = np.where(depth <= 6553, depth * 10, 0) if encoding == "32FC1" else depth
    np.testing.assert_array_equal(sight.depth, wanted)


def test_depth_of_the_sensor_goes_before_aligned_and_raw_before_compressed(tmp_path: Path) -> None:
    pytest.importorskip("rosbags")
    image = make_known().depth[0]
    with RosWriter(tmp_path / "a", "mcap") as bag:
        for topic in ("/c/depth/image_rect_raw", "/c/aligned_depth_to_color/image_raw"):
            bag.info(topic.rpartition("/")[0] + "/camera_info", START_NS, CAMERA)
            bag.image(topic, START_NS, image, "16UC1")
        png = cv2.imencode(".png", image)[1].tobytes()
        bag.compressed("/c/depth/image_rect_raw/compressedDepth", START_NS, bytes(12) + png,
                       "16UC1; compressedDepth png")  # fmt: skip
    recording = open_path(tmp_path / "a")
    assert recording.name_origin(0) == "/c/depth/image_rect_raw 0"
    other = "/c/depth/image_rect_raw/compressedDepth"
    chosen = open_path(tmp_path / "a", topic=other)
    assert chosen.name_origin(0) == f"{other} 0"
    np.testing.assert_array_equal(read_all(chosen)[0].depth, image)


@pytest.mark.parametrize(
    ("lens", "D", "model", "kept"),
    [
        ("plumb_bob", (0.0,) * 5, "pinhole", 0),
        ("plumb_bob", (0.1, -0.2, 0.001, 0.002, 0.05), "brown-conrady", 5),
        ("rational_polynomial", (0.1, 0.2, 0.0, 0.0, 0.1, 0.2, 0.3, 0.1), "brown-conrady", 8),
        ("equidistant", (0.01, 0.002, 0.0, 0.0), "kannala-brandt", 4),
        ("", (), "pinhole", 0),
    ],
)
def test_lenses(lens: str, D: tuple[float, ...], model: str, kept: int, tmp_path: Path) -> None:
    pytest.importorskip("rosbags")
    with RosWriter(tmp_path / "a", "mcap") as bag:
        bag.info("/depth/camera_info", START_NS, CAMERA, lens, D)
        bag.image("/depth/image", START_NS, make_known().depth[0], "16UC1")
    camera = open_path(tmp_path / "a").head.camera
    assert camera.model == model and camera.distortion == D[:kept]


def test_azure_kinect(tmp_path: Path) -> None:
    pytest.importorskip("av")
    known = make_known(1000.0, size=(320, 288))
    recording = open_path(write_kinect(tmp_path / "a.mkv", known))
    sights = check_depth(recording, known)
    assert known.infrared is not None
    for k, sight in enumerate(sights):
        assert sight.infrared is not None and sight.color is not None
        infrared = decode_picture(sight.infrared)
        assert infrared.dtype == np.uint16
        np.testing.assert_array_equal(infrared, known.infrared[k])
        assert sight.color.startswith(b"\xff\xd8")  # as recorded
        assert decode_picture(sight.color).shape == (288, 320, 3)
    times = recording.head.timeline.time_ns
    assert times is not None
    # Matroska's own clock ticks in milliseconds here.
    np.testing.assert_allclose(times, known.time_ns - known.time_ns[0], atol=1_000_000)
    for positions in ([3], [0, 4], [1, 2]):
        for position, sight in zip(positions, recording.read(positions), strict=True):
            np.testing.assert_array_equal(sight.depth, known.depth[position])
            assert sight.color == sights[position].color


def test_the_factory_calibration_is_that_of_the_preset(tmp_path: Path) -> None:
    """`azure-nfov` was worked out by hand from the same device's calibration."""
    pytest.importorskip("av")
    known = make_known(1000.0, 2, (320, 288))
    head = open_path(write_kinect(tmp_path / "a.mkv", known)).head
    preset = CAMERAS["azure-nfov"]
    assert head.camera.distortion == preset.distortion
    for name in ("fx", "fy", "cx", "cy", "max_theta_rad"):
        assert getattr(head.camera, name) == pytest.approx(getattr(preset, name), abs=1e-9)


@pytest.mark.parametrize(
    ("size", "focal", "center"),
    [
        ((640, 576), 2 * 251.924, 2 * 160.756 - 0.5),
        ((512, 512), 251.924, 160.256 + 96),
        ((1024, 1024), 2 * 251.924, 2 * (160.756 + 96) - 0.5),
    ],
)
def test_other_modes_see_through_the_same_lens(
    size: tuple[int, int], focal: float, center: float
) -> None:
    from labeling.capture.kinect_calibration import read_calibration

    camera = read_calibration(build_calibration(), size, "here")
    assert camera.fx == pytest.approx(focal) and camera.cx == pytest.approx(center)
    with pytest.raises(BadInput, match="333 x 288"):
        read_calibration(build_calibration(), (333, 288), "here")
