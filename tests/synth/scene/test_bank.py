"""Models of surroundings are closed, few-faced, and fill the unit cube."""

from collections import Counter
from functools import cache

import numpy as np
import pytest

from synth.scene.bank import KINDS, PLAIN, TURNED, build_bank
from synth.scene.surroundings import MOST_FACES
from synth.things.model import Model


@cache
def bank() -> tuple[Model, ...]:
    return build_bank()


def volume(model: Model) -> float:
    a, b, c = (model.vertices.astype(np.float64)[model.faces[:, k]] for k in range(3))
    return float(np.sum(a * np.cross(b, c)) / 6)


def test_numbers_of_kinds_are_those_of_the_models() -> None:
    assert len(bank()) == PLAIN + sum(count for _, _, count in KINDS)
    assert TURNED[0] + TURNED[1] == len(bank())
    assert bank()[TURNED[0]].name.endswith("-over")


@pytest.mark.parametrize("kind", [name for name, _, _ in KINDS])
def test_models_are_closed_and_fill_the_cube(kind: str) -> None:
    first = PLAIN + sum(count for _, _, count in KINDS[: [n for n, _, _ in KINDS].index(kind)])
    count = {n: c for n, _, c in KINDS}[kind]
    for model in bank()[first : first + count]:
        assert np.allclose(model.vertices.min(0), -0.5) and np.allclose(model.vertices.max(0), 0.5)
        assert 0 < len(model.faces) <= MOST_FACES
        pairs = np.concatenate([model.faces[:, p] for p in ([0, 1], [1, 2], [2, 0])])
        edges = Counter(map(tuple, pairs.tolist()))
        assert all(edges[a, b] == edges[b, a] for a, b in edges), model.name
        assert 0.01 < volume(model) < 1.0, "faces look outward"


def test_no_two_models_are_alike() -> None:
    shapes = {m.vertices.tobytes() for m in bank()}
    assert len(shapes) == len(bank())


def test_the_bank_is_a_function_of_numbers_alone() -> None:
    for one, again in zip(bank(), build_bank(), strict=True):
        assert one.name == again.name
        assert np.array_equal(one.vertices, again.vertices)
        assert np.array_equal(one.faces, again.faces)


def test_surfaces_for_hands_before_them_are_rough_on_that_side() -> None:
    for model in bank()[TURNED[0] :]:
        front = model.vertices[model.vertices[:, 2] < 0.49, 2]
        assert len(front) > 40 and front.std() > 0.05
