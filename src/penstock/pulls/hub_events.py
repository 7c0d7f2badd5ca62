"""Events of GitHub and of Gitea, whose webhooks have GitHub's form.

GitHub: https://docs.github.com/en/webhooks/webhook-events-and-payloads, ``pull_request`` and ``issue_comment``.
Gitea: https://docs.gitea.com/usage/webhooks; its ``pull_request_sync`` comes as the action ``synchronized``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.pulls.happenings import Happening, at, comment_event, pull_event

PULL_ACTIONS = ("opened", "synchronize", "synchronized", "reopened", "ready_for_review", "edited", "closed")
"""Others (labels, reviewers, …) change nothing that is tried. ``edited``: it may go into another branch now."""


def hub_event(headers: Mapping[str, str], body: Any) -> Happening | str:
    """What a payload says; a text: why it is nothing to us.

    Args:
        headers: with lower-case names.
        body: the payload.

    Raises:
        OddEventError: it is not as documented.
    """
    kind = headers.get("x-gitea-event") or headers.get("x-github-event", "")
    action = at(body, "action")
    path = at(body, "repository", "full_name")
    if kind in ("pull_request", "pull_request_sync"):
        if action not in PULL_ACTIONS:
            return "this action starts nothing"
        number = at(body, "pull_request", "number")
        return pull_event(path=path, number=number, head=at(body, "pull_request", "head", "sha"))
    if kind in ("issue_comment", "pull_request_comment"):
        if action != "created":
            return "only new comments count"
        # GitHub marks the issue that is a pull request; Gitea says so of the event as well
        if at(body, "issue", "pull_request") is None and at(body, "is_pull") is not True:
            return "a comment on an issue"
        return comment_event(
            path=path,
            number=at(body, "issue", "number"),
            comment=at(body, "comment", "id"),
            person=at(body, "comment", "user", "login"),
            text=at(body, "comment", "body"),
            written=at(body, "comment", "created_at"),
        )
    return "this kind of event starts nothing"
