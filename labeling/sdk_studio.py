"""A Label Studio server through label-studio-sdk, without blind retries.

The SDK by itself sends a failed request again, imports too: ten frames became thirty tasks. Here
every request is sent once; who asked looks at what has become of it (`labeling.sending`). Answers
are read as the JSON they are, not through the SDK's classes, so that nothing a person drew is
dropped or rounded on the way.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from frames.errors import BadInput
from labeling.secret import Token, redact
from labeling.studio import Project, StudioError, StudioRefusal, TaskState
from labeling.tasks import KEY, find_mark

PAGE: Final = 1000
TIMEOUT_S: Final = 300.0
_ANSWERS: Final = 100
"""Tasks whose answers are asked for at once by number: they stand in the address."""

_BUSY: Final = (408, 425, 429, 500, 502, 503, 504, 520, 522, 524)
_STATE_FIELDS: Final = "id,data,total_annotations,cancelled_annotations,drafts"
_EPOCH: Final = "1970-01-01T00:00:00.000000Z"


class SdkStudio:
    """`labeling.studio.Studio` of a server."""

    def __init__(self, url: str, token: Token, timeout_s: float = TIMEOUT_S) -> None:
        """Raises BadInput where label-studio-sdk is not installed, or the token cannot be one."""
        try:
            from label_studio_sdk import LabelStudio
            from label_studio_sdk.core.api_error import ApiError
        except ImportError:
            raise BadInput(
                "labelling needs label-studio-sdk: pip install 'handloom[label]'"
            ) from None
        self.url = url.rstrip("/")
        self._token = token
        try:
            client = LabelStudio(
                base_url=self.url, api_key=token.reveal(), timeout=timeout_s, max_retries=0
            )
        except ApiError as error:
            raise BadInput(f"the access token is of no use: {self._say(error)}") from None
        self._http = client._client_wrapper.httpx_client
        self._bearers = client._client_wrapper._tokens_client
        self._error = ApiError

    def find_projects(self, title: str) -> list[Project]:
        found, page = [], 1
        while True:
            answer = self._get("api/projects", title=title, page=page, page_size=100)
            found += [_read_project(p) for p in answer["results"]]
            if not answer.get("next"):
                return [p for p in found if p.title == title]
            page += 1

    def create_project(self, title: str, description: str, interface: str) -> Project:
        from labeling.interface import INSTRUCTION

        body = {
            "title": title,
            "description": description,
            "label_config": interface,
            "sampling": "Uncertainty sampling",
            "expert_instruction": INSTRUCTION,
            "show_instruction": True,
            "show_skip_button": True,
            "enable_empty_annotation": True,
            "show_collab_predictions": True,
            "color": "#4D9FE2",
        }
        return _read_project(self._send("POST", "api/projects", body))

    def serve_pictures(self, project: int, folder: str) -> None:
        """Let a project show the images of a folder of the server's machine: nothing else is read,
        and nothing is made a task of.
        """
        body = {"project": project, "path": folder, "use_blob_urls": True, "title": "handloom"}
        self._send("POST", "api/storages/localfiles", body)

    def list_picture_folders(self, project: int) -> list[str]:
        """Folders whose images a project may show."""
        return [s["path"] for s in self._get("api/storages/localfiles", project=project)]

    def describe_project(self, number: int, description: str) -> None:
        self._send("PATCH", f"api/projects/{number}", {"description": description})

    def list_tasks(self, project: int, above: int = 0) -> Iterator[TaskState]:
        for task in self._list(project, _STATE_FIELDS, "filter:tasks:id", "Number", above):
            given = task.get("data")
            data: dict[str, Any] = given if isinstance(given, dict) else {}
            key = data.get(KEY)
            yield TaskState(
                int(task["id"]),
                key if isinstance(key, str) else None,
                data,
                int(task.get("total_annotations") or 0),
                int(task.get("cancelled_annotations") or 0),
                len(task.get("drafts") or ()),
            )

    def import_tasks(self, project: int, tasks: Sequence[dict[str, Any]]) -> None:
        answer = self._send("POST", f"api/projects/{project}/import", list(tasks))
        if answer.get("task_count") != len(tasks):
            raise StudioError(f"{answer.get('task_count')} of {len(tasks)} tasks were taken")

    def find_predicted(
        self,
        project: int,
        tasks: Sequence[int],
        model_version: str,
        marks: Mapping[int, str] | None = None,
    ) -> set[int]:
        found = set()
        for task in tasks:
            for prediction in self._get("api/predictions", task=task):
                mark = marks[task] if marks else ""
                if prediction.get("model_version") == model_version and (
                    not mark or find_mark(prediction.get("result"), mark)
                ):
                    found.add(task)
        return found

    def import_predictions(self, project: int, predictions: Sequence[dict[str, Any]]) -> None:
        self._send("POST", f"api/projects/{project}/import/predictions", list(predictions))

    def show_model(self, project: int, model_version: str) -> None:
        self._send("PATCH", f"api/projects/{project}", {"model_version": model_version})

    def list_changed(self, project: int, since: str) -> list[tuple[int, str]]:
        changed = self._list(
            project, "id,updated_at", "filter:tasks:updated_at", "Datetime", since or _EPOCH
        )
        return [(int(task["id"]), str(task["updated_at"])) for task in changed]

    def read_answers(self, project: int, tasks: Sequence[int] | None) -> list[dict[str, Any]]:
        path = f"api/projects/{project}/export"
        if tasks is None:
            return list(self._get(path, exportType="JSON"))
        found: list[dict[str, Any]] = []
        for first in range(0, len(tasks), _ANSWERS):
            some = [str(t) for t in tasks[first : first + _ANSWERS]]
            found += self._get(path, exportType="JSON", **{"ids[]": some})
        return found

    def _list(
        self, project: int, fields: str, column: str, kind: str, above: Any
    ) -> Iterator[dict[str, Any]]:
        rule = {"filter": column, "operator": "greater", "type": kind, "value": above}
        query = {"filters": {"conjunction": "and", "items": [rule]}, "ordering": ["tasks:id"]}
        page = 1
        while True:
            answer = self._get(
                "api/tasks",
                project=project,
                page=page,
                page_size=PAGE,
                fields="task_only",
                include=fields,
                query=json.dumps(query),
            )
            yield from answer["tasks"]
            if page * PAGE >= int(answer["total"]):
                return
            page += 1

    def _get(self, path: str, **params: Any) -> Any:
        return self._request("GET", path, params=params)

    def _send(self, method: str, path: str, body: Any) -> Any:
        return self._request(method, path, json=body)

    def _request(self, method: str, path: str, **what: Any) -> Any:
        response = self._ask(method, path, what)
        if response.status_code == 401:
            # A bearer lives for five minutes, and may end while a request is on its way. Nothing
            # was done, so that it may be sent again, with another one.
            self._bearers._access_token = None
            response = self._ask(method, path, what)
        if response.status_code >= 400:
            raise self._explain(response.status_code, response.text)
        try:
            return response.json() if response.content else {}
        except ValueError:
            raise StudioError(f"{self.url} answered what is no JSON") from None

    def _ask(self, method: str, path: str, what: dict[str, Any]) -> Any:
        import httpx

        try:
            return self._http.request(
                path, method=method, request_options={"max_retries": 0}, **what
            )
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise StudioError(f"{self.url} cannot be reached: {self._say(error)}", True) from None
        except httpx.HTTPError as error:
            raise StudioError(f"{self.url} did not answer: {self._say(error)}") from None
        except self._error as error:  # of the token's exchange
            raise self._explain(error.status_code, error.body) from None

    def _explain(self, code: int | None, body: Any) -> Exception:
        said = " ".join(self._say(body).split())[:300]
        if code in (401, 403):
            return StudioRefusal(
                f"{self.url} does not accept the access token ({code}): make a new one in Account &"
                " Settings, Personal Access Token"
            )
        if code in _BUSY or code is None:
            return StudioError(f"{self.url} answered {code}: {said}")
        return StudioRefusal(f"{self.url} refused ({code}): {said}")

    def _say(self, what: object) -> str:
        return redact(str(what), self._token)


def _read_project(project: dict[str, Any]) -> Project:
    return Project(
        int(project["id"]),
        str(project["title"]),
        str(project.get("description") or ""),
        str(project.get("label_config") or ""),
        str(project.get("model_version") or ""),
    )
