"""Hands predicted in all frames of a source: files, pictures, a summary (docs/prediction.md)."""

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from frames.engines.job import Progress
from frames.errors import BadInput
from frames.store.disk import make_folder, write_file
from frames.viewing.line_chart import join_panels
from frames.viewing.sheet import write_picture
from train_tiny.prediction.depth_frame import ALONE, DepthFrame, DepthSource
from train_tiny.prediction.files import FORMAT, LINES_NAME, PARQUET_NAME, PredictionFiles
from train_tiny.prediction.following import Follower
from train_tiny.prediction.given_boxes import GivenBoxes
from train_tiny.prediction.hand import Hand
from train_tiny.prediction.hand_pose import HandPose
from train_tiny.prediction.pictures import Video, draw_prediction

SUMMARY_NAME: Final = "predictions.json"
SHEET_NAME: Final = "sheet.png"
VIDEO_NAME: Final = "predictions.mp4"
PICTURES: Final = "pictures"

SLOW_FPS: Final = 10.0
"""Of a video of frames whose rate is unknown."""


@dataclass(frozen=True)
class PredictionPlan:
    """How hands are found and what is written."""

    boxes: GivenBoxes | None = None
    """Where hands are, in place of the finder."""
    follow: int | None = None
    """Frames from one look of the finder to the next, hands being followed between; 0: it looks in
    each. None: 10 in frames that follow one another, else 0; with boxes 0."""
    hands: int = 2
    """That are followed, at most."""
    sheet: int = 24
    """Frames on the contact sheet; 0: none is drawn."""
    pictures: bool = False
    """A picture of every frame."""
    video: bool = False
    fps: float = 0.0
    """Of the video; 0: the source's, or `SLOW_FPS`."""


FOLLOW: Final = 10
"""Frames from one look of the finder to the next, unless it is said."""


def predict_source(
    pose: HandPose,
    source: DepthSource,
    out: Path,
    plan: PredictionPlan,
    progress: Progress,
    told: dict[str, Any],
) -> dict[str, Any]:
    """Predict all frames, write the folder `out`, and return its summary.

    told: what else the summary is to say, JSON values. Raises BadInput, and leaves no predictions,
    for a folder that holds something else, a source that cannot be read, and a full disk.
    """
    if not len(source):
        raise BadInput(f"{source.name} has no frame")
    _clear(out)
    if plan.pictures:
        make_folder(out / PICTURES)
    count = {"frames": 0, "empty": 0, "hands": 0, "left": 0, "right": 0, "tracks": 0}
    shown = set(np.linspace(0, len(source) - 1, min(plan.sheet, len(source))).round().astype(int))
    cards = []
    fps = plan.fps or source.fps or SLOW_FPS
    progress.begin(len(source), 0)
    with PredictionFiles(out) as files, _open_video(plan, out, fps) as video:
        for place, (frame, hands) in enumerate(_predict(pose, source, plan)):
            files.add(frame, hands)
            found = [hand for _, hand in hands]
            _count(count, found)
            if place in shown or plan.pictures or video is not None:
                picture = draw_prediction(frame, found)
                if place in shown:
                    cards.append(picture)
                if plan.pictures:
                    write_picture(picture, out / PICTURES / f"{place:06d}.png")
                if video is not None:
                    video.add(picture)
            progress.advance(1)
    if cards:
        columns = min(4, max(1, round(len(cards) ** 0.5)))
        write_picture(join_panels(cards, columns, 8), out / SHEET_NAME)
    summary = {"format": FORMAT, "source": source.name, **told, **count}
    write_file(out / SUMMARY_NAME, (json.dumps(summary, indent=2) + "\n").encode())
    return summary


def _predict(
    pose: HandPose, source: DepthSource, plan: PredictionPlan
) -> Iterator[tuple[DepthFrame, list[tuple[int, Hand]]]]:
    """Every frame with its hands and their places."""
    follower: Follower | None = None
    sequence = ALONE
    for frame in source:
        try:
            every = _choose_rhythm(plan, frame)
            boxes = None if plan.boxes is None else plan.boxes.list(frame)
            if every == 0:
                hands = pose(frame.depth, frame.camera, boxes, frame.depth_scale)
                found = list(enumerate(hands))
                if boxes is None:
                    found = found[: plan.hands]
            else:
                if follower is None:
                    follower = pose.follow(every, plan.hands)
                elif frame.sequence != sequence:
                    follower.reset()
                if boxes is not None and not len(boxes):
                    boxes = None
                hands = follower(frame.depth, frame.camera, boxes, frame.depth_scale)
                found = list(enumerate(hands))
            sequence = frame.sequence
        except BadInput as error:
            where = frame.name or f"frame {frame.frame_id}"
            raise BadInput(f"{error} ({where} of {source.name})") from None
        # A box in which nothing was read has no hand.
        yield frame, [(k, hand) for k, hand in found if hand.score > 0]


def _choose_rhythm(plan: PredictionPlan, frame: DepthFrame) -> int:
    if plan.follow is not None:
        return plan.follow
    return FOLLOW if plan.boxes is None and frame.sequence != ALONE else 0


def _count(count: dict[str, int], hands: Sequence[Hand]) -> None:
    count["frames"] += 1
    count["empty"] += not hands
    count["hands"] += len(hands)
    for hand in hands:
        if hand.side:
            count[hand.side] += 1
        count["tracks"] = max(count["tracks"], hand.track + 1)


def _clear(out: Path) -> None:
    """Make room for predictions: earlier ones go, anything else is refused."""
    ours = (SUMMARY_NAME, PARQUET_NAME, LINES_NAME, SHEET_NAME, VIDEO_NAME, PICTURES)
    if out.is_dir():
        other = sorted(p.name for p in out.iterdir() if not p.name.startswith("."))
        foreign = [name for name in other if name not in ours]
        if foreign:
            raise BadInput(
                f"{out} is not empty and holds no predictions alone (there is {foreign[0]}): choose"
                " another folder"
            )
    make_folder(out)
    pictures = out / PICTURES
    for path in (*(out / n for n in ours[:-1]), *pictures.glob("*.png")):
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _open_video(plan: PredictionPlan, out: Path, fps: float) -> Iterator[Video | None]:
    if not plan.video:
        yield None
        return
    video = Video(out / VIDEO_NAME, fps)
    try:
        yield video
        video.finish()
    except BaseException:
        video.abandon()
        raise
