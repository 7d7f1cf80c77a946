"""handloom label agree: how far annotators agree."""

from pathlib import Path
from typing import Annotated

import tyro

from console.arguments import Json, parse_call
from console.output import print_result
from console.progress import Bar
from console.studio import DEFAULT_STUDIO, Studio, find_kept, open_ledger
from frames.errors import BadInput

Name = Annotated[
    str,
    tyro.conf.Positional,
    tyro.conf.arg(metavar="PROJECT|PULLED", help="project, or folder of its pulled labels"),
]
Out = Annotated[
    Path, tyro.conf.Positional, tyro.conf.arg(help="folder for the table and the pictures")
]


def run_agree(arguments: list[str]) -> int:
    """handloom label agree PROJECT|PULLED OUT"""

    def agree(
        name: Name,
        out: Out,
        worst: int = 12,
        data: tuple[Path, ...] = (),
        studio: Studio = DEFAULT_STUDIO,
        url: str = "",
        json: Json = False,
    ) -> int:
        """Compare annotators joint by joint: distance in px and mm, kappa of visibility, and the
        frames on which they are farthest apart as pictures. Reads what pulls have kept; no server
        is needed.

        Args:
            worst: Hands to draw.
            data: Where pushed datasets are now, if they were moved.
            url: The server's address, if projects of several servers have this name.
        """
        if worst < 1:
            raise BadInput(f"worst must be >= 1, got {worst}")
        from labeling.agreeing import compare_annotators, say_agreement

        path = find_kept(studio, url, name)
        with open_ledger(path) as ledger, Bar("frames", quiet=json) as bar:
            values = compare_annotators(ledger, out, data, worst, bar)
        print_result(json, say_agreement(values, out), {"out": str(out), **values})
        return 0

    return int(parse_call(agree, "handloom label agree", arguments)())
