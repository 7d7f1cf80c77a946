"""Many small files of a piece, and when they are on the disk."""

import os
from pathlib import Path

from frames.store.disk import explain_write_error, make_folder


class LooseFiles:
    """Files in the folders of a piece. None is looked at before the piece is marked as finished,
    so that they need not appear one by one as a shard does."""

    def __init__(self, root: Path) -> None:
        """root: paths are relative to it."""
        self._root = root
        self._made: set[Path] = set()

    def write(self, name: str, data: bytes) -> None:
        """Write a file. Raises BadInput for a full disk or a place that cannot be written."""
        path = self._root / name
        if path.parent not in self._made:
            make_folder(path.parent)
            self._made.add(path.parent)
        try:
            path.write_bytes(data)
        except OSError as error:
            raise explain_write_error(path, error) from None

    def settle(self) -> None:
        """Wait until all are on the disk: one call for all, where each its own takes a disk's
        turn."""
        os.sync()
