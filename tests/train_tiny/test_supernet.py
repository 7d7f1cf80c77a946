"""A supernet: its subnets are slices, all are trained, and sorting changes nothing."""

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from tests.train_tiny.small_space import SPACE  # noqa: E402
from train_tiny.networks.litepose import LitePose  # noqa: E402
from train_tiny.search.calibration import calibrate_norms  # noqa: E402
from train_tiny.search.importance import list_channels, sort_channels, weigh_channels  # noqa: E402
from train_tiny.search.supernet import SuperLitePose, extract_subnet  # noqa: E402

JOINTS = 5


@pytest.fixture
def net() -> SuperLitePose:
    """With weights and statistics that all differ."""
    torch.manual_seed(4)
    made = SuperLitePose(SPACE, JOINTS, 1)
    for module in made.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(module.weight)
        elif isinstance(module, nn.BatchNorm2d):
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.2)
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 2)
    return made.double()


def draw_images(count: int = 2, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, 1, 48, 64, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize("training", [True, False])
def test_a_subnet_is_what_the_supernet_runs(
    net: SuperLitePose, number: int, training: bool
) -> None:
    """`extract_subnet` copies slices into a net of the common kind: another code path."""
    shape = SPACE.shape(SPACE.draw(0, number))
    net.train(training)
    alone = extract_subnet(net, shape)
    assert type(alone) is LitePose
    net.active = shape
    for mine, theirs in zip(net(draw_images()), alone(draw_images()), strict=True):
        assert mine.std() > 0.01
        torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-9)


def test_a_subnet_trains_the_slices_it_is(net: SuperLitePose) -> None:
    """Gradients and statistics: equal to those of the net alone inside, untouched outside."""
    shape = SPACE.shape(SPACE.draw(0, 1))
    alone = extract_subnet(net.train(), shape)
    before = {k: v.clone() for k, v in net.state_dict().items()}
    net.active = shape
    for one in (net, alone):
        sum(out.square().mean() for out in one(draw_images())).backward()
    theirs = dict(alone.named_parameters())
    checked = 0
    for name, mine in net.named_parameters():
        if name not in theirs:
            assert mine.grad is None, name
            continue
        assert mine.grad is not None and theirs[name].grad is not None
        part = tuple(slice(0, n) for n in theirs[name].shape)
        torch.testing.assert_close(mine.grad[part], theirs[name].grad, rtol=1e-6, atol=1e-9)
        rest = mine.grad.clone()
        rest[part] = 0
        assert not rest.any(), name
        checked += 1
    assert checked == len(theirs)
    state, small = net.state_dict(), alone.state_dict()
    for name in state:
        if "running" not in name:
            continue
        if name in small:
            n = len(small[name])
            torch.testing.assert_close(state[name][:n], small[name])
            assert not torch.equal(state[name][:n], before[name][:n])
            assert torch.equal(state[name][n:], before[name][n:])
        else:
            assert torch.equal(state[name], before[name])


def test_every_weight_of_every_block_is_trained(net: SuperLitePose) -> None:
    """Over some draws no parameter stays without a gradient, the last blocks' included."""
    reached = {name: torch.zeros_like(p, dtype=torch.bool) for name, p in net.named_parameters()}
    for number in range(40):
        net.active = SPACE.shape(SPACE.draw(0, number))
        net.zero_grad(set_to_none=True)
        sum(out.square().mean() for out in net(draw_images(1, number))).backward()
        for name, p in net.named_parameters():
            if p.grad is not None:
                reached[name] |= p.grad != 0
    share = {name: seen.float().mean().item() for name, seen in reached.items()}
    assert min(share.values()) > 0.95, min(share, key=lambda name: share[name])
    assert "stage.2.2.inv.0.weight" in share


def test_sorting_leaves_what_is_computed(net: SuperLitePose) -> None:
    net.eval()
    before = net(draw_images())
    changed = net.state_dict()["stage.1.1.inv.0.weight"].clone()
    sort_channels(net)
    assert not torch.equal(changed, net.state_dict()["stage.1.1.inv.0.weight"])
    for mine, theirs in zip(net(draw_images()), before, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-9)
    state = net.state_dict()
    groups = list_channels(net)
    assert len(groups) == 1 + 4 + sum(SPACE.largest.blocks) + 3
    for group in groups:
        weight = weigh_channels(state, group)
        assert (weight.diff() <= 1e-9).all(), group.name
        for name, axis in (*group.makers, *group.readers):
            assert state[name].shape[axis] == len(weight), (group.name, name)
    # Every tensor whose size a width decides is in the groups of its widths.
    axes = {pair for g in groups for pair in (*g.makers, *g.readers)}
    fixed = ("first.0", "first.1", "num_batches")
    for name, tensor in state.items():
        if any(f in name for f in fixed) or tensor.ndim == 0:
            continue
        wanted = {0} if tensor.ndim == 1 or tensor.shape[1] == 1 else {0, 1}
        wanted -= {0} if name.endswith("conv.3.weight") and "final" in name else set()
        wanted -= {1} if name == "first.2.weight" else set()
        assert {axis for n, axis in axes if n == name} == wanted, name


def test_importance_is_the_weight_of_what_reads() -> None:
    net = SuperLitePose(SPACE, JOINTS, 1)
    state = net.state_dict()
    group = next(g for g in list_channels(net) if g.name == "stage.0.1")
    weight = state["stage.0.1.point_conv.0.weight"]
    wanted = torch.stack([weight[:, c].abs().sum() for c in range(weight.shape[1])])
    torch.testing.assert_close(weigh_channels(state, group), wanted)


def test_calibrated_norms_have_the_statistics_of_the_images(net: SuperLitePose) -> None:
    alone = extract_subnet(net, SPACE.shape(SPACE.draw(0, 2)))
    batches = [draw_images(4, k) for k in range(3)]
    assert calibrate_norms(alone, batches) == 12
    assert not alone.training and alone.first[0][1].momentum == pytest.approx(0.1)
    seen = [alone.first[0][0](b).transpose(0, 1).flatten(1) for b in batches]
    first = alone.first[0][1]
    torch.testing.assert_close(first.running_mean, torch.stack([s.mean(1) for s in seen]).mean(0))
    torch.testing.assert_close(first.running_var, torch.stack([s.var(1) for s in seen]).mean(0))
    before = {k: v.clone() for k, v in alone.state_dict().items()}
    assert calibrate_norms(alone, []) == 0
    for name, value in alone.state_dict().items():
        if "running" in name:
            assert torch.equal(value, before[name])
