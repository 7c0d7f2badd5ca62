"""Events of GitLab: https://docs.gitlab.com/user/project/integrations/webhook_events/, merge requests and notes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from penstock.pulls.happenings import Happening, at, comment_event, pull_event

MERGE_ACTIONS = ("open", "reopen", "update", "close", "merge")


def gitlab_event(headers: Mapping[str, str], body: Any) -> Happening | str:
    """What a payload says; a text: why it is nothing to us.

    Args:
        headers: with lower-case names.
        body: the payload.

    Raises:
        OddEventError: it is not as documented.
    """
    kind, about = headers.get("x-gitlab-event", ""), at(body, "object_attributes")
    path = at(body, "project", "path_with_namespace")
    if kind == "Merge Request Hook":
        if at(about, "action") not in MERGE_ACTIONS:
            return "this action starts nothing"
        return pull_event(path=path, number=at(about, "iid"), head=at(about, "last_commit", "id"))
    if kind == "Note Hook":
        if at(about, "noteable_type") != "MergeRequest":
            return "a comment on something else"
        if at(about, "system") is True:
            return "GitLab's own note"
        written = at(about, "created_at")
        # GitLab before 16.11 does not say whether a note is new
        if at(about, "action") not in (None, "create") or written != at(about, "updated_at"):
            return "only new comments count"
        return comment_event(
            path=path,
            number=at(body, "merge_request", "iid"),
            comment=at(about, "id"),
            person=at(body, "user", "username"),
            text=at(about, "note"),
            written=_iso(written),
        )
    return "this kind of event starts nothing"


def _iso(written: Any) -> Any:
    """``2026-03-02 17:21:14 UTC``, as its webhooks write a time, as ISO 8601."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC", written) if isinstance(written, str) else None
    return f"{found[1]}T{found[2]}Z" if found else written
