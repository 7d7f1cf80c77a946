"""`handloom search` and what `handloom train` has for it, as people use them."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("faster_coco_eval")

from commands import assert_refused, call  # noqa: E402

from synth.config import SynthConfig  # noqa: E402
from synth.engine import generate  # noqa: E402
from tests.train_tiny.drawn_persons import annotate, write_persons  # noqa: E402
from tests.train_tiny.small_space import SPACE  # noqa: E402
from train_tiny.search.searching import SCORES_NAME, read_scores  # noqa: E402
from train_tiny.search.subnets import Space, count_macs, fit_size  # noqa: E402
from train_tiny.training.checkpoint import load_checkpoint  # noqa: E402

BIG = SPACE.largest
NETWORK = (
    *("--network", "size_px=[64,48]", "sizes_px=[32,48,64]", "fewer=[0,1]", f"stem={BIG.stem}"),
    *(f"stages={list(BIG.stages)}", f"deconv={list(BIG.deconv)}", f"blocks={list(BIG.blocks)}"),
    *(f"kernel={BIG.kernel}", f"expansion={BIG.expansion}"),
)
HERE = ("--workers", 0, "--threads", 1, "--device", "cpu")
QUICK = (*HERE, "--batch", 4, "--log-every", 2, "--validate-crops", 4, "--validate-every", 4)
EVOLVE = (*HERE, "--population", 4, "--rounds", 2, "--frames", 6, "--calibration", 8)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """96 frames with a split to search on."""
    folder = tmp_path_factory.mktemp("made") / "data"
    config = SynthConfig(
        frames=96, seed=3, camera="ego-small", identities=8, variants=1, frames_per_shard=16,
        split="train:0.5,val:0.25,search:0.25",
    )  # fmt: skip
    generate(folder, config, 1)
    return folder


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A supernet that has seen eight batches."""
    out = tmp_path_factory.mktemp("runs") / "super"
    options = ("--data", data, "--sensor", "ideal", "--model", "litepose-super", *NETWORK, *QUICK)
    run("train", out, *options, "--steps", 8)
    return out


def run(*arguments: object) -> None:
    """A command that must work."""
    import handloom

    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as end:
        patch.setattr("sys.argv", ["handloom", *map(str, arguments)])
        handloom.main()
    assert end.value.code == 0


def test_a_supernet_trains_and_is_not_deployed(trained: Path) -> None:
    names = {p.name for p in trained.iterdir()}
    assert {"best.ckpt", "last.ckpt", "curves.csv"} <= names
    assert "weights.safetensors" not in names
    rows = (trained / "curves.csv").read_text().splitlines()
    assert len(rows) == 5 and "val_ap" in rows[0]


def test_a_search_that_was_cut_ends_as_one_that_was_not(
    trained: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    budget = ("--gmacs", 0.004)
    whole = call(capsys, "search", trained, tmp_path / "a", *EVOLVE, *budget, "--json")
    assert (whole.code, whole.err) == (0, ""), whole.err
    found = json.loads(whole.out)
    # As if it had been killed while it wrote its fourth score.
    rows = (tmp_path / "a" / SCORES_NAME).read_text().splitlines()
    (tmp_path / "b").mkdir()
    os.link(tmp_path / "a" / "search.json", tmp_path / "b" / "search.json")
    (tmp_path / "b" / SCORES_NAME).write_text("\n".join(rows[:4]) + '\n{"genes": [0, 1')
    again = call(capsys, "search", trained, tmp_path / "b", *EVOLVE, *budget, "--json")
    other = json.loads(again.out)
    del found["out"], other["out"]
    assert found == other
    one, two = (load_checkpoint(tmp_path / k / "best.ckpt")["net"] for k in "ab")
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert read_scores(tmp_path / "a" / SCORES_NAME) == read_scores(tmp_path / "b" / SCORES_NAME)
    assert len(read_scores(tmp_path / "b" / SCORES_NAME)) == found["subnets"] >= 4
    check_budget(found, tmp_path / "a")
    refused = call(capsys, "search", trained, tmp_path / "a", *EVOLVE, "--gmacs", 0.005)
    assert_refused(refused, "holds another search: gmacs is 0.004 there and 0.005 here")
    # What was found is a run to score, and to train from.
    fine = ("--init", tmp_path / "a", "--data", data, "--sensor", "ideal", *QUICK, "--steps", 2)
    shape = [f"{k}={json.dumps(v).replace(' ', '')}" for k, v in found["network"].items()]
    run("train", tmp_path / "fine", "--model", "litepose", "--network", *shape, *fine)
    assert (tmp_path / "fine" / "weights.safetensors").stat().st_size > 1000


def check_budget(found: dict[str, Any], folder: Path) -> None:
    """Every subnet that was scored costs what is said, at its own size, and not too much."""
    space = Space(BIG, fewer=(0, 1), sizes_px=(32, 48, 64))
    for row in map(json.loads, filter(None, (folder / SCORES_NAME).read_text().splitlines())):
        shape = space.shape(row["genes"])
        assert row["macs"] == count_macs(shape, fit_size((64, 48), shape.input_px), 21) <= 4e6
    assert found["macs"] <= 4e6
    front = found["front"]
    assert [r["macs"] for r in front] == sorted(r["macs"] for r in front)
    assert front[-1]["score"] == found["score"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--gmacs", 1e-5), "is below the smallest subnet's"),
        (("--split", "val"), "trained or validated the supernet"),
        (("--split", "train"), "trained or validated the supernet"),
        (("--split", "exam"), "has no split 'exam' to search on"),
        (("--population", 1), "population must be >= 2"),
    ],
)
def test_searches_that_cannot_be(
    trained: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: tuple[object, ...],
    told: str,
) -> None:
    result = call(capsys, "search", trained, tmp_path / "s", *EVOLVE, *options)
    assert_refused(result, told)


