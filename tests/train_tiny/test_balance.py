"""GradNorm weighs two artificial tasks so that both push alike."""

import pytest

torch = pytest.importorskip("torch")

from train_tiny.losses.balance import GradNorm  # noqa: E402


def measure_pull(scales: tuple[float, float], rounds: int, alpha: float) -> tuple[float, float]:
    """Weighted gradient lengths of two regressions on one layer whose losses differ in scale."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(256, 8, generator=generator)
    wanted = [x @ torch.randn(8, 4, generator=generator) for _ in scales]
    shared = torch.nn.Linear(8, 4, bias=False)
    balance = GradNorm(("a", "b"), alpha, rate=0.05)

    def losses() -> dict[str, torch.Tensor]:
        out = shared(x)
        pairs = zip("ab", scales, wanted, strict=True)
        return {name: s * (out - y).square().mean() for name, s, y in pairs}

    for _ in range(rounds):
        now = losses()
        balance.update(now, shared.weight)
        shared.zero_grad()
        balance.weigh(now).backward()
        with torch.no_grad():
            shared.weight -= 1e-4 * shared.weight.grad
    now, weights = losses(), balance.weights()
    assert sum(weights.values()) == pytest.approx(2)
    pulls = [
        weights[n] * float(torch.autograd.grad(now[n], shared.weight, retain_graph=True)[0].norm())
        for n in "ab"
    ]
    return pulls[0], pulls[1]


def test_tasks_of_other_scales_come_to_push_alike() -> None:
    first, second = measure_pull((1.0, 20.0), 200, alpha=0.0)
    # A step of 0.05 of a logarithm, each way.
    assert first / second == pytest.approx(1.0, abs=0.25)
    first, second = measure_pull((1.0, 20.0), 0, alpha=0.0)
    assert second > 10 * first


def test_a_task_that_is_left_out_keeps_the_rest_going() -> None:
    shared = torch.nn.Linear(2, 1)
    balance = GradNorm(("a", "b", "c"))
    x = torch.ones(3, 2)
    for names in ("ab", "abc", "bc", "c"):
        losses = {n: (k + 1) * shared(x).square().mean() for k, n in enumerate(names)}
        balance.update(losses, shared.weight)
        assert torch.isfinite(balance.weigh(losses))
    assert all(0 < w < 3 for w in balance.weights().values())
