"""Which untouched frames come after which corrected ones."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from labeling.ledger import KnownFrame
from labeling.sources import Sources


@dataclass(frozen=True)
class Chain:
    """A corrected frame and the untouched ones after it, in the order of their sequence."""

    source: KnownFrame
    ahead: tuple[KnownFrame, ...]


def find_chains(
    frames: Mapping[str, KnownFrame],
    corrected: Collection[str],
    untouched: Collection[str],
    sources: Sources,
    ahead: int,
) -> dict[str, Chain]:
    """Chains of at most `ahead` frames, by the key of their source.

    frames: all that a project has a task of, by key, as they lie in their datasets. Frames of no
    sequence have no next one. Raises BadInput for a dataset that is not there.
    """
    of_folder: dict[str, list[KnownFrame]] = {}
    for known in frames.values():
        of_folder.setdefault(known.folder, []).append(known)
    chains = {}
    for own in of_folder.values():
        for place, known in enumerate(own):
            if known.key not in corrected:
                continue
            after = _take(own[place : place + 1 + ahead], untouched, sources)
            if after:
                chains[known.key] = Chain(known, tuple(after))
    return chains


def _take(
    row: Sequence[KnownFrame], untouched: Collection[str], sources: Sources
) -> list[KnownFrame]:
    """Of a frame and those that follow, the untouched ones of its sequence up to the first that is
    not."""
    sequence = sources.find_sequence(row[0])
    after: list[KnownFrame] = []
    for known in row[1:]:
        if (
            sequence is None
            or known.key not in untouched
            or sources.find_sequence(known) != sequence
        ):
            break
        after.append(known)
    return after
