"""A recording captured: chosen, hashed, written; nothing half-written stays behind."""

import shutil
from pathlib import Path

from frames.engines.filling import fill_dataset
from frames.engines.job import Progress
from frames.errors import BadInput
from frames.store.folder import META_NAME
from labeling.capture.job import FRAMES_PER_SHARD, CaptureJob, hash_recording
from labeling.capture.opening import open_recording
from labeling.capture.recording import Recording, Request
from labeling.capture.selection import Selection, choose_positions
from labeling.capture.uncertainty import Predictor


def plan_capture(
    request: Request,
    selection: Selection,
    predictor: Predictor | None = None,
    progress: Progress | None = None,
    frames_per_shard: int = FRAMES_PER_SHARD,
) -> tuple[CaptureJob, Recording]:
    """Open a recording and choose its frames. Raises BadInput for what cannot be."""
    if not 1 <= frames_per_shard <= 100_000:
        raise BadInput(f"frames-per-shard must be between 1 and 100000, got {frames_per_shard}")
    recording = open_recording(request)
    positions = choose_positions(recording, selection, predictor, progress)
    name = Path(request.source).resolve().name
    job = CaptureJob(
        request,
        selection,
        tuple(positions.tolist()),
        hash_recording(recording),
        f"Real depth: {name}",
        frames_per_shard,
    )
    return job, recording


def write_capture(
    out: Path, job: CaptureJob, workers: int = 1, progress: Progress | None = None
) -> dict[str, int]:
    """Write a dataset of the frames chosen; the same again goes on where it was stopped.

    Returns counts of frames: written, found. Raises BadInput for a folder that holds something
    else, and for frames that turn out to be broken: then a dataset begun by this call is removed.
    """
    begun = not (out / META_NAME).exists()
    there = out.exists()
    try:
        return fill_dataset(out, job, workers, progress=progress)
    except BadInput:
        if begun and (out / META_NAME).exists():
            _remove(out, there)
        raise


def _remove(out: Path, there: bool) -> None:
    """The dataset in a folder that was empty, or not there."""
    if not there:
        shutil.rmtree(out)
        return
    for path in out.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
