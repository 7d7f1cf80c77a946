"""Stereo pairs of the frames of a dataset that can be rendered again."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from augment.matched_stereo.model import MatchedStereo
from augment.matched_stereo.pair import Pair
from augment.readings import RenderPair
from frames.errors import BadInput
from frames.store.folder import read_meta
from synth.generator import Generator
from synth.rerender import build_again, find_changes
from synth.stereo_pair import render_pair


@dataclass(frozen=True)
class RenderedAgain:
    """The scenes of a synthetic dataset; an `augment.degradation.PairSource`."""

    folder: Path

    def build(self) -> "Rendering":
        """What renders its pairs. Raises BadInput if it cannot be rendered as it was."""
        meta = read_meta(self.folder)
        problems = find_changes(meta)
        if problems:
            raise BadInput(f"stereo by matching renders {self.folder} again: {problems[0]}")
        return Rendering(build_again(meta, None))


class Rendering:
    """Renders pairs of a generator's frames; an `augment.degradation.Pairs`."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator

    def render_batch(self, frame_ids: np.ndarray) -> RenderPair:
        """What renders the pairs of these frames, by their place among them."""
        generator = self._generator
        scenes = generator.sample(np.asarray(frame_ids, np.int64))

        def render(b: int, model: MatchedStereo) -> Pair:
            return render_pair(scenes, b, generator.camera, generator.studio, model)

        return render
