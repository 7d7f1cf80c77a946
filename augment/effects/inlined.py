"""Options of compiled functions that are called for every row of an image."""

from typing import Any, Final

from frames.kernels import BORROWING

INLINED: Final[dict[str, Any]] = {**BORROWING, "inline": "always"}
"""As `BORROWING`, and written out where it is called. A call passes each array as seven words, and
a tuple of arrays as all of theirs, through memory: for rows of a few hundred pixels that took a
third of the time."""
