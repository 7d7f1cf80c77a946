"""Frames as a rerun recording: depth, points, skeletons, meshes in space, on a timeline.

    world/camera                      where the camera is; everything below is in its axes
    world/camera/points, clean_points what is read; what is there, if a sensor reads it otherwise
    world/camera/hands/right_0        keypoints, bones, mesh
    world/camera/things               boxes
    world/camera/image                pinhole; depth, clean_depth, parts, and the hands in pixels
    frame                             the frame in words

Timelines: `frame`, the frame's number; `time`, seconds, for frames of sequences, one sequence after
another. rerun-sdk is the extra `view`.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from frames.errors import BadInput
from frames.record import DepthImage, Frame, Hand
from frames.viewing import palette
from frames.viewing.caption import caption_lines
from frames.viewing.point_cloud import PointCloud, lift_depth
from frames.viewing.rerun_hands import Mesh, log_hands

CAMERA: Final = "world/camera"
IMAGE: Final = f"{CAMERA}/image"
PAUSE_S: Final = 0.5
"""On the timeline `time` between two sequences."""

CLEAN: Final = (236, 158, 76)
"""Of points that are there, where a sensor reads others."""

POINT_M: Final = 0.0012
"""Radius of a point."""


def import_rerun() -> Any:
    """The module. Raises BadInput where it is not installed."""
    try:
        import rerun
    except ImportError:
        raise BadInput("--rerun needs rerun-sdk: pip install 'handloom[view]'") from None
    return rerun


def new_recording(title: str) -> Any:
    """A recording with its layout: space beside the images, the frame in words below."""
    rr = import_rerun()
    from rerun import blueprint as rrb

    recording = rr.RecordingStream("handloom")
    recording.send_recording_name(title)
    recording.send_blueprint(
        rrb.Blueprint(
            rrb.Horizontal(
                rrb.Spatial3DView(
                    origin="/world",
                    contents=["/world/**", f"- /{IMAGE}/**"],
                    name="space",
                ),
                rrb.Vertical(
                    rrb.Spatial2DView(
                        origin=f"/{IMAGE}",
                        contents=[f"/{IMAGE}/depth", f"/{IMAGE}/hands/**"],
                        name="depth",
                    ),
                    rrb.Spatial2DView(
                        origin=f"/{IMAGE}",
                        contents=[f"/{IMAGE}/parts", f"/{IMAGE}/clean_depth"],
                        name="clean depth and parts",
                    ),
                    rrb.TextDocumentView(origin="/frame", name="frame"),
                    row_shares=[3, 3, 2],
                ),
                column_shares=[3, 2],
            ),
            collapse_panels=True,
        )
    )
    return recording


def log_frames(
    recording: Any,
    frames: Iterable[Frame],
    mesh: Callable[[Hand], Mesh | None] = lambda hand: None,
    told: Callable[[int], None] = lambda count: None,
) -> None:
    """Write frames into a recording, at their places in time.

    mesh: the surface of a hand. told: is given the number of frames done.
    """
    rr = import_rerun()
    recording.log("/", _describe_parts(rr), static=True)
    offset, sequence, latest = 0.0, None, 0.0
    for k, frame in enumerate(frames):
        if k == 0:
            upright = frame.T_world_from_camera is not None
            axes = rr.ViewCoordinates.RIGHT_HAND_Z_UP if upright else rr.ViewCoordinates.RDF
            recording.log("world", axes, static=True)
        if frame.time_s is not None:
            if sequence is not None and frame.sequence_id != sequence:
                offset = latest + PAUSE_S - frame.time_s
            sequence, latest = frame.sequence_id, offset + frame.time_s
            recording.set_time("time", duration=latest)
        recording.set_time("frame", sequence=frame.frame_id)
        _log_camera(rr, recording, frame)
        _log_images(rr, recording, frame)
        log_hands(rr, recording, frame, mesh, CAMERA, IMAGE)
        told(1)


def _describe_parts(rr: Any) -> Any:
    classes = [
        (code, None, tuple(color.tolist())) for code, color in enumerate(palette.PART_COLORS)
    ]
    transparent = (0, 0, 0, 0)
    return rr.AnnotationContext([(0, "background", transparent), *classes[1:]])


def _log_camera(rr: Any, recording: Any, frame: Frame) -> None:
    camera, pose = frame.camera, frame.T_world_from_camera
    if pose is not None:
        where = rr.Transform3D(translation=pose[:3, 3], mat3x3=pose[:3, :3])
        recording.log(CAMERA, where)
    if camera.model == "kannala-brandt":  # its picture has no frustum
        recording.log(IMAGE, rr.Clear(recursive=False))
    else:
        lens = rr.Pinhole(
            focal_length=[camera.fx, camera.fy],
            principal_point=[camera.cx, camera.cy],
            resolution=[camera.width, camera.height],
            camera_xyz=rr.ViewCoordinates.RDF,
            image_plane_distance=0.15,
        )
        recording.log(IMAGE, lens)
    words = "\n\n".join(f"**{t}**" if strong else t for t, strong in caption_lines(frame))
    recording.log("frame", rr.TextDocument(words, media_type="text/markdown"))


def _log_images(rr: Any, recording: Any, frame: Frame) -> None:
    near, far = palette.find_hand_range(frame)
    reading, clean = frame.reading, frame.clean_depth
    both = frame.depth is not None and clean is not None
    for name, image in (("depth", reading), ("clean_depth", clean if both else None)):
        cloud = "points" if name == "depth" else "clean_points"
        if image is None:
            recording.log(f"{IMAGE}/{name}", rr.Clear(recursive=False))
            recording.log(f"{CAMERA}/{cloud}", rr.Clear(recursive=False))
            continue
        shown = (0.7 * near, min(1.3 * far, 6.5))
        picture = rr.EncodedDepthImage(
            _encode_png(image),
            media_type="image/png",
            meter=frame.depth_scale,
            depth_range=[v * frame.depth_scale for v in shown],
            colormap="turbo",
        )
        recording.log(f"{IMAGE}/{name}", picture)
        # Beside a reading, what is there is shown of hands and things alone.
        beside = name == "clean_depth" and frame.parts is not None
        taken = np.where(frame.parts == 0, 0, image).astype(np.uint16) if beside else image
        points = lift_depth(frame.camera, taken, frame.depth_scale, frame.parts)
        colors = _color_points(frame, points, near, far) if name == "depth" else CLEAN
        radii = POINT_M if name == "depth" else 0.6 * POINT_M
        shown_points = rr.Points3D(points.points_m, colors=colors, radii=radii)
        recording.log(f"{CAMERA}/{cloud}", shown_points)
    if frame.parts is not None:
        image = rr.SegmentationImage(frame.parts, opacity=0.6 if both else 1.0)
        recording.log(f"{IMAGE}/parts", image)


def _encode_png(image: DepthImage) -> bytes:
    return bytes(cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 6])[1].tobytes())


def _color_points(frame: Frame, cloud: PointCloud, near: float, far: float) -> NDArray[np.uint8]:
    """(N, 3) the colours of depth, as everywhere else."""
    tone = palette.tone_depth(cloud.points_m[:, 2], near, far)
    return np.asarray(palette.DEPTH_RAMP[np.rint(tone * 255).astype(np.int64)])


def save_recording(
    path: Path,
    title: str,
    frames: Iterable[Frame],
    mesh: Callable[[Hand], Mesh | None] = lambda hand: None,
    told: Callable[[int], None] = lambda count: None,
) -> None:
    """Write an .rrd file. Raises BadInput for another ending, and where it cannot be written."""
    if path.suffix.lower() != ".rrd":
        raise BadInput(f"a rerun recording is written as .rrd, got {path}")
    recording = new_recording(title)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        recording.save(path)
    except RuntimeError as error:
        raise BadInput(f"cannot write {path}: {error}") from None
    try:
        log_frames(recording, frames, mesh, told)
    finally:
        recording.flush()
        recording.disconnect()


def open_viewer(path: Path, settle_s: float = 3.0) -> None:
    """Open rerun's viewer on a recording, and leave it open. Raises BadInput where it does not.

    The viewer listens for further recordings: on this machine alone. settle_s: how long it is
    watched for an early end.
    """
    command = [sys.executable, "-m", "rerun", "--bind", "127.0.0.1", str(path)]
    with tempfile.TemporaryFile("w+") as said:
        viewer = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True)
        try:
            ended = viewer.wait(settle_s)
        except subprocess.TimeoutExpired:
            return
        said.seek(0)
        lines = [line for line in said.read().splitlines() if line.strip()]
    if ended:
        reason = next((line for line in lines if "rror" in line), lines[-1] if lines else "?")
        raise BadInput(
            f"rerun's viewer does not open ({reason.strip()}): {path} is written, and"
            f" 'rerun --web-viewer --bind 127.0.0.1 {path}' shows it in a browser"
        )
