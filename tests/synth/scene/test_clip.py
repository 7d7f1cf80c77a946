"""Sequences cut anywhere: by batches, shards and workers."""

import numpy as np

from synth.config import SynthConfig
from synth.generator import Generator


def test_sequences_go_on_across_cuts() -> None:
    """A cut in a sequence shows neither in its frames nor in their steps."""
    config = SynthConfig(
        frames=64, seed=8, camera="ego-small", identities=4, variants=1, sequence_length=32
    )
    maker = Generator(config)
    whole = maker.make_table(0, 64)
    parts = [maker.make_table(a, b) for a, b in ((0, 16), (16, 17), (17, 48), (48, 64))]
    rows = [row for part in parts for row in part.to_pylist()]
    assert repr(rows) == repr(whole.to_pylist())
    eyes = np.array(whole.column("T_world_from_camera").to_pylist()).reshape(2, 32, 4, 4)
    step = np.linalg.norm(np.diff(eyes[:, :, :3, 3], axis=1), axis=-1)
    assert step.max() < 0.01 and np.linalg.norm(eyes[0, -1] - eyes[1, 0]) > 0.01


def test_surroundings_stand_still() -> None:
    maker = Generator(
        SynthConfig(frames=64, seed=8, camera="ego-small", identities=4, sequence_length=16)
    )
    scenes = maker.sample(np.arange(64))
    planes = scenes.surroundings.planes.reshape(4, 16, -1)
    np.testing.assert_array_equal(planes, np.repeat(planes[:, :1], 16, axis=1))
