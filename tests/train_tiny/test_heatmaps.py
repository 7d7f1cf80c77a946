"""Heatmaps: what is drawn is read back, for every place and stride."""

import pytest

torch = pytest.importorskip("torch")

from train_tiny.losses.heatmaps import (  # noqa: E402
    draw_targets,
    expect_places,
    find_peaks,
    to_cells,
    to_pixels,
)


def test_cells_and_pixels_are_inverse() -> None:
    px = torch.rand(5, 21, 2, dtype=torch.float64) * 128
    assert torch.allclose(to_pixels(to_cells(px, 4.0), 4.0), px)
    # The middle of the crop is the middle of the map.
    assert to_cells(torch.tensor(63.5), 4.0) == 15.5


def test_targets_have_the_gaussian_moments() -> None:
    cells = 6 + 20 * torch.rand(8, 21, 2, dtype=torch.float64)
    maps = draw_targets(cells, 32, 32, 1.0)
    assert torch.allclose(maps.sum((2, 3)), torch.ones(8, 21, dtype=torch.float64))
    x = torch.arange(32, dtype=torch.float64)
    mean = (maps.sum(2) * x).sum(-1)
    assert torch.allclose(mean, cells[..., 0], atol=1e-5)
    spread = (maps.sum(2) * (x - mean[..., None]) ** 2).sum(-1)
    # A sampled Gaussian's variance is sigma^2 up to exp(-2 pi^2 sigma^2), 3e-9 of it.
    assert torch.allclose(spread, torch.ones_like(spread), atol=1e-5)


def test_places_are_read_back() -> None:
    cells = 5 + 21 * torch.rand(8, 21, 2, dtype=torch.float64)
    logits = draw_targets(cells, 32, 32, 1.0).clamp(min=1e-300).log()
    assert torch.allclose(expect_places(logits), cells, atol=5e-3)
    found, mass = find_peaks(logits)
    # The window of five cells holds most of the Gaussian, centred on the nearest cell.
    assert (found - cells).abs().max() < 0.07
    assert (mass > 0.9).all()


def test_a_second_peak_does_not_pull_the_first() -> None:
    cells = torch.tensor([[[8.3, 9.6]], [[25.0, 20.0]]])
    maps = draw_targets(cells, 32, 32, 1.0)
    both = (0.7 * maps[:1] + 0.3 * maps[1:]).clamp(min=1e-30).log()
    assert (find_peaks(both)[0] - cells[0]).abs().max() < 0.07
    assert (expect_places(both) - cells[0]).abs().max() > 2
    assert float(find_peaks(both)[1]) == pytest.approx(0.7, abs=0.06)
