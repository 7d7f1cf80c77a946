"""Kernels that count no references call nothing that allocates.

numba would refuse it, but only when it compiles: machine code that is kept hides it.
"""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
ALLOCATING = {"empty", "zeros", "ones", "full", "array", "arange", "copy", "concatenate"}


def find_kernels(root: Path) -> dict[tuple[str, str], tuple[bool, bool, set[tuple[str, str]]]]:
    """(module, function) of compiled functions -> do they borrow, do they allocate, their calls."""
    found = {}
    for package in ("frames", "augment", "synth"):
        for path in (root / package).rglob("*.py"):
            module = ".".join(path.relative_to(root).with_suffix("").parts)
            tree = ast.parse(path.read_text())
            origin = {
                alias.asname or alias.name: (node.module, alias.name)
                for node in tree.body
                if isinstance(node, ast.ImportFrom) and node.module
                for alias in node.names
            }
            for node in tree.body:
                if not isinstance(node, ast.FunctionDef):
                    continue
                marks = " ".join(map(ast.unparse, node.decorator_list))
                if "jit" not in marks:
                    continue
                calls = [call.func for call in ast.walk(node) if isinstance(call, ast.Call)]
                names = [call.id for call in calls if isinstance(call, ast.Name)]
                allocates = any(
                    isinstance(call, ast.Attribute) and call.attr in ALLOCATING for call in calls
                )
                borrows = "BORROWING" in marks
                targets = {origin.get(name, (module, name)) for name in names}
                found[module, node.name] = borrows, allocates, targets
    return found


def find_allocations(kernels: dict, start: tuple[str, str]) -> set[tuple[str, str]]:
    """Kernels that allocate among those that one reaches, itself included."""
    seen, waiting = set(), [start]
    while waiting:
        name = waiting.pop()
        if name in kernels and name not in seen:
            seen.add(name)
            waiting += kernels[name][2]
    return {name for name in seen if kernels[name][1]}


def test_borrowing_kernels_reach_nothing_that_allocates():
    kernels = find_kernels(ROOT)
    borrowing = [name for name, (borrows, *_) in kernels.items() if borrows]
    assert len(borrowing) > 20
    assert {name: find_allocations(kernels, name) for name in borrowing} == {
        name: set() for name in borrowing
    }


def test_an_allocation_two_calls_away_is_found(tmp_path: Path):
    (tmp_path / "synth").mkdir()
    (tmp_path / "synth" / "far.py").write_text("@njit\ndef far(x):\n    return np.empty(x)\n")
    (tmp_path / "synth" / "near.py").write_text(
        "from synth.far import far\n\n"
        "@njit\ndef middle(x):\n    return far(x)\n\n"
        "@njit(**BORROWING)\ndef near(x):\n    return middle(x)\n"
    )
    kernels = find_kernels(tmp_path)
    assert find_allocations(kernels, ("synth.near", "near")) == {("synth.far", "far")}
