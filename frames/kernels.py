"""Compiled code that outlives its source: dropped before it can be run.

numba keeps machine code in `__pycache__` and compiles anew when the function's own file changes,
but not when a function or a constant that it took from another file does. Old code would go on
making old bytes, without a word. So every module has a digest of its own text and of all that it
imports, and where that differs from the last one its machine code is deleted.
"""

import hashlib
import json
import os
import re
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

BORROWING: Final[dict[str, Any]] = {
    "cache": True,
    "nogil": True,
    "error_model": "numpy",
    "_nrt": False,
}
"""Options of a compiled function that allocates nothing. Otherwise every view that it takes of an
array, each row of an image, counts a reference up and down, atomically: that took up to a third of
the time of functions that go row by row. numba refuses what would need memory."""

PACKAGES: Final = ("frames", "augment", "synth")
_IMPORT: Final = re.compile(
    rf"^\s*from ((?:{'|'.join(PACKAGES)})[\w.]*) import ([^#\n(]+|\([^)]*\))", re.M
)


ROOT: Final = Path(__file__).parents[1]
"""The folder that holds the packages."""


def drop_stale_kernels(root: Path = ROOT) -> list[str]:
    """Delete the machine code of modules that changed, or whose imports did; return their names.

    root: the folder that holds the packages. A folder that cannot be written is left as it is.
    """
    stamp = root / "frames" / "__pycache__" / "kernels.json"
    now = digest_modules(root)
    try:
        before = json.loads(stamp.read_text())
    except (OSError, ValueError):
        before = {}
    changed = [name for name, digest in now.items() if before.get(name) != digest]
    if not changed:
        return []
    try:
        drop_kernels(changed, root)
        stamp.parent.mkdir(exist_ok=True)
        fresh = stamp.with_name(f"{stamp.name}.{os.getpid()}")
        fresh.write_text(json.dumps(now))
        fresh.replace(stamp)
    except OSError:
        return []
    return changed


def explain_kernel_error(error: BaseException) -> str | None:
    """What is wrong with compiled code that is kept on the disk, in one line; None if it was not
    that. Damaged code that lies beside the sources is removed.
    """
    # A worker's own traceback comes as text.
    text = "".join(traceback.format_exception(error))
    if "no locator available" in text:
        return (
            "numba finds no folder to keep compiled code in: set NUMBA_CACHE_DIR to one that can be"
            " written"
        )
    if not re.search(r"numba.core.(caching|serialize)\.py", text):
        return None
    reason = (str(error).splitlines() or [""])[0][:80]
    damaged = f"the compiled code that numba keeps is damaged ({type(error).__name__}: {reason})"
    if os.environ.get("NUMBA_CACHE_DIR"):
        return f"{damaged}: remove {os.environ['NUMBA_CACHE_DIR']} and run the same command again"
    drop_kernels(list(digest_modules(ROOT)), ROOT)
    return f"{damaged} and was removed: run the same command again"


def drop_kernels(names: Sequence[str], root: Path) -> None:
    """Delete the machine code of these modules."""
    for name in names:
        path = root.joinpath(*name.split("."))
        for kept in (path.parent / "__pycache__").glob(f"{path.name}.*.nb[ic]"):
            kept.unlink(missing_ok=True)


def digest_modules(root: Path) -> dict[str, str]:
    """A digest for each module of the packages: of its text and of the modules it imports."""
    texts = {}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            texts[".".join(parts)] = path.read_text(encoding="utf-8")
    uses = {name: _list_imports(text, texts) for name, text in texts.items()}
    done: dict[str, str] = {}

    def digest(name: str) -> str:
        if name not in done:
            done[name] = ""  # an import in a circle adds nothing
            whole = hashlib.sha256(texts[name].encode())
            for other in uses[name]:
                whole.update(digest(other).encode())
            done[name] = whole.hexdigest()
        return done[name]

    return {name: digest(name) for name in texts}


def _list_imports(text: str, known: dict[str, str]) -> list[str]:
    """Modules among `known` from which a text imports anything."""
    found = set()
    for module, names in _IMPORT.findall(text):
        found.add(module)
        # `from synth.raster import composite` names modules.
        found |= {f"{module}.{name.split()[0]}" for name in re.split(r"[,()\s]+", names) if name}
    return sorted(found & known.keys())
