"""handloom bench: the published figures."""

from typing import Annotated, Literal, get_args

import tyro

from console.arguments import parse_call
from frames.errors import BadInput

Name = Literal["all", "render", "pipeline", "reading", "codec", "sensors", "latency"]


def run_bench(arguments: list[str]) -> int:
    """handloom bench [NAME]"""

    def bench(
        name: Annotated[Name, tyro.conf.Positional] = "all",
    ) -> int:
        """Measure the published figures again, on this machine.

        Args:
            name: Which benchmark.
        """
        import importlib

        names = get_args(Name)[1:] if name == "all" else (name,)
        try:
            modules = [importlib.import_module(f"bench.{n}") for n in names]
        except ModuleNotFoundError as error:
            raise BadInput(
                f"bench needs a checkout of the project and its tests' packages ({error}): "
                "run make setup-tests there"
            ) from error
        for module in modules:
            module.main()
        return 0

    return int(parse_call(bench, "handloom bench", arguments)())
