"""A sensor reads the same at generation, offline and on loading, to the byte."""

import json
import pickle
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import synth.recording
from augment import open_sensed
from augment.degradation import Degradation
from augment.profile import build_profile, load_profile
from augment.sensing import choose_sensing
from augment.sensor import sense
from augment.shots import Shots, batch_frame, prepare_shots, shot_of_frame
from bench.killing import hash_files
from frames.checks.verify import verify_dataset
from frames.engines.filling import fill_dataset
from frames.errors import BadInput
from frames.store.dataset import open_dataset
from frames.store.folder import read_meta
from synth.config import SynthConfig
from synth.engine import generate
from synth.pair_source import RenderedAgain
from synth.rerender import rerender
from train_tiny.loading.sources import StoredSource
from train_tiny.loading.taking import Taking

CONFIG = SynthConfig(frames=40, seed=3, camera="ego-small", frames_per_shard=16, sequence_length=8)
"""Three shards; things, hands and camera move."""

Make = Callable[..., Path]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Datasets of CONFIG with some options changed, each made once."""
    known: dict[str, Path] = {}

    def make(workers: int = 1, **options: object) -> Path:
        key = repr((workers, sorted(options.items())))
        if key not in known:
            known[key] = tmp_path_factory.mktemp("made") / "data"
            generate(known[key], replace(CONFIG, **options), workers)
        return known[key]

    return make


def degrade(source: Path, out: Path, sensor: str, baked: bool, workers: int = 1) -> Path:
    sensing = choose_sensing(sensor, 3, baked)
    assert sensing is not None
    pairs = RenderedAgain(source) if sensing.needs_pair else None
    fill_dataset(out, Degradation(source, sensing, pairs), workers)
    return out


@pytest.mark.parametrize("sensor", ["ideal", "d435", "sr300", "azure-kinect", "random"])
@pytest.mark.parametrize("length", [1, 8])
def test_generation_offline_and_loading_agree(
    made: Make, tmp_path: Path, sensor: str, length: int
) -> None:
    options = {"sequence_length": length, "sensor": sensor}
    clean = made(sequence_length=length)
    lazy, baked = made(**options), made(**options, bake=True)
    offline = degrade(clean, tmp_path / "baked", sensor, True)
    assert hash_files(offline) == hash_files(baked)
    assert hash_files(degrade(clean, tmp_path / "lazy", sensor, False)) == hash_files(lazy)
    stored = open_dataset(baked)
    for loaded in (
        open_sensed(lazy),
        open_sensed(baked),
        open_sensed(clean, sensor=sensor, seed=3),
    ):
        for a, b in zip(loaded, stored, strict=True):
            assert_same_reading(a, b)


def assert_same_reading(a, b) -> None:
    np.testing.assert_array_equal(a.depth, b.depth)
    np.testing.assert_array_equal(a.invalid, b.invalid)
    assert (a.sensor, a.sensor_seed) == (b.sensor, b.sensor_seed)
    for mine, theirs in zip(a.hands, b.hands, strict=True):
        np.testing.assert_array_equal(mine.visibility, theirs.visibility)
        np.testing.assert_array_equal(mine.occlusion, theirs.occlusion)


def test_workers_change_no_byte(made: Make, tmp_path: Path) -> None:
    one = made(sensor="d435", bake=True)
    assert hash_files(made(3, sensor="d435", bake=True)) == hash_files(one)
    three = degrade(made(), tmp_path / "three", "d435", True, workers=3)
    assert hash_files(three) == hash_files(one)


def test_another_sensor_is_put_in_the_place_of_the_first(made: Make, tmp_path: Path) -> None:
    """Clean depth and clean labels are kept, so nothing of the first is left."""
    first = made(sensor="sr300", bake=True)
    baked = degrade(first, tmp_path / "baked", "d435", True)
    assert hash_files(baked) == hash_files(made(sensor="d435", bake=True))
    lazy = degrade(first, tmp_path / "lazy", "d435", False)
    assert hash_files(lazy) == hash_files(made(sensor="d435"))


def test_matched_pairs_offline_are_those_of_generation(made: Make, tmp_path: Path) -> None:
    few = {"frames": 10, "frames_per_shard": 4, "sequence_length": 5}
    whole = made(**few, sensor="d435-matched")
    assert read_meta(whole)["sensor"]["baked"] is True
    offline = degrade(made(**few), tmp_path / "offline", "d435-matched", False, workers=2)
    assert hash_files(offline) == hash_files(whole)
    assert rerender(whole, 2) == []
    with pytest.raises(BadInput, match="stereo by matching needs both eyes' views"):
        open_sensed(made(**few), sensor="d435-matched")[0]


@pytest.mark.parametrize("bake", [False, True])
def test_sensed_datasets_are_sound_and_render_again(made: Make, bake: bool) -> None:
    folder = made(sensor="d435", bake=bake)
    assert verify_dataset(folder).problems == ()
    assert rerender(folder, 6) == []


def test_shots_at_generation_are_those_of_the_stored_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reflectance, twists, times and keys, to the bit: also what no sensor here looks at."""
    seen: list[Shots] = []

    def note(batch, seed):
        seen.append(prepare_shots(batch, seed))
        return seen[-1]

    monkeypatch.setattr(synth.recording, "prepare_shots", note)
    generate(tmp_path, replace(CONFIG, sensor="ideal", bake=True, frames_per_shard=64), 1)
    (made,) = seen
    (batch,) = open_dataset(tmp_path).batches(size=64)
    frames = [prepare_shots(batch_frame(frame), 3) for frame in open_dataset(tmp_path)]
    assert made.twist is not None and np.abs(made.twist).max() > 0.01
    for loaded in [prepare_shots(batch, 3)]:
        for name in ("reflectance", "twist", "moving", "time_s", "frame_key", "sequence_key"):
            np.testing.assert_array_equal(getattr(made, name), getattr(loaded, name), name)
    for b, alone in enumerate(frames):
        for name in ("reflectance", "twist", "moving", "time_s", "frame_key", "sequence_key"):
            np.testing.assert_array_equal(getattr(made, name)[b], getattr(alone, name)[0], name)
        assert alone.device_key == made.device_key


