"""Finding or making the project of a push, and telling it from other people's."""

import re
from typing import Final

from frames.errors import BadInput
from labeling.interface import BESIDE, HAND, build_interface
from labeling.ledger import Ledger
from labeling.sending import Sender
from labeling.studio import Project, Studio

_MARK: Final = re.compile(r"handloom ledger ([0-9a-f]{32})")


def find_project(studio: Studio, title: str, ledger: Ledger) -> Project | None:
    """The project of this ledger, or None.

    Raises BadInput for a project of that title which another ledger pushes to, or which a person
    made: two who push to one project cannot keep from sending a frame twice.
    """
    found = studio.find_projects(title)
    for project in found:
        if _read_mark(project) == ledger.name:
            return project
    for project in found:
        if _read_mark(project) is not None:
            raise BadInput(
                f"project {title!r} on {studio.url} is pushed to from another folder: use that one"
                f" with --studio, --adopt it if that folder is gone, or choose another name"
            )
    if found:
        raise BadInput(
            f"project {title!r} on {studio.url} was not made by handloom: choose another name"
        )
    return None


def adopt_project(studio: Studio, title: str, ledger: Ledger) -> Project:
    """Take over a project whose ledger is gone; its tasks are read from the server.

    Raises BadInput if there is no such project, or several.
    """
    found = [p for p in studio.find_projects(title) if _read_mark(p) is not None]
    if len(found) != 1:
        raise BadInput(
            f"there must be one project {title!r} made by handloom on {studio.url} to adopt, found"
            f" {len(found)}"
        )
    studio.describe_project(found[0].number, describe(ledger))
    return found[0]


def make_project(
    studio: Studio, title: str, beside: tuple[str, ...], ledger: Ledger, sender: Sender
) -> Project:
    """A new project, once, whatever becomes of the answer. Raises BadInput as `find_project`."""
    if len(title) < 3 or len(title) > 50:
        raise BadInput(f"a project's name must have 3 to 50 letters, got {title!r}")

    def create(_: object) -> None:
        studio.create_project(title, describe(ledger), build_interface(beside))

    def find_missing(items: object) -> list[str]:
        return [] if find_project(studio, title, ledger) else [title]

    sender.send([title], create, find_missing)
    project = sender.ask(lambda: find_project(studio, title, ledger))
    if project is None:
        raise BadInput(f"project {title!r} was made on {studio.url} but is not there")
    return project


def describe(ledger: Ledger) -> str:
    """What a project says of itself."""
    return f"Hands in depth images. Pushed by handloom ledger {ledger.name}."


def read_beside(project: Project) -> tuple[str, ...]:
    """Which pictures a project shows beside the depth. Raises BadInput if its labelling interface
    is not ours any more.
    """
    if f'name="{HAND}"' not in project.interface or 'value="$image"' not in project.interface:
        raise BadInput(
            f"the labelling interface of project {project.title!r} was changed: joints could not be"
            " told apart; choose another project name"
        )
    return tuple(key for key in BESIDE if f'value="${key}"' in project.interface)


def _read_mark(project: Project) -> str | None:
    match = _MARK.search(project.description)
    return match.group(1) if match else None