def test_a_teacher_teaches(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run's network becomes the teacher of a smaller one; another teacher is another run."""
    small = ("--network", "stem=8", "tiers=[8,8,16]", "blocks=[1,1,1]", "decoder=8", "input_px=32")
    common = ("--data", data, "--sensor", "ideal", *QUICK, "--steps", 4)
    run("train", tmp_path / "big", "--model", "mobilenetv2", "--network", "input_px=32", *common)
    taught = ("train", tmp_path / "small", *small, *common, "--teacher", tmp_path / "big")
    run(*taught)
    rows = (tmp_path / "small" / "curves.csv").read_text().splitlines()
    column = rows[0].split(",").index("loss_teacher")
    # Not in the first stage, where the encoder alone is taught; in the last one, too.
    assert float(rows[-1].split(",")[column]) > 0
    assert_refused(call(capsys, *taught, "--teacher-weight", 2), "teacher.weight is 1.0 there")
    wider = ("--network", "input_px=64", *common, "--teacher", tmp_path / "big")
    assert_refused(call(capsys, "train", tmp_path / "c", *wider), "the same --network input_px")
    frames = ("--model", "litepose-super", *NETWORK, *common, "--teacher", tmp_path / "big")
    assert_refused(call(capsys, "train", tmp_path / "d", *frames), "cannot teach litepose-super")


def test_persons_are_trained_on_and_searched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    specs = [write_persons(tmp_path / str(k), 14, 8, seed=k) for k in range(3)]
    options = ("--data", specs[0], "--validate-data", specs[1], *QUICK, "--steps", 4)
    network = (*NETWORK, "joints=14", "channels=3")
    run("train", tmp_path / "run", "--model", "litepose-super", *network, *options)
    assert "val_ap" in (tmp_path / "run" / "curves.csv").read_text()
    search = ("search", tmp_path / "run", tmp_path / "found", *EVOLVE, "--gmacs", 0.004, "--json")
    assert_refused(call(capsys, *search), "search on a file of its own")
    assert_refused(call(capsys, *search, "--data", specs[1]), "search on a file of its own")
    result = call(capsys, *search, "--data", specs[2])
    assert (result.code, result.err) == (0, "")
    assert json.loads(result.out)["network"]["joints"] == 14
    wrong = call(capsys, "train", tmp_path / "x", "--model", "litepose", *options)
    assert_refused(wrong, "say --network joints=14 channels=3")
    crop = call(capsys, "train", tmp_path / "x", *options)
    assert_refused(crop, "handlite takes depth, and")


def test_crowds_count_for_nobody(tmp_path: Path) -> None:
    """COCO's protocol: labels found as they are score 1, whatever is found in a crowd besides."""
    from dataclasses import replace

    import numpy as np

    from train_tiny.finding.hand_finder import Found
    from train_tiny.persons.data import open_person_sources
    from train_tiny.persons.validation import measure_persons, put_back
    from train_tiny.persons.views import draw_warp

    def change(meta: dict[str, Any]) -> None:
        for one in meta["annotations"]:
            one["area"] = 600.0
        crowd = [[0, 0, 48, 0, 48, 64, 0, 64]]
        annotate(meta, 12, None, iscrowd=1, segmentation=crowd, area=3072.0, bbox=[0, 0, 48, 64])

    source = open_person_sources([write_persons(tmp_path, 17, 6, change)])[0]

    def find(points: np.ndarray, score: float = 0.9) -> Found:
        px = points[:, :2].astype(np.float32)
        box = np.concatenate([px.min(0), px.max(0)])
        return Found(score, box, px, np.ones(len(px), np.float32))

    found = [[find(p) for p in picture.keypoints] for picture in source.pictures]
    assert measure_persons(source, found)["ap"] == pytest.approx(1)
    assert measure_persons(source, [[] for _ in found])["ap"] == 0
    away = [[replace(f, keypoints_px=f.keypoints_px + 60) for f in frame] for frame in found]
    assert measure_persons(source, away)["ap"] == pytest.approx(0, abs=0.01)
    rng = np.random.default_rng(0)
    inside = rng.uniform((2, 2, 0), (46, 62, 1), (17, 3))
    found[2].append(find(inside, 0.99))
    assert measure_persons(source, found)["ap"] == pytest.approx(1)
    found[1].append(find(inside, 0.99))
    assert measure_persons(source, found)["ap"] < 0.99
    # There and back again.
    warp, _ = draw_warp((96, 64), (64, 64), None, 0, 0, 0)
    one = found[1][0]
    there = one.keypoints_px @ warp[:, :2].T + warp[:, 2]
    seen = replace(one, keypoints_px=there.astype(np.float32))
    back = put_back(seen, (96, 64), (64, 64))
    assert np.abs(back.keypoints_px - one.keypoints_px).max() < 1e-4
