"""The PipelineRuns of pull requests in the namespace of this pod: list, create, change, delete, and nothing else."""

from __future__ import annotations

import json
from typing import Any

from penstock.foundation.errors import WorldError, one_line
from penstock.pulls.pull_run import COMMIT_LABEL, DESK, DESK_LABEL, PULL_LABEL, SETTLED_LABEL, PullRun, read_run
from penstock.targets.workload_api import MAX_ANSWER_BYTES, MERGE_PATCH, refusal_words
from penstock.tekton.cluster_runs import TEKTON

REQUEST_S = 20.0
PAGE = 50
MAX_PAGES = 40


class DeskRuns:
    """The runs of one namespace that carry our label."""

    def __init__(self, api: Any, namespace: str) -> None:
        """``api``: a ``CustomObjectsApi``; nothing is asked yet."""
        self._api, self._place = api, TEKTON | {"namespace": namespace}

    def unsettled(self) -> list[PullRun]:
        """Those that something is still to be done about, the oldest first."""
        return self._listed(f"{DESK_LABEL}={DESK},{SETTLED_LABEL}!=true")

    def of_pull(self, key: str) -> list[PullRun]:
        """All of one pull request, the oldest first."""
        return self._listed(f"{DESK_LABEL}={DESK},{PULL_LABEL}={key}")

    def of_commit(self, key: str, head: str) -> list[PullRun]:
        """Those of one commit of it."""
        return self._listed(f"{DESK_LABEL}={DESK},{PULL_LABEL}={key},{COMMIT_LABEL}={head[:40]}")

    def create(self, body: dict[str, Any]) -> bool:
        """Create one; ``False``: there is one of this name already."""
        return self._ask(self._api.create_namespaced_custom_object, (409,), body=body) is not None

    def patch(self, name: str, change: dict[str, Any]) -> bool:
        """Change one; ``False``: it is gone, or another than the change's ``resourceVersion`` says."""
        call = self._api.patch_namespaced_custom_object
        return self._ask(call, (404, 409), name=name, body=change, _content_type=MERGE_PATCH) is not None

    def delete(self, name: str, version: str) -> bool:
        """Delete one that nobody has changed since; ``False``: it is gone, or was changed."""
        body = {"preconditions": {"resourceVersion": version}}
        return self._ask(self._api.delete_namespaced_custom_object, (404, 409), name=name, body=body) is not None

    def _listed(self, selector: str) -> list[PullRun]:
        found: list[PullRun] = []
        given: dict[str, Any] = {"label_selector": selector, "limit": PAGE}
        for _ in range(MAX_PAGES):
            answer = self._ask(self._api.list_namespaced_custom_object, (), **given) or {}
            found += [read_run(item) for item in answer.get("items", [])]
            following = answer.get("metadata", {}).get("continue")
            if not following:
                return sorted(found, key=lambda run: (run.created, run.name))
            given["_continue"] = following
        raise WorldError(f"there are more than {PAGE * MAX_PAGES} runs of pull requests", todo="Delete old ones.")

    def _ask(self, call: Any, passed_over: tuple[int, ...], **given: Any) -> dict[str, Any] | None:
        """Raises :class:`WorldError`; ``None`` for a status that is passed over."""
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        try:
            answer = call(**self._place, _request_timeout=REQUEST_S, _preload_content=False, **given)
            try:
                content = answer.read(MAX_ANSWER_BYTES + 1)
            finally:
                answer.close()
            found = json.loads(content) if len(content) <= MAX_ANSWER_BYTES else None
        except ApiException as error:
            if error.status in passed_over:
                return None
            todo = "Does the account have its Role? See tekton/services/pulls.yaml." if error.status == 403 else ""
            what = f"the API server answers {error.status or 0}: {refusal_words(error)}"
            raise WorldError(what, todo=todo) from None
        except HTTPError as error:
            raise WorldError(f"the API server does not answer: {one_line(str(error))[:200]}") from None
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise WorldError("the API server's answer is not an object, or too large")
        return found
