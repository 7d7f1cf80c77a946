"""The space of subnets: the published ones are in it, and costs are what torch counts."""

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from frames.errors import BadInput  # noqa: E402
from tests.train_tiny.small_space import SPACE  # noqa: E402
from train_tiny.networks.litepose import LITEPOSE, LitePose, build_litepose  # noqa: E402
from train_tiny.search.subnets import Space, count_macs, describe_shape, fit_size  # noqa: E402


def test_published_nets_are_subnets() -> None:
    space = Space()
    for name, shape in LITEPOSE.items():
        assert space.shape(space.genes(shape)) == shape, name
    # 5 sizes; stem 24, 16, 8; stages 4 widths each; deconv 4, 4, 4; depths fixed.
    assert space.count == 5 * 3 * 4**4 * 4**3
    assert space.options[1] == (24, 16, 8)
    assert space.options[7] == (48, 40, 24, 16)


def test_what_is_no_subnet_is_refused() -> None:
    with pytest.raises(BadInput, match="is no subnet"):
        Space().genes(replace(LITEPOSE["xs"], stem=20))
    with pytest.raises(BadInput, match="is no subnet"):
        Space().genes(replace(LITEPOSE["xs"], kernel=5))
    for change in ({"widths": (0.5,)}, {"fewer": (0, 6)}, {"sizes_px": (250,)}, {"fewer": (1,)}):
        with pytest.raises(BadInput):
            Space(**change)


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("fusion", [True, False])
def test_costs_are_what_torch_counts(number: int, fusion: bool) -> None:
    space = replace(SPACE, largest=replace(SPACE.largest, fusion=fusion))
    shape = space.shape(space.draw(3, number))
    net = LitePose(shape, 5, 2).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(torch.zeros(1, 2, 48, 64))
    assert counter.get_total_flops() == 2 * count_macs(shape, (64, 48), 5, 2)


def test_published_costs() -> None:
    """GMAC of the four nets with 14, 17 and 21 joints."""
    table = {
        "xs": (0.883, 0.886, 0.890),
        "s": (3.614, 3.624, 3.638),
        "m": (5.264, 5.276, 5.292),
        "l": (9.962, 9.979, 10.002),
    }
    for name, wanted in table.items():
        side = LITEPOSE[name].input_px
        found = [count_macs(LITEPOSE[name], (side, side), j, 3) / 1e9 for j in (14, 17, 21)]
        assert found == pytest.approx(wanted, abs=6e-4), name


def test_draws_cover_every_option_evenly() -> None:
    """Of 4,000 draws each option has its share to 4 standard errors: none is left untrained."""
    count = 4000
    drawn = torch.tensor([SPACE.draw(1, n) for n in range(count)])
    for gene, options in enumerate(SPACE.options):
        share = 1 / len(options)
        error = (share * (1 - share) / count) ** 0.5
        for value in range(len(options)):
            found = (drawn[:, gene] == value).double().mean().item()
            assert abs(found - share) <= 4 * error + 1e-12
    assert SPACE.draw(1, 7) == SPACE.draw(1, 7) != SPACE.draw(2, 7)


def test_an_input_keeps_its_proportions() -> None:
    assert [fit_size((256, 192), w)[1] for w in (256, 320, 384, 448, 512)] == [
        *(192, 240, 288, 336, 384)
    ]
    assert fit_size((512, 512), 448) == (448, 448)
    assert fit_size((512, 16), 256) == (256, 16)


def test_a_shape_builds_the_same_net_from_plain_values() -> None:
    shape = Space().shape(Space().draw(0, 5))
    told = {k: tuple(v) if isinstance(v, list) else v for k, v in describe_shape(shape).items()}
    assert build_litepose("xs", 21, **told).config == shape
