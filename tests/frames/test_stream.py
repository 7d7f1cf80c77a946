"""Named random streams: equal to numpy's Philox, independent of batching, well distributed."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frames.errors import BadInput
from frames.stream import generator, hash_stage, normal, uniform

WORD = st.integers(0, 2**64 - 1)


@settings(max_examples=60, deadline=None)
@given(
    seed=WORD,
    frame=WORD,
    attempt=WORD,
    stage=st.text(max_size=12),
    n=st.integers(0, 41),
)
def test_equals_numpy_to_the_bit(seed: int, frame: int, attempt: int, stage: str, n: int) -> None:
    ours = uniform(seed, np.array([frame], np.uint64), stage, n, np.array([attempt], np.uint64))
    numpys = generator(seed, frame, stage, attempt).random(n)
    np.testing.assert_array_equal(ours[0].view(np.uint64), numpys.view(np.uint64))


def test_a_batch_is_its_frames_one_by_one() -> None:
    ids = np.array([7, 0, 123_456_789_012, 7])
    attempts = np.array([0, 3, 1, 2])
    batch = uniform(5, ids, "pose", 13, attempts)
    for row, i, a in zip(batch, ids, attempts, strict=True):
        np.testing.assert_array_equal(row, uniform(5, [i], "pose", 13, a)[0])


def test_more_numbers_only_append() -> None:
    long = uniform(1, np.arange(9), "scene", 50)
    for n in (1, 2, 3, 4, 5, 49):
        np.testing.assert_array_equal(uniform(1, np.arange(9), "scene", n), long[:, :n])


def test_stages_frames_attempts_and_seeds_do_not_share_numbers() -> None:
    draws = [
        uniform(seed, np.arange(40), stage, 25, attempt)
        for seed in (0, 1)
        for stage in ("pose", "scene", "")
        for attempt in (0, 1)
    ]
    values = np.concatenate([d.ravel() for d in draws])
    assert np.unique(values).size == values.size


def test_uniform_is_uniform_and_uncorrelated() -> None:
    u = uniform(3, np.arange(20_000), "check", 8)
    assert u.min() >= 0.0 and u.max() < 1.0
    # mean of N uniforms: standard error sqrt(1 / 12 N); five of them.
    np.testing.assert_allclose(u.mean(0), 0.5, atol=5 * np.sqrt(1 / 12 / len(u)))
    correlation = np.corrcoef(u.T) - np.eye(8)
    assert np.abs(correlation).max() < 5 / np.sqrt(len(u))
    assert abs(np.corrcoef(u[:-1, 0], u[1:, 0])[0, 1]) < 5 / np.sqrt(len(u))
    counts = np.histogram(u, bins=64, range=(0, 1))[0]
    expected = u.size / 64
    chi2 = float(((counts - expected) ** 2 / expected).sum())
    assert chi2 < 63 + 5 * np.sqrt(2 * 63)


def test_normal_has_normal_moments_and_tails() -> None:
    z = normal(uniform(4, np.arange(50_000), "n", 8)).ravel()
    n = z.size
    assert n == 200_000
    assert abs(z.mean()) < 5 / np.sqrt(n)
    assert abs(z.var() - 1) < 5 * np.sqrt(2 / n)
    assert abs((z**3).mean()) < 5 * np.sqrt(15 / n)
    share = 0.0455
    assert abs((np.abs(z) > 2).mean() - share) < 5 * np.sqrt(share * (1 - share) / n)


def test_normal_is_the_textbook_formula_and_finite_at_the_ends() -> None:
    u = uniform(9, np.arange(3), "n", 10)
    wanted = np.sqrt(-2 * np.log(1 - u[:, 0::2])) * np.cos(2 * np.pi * u[:, 1::2])
    np.testing.assert_allclose(normal(u), wanted, rtol=1e-13, atol=1e-14)
    assert np.isfinite(normal(np.array([0.0, 0.0, 1 - 2**-53, 0.5]))).all()
    assert normal(np.zeros((2, 3, 4))).shape == (2, 3, 2)


def test_normal_does_not_depend_on_the_batch() -> None:
    u = uniform(9, np.arange(64), "n", 34)
    one_by_one = np.stack([normal(row) for row in u])
    np.testing.assert_array_equal(normal(u), one_by_one)


def test_a_stage_hash_is_stable_between_processes() -> None:
    code = "from frames.stream import hash_stage; print(hash_stage('pose'))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(other.stdout) == hash_stage("pose") == 11693092658673329351


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((-1, [0], "s", 1), "seed"),
        ((2**64, [0], "s", 1), "seed"),
        ((0, [-3], "s", 1), "frame_ids"),
        ((0, [0.5], "s", 1), "frame_ids"),
        ((0, [0], "s", 1, -1), "attempt"),
    ],
)
def test_bad_words_are_named(arguments: tuple, named: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(BadInput, match=named):
        uniform(*arguments)


def test_odd_uniforms_are_refused() -> None:
    with pytest.raises(BadInput, match="even"):
        normal(np.zeros(3))
