"""The review list: frames that did not become labels, and why."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from frames.store.disk import make_folder, write_file


@dataclass(frozen=True)
class Review:
    """One reason to look at a frame again."""

    reason: str
    task: int
    """Its number on the server; 0 for none."""

    key: str | None
    dataset: str | None
    frame: int | None
    """Its place in that dataset."""

    annotation: int | None = None
    """The annotation it is about, if it is about one."""


def write_reviews(path: Path, reviews: Iterable[Review]) -> None:
    """One JSON object a line."""
    make_folder(path.parent)
    lines = [json.dumps(asdict(r), sort_keys=True) for r in reviews]
    write_file(path, "".join(line + "\n" for line in lines).encode())


def count_reasons(reviews: Sequence[Review]) -> dict[str, int]:
    """How often each kind of reason is there: its words up to the first particular."""
    counts: dict[str, int] = {}
    for review in reviews:
        kind = review.reason.split(":")[0].split("(")[0].strip()
        counts[kind] = counts.get(kind, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: -item[1]))
