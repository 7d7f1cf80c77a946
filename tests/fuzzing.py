"""Input broken at random. A reader owes whoever brings it that it works, or one clear line.

In the tests each target meets a few broken files. For a long run, which tells every different
failure with the seed that repeats it:

    python -m tests.fuzzing --seconds 60 [TARGET ...]
"""

import argparse
import importlib
import json
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
ROOMS: Final = ("frames", "synth/hand", "labeling", "train_tiny")
"""Where the tests' own helpers lie."""
sys.path[:0] = [str(ROOT / "tests"), *(str(ROOT / "tests" / room) for room in ROOMS)]

from hypothesis import HealthCheck, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from frames.errors import BadInput  # noqa: E402

MODULES: Final = (
    *("test_fuzz_datasets", "test_fuzz_settings", "test_fuzz_models"),
    *("test_fuzz_annotations", "test_fuzz_networks"),
)
MORE_BYTES: Final = 3 << 30
"""Address space that a reader of small files may take beyond what the process has."""
MOST_S: Final = 60
"""So long a reader may take: far more than any needs, for machines are busy."""
MOST_CHARACTERS: Final = 2000
"""Of a message, whatever it quotes."""

Break = Callable[[Random, bytes], bytes]


@dataclass(frozen=True)
class Target:
    """A reader and what it reads."""

    name: str
    write: Callable[[Path], Path]
    """Puts good input into an empty folder; returns the file that is to be broken."""
    read: Callable[[Path], object]
    """Reads it, given that file."""
    harm: Break
    """Breaks the file's bytes."""
    patient: bool = False
    """Whether it refuses nothing: what is broken is left out, or put on a list."""

    def prepare(self, folder: Path) -> tuple[Path, bytes]:
        """The file to break and its bytes, read once to see that they are good."""
        folder.mkdir(parents=True)
        path = self.write(folder)
        self.read(path)
        return path, path.read_bytes()

    def try_one(self, path: Path, whole: bytes, random: Random) -> bool:
        """Read it broken; the file is whole again afterwards. Returns whether it was refused."""
        return self.try_bytes(path, whole, self.harm(random, whole))

    def try_bytes(self, path: Path, whole: bytes, broken: bytes) -> bool:
        """Raises whatever is no clear refusal; returns whether there was one."""
        try:
            path.write_bytes(broken)
            return judge(self.read, path)
        finally:
            path.write_bytes(whole)


class Unclear(AssertionError):
    """A refusal that is no clear line."""


class Hung(AssertionError):
    """A reader that does not come to an end."""


def judge(read: Callable[[Path], object], path: Path) -> bool:
    """Read within bounds of memory and time; only BadInput, in one line, may come out. Returns
    whether it did.
    """
    try:
        with bounded():
            read(path)
    except BadInput as error:
        text = str(error)
        if not text.strip() or "\n" in text or len(text) > MOST_CHARACTERS:
            raise Unclear(f"no clear line, {len(text)} characters: {text[:300]!r}") from error
        return True
    return False


