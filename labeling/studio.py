"""The requests made to a Label Studio server, and their errors.

`labeling.sdk_studio` asks a server through label-studio-sdk; tests also ask one in memory.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from frames.errors import BadInput


class StudioError(Exception):
    """A request that failed; the message holds no token."""

    def __init__(self, message: str, certain: bool = False) -> None:
        """certain: whether the server surely did nothing, now or later."""
        super().__init__(message)
        self.certain = certain


class StudioRefusal(BadInput):
    """A request that the server understood and will not carry out: asking again is no use."""


@dataclass(frozen=True)
class Project:
    """A project of the server."""

    number: int
    title: str
    description: str
    interface: str
    """Its labelling interface, XML."""

    model_version: str
    """Whose predictions annotators are shown."""


@dataclass(frozen=True)
class TaskState:
    """What is known of a task without its contents."""

    number: int
    key: str | None
    """Its frame; None for a task that is not ours."""

    data: dict[str, Any]
    annotations: int
    """Finished ones."""

    skipped: int
    drafts: int

    @property
    def untouched(self) -> bool:
        """Whether no person has worked on it."""
        return not (self.annotations or self.skipped or self.drafts)


class Studio(Protocol):
    """A Label Studio. Everything raises StudioError or StudioRefusal."""

    @property
    def url(self) -> str:
        """Where it is."""

    def find_projects(self, title: str) -> list[Project]:
        """Projects of exactly this title."""

    def create_project(self, title: str, description: str, interface: str) -> Project:
        """A new project, which shows its least certain tasks first."""

    def describe_project(self, number: int, description: str) -> None:
        """Change the description."""

    def serve_pictures(self, project: int, folder: str) -> None:
        """Let a project show the images of a folder of the server's machine; twice does no harm."""

    def list_picture_folders(self, project: int) -> list[str]:
        """Folders whose images a project may show."""

    def list_tasks(self, project: int, above: int = 0) -> Iterable[TaskState]:
        """Tasks with a number above this one."""

    def import_tasks(self, project: int, tasks: Sequence[dict[str, Any]]) -> None:
        """Add tasks: all of them, or on an error none or all."""

    def find_predicted(
        self,
        project: int,
        tasks: Sequence[int],
        model_version: str,
        marks: Mapping[int, str] | None = None,
    ) -> set[int]:
        """Which of these tasks have a prediction of this model; marks: with this note of a hand,
        by task."""

    def import_predictions(self, project: int, predictions: Sequence[dict[str, Any]]) -> None:
        """Add predictions, each with its task."""

    def show_model(self, project: int, model_version: str) -> None:
        """Let annotators see this model's predictions."""

    def list_changed(self, project: int, since: str) -> list[tuple[int, str]]:
        """Tasks changed after a time of the server's clock ("" for all): number, time."""

    def read_answers(self, project: int, tasks: Sequence[int] | None) -> list[dict[str, Any]]:
        """Raw tasks with their annotations, of these numbers or of all that have any."""
