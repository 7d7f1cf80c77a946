"""Pictures of predictions: hands drawn on the depth image, a contact sheet, a video."""

import errno
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from frames.errors import BadInput
from frames.parts import PROVENANCE_MODEL, PROVENANCE_NONE
from frames.record import DEPTH_SCALE, Frame
from frames.record import Hand as Labels
from frames.skeleton import BONES
from frames.store.disk import TEMPORARY_SUFFIX, explain_write_error
from frames.viewing import canvas as draw
from frames.viewing import palette
from frames.viewing.sheet import choose_scale, draw_depth_panel
from train_tiny.prediction.depth_frame import DepthFrame
from train_tiny.prediction.hand import Hand

_CAPTION: Final = 24


def label_hand(hand: Hand, place: int) -> Labels:
    """A predicted hand as the frame record has hands; what is not predicted is absent."""
    seen = ~(hand.visible < 0.5)
    return Labels(
        side=hand.side or "right",
        wearer=True,
        part_base=32 * place,
        keypoints_px=hand.keypoints_px,
        keypoints_cam_m=hand.keypoints_cam_m,
        surface_depth_m=np.full(21, np.nan, np.float32),
        visibility=np.where(seen, 2, 1).astype(np.uint8),
        occlusion=np.zeros(21, np.uint8),
        visible_fraction=float("nan"),
        box_px=hand.box_px,
        box_amodal_px=hand.box_px,
        key_pose=None,
        joint_angles_rad=None,
        shape=None,
        identity=None,
        T_camera_from_wrist=None,
        provenance=np.full(21, PROVENANCE_MODEL, np.uint8),
    )


def draw_prediction(frame: DepthFrame, hands: Sequence[Hand]) -> NDArray[np.uint8]:
    """A picture (H, W, 3) uint8 of a frame: hands found in their fingers' colours, labels white.

    Occluded keypoints are hollow. Above it the frame's name and, for each hand, its side, score and
    track.
    """
    plain = Frame(
        frame_id=frame.frame_id,
        source="real",
        camera=frame.camera,
        T_world_from_camera=None,
        depth_scale=frame.depth_scale or DEPTH_SCALE,
        depth=_to_steps(frame.depth),
        clean_depth=None,
        parts=None,
        invalid=None,
        sensor=None,
        sensor_seed=None,
        hands=tuple(label_hand(hand, k) for k, hand in enumerate(hands)),
        objects=(),
    )
    scale = choose_scale(plain)
    panel = draw_depth_panel(plain, scale)
    for labels in frame.hands:
        known = labels.provenance != PROVENANCE_NONE
        places = np.where(known[:, None], (labels.keypoints_px + 0.5) * scale - 0.5, np.nan)
        for a, b in BONES:
            draw.draw_line(panel, places[a], places[b], palette.TEXT, 1)
    height, width = panel.shape[:2]
    card = draw.new_canvas(height + _CAPTION, width, palette.PAPER)
    card[_CAPTION:] = panel
    said = [frame.name or f"frame {frame.frame_id}", *(describe_hand(h) for h in hands)]
    draw.draw_text(card, "   ".join(said), (8, 17), palette.TEXT, 14)
    return card


def describe_hand(hand: Hand) -> str:
    """Side, score, distance and track in a few letters."""
    track = f"#{hand.track} " if hand.track >= 0 else ""
    distance = float(hand.keypoints_cam_m[:, 2].mean())
    return f"{track}{hand.side or 'hand'} {hand.score:.2f} at {distance:.2f} m"


class Video:
    """Writes pictures as an MP4 file, which appears when it is whole."""

    def __init__(self, path: Path, fps: float) -> None:
        """Raises BadInput for a path that is no .mp4, or a rate that is none."""
        if path.suffix != ".mp4":
            raise BadInput(f"a video is written as .mp4, got {path}")
        if not 0 < fps < float("inf"):
            raise BadInput(f"a video needs frames a second > 0, got {fps}")
        self._path, self._fps = path, fps
        self._waiting = path.with_name(f".{path.stem}{TEMPORARY_SUFFIX}.mp4")
        self._writer: Any = None
        self._size = (0, 0)

    def add(self, picture: NDArray[np.uint8]) -> None:
        """The next picture (H, W, 3), red first; cut or filled up to the first one's size.

        Raises BadInput if this OpenCV cannot write videos here.
        """
        if self._writer is None:
            # The codec takes even sizes alone.
            self._size = picture.shape[0] // 2 * 2, picture.shape[1] // 2 * 2
            self._writer = cv2.VideoWriter(
                str(self._waiting), cv2.VideoWriter.fourcc(*"mp4v"), self._fps, self._size[::-1]
            )
            if not self._writer.isOpened():
                raise BadInput(
                    f"cannot write the video {self._path}: this OpenCV ({cv2.__version__}) has no"
                    " encoder for MP4, or the folder cannot be written; leave --video out"
                )
        fitted = np.zeros((*self._size, 3), np.uint8)
        height, width = (min(a, b) for a, b in zip(self._size, picture.shape, strict=False))
        fitted[:height, :width] = picture[:height, :width]
        self._writer.write(np.ascontiguousarray(fitted[..., ::-1]))

    def finish(self) -> None:
        """The file appears. Raises BadInput if it could not be written whole."""
        if self._writer is None:
            return
        self._writer.release()
        try:
            if not self._waiting.is_file() or not self._waiting.stat().st_size:
                raise OSError(errno.EIO, "nothing was written")
            self._waiting.replace(self._path)
        except OSError as error:
            raise explain_write_error(self._path, error) from None

    def abandon(self) -> None:
        """No file appears."""
        if self._writer is not None:
            self._writer.release()
        self._waiting.unlink(missing_ok=True)


def _to_steps(depth: NDArray[Any]) -> NDArray[np.uint16]:
    if depth.dtype == np.uint16:
        return np.asarray(depth)
    steps = np.nan_to_num(depth, nan=0.0, posinf=0.0, neginf=0.0) * DEPTH_SCALE
    return np.where(steps < 65535.5, np.clip(np.rint(steps), 0, 65535), 0).astype(np.uint16)