@contextmanager
def bounded() -> Iterator[None]:
    """MemoryError beyond `MORE_BYTES`, Hung after `MOST_S`."""
    limits = resource.getrlimit(resource.RLIMIT_AS)
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    previous = signal.signal(signal.SIGALRM, _stop)
    signal.setitimer(signal.ITIMER_REAL, MOST_S)
    resource.setrlimit(resource.RLIMIT_AS, (taken + MORE_BYTES, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _stop(*_: object) -> None:
    raise Hung(f"not done after {MOST_S} s")


SEEDS: Final = st.integers(0, 2**32 - 1)


def few(examples: int) -> settings:
    """So many broken files in the tests: seconds, not minutes."""
    return settings(
        max_examples=examples,
        deadline=None,
        print_blob=False,
        suppress_health_check=[HealthCheck.too_slow],
    )


def meet(target: Target, seed: int) -> bool:
    """Have a target read what a seed makes of its input; whether it refused that."""
    _, path, whole = _prepare_once(target)
    return target.try_one(path, whole, make_random(target, seed))


def meets_refusals(target: Target, most: int = 60) -> bool:
    """Whether of so many broken files one is refused: breaking has to reach what is read."""
    return any(meet(target, seed) for seed in range(most))


def make_random(target: Target, seed: int) -> Random:
    """The numbers that break a target's input."""
    return Random(f"{target.name} {seed}")


@lru_cache(maxsize=32)
def _prepare_once(target: Target) -> tuple[Any, Path, bytes]:
    folder = tempfile.TemporaryDirectory()
    return folder, *target.prepare(Path(folder.name) / "in")


EXTREME: Final = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 60_000, 0x7FFFFFFF, 0x80000000)
WIDE: Final = (*EXTREME, 0xFFFFFFFF, 10**10, 2**63 - 1, 2**64 - 1)


def harm_bytes(random: Random, data: bytes) -> bytes:
    """Bits flipped, numbers replaced, pieces lost, doubled and swapped, the end cut off."""
    blob = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 4, 8))):
        if not blob:
            break
        at = _place(random, len(blob))
        what = random.randrange(8)
        if what == 0:
            blob[at] ^= 1 << random.randrange(8)
        elif what in (1, 2):
            blob[at] = random.choice((0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)))
        elif what in (3, 4):
            size = random.choice((1, 2, 4, 8))
            number = random.choice([n for n in WIDE if n < 1 << 8 * size])
            blob[at : at + size] = number.to_bytes(size, random.choice(("little", "big")))
        elif what == 5:
            del blob[at : at + random.choice((1, 2, 8, 64))]
        elif what == 6:
            some = blob[at : at + random.choice((1, 4, 16, 256))]
            to = _place(random, len(blob))
            blob[to:to] = some * random.choice((1, 1, 2, 16))
        else:
            del blob[at:]
    return bytes(blob)


def _place(random: Random, size: int) -> int:
    """Structure lies at both ends; in the middle, mostly pixels."""
    near = min(size, 400)
    return random.choice(
        (random.randrange(near), size - 1 - random.randrange(near), random.randrange(size))
    )


HOSTILE: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 1, 2, 7, 2**31, 2**63, -(2**70), 10**30, 10**400, 0.5, -0.0),
    *(1e308, -1e308, 1e-320, float("inf"), float("-inf"), float("nan"), "", "x", "\x00", "1"),
    *("\ud800", "a" * 5000, "../../etc", "NaN", "1e999", [], {}, [[]], [None], {"": None}),
    *([0, 0], [1, -1], ["a", "b"], [float("nan")] * 4, [{}], {"id": []}, [[1, 2], [3]], "left"),
)


def harm_value(random: Random, value: Any) -> Any:
    """A copy of a JSON value with something in it replaced, lost, doubled, renamed or swapped."""
    value = deepcopy(value)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        places = list(_walk(value))
        if not places:
            return deepcopy(random.choice(HOSTILE))
        holder, key = random.choice(places)
        what = random.randrange(8)
        if what <= 4:
            holder[key] = deepcopy(random.choice(HOSTILE))
        elif what == 5:
            del holder[key]
        elif what == 6:
            other, name = random.choice(places)
            if name in other if isinstance(other, dict) else name < len(other):
                holder[key] = deepcopy(other[name])
        elif isinstance(holder, dict):
            holder[random.choice(("", "x", "\ud800", f"{key}s"))] = holder[key]
        else:
            holder[key:key] = [holder[key]] * random.choice((1, 3))
    return value


