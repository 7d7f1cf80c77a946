"""handloom label refine: the hand model fitted to labelled frames."""

from pathlib import Path
from typing import Annotated

import tyro

from console.arguments import Data, Json, parse_call
from console.output import print_result
from console.progress import Bar

Out = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(help="folder of the refined dataset")]


def run_refine(arguments: list[str]) -> int:
    """handloom label refine DATA OUT"""

    def refine(data: Data, out: Out, json: Json = False) -> int:
        """Fit the hand model to every labelled hand and its depth: 3D of all joints, part masks,
        and a list of hands that disagree.
        """
        from labeling.refinement.refined_dataset import DOUBTS_NAME, LABELS, refine_dataset

        with Bar("frames", quiet=json) as bar:
            report = refine_dataset(data, out, progress=bar)
        text = f"{out}: {report.frames:,} frames, "
        text += f"{report.refined:,} of {report.hands:,} hands refined"
        if report.doubts:
            text += f"; {report.doubts:,} left as they were ({out / LABELS / DOUBTS_NAME})"
        print_result(json, text, {"out": str(out), **vars(report)})
        return 0

    return int(parse_call(refine, "handloom label refine", arguments)())