def test_keys_are_those_of_frame_sequence_and_dataset(made: Make) -> None:
    (batch,) = open_dataset(made(frames_per_shard=64)).batches(size=64)
    shots = prepare_shots(batch, 3)
    assert len({*shots.frame_key.tolist()}) == 40
    assert (shots.sequence_key.reshape(5, 8) == shots.sequence_key[::8, None]).all()
    assert len({*shots.sequence_key.tolist()}) == 5
    assert (shots.reflectance[:, 0].reshape(5, 8) == shots.reflectance[::8, :1]).all()
    other = prepare_shots(batch, 4)
    assert (other.frame_key != shots.frame_key).all() and other.device_key != shots.device_key
    for words in (shots.frame_key, shots.sequence_key):
        assert words.min() >= 0 and words.max() < 2**53


def test_another_seed_is_another_noise_of_the_same_frames(made: Make) -> None:
    folder = made(sensor="d435", bake=True)
    own, other = open_sensed(folder), open_sensed(folder, seed=77)
    assert not np.array_equal(own[0].depth, other[0].depth)
    assert other[0].sensor_seed == 77
    np.testing.assert_array_equal(own[0].clean_depth, other[0].clean_depth)
    same = open_sensed(folder, seed=3)
    assert_same_reading(same[0], own[0])


def test_batches_and_frames_agree(made: Make) -> None:
    data = open_sensed(made(sensor="d435"))
    place = 0
    for batch in data.batches(size=7):
        offsets = np.concatenate([[0], np.cumsum(batch["hand_counts"])])
        for b in range(len(batch["frame_id"])):
            frame = data[place]
            np.testing.assert_array_equal(batch["depth"][b], frame.depth)
            np.testing.assert_array_equal(batch["invalid"][b], frame.invalid)
            visible = batch["hands.visibility"][offsets[b] : offsets[b + 1]]
            np.testing.assert_array_equal(visible, [h.visibility for h in frame.hands])
            place += 1
    assert place == len(data) == 40


def test_only_what_was_asked_for_comes(made: Make) -> None:
    folder = made(sensor="d435")
    frame = open_sensed(folder, ["depth"])[0]
    assert frame.depth is not None and frame.sensor == "d435"
    assert (frame.clean_depth, frame.parts, frame.invalid, frame.time_s) == (None,) * 4
    assert frame.hands == () and frame.objects == ()
    assert frame.reading is frame.depth
    batch = next(open_sensed(folder).batches(["depth", "hands.keypoints_px"]))
    assert {*batch} == {"depth", "hands.keypoints_px", "hand_counts"}
    parts = open_sensed(folder, ["parts"])[0]
    assert parts.depth is None and parts.parts is not None
    batch = next(open_sensed(folder).batches(["parts"]))
    assert {*batch} == {"parts"}
    streamed = next(iter(open_sensed(folder).stream(["invalid"])))
    assert streamed.invalid is not None and streamed.depth is None