def _walk(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a value: what holds it, and its key there."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(pairs):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _walk(inner)


DEEP: Final = 100_000


def harm_json(random: Random, data: bytes) -> bytes:
    """A JSON file whose values are broken; now and then its text."""
    what = random.randrange(12)
    if what == 0:
        return harm_bytes(random, data)
    if what == 1:
        at = random.randrange(len(data))
        return data[:at] + random.choice((b"[" * DEEP, b'{"a":' * DEEP, b"9" * 5000)) + data[at:]
    return json.dumps(harm_value(random, json.loads(data))).encode()


def harm_lines(random: Random, data: bytes) -> bytes:
    """Lines of JSON, one or more of them broken, lost or swapped."""
    lines = data.splitlines()
    at = random.randrange(len(lines))
    what = random.randrange(6)
    if what == 0:
        return harm_bytes(random, data)
    if what == 1:
        del lines[at]
    else:
        lines[at] = harm_json(random, lines[at])
    return b"\n".join(lines) + random.choice((b"", b"\n", b"\n\n", b"\r\n\x00"))


TOML: Final = (
    *("nan", "inf", "-inf", "-1", "0", "1", "1e308", "9" * 5000, "9" * 400, "true", '""', '"x"'),
    *("[]", "[1]", "[1, 2]", "[2, 1]", "[nan, nan]", "[0.0, inf]", '["a", "b"]', "{}", "{a = 1}"),
    *("[" * 5000, "[{}]", '"\\u0000"', "1979-05-27", "'''\nx\n'''", '"' + "a" * 5000 + '"', "0x7f"),
    *("[[1, 2], [3]]", "[1, 2, 3]", "18446744073709551616", "-0.0", '"nowhere.toml"'),
)


def harm_toml(random: Random, data: bytes) -> bytes:
    """A TOML file whose values are broken; now and then its text."""
    if random.randrange(10) == 0:
        return harm_bytes(random, data)
    lines = data.decode().splitlines()
    for _ in range(random.choice((1, 1, 2, 4))):
        at = random.randrange(len(lines))
        key, equals, _ = lines[at].partition("=")
        what = random.randrange(8)
        if equals and what <= 5:
            lines[at] = f"{key}= {random.choice(TOML)}"
        elif what == 6 and len(lines) > 1:
            del lines[at]
        else:
            lines.insert(at, random.choice(("x = 1", "[a]", "[[a]]", "[a.b]", lines[at], "\x00")))
    return "\n".join(lines).encode()


def find_targets(names: Sequence[str] = ()) -> list[Target]:
    """Those whose names begin with one of these; all without."""
    found = [t for m in MODULES for t in importlib.import_module(m).TARGETS]
    return [t for t in found if not names or any(t.name.startswith(n) for n in names)]


def search(target: Target, seconds: float, first: int = 0) -> dict[str, int]:
    """Break a target's input for so long; every different failure, and the first seed that gave
    it.
    """
    failures: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        path, whole = target.prepare(Path(folder) / "in")
        stop, seed = time.monotonic() + seconds, first
        while time.monotonic() < stop:
            try:
                target.try_one(path, whole, make_random(target, seed))
            except Exception as error:
                failures.setdefault(_describe(error), seed)
            seed += 1
    print(f"{target.name}: {seed - first:,} broken files, {len(failures)} failures", flush=True)
    return failures


def _describe(error: BaseException) -> str:
    """What an error is and where our own code let it out."""
    trace = traceback.extract_tb(error.__traceback__)
    ours = [f for f in trace if str(ROOT) in f.filename and "/tests/" not in f.filename]
    place = f"{Path(ours[-1].filename).relative_to(ROOT)}:{ours[-1].lineno}" if ours else "?"
    return f"{type(error).__name__} at {place}: {str(error)[:160]!r}"


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing")
    parser.add_argument("--seconds", type=float, default=60, help="for each target")
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("targets", nargs="*", help="beginnings of names; all without")
    given = parser.parse_args()
    found = 0
    for target in find_targets(given.targets):
        seen = set()
        for text, seed in search(target, given.seconds, given.first).items():
            found += 1
            place = text.partition(": ")[0]
            if place not in seen:
                print(f"  seed {seed}: {text}", flush=True)
            seen.add(place)
    sys.exit(found > 0)


if __name__ == "__main__":
    main()
