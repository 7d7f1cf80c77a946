"""A teacher's maps: the distance is the one that was published, and heatmaps alone count."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from frames.errors import BadInput  # noqa: E402
from train_tiny.networks.handlite import HandLite, HandLiteConfig  # noqa: E402
from train_tiny.training.distillation import Teacher, measure_likeness  # noqa: E402


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_crops_have_the_divergence_of_their_distributions() -> None:
    mine, theirs = draw(2, 3, 4, 5), draw(2, 3, 4, 5, seed=1)
    found = measure_likeness({"keypoints": mine}, {"keypoints": theirs})
    p = np.exp(theirs.double().numpy()).reshape(6, 20)
    q = np.exp(mine.double().numpy()).reshape(6, 20)
    p, q = p / p.sum(1, keepdims=True), q / q.sum(1, keepdims=True)
    assert float(found) == pytest.approx((p * np.log(p / q)).sum(1).mean(), rel=1e-5)
    # A constant changes no distribution.
    same = measure_likeness({"keypoints": mine}, {"keypoints": mine + 3})
    assert float(same) == pytest.approx(0, abs=1e-6)


def test_frames_have_the_distance_of_their_heatmaps_alone() -> None:
    mine = [draw(2, 10, 6, 8), draw(2, 5, 12, 16, seed=1)]
    theirs = [draw(2, 10, 6, 8, seed=2), draw(2, 5, 12, 16, seed=3)]
    wanted = ((mine[0] - theirs[0])[:, :5] ** 2).mean() + ((mine[1] - theirs[1]) ** 2).mean()
    assert float(measure_likeness(mine, theirs)) == pytest.approx(float(wanted), rel=1e-6)
    tags = [torch.cat([mine[0][:, :5], theirs[0][:, 5:]], 1), mine[1]]
    assert float(measure_likeness(mine, tags)) == 0


def test_a_student_comes_closer() -> None:
    """And its teacher stays as it was, without gradients."""
    shape = HandLiteConfig(32, 4, (4, 8, 8), (1, 1, 1), 1, 8, 3)
    torch.manual_seed(0)
    net = HandLite(shape).eval().requires_grad_(False)
    teacher, student = Teacher("handlite", net), HandLite(shape)
    for p in net.keypoints.parameters():
        p.mul_(20)
    before = [p.clone() for p in net.parameters()]
    images = torch.rand(4, 1, 32, 32)
    wanted = teacher.answer(images)
    assert not wanted["keypoints"].requires_grad and set(wanted) == {"keypoints"}
    optimiser = torch.optim.Adam(student.parameters(), 0.01)
    losses = []
    for _ in range(30):
        loss = measure_likeness(student(images), wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))


def test_networks_that_do_not_match() -> None:
    crop, frame = {"keypoints": draw(1, 21, 8, 8)}, [draw(1, 42, 8, 8), draw(1, 21, 16, 16)]
    with pytest.raises(BadInput, match="cannot teach"):
        measure_likeness(crop, frame)
    with pytest.raises(BadInput, match=r"21 x 16 x 16 .* 21 x 8 x 8"):
        measure_likeness(crop, {"keypoints": draw(1, 21, 16, 16)})
    with pytest.raises(BadInput, match="17 joints and the student 21"):
        measure_likeness(frame, [draw(1, 34, 8, 8), draw(1, 17, 16, 16)])
