"""handloom label propagate: corrections carried into the next frames."""

from pathlib import Path

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


def run_propagate(arguments: list[str]) -> int:
    """handloom label propagate PROJECT"""

    def propagate(
        project: Project,
        ahead: int = 1,
        data: tuple[Path, ...] = (),
        studio: Studio = DEFAULT_STUDIO,
        url: Url = "",
        token_file: TokenFile = None,
        json: Json = False,
    ) -> int:
        """Follow corrected hands into the next frame of their sequence, as the prediction of a task
        that nobody has touched (needs torch).

        Args:
            ahead: Frames to follow a correction, one after the other.
            data: Where pushed datasets are now, if they were moved.
        """
        from labeling.propagate import PropagatePlan
        from labeling.propagate import propagate as propagate_corrections

        server = connect(studio, url, token_file)
        path = find_ledger(studio, server.url, project)
        with open_ledger(path) as ledger, Bar("frames", quiet=json) as bar:
            plan = PropagatePlan(ahead, data)
            report = propagate_corrections(server, ledger, plan, bar, bar.note)
        text = f"{project}: {report.sent:,} untouched tasks got hands of a corrected frame before"
        text += f" them, {report.there:,} had them; {report.hands:,} hands followed"
        if report.lost:
            text += f", {report.lost:,} lost on the way"
        if report.doubted:
            text += f"; {report.doubted:,} corrected frames are to be reviewed first"
        print_result(json, text, vars(report))
        return 0

    return int(parse_call(propagate, "handloom label propagate", arguments)())
