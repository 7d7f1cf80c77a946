"""Datasets in an object store: an S3 server on loopback, its connections cut, itself stopped."""

import hashlib
import os
import pickle
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import assert_refused, call
from cut_connections import forward
from fabricate import remove_shard, write_dataset
from fabricated_job import FabricatedJob

import frames
import frames.store.object_store
from frames.census.stats import collect_stats
from frames.checks.verify import verify_dataset
from frames.engines.filling import fill_dataset
from frames.errors import BadInput
from frames.store.dataset import open_dataset
from frames.store.disk import make_folder, write_files
from frames.store.folder import create_dataset, finished_shards
from frames.store.place import ObjectPath, find_place
from frames.store.shard import check_sum, shard_path, sum_path

s3fs = pytest.importorskip("s3fs")
ThreadedMotoServer = pytest.importorskip("moto.server").ThreadedMotoServer

VARIABLES = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/nowhere",
    "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Where an S3 server listens."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield server.get_host_and_port()[1]
    server.stop()


@pytest.fixture(autouse=True)
def bucket(port: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """A bucket that is there, and what its tools need."""
    for name in [n for n in os.environ if n.startswith(("AWS_", "FSSPEC_"))]:
        monkeypatch.delenv(name)
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    turn_to(port, monkeypatch)
    frames.store.object_store.connect("s3").mkdirs("hands", exist_ok=True)
    return "hands"


def turn_to(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask the store at this port from now on."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    frames.store.object_store.open_store.cache_clear()


@pytest.fixture
def place(request: pytest.FixtureRequest) -> Path:
    """A prefix with nothing below it."""
    name = hashlib.sha256(request.node.name.encode()).hexdigest()[:8]
    return find_place(f"s3://hands/{name}/data")


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dataset that jobs make, in a folder."""
    folder = tmp_path_factory.mktemp("once")
    fill_dataset(folder, FabricatedJob(), 1)
    return folder


def hash_all(place: Path) -> dict[str, str]:
    """SHA-256 of all that is there."""
    below = [*place.iterdir(), *(place / "shards").iterdir()]
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in below
        if path.name not in ("shards", ".lock")
    }


def upload(folder: Path, place: Path) -> Path:
    for path in folder.rglob("*"):
        if path.is_file() and path.name != ".lock":
            write_files([(place / path.relative_to(folder), path.read_bytes())])
    return place


def assert_one_line(error: BaseException) -> None:
    assert "\n" not in str(error) and len(str(error)) < 500


def test_the_same_bytes_as_in_a_folder(once: Path, place: Path) -> None:
    assert fill_dataset(place, FabricatedJob(), 2) == {"written": 44, "found": 0}
    assert hash_all(place) == hash_all(once)


def test_what_is_missing_is_made_again(once: Path, place: Path) -> None:
    upload(once, place)
    shard_path(place, 2).unlink()  # its sidecar stays, as when a writer is killed in between
    remove_shard(place, 5)
    assert finished_shards(place) == set(range(11)) - {2, 5}
    with pytest.raises(BadInput, match="lacks 2 of 11 shards"):
        open_dataset(place)
    assert fill_dataset(place, FabricatedJob(), 1, "1/2") == {"written": 4, "found": 16}
    assert fill_dataset(place, FabricatedJob(), 1) == {"written": 4, "found": 40}
    assert hash_all(place) == hash_all(once)


def test_another_dataset_is_not_overwritten(place: Path) -> None:
    meta = FabricatedJob().build().describe()
    create_dataset(place, meta)
    assert create_dataset(place, meta)["frames"] == 44
    with pytest.raises(BadInput, match="holds another dataset: frames is 44 there and 45 here"):
        create_dataset(place, {**meta, "frames": 45})
    # Of two who create one at the same time, the second is told.
    assert isinstance(place, ObjectPath)
    assert not frames.store.object_store.create_object(ObjectPath(place / "dataset.json"), b"{}")
    write_files([(place.parent / "other" / "thesis.txt", b"")])
    with pytest.raises(BadInput, match="not empty and no dataset"):
        create_dataset(place.parent / "other", meta)


SPLITS = {"val": (0, 6), "train": (6, 20)}


def test_read_as_from_a_folder(tmp_path: Path, place: Path) -> None:
    folder = write_dataset(tmp_path / "d", 20, 8, row_group=3, splits=SPLITS)
    upload(folder, place)
    near, far = open_dataset(folder), frames.open_dataset(str(place))
    assert len(far) == 20
    for a, b in zip(near, far, strict=True):
        assert a.frame_id == b.frame_id and a.camera == b.camera
        np.testing.assert_array_equal(a.clean_depth, b.clean_depth)
    travelled = pickle.loads(pickle.dumps(far))
    np.testing.assert_array_equal(travelled[13].parts, near[13].parts)
    columns = ["clean_depth", "hands.keypoints_px"]
    pairs = zip(near.batches(columns), far.batches(columns), strict=True)
    for x, y in pairs:
        for name in x:
            np.testing.assert_array_equal(x[name], y[name])
    assert len(open_dataset(place, split="val")) == 6
    assert collect_stats(far) == collect_stats(near)


def test_a_row_group_is_few_requests(
    tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_dataset(tmp_path / "d", 128, 128)
    upload(folder, place)
    data = open_dataset(place)
    data[0]
    asked: list[int] = []
    read = frames.store.object_store.RangedFile.read

    def count(file: Any, size: int = -1) -> bytes:
        found = read(file, size)
        asked.append(len(found))
        return found

    monkeypatch.setattr(frames.store.object_store.RangedFile, "read", count)
    data = open_dataset(place)
    data[5]
    whole = shard_path(folder, 0).stat().st_size
    assert len(asked) <= 6 and sum(asked) < whole + (128 << 10)
    asked.clear()
    assert data[77].frame_id == 77 and not asked  # it stayed in memory
    next(open_dataset(place).batches(["hands.visibility"]))
    assert sum(asked) < whole / 2


def test_a_flipped_byte_and_a_lost_shard_are_found(tmp_path: Path, place: Path) -> None:
    upload(write_dataset(tmp_path / "d", 20, 8), place)
    assert verify_dataset(str(place)).sound
    path = shard_path(place, 1)
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    write_files([(path, bytes(data))])
    with pytest.raises(BadInput, match="does not match its SHA-256"):
        check_sum(path)
    path.unlink()
    with pytest.raises(BadInput, match="is missing"):
        frames.store.shard.open_shard(path)
    (problem,) = verify_dataset(place).problems
    assert "frames-00001.parquet is missing" in problem
    write_files([(path, b"PAR1 no more")])
    with pytest.raises(BadInput, match="truncated or no shard"):
        open_dataset(place)[9]


def test_cut_connections_change_no_byte(
    once: Path, place: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with forward(port) as (other, forwarder):
        turn_to(other, monkeypatch)
        forwarder.up, forwarder.cuts = 20_000, 2  # in the middle of a shard
        fill_dataset(place, FabricatedJob(), 1)
        assert forwarder.cuts == 0
        assert hash_all(place) == hash_all(once)
        forwarder.up, forwarder.down, forwarder.cuts = 0, 20_000, 2
        assert verify_dataset(place).sound
        assert forwarder.cuts == 0


class Stopper:
    """Progress that stops a server once two shards are finished."""

    def __init__(self, server: Any) -> None:
        self._server, self._done = server, 0

    def begin(self, total: int, there: int) -> None:
        pass

    def advance(self, count: int) -> None:
        self._done += count
        if self._done == 8:
            self._server.stop()


def test_a_store_that_goes_away_is_told_and_the_rest_made_later(
    once: Path, place: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)  # another door to the same store
    server.start()
    turn_to(server.get_host_and_port()[1], monkeypatch)
    with pytest.raises(BadInput, match=r"no answer from http://127.* the same comm") as raised:
        fill_dataset(place, FabricatedJob(), 1, progress=Stopper(server))
    assert_one_line(raised.value)
    with pytest.raises(BadInput, match="no answer from"):
        open_dataset(place)
    turn_to(port, monkeypatch)
    there = finished_shards(place)
    assert there == {0, 1}
    counts = fill_dataset(place, FabricatedJob(), 1)
    assert counts == {"written": 36, "found": 8}
    assert hash_all(place) == hash_all(once)


def test_a_shard_never_lacks_its_sum(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = frames.store.object_store.connect("s3")
    put = store.pipe_file

    def refuse(key: str, *arguments: Any, **options: Any) -> None:
        if key.endswith(".parquet"):
            raise OSError("reset")
        put(key, *arguments, **options)

    monkeypatch.setattr(store, "pipe_file", refuse)
    with pytest.raises(BadInput, match="reset"):
        fill_dataset(place, FabricatedJob(), 1)
    assert not shard_path(place, 0).exists()
    assert sum_path(shard_path(place, 0)).exists()
    assert finished_shards(place) == set()


def test_a_large_object_comes_in_parts_or_not_at_all(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames.store.object_store, "PART_BYTES", 5 << 20)
    pieces = [os.urandom(3 << 20) for _ in range(5)]

    def write(file: frames.store.object_store.Sink) -> None:
        for piece in pieces:
            file.write(piece)
        assert file.tell() == 15 << 20

    write_files([(place / "sum", b"first"), (place / "large", write)])
    assert (place / "large").read_bytes() == b"".join(pieces)

    def fail(file: frames.store.object_store.Sink) -> None:
        write(file)
        raise BadInput("no more")

    with pytest.raises(BadInput, match="no more"):
        write_files([(place / "lost.sum", b""), (place / "lost", fail)])
    assert sorted(p.name for p in place.iterdir()) == ["large", "sum"]
    assert not frames.store.object_store.connect("s3").list_multipart_uploads("hands")


def test_a_bucket_that_is_missing() -> None:
    for action in (open_dataset, lambda p: fill_dataset(find_place(p), FabricatedJob(), 1)):
        with pytest.raises(BadInput, match="there is no bucket nowhere at http://127") as raised:
            action("s3://nowhere/data")
        assert_one_line(raised.value)


@pytest.mark.parametrize("url", ["s3://", "s3://UPPER_case!/x"])
def test_what_is_no_bucket(url: str) -> None:
    with pytest.raises(BadInput, match=r"s3://BUCKET|bucket") as raised:
        open_dataset(url)
    assert_one_line(raised.value)


def test_without_credentials(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    frames.store.object_store.open_store.cache_clear()
    with pytest.raises(BadInput, match=r"no credentials for s3://hands.*AWS_PROFILE") as raised:
        open_dataset(place)
    assert_one_line(raised.value)


def test_without_access(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moto.settings.INITIAL_NO_AUTH_ACTION_COUNT", 0)  # keys are checked
    for action in (open_dataset, lambda p: fill_dataset(p, FabricatedJob(), 1)):
        with pytest.raises(BadInput, match="access denied to s3://hands/") as raised:
            action(place)
        assert_one_line(raised.value)


def test_without_the_extra(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    frames.store.object_store.open_store.cache_clear()
    with pytest.raises(BadInput, match=r"pip install 'handloom\[s3\]'"):
        open_dataset(place)


def test_places_are_paths(place: Path) -> None:
    assert str(place / "a" / "b.txt") == f"{place}/a/b.txt"
    assert str(find_place(Path("s3://hands/x"))) == "s3://hands/x" == str(find_place("s3:/hands/x"))
    assert find_place(place) is place and place.resolve() == place
    assert (place / "a").name == "a" and (place / "a").parent == place
    assert type(find_place("out/train")) is type(Path())
    assert pickle.loads(pickle.dumps(place)) == place
    with pytest.raises(BadInput, match="is in an object store: this needs a folder"):
        shutil.copytree(place, "/tmp/never")
    with pytest.raises(BadInput, match="objects are written whole"):
        (place / "a").open("w")
    with pytest.raises(BadInput, match="unknown kind of place gs://x/y: known are folders and s3"):
        find_place("gs://x/y")
    with pytest.raises(BadInput, match="s3://hands/run is in an object store: this needs a folder"):
        make_folder(Path("s3://hands/run"))
    assert not place.exists() and not place.is_dir() and [*place.glob("*")] == []
    with pytest.raises(FileNotFoundError):
        (place / "a").stat()


def test_training_straight_from_it(tmp_path: Path, place: Path) -> None:
    pytest.importorskip("torch")
    from train_tiny.loading.mixing import open_sources
    from train_tiny.loading.taking import Taking
    from train_tiny.specs import hash_data

    folder = write_dataset(tmp_path / "d", 20, 8)
    upload(folder, place)
    near, far = (
        open_sources([where]).open(None, Taking(), "none").sources[0] for where in (folder, place)
    )
    assert near.crops == far.crops > 0
    pairs = zip(near.take(1, 0, 0, near.crops), far.take(1, 0, 0, far.crops), strict=True)
    for a, b in pairs:
        assert (a.frame.frame_id, a.hands) == (b.frame.frame_id, b.hands)
        np.testing.assert_array_equal(a.frame.clean_depth, b.frame.clean_depth)
    told = [hash_data(str(where)) for where in (folder, place)]
    assert told[0] == {**told[1], "source": str(folder)}


def test_exports_read_from_it(
    tmp_path: Path, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_dataset(tmp_path / "d", 6, 4)
    upload(folder, place)
    for name, source in (("near", folder), ("far", place)):
        told = ("--format", "webdataset", "--frames-per-file", 3, "--workers", 2)
        done = call(capsys, "export", source, tmp_path / name, *told)
        assert done.code == 0, done.err
    near, far = (
        {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in (tmp_path / name).iterdir()}
        for name in ("near", "far")
    )
    assert near == far and len([n for n in near if n.endswith(".tar")]) == 2
    refused = call(capsys, "export", folder, place.parent / "out", "--format", "coco")
    assert_refused(refused, "is in an object store: this needs a folder")
