"""What the triggers make of an event, by their own expressions and the forges' real payloads.

The cluster's own interceptors judge the same payloads in ``tests/e2e``; here a CEL evaluator does it, quickly enough to
try every hostile name.
"""

from __future__ import annotations

import json
from typing import Any

import cel
from tests.unit.manifests.installed import ROOT, objects

PAYLOADS = ROOT / "tests" / "e2e" / "payloads"
GITHUB, GITLAB = "https://github.com/acme/sonic-lite.git", "https://gitlab.example.org/acme/sonic-lite.git"
GITEA = "https://gitea.example.org/acme/sonic-lite.git"
LISTED = ["https://github.com/acme/", GITLAB, GITEA]
COMMIT = "59b20b8d5c6ff8d09518454d4dd8b7b30f095ab5"
Body = dict[str, Any]

HEADERS = {
    "github-push": "push",
    "github-create": "create",
    "github-ping": "ping",
    "github-pull": "pull_request",
    "gitea-push": "push",
    "gitea-create": "create",
    "gitea-delete": "delete",
    "gitea-pull": "pull_request",
    "gitea-issue": "issue_comment",
    "gitlab-push": "Push Hook",
    "gitlab-tag": "Tag Push Hook",
    "gitlab-merge": "Merge Request Hook",
}
HOSTILE = [
    "$(touch /tmp/x)",
    "`id`",
    "v1;id",
    "v1|id",
    "v1&&id",
    "v1'\"",
    "v1 x",
    "v1\nv2",
    "v1\n",
    "v1\0",
    "v1\\",
    "$(params.store)",
    "$(context.pipelineRun.name)",
    "$(tt.params.store)",
    "$(body.sender.login)",
    '","param":"',
    "v1{}",
    "v1é",
    "v1\u202e",
    "v1*",
    "v1~1",
    "v1:x",
]


ALL = [
    *("gitea-push-main", "gitea-push-tag"),
    *("github-push-main", "github-push-tag"),
    *("gitlab-push-main", "gitlab-tag-push"),
]
"""A push to the default branch and a new tag, of each forge."""


def payload(name: str) -> Body:
    """A payload as the forge sends it."""
    body: Body = json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))
    return body


def header_of(name: str) -> str:
    """The kind of an event, which the forge names in a header."""
    return HEADERS["-".join(name.split("-")[:2])]


def is_of_gitea(body: Body) -> bool:
    """Its payloads are known by what only they have: they stand for the header that it sends with them."""
    repository = body.get("repository")
    return isinstance(repository, dict) and "open_pr_counter" in repository


def intercepted(trigger: Body, event: str, body: Body, listed: list[str]) -> dict[str, Any] | None:
    """What a trigger's interceptors make of an event whose signature is right; None if they stop it."""
    header = {"X-Gitea-Event": event} if is_of_gitea(body) else {}
    extensions: dict[str, Any] = {}
    for interceptor in trigger["spec"]["interceptors"]:
        params = {entry["name"]: entry["value"] for entry in interceptor["params"]}
        if interceptor["ref"]["name"] != "cel":
            if event not in params["eventTypes"]:
                return None
            continue
        context = cel.Context(
            variables={"body": body, "extensions": extensions, "header": header},
            functions={
                "substring": lambda text, start, end: text[start:end],
                "match": lambda headers, name, value: headers.get(name) == value,
            },
        )
        try:
            if "filter" in params and cel.evaluate(params["filter"], context) is not True:
                return None
            found = {entry["key"]: cel.evaluate(entry["expression"], context) for entry in params.get("overlays", [])}
        except (KeyError, RuntimeError, TypeError, ValueError):
            return None  # as in Triggers: an expression that cannot be evaluated stops the event
        if "repositories" in found:
            found["repositories"] = found["repositories"] + listed
        extensions |= found
    return extensions


def started(event: str, body: Body, listed: list[str] | None = None, forge: str = "") -> dict[str, dict[str, Any]]:
    """Pipeline → what its run is given, for each trigger (of a forge) that an event starts."""
    runs = {}
    for name, trigger in objects("Trigger").items():
        if name.startswith(forge):
            found = intercepted(trigger, event, body, LISTED if listed is None else listed)
            if found is not None:
                assert trigger["spec"]["template"]["ref"] not in runs, "one event, one run of a pipeline"
                runs[trigger["spec"]["template"]["ref"]] = {key: found[key] for key in ("url", "revision", "commit")}
    return runs


def run_of(url: str, revision: str) -> dict[str, str]:
    return {"url": url, "revision": revision, "commit": COMMIT}
