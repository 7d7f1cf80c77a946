"""What a dataset costs in an object store: bytes a frame, requests a shard, ranges a row group.

python -m bench.scaling [--frames 4096]

An S3 server (moto) listens on loopback, so requests and bytes are what a store would count, and
times are not.
"""

import argparse
import hashlib
import logging
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

import frames.store.object_store
from frames.checks.verify import verify_dataset
from frames.store.dataset import open_dataset
from frames.store.folder import finished_shards
from frames.store.place import find_place
from frames.store.shard import ROW_GROUP, shard_path
from synth.config import SynthConfig
from synth.engine import generate

URL = "s3://bench/hands"


def measure(count: int, tell: Callable[..., None]) -> None:
    """Generate a dataset into the store and read it back, counting."""
    config = SynthConfig(frames=count, seed=1)
    place = find_place(URL)
    with counted_requests() as asked:
        generate(place, config, workers=1)
    shards = len(finished_shards(place))
    sizes = [shard_path(place, i).stat().st_size for i in range(shards)]
    tell(f"bytes a frame: {sum(sizes) / count:,.0f}; shards: {sum(sizes) / shards / 1e6:.1f} MB")
    tell(f"requests to write {shards} shards: {name_counts(asked)}")
    groups = -(-count // ROW_GROUP)
    for what, columns in (("training", ["clean_depth", "hands"]), ("labels", ["hands"])):
        with counted_requests() as asked, counted_bytes() as got:
            for _ in open_dataset(place).batches(columns):
                pass
        tell(f"{what}: {sum(asked.values()) / groups:.1f} requests a row group,", end=" ")
        tell(f"{sum(got) / count:,.0f} bytes a frame")
    assert verify_dataset(place, labels=False).sound
    data = shard_path(place, 0).read_bytes()
    began = time.process_time()
    hashlib.sha256(data)
    tell(f"SHA-256: {len(data) / (time.process_time() - began) / 1e6:,.0f} MB a core and second")


class _Counting(logging.Handler):
    """Counts what the server's log tells of."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        match = re.search(r"(GET|PUT|POST|HEAD|DELETE) (\S+)", record.getMessage())
        if match is not None:
            listing = "?list-type" in match[2]
            self.found["LIST" if listing else match[1]] += 1


@contextmanager
def counted_requests() -> Iterator["Counter[str]"]:
    """Requests to the store, by what they ask."""
    log, handler = logging.getLogger("werkzeug"), _Counting()
    log.addHandler(handler)
    try:
        yield handler.found
    finally:
        log.removeHandler(handler)


@contextmanager
def counted_bytes() -> Iterator[list[int]]:
    """Bytes of each range that is read."""
    found: list[int] = []
    read = frames.store.object_store.RangedFile.read

    def count(file: frames.store.object_store.RangedFile, size: int = -1) -> bytes:
        data = read(file, size)
        found.append(len(data))
        return data

    frames.store.object_store.RangedFile.read = count  # type: ignore[method-assign]
    try:
        yield found
    finally:
        frames.store.object_store.RangedFile.read = read  # type: ignore[method-assign]


def name_counts(counts: "Counter[str]") -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items()))


def main() -> None:
    """The figures, on a server of its own."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--frames", type=int, default=4096)
    arguments, _ = parser.parse_known_args()
    from moto.server import ThreadedMotoServer

    log = logging.getLogger("werkzeug")
    log.setLevel(logging.INFO)
    log.propagate = False
    log.addHandler(logging.NullHandler())  # or it finds itself one
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    os.environ.update(
        AWS_ENDPOINT_URL=f"http://{host}:{port}",
        AWS_ACCESS_KEY_ID="key",
        AWS_SECRET_ACCESS_KEY="secret",
        AWS_DEFAULT_REGION="us-east-1",
    )
    frames.store.object_store.connect("s3").mkdir("bench")
    measure(arguments.frames, Console(highlight=False, soft_wrap=True).print)
    server.stop()


if __name__ == "__main__":
    main()
