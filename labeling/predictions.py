"""Predictions for tasks that are there: each once, whatever becomes of the answers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from labeling.ledger import Ledger
from labeling.sending import Sender
from labeling.studio import Studio


def send_predictions(
    studio: Studio,
    ledger: Ledger,
    sender: Sender,
    project: int,
    tasks: Mapping[str, int],
    name: str,
    batch: int,
    find: Callable[[Sequence[int]], set[int]],
) -> int:
    """Send the ledger's proposals called `name` to the tasks of these frames; returns how many were
    not there.

    tasks: number of each frame's task, untouched ones only. find: which of some tasks have such a
    prediction already. An earlier run may have been stopped between sending and noting it.
    """
    under_way = ledger.list_predicted(name, under_way=True)
    sent = 0
    for some in cut(list(tasks), batch):
        bodies = {
            key: {"task": tasks[key], **prediction}
            for key, prediction in zip(some, ledger.read_proposals(some, name), strict=True)
        }

        def deliver(part: Sequence[str], bodies: dict[str, Any] = bodies) -> None:
            studio.import_predictions(project, [bodies[key] for key in part])

        def find_missing(part: Sequence[str]) -> list[str]:
            there = find([tasks[key] for key in part])
            return [key for key in part if tasks[key] not in there]

        begun = [key for key in some if key in under_way]
        left = [key for key in some if key not in under_way]
        left += sender.settle(begun, find_missing) if begun else []
        if left:
            ledger.mark_predicted(left, name, under_way=True)
            sender.send(left, deliver, find_missing)
        ledger.mark_predicted(some, name)
        sent += len(left)
    return sent


def cut(items: Sequence[str], size: int) -> Iterator[list[str]]:
    """The items in batches."""
    for first in range(0, len(items), size):
        yield list(items[first : first + size])
