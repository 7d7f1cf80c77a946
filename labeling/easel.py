"""The easel: where frames are drawn and predicted on, and made into tasks."""

from pathlib import Path
from typing import Any, Final

import numpy as np

from frames.record import Frame
from frames.store.pictures import decode_picture
from labeling.keys import key_of
from labeling.ledger import KnownFrame, Ledger
from labeling.pictures import (
    NOTHING,
    Picture,
    draw_frame,
    draw_nothing,
    place_picture,
    write_picture,
)
from labeling.predictors import Predictor
from labeling.sources import AnyDataset
from labeling.tasks import build_prediction, check_prediction, check_task

LOCAL_FILES: Final = "/data/local-files/?d="
"""Address of a file below the folder that Label Studio serves."""

KEPT: Final = 100
"""Predictions that a stopped run may lose."""


class Easel:
    """Draws and predicts the frames of one dataset for one project."""

    def __init__(
        self,
        dataset: AnyDataset,
        ledger: Ledger,
        predictor: Predictor,
        pictures: Path,
        folder: str,
        url: str,
        beside: tuple[str, ...],
    ) -> None:
        """pictures: the folder that is served; folder: the project's own in it. url: what stands
        before a picture's path. beside: the pictures that tasks show beside the depth.
        """
        self.dataset, self.ledger, self.predictor = dataset, ledger, predictor
        self.pictures, self.folder, self.url, self.beside = pictures, folder, url, beside

    def prepare(self, frames: dict[str, KnownFrame], new: set[str]) -> None:
        """Predict and draw what has not been; what is done stays done if we are stopped.

        new: of these, keys that have no task yet and need pictures.
        """
        model = self.predictor.name
        scored = self.ledger.list_scores(model)
        rows: list[tuple[str, dict[str, Any]]] = []
        for key, known in sorted(frames.items(), key=lambda item: item[1].frame):
            drawn = key not in new or self._place(key + ".png").exists()
            if key in scored and drawn:
                continue
            frame = self.dataset[known.frame]
            proposals = self.predictor.propose(frame)
            prediction = build_prediction(proposals, frame.camera, model)
            check_prediction(prediction, key)
            if key in new:
                write_picture(self._place(key + ".png"), draw_frame(frame, proposals))
                self._draw_beside(frame, key)
            rows.append((key, prediction))
            if len(rows) >= KEPT:
                self.ledger.put_proposals(model, rows)
                rows = []
        self.ledger.put_proposals(model, rows)

    def _draw_beside(self, frame: Frame, key: str) -> None:
        nothing = self._place(NOTHING)
        if self.beside and not nothing.exists():
            write_picture(nothing, draw_nothing(frame.camera.height, frame.camera.width))
        for name in ("color", "infrared"):
            data = getattr(frame, name)
            if name in self.beside and data is not None:
                picture = to_eight_bits(decode_picture(data))
                write_picture(self._place(f"{key}-{name}.png"), picture)

    def _place(self, name: str) -> Path:
        return place_picture(self.pictures, self.folder, name)

    def _address(self, name: str) -> str:
        return f"{self.url}{self.folder}/{name}"

    def _find_previous(self, frame: Frame, place: int) -> str:
        """The name of the picture of the frame before, drawn if it is not there."""
        if place == 0:
            return NOTHING
        before = self.dataset[place - 1]
        if before.sequence_id != frame.sequence_id or before.reading is None:
            return NOTHING
        name = key_of(before)[0] + ".png"
        if not self._place(name).exists():
            write_picture(self._place(name), draw_frame(before, self.predictor.propose(before)))
        return name

    def build_task(self, known: KnownFrame, prediction: dict[str, Any]) -> dict[str, Any]:
        """A task as it is sent. Raises BadInput for one that must not be."""
        frame = self.dataset[known.frame]
        caption = f"{known.dataset}, frame {known.frame}"
        if frame.sequence_id is not None and frame.time_s is not None:
            caption += f", sequence {frame.sequence_id}, {frame.time_s:.2f} s"
        data: dict[str, Any] = {
            "frame_id": known.key,
            "image": self._address(known.key + ".png"),
            "caption": caption,
            "depth_sha256": known.depth_sha256,
            "dataset": known.dataset,
            "frame": known.frame,
        }
        for name in self.beside:
            if name == "previous":
                picture = self._find_previous(frame, known.frame)
            else:
                there = getattr(frame, name) is not None
                picture = f"{known.key}-{name}.png" if there else NOTHING
            data[name] = self._address(picture)
        task = {"data": data, "predictions": [prediction]}
        check_task(task, self.beside)
        return task


def to_eight_bits(image: np.ndarray) -> Picture:
    """A colour or infrared image as (H, W, 3) uint8; 16 bits are stretched to their 1..99 % range,
    a square root taken, for infrared falls off with the square of distance.
    """
    if image.dtype == np.uint16:
        low, high = np.percentile(image, (1.0, 99.0))
        share = np.clip((image.astype(np.float32) - low) / max(float(high - low), 1.0), 0, 1)
        image = np.rint(255 * np.sqrt(share)).astype(np.uint8)
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, -1)
    return np.ascontiguousarray(image)