def test_a_dataset_with_a_sensor_travels_to_other_processes(made: Make) -> None:
    data = open_sensed(made(sensor="random"))
    assert_same_reading(pickle.loads(pickle.dumps(data))[5], data[5])


def test_clean_depth_never_passes_for_a_sensors(made: Make) -> None:
    for columns in (None, ["clean_depth"], ["clean_depth", "hands"]):
        frame = open_dataset(made(sensor="d435"), columns)[0]
        assert frame.depth is None
        with pytest.raises(BadInput, match=r"sensor d435 is applied on loading: .*open_sensed"):
            _ = frame.reading
    baked = open_dataset(made(sensor="d435", bake=True), ["clean_depth"])[0]
    with pytest.raises(BadInput, match="ask for the column depth"):
        _ = baked.reading
    clean = open_dataset(made())[0]
    assert clean.reading is clean.clean_depth
    with pytest.raises(BadInput, match="has clean depth and no sensor: name one"):
        open_sensed(made())[0]
    with pytest.raises(BadInput, match="has clean depth and no sensor: name one"):
        next(open_sensed(made()).batches(["depth"]))


def test_a_reading_made_anew_has_what_the_file_rounds_away(made: Make) -> None:
    data = open_sensed(made(sensor="azure-kinect"))
    reading, frame = data.read(3), data[3]
    assert reading.amplitude is not None
    steps = np.floor(reading.depth_m * np.float32(1e4) + np.float32(0.5)).astype(np.uint16)
    np.testing.assert_array_equal(np.where(frame.invalid == 0, steps, 0), frame.depth)
    shot = shot_of_frame(frame, 3)
    np.testing.assert_array_equal(
        sense(load_profile("azure-kinect"), shot).depth_m, reading.depth_m
    )


def test_the_metadata_hold_the_whole_sensor(made: Make) -> None:
    entry = read_meta(made(sensor="random"))["sensor"]
    assert entry["seed"] == 3 and entry["baked"] is False
    assert build_profile(entry["profile"], "here") == load_profile("random")
    meta = read_meta(made(sensor="d435", sensor_seed=9))
    assert meta["sensor"]["seed"] == 9 and meta["seed"] == 3
    assert {frame.sensor_seed for frame in open_dataset(made(sensor="d435", sensor_seed=9))} == {9}


def test_a_sensor_of_another_release_is_missed_only_where_it_is_to_read(
    made: Make, tmp_path: Path
) -> None:
    lazy = shutil.copytree(made(sensor="d435"), tmp_path / "lazy")
    baked = shutil.copytree(made(sensor="d435", bake=True), tmp_path / "baked")
    for folder in (lazy, baked):
        about = json.loads((folder / "dataset.json").read_text())
        del about["sensor"]["profile"]["near_fray_px"]
        (folder / "dataset.json").write_text(json.dumps(about))
    told = r"near_fray_px \[px\] is missing .*dataset\.json.*another release.*--sensor NAME"
    taking = Taking()
    for read in (
        lambda: open_sensed(lazy),
        lambda: open_sensed(baked, seed=4),
        lambda: StoredSource(lazy, None, taking),
        lambda: rerender(baked, 1),
    ):
        with pytest.raises(BadInput, match=told):
            read()
    assert_same_reading(open_sensed(baked)[3], open_dataset(baked)[3])
    assert_same_reading(
        open_sensed(lazy, sensor="d435", seed=3)[5], open_sensed(baked, sensor="d435", seed=3)[5]
    )
    for folder, sensor in ((baked, ""), (lazy, "d435")):
        assert StoredSource(folder, None, taking, sensor).crops
    assert not verify_dataset(baked).problems


def test_a_clean_dataset_says_nothing_of_sensors(made: Make) -> None:
    meta = read_meta(made())
    assert "sensor" not in meta and not {"sensor", "bake", "sensor_seed"} & {*meta["config"]}
    assert hash_files(made(sensor="none")) == hash_files(made())
    frame = open_dataset(made())[0]
    assert (frame.sensor, frame.sensor_seed, frame.depth, frame.invalid) == (None,) * 4


def test_a_mixture_keeps_its_device_through_a_sequence(made: Make) -> None:
    names = [frame.sensor for frame in open_dataset(made(sensor="random"))]
    assert all(len({*names[i : i + 8]}) == 1 for i in range(0, 40, 8))
    assert len({*names}) > 1
