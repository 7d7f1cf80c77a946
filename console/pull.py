"""handloom label pull: annotations as a dataset."""

from pathlib import Path
from typing import Annotated

import tyro

from console.arguments import Json, parse_call
from console.output import print_result
from console.progress import Bar
from console.studio import (
    DEFAULT_STUDIO,
    Project,
    Studio,
    TokenFile,
    Url,
    connect,
    find_ledger,
    open_ledger,
)

Out = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(help="folder of the labelled dataset")]


def run_pull(arguments: list[str]) -> int:
    """handloom label pull PROJECT OUT"""

    def pull(
        project: Project,
        out: Out,
        refine: bool = True,
        policy: str = "agree",
        full: bool = False,
        data: tuple[Path, ...] = (),
        studio: Studio = DEFAULT_STUDIO,
        url: Url = "",
        token_file: TokenFile = None,
        json: Json = False,
    ) -> int:
        """Make a dataset of what people answered: only what changed since the last pull is fetched,
        and fitted.

        Args:
            refine: Fit the hand model to labels and depth: 3D of all 21 joints, part masks, and
                frames that disagree to the review list (needs torch; 0.1 s a new hand). Without:
                labels as people placed them, with the depth of what the sensor saw.
            policy: Several annotators of a frame: agree (median of those that agree, else to the
                review list), or latest.
            full: Fetch every answer again, and notice those that were deleted.
            data: Where pushed datasets are now, if they were moved.
        """
        from labeling.pull import PullPlan
        from labeling.pull import pull as pull_answers
        from labeling.review import count_reasons

        server = connect(studio, url, token_file)
        path = find_ledger(studio, server.url, project)
        with open_ledger(path) as ledger, Bar("frames", quiet=json) as bar:
            plan = PullPlan(policy, full, data, refine)
            report = pull_answers(server, ledger, out, plan, bar)
        text = f"{out}: {report.frames:,} frames, {report.hands:,} hands"
        if refine:
            text += f", {report.refined:,} refined"
        text += f"; {report.new_versions:,} new answers"
        if report.reviews:
            text += f"; {len(report.reviews):,} to review ({out / 'labels' / 'review.jsonl'}):"
            reasons = count_reasons(report.reviews)
            text += "".join(f"\n  {n:,} x {kind}" for kind, n in list(reasons.items())[:8])
        values = {k: v for k, v in vars(report).items() if k != "reviews"}
        print_result(json, text, {"out": str(out), **values, "reviews": len(report.reviews)})
        return 0

    return int(parse_call(pull, "handloom label pull", arguments)())
