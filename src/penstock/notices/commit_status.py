"""The status of a commit on its forge: what stands beside the pull request before anybody opens the report.

GitHub: https://docs.github.com/en/rest/commits/statuses. GitLab: https://docs.gitlab.com/api/commits/#commit-status.
Gitea: ``POST`` and ``GET /repos/{owner}/{repo}/statuses/{sha}`` of its ``/swagger.v1.json``.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from penstock.foundation.errors import UsageError, WorldError
from penstock.notices.forge import AgainError, persistently
from penstock.notices.forge_places import Address, Forge, Kind, open_api

CONTEXT = "penstock/verify"
MAX_DESCRIPTION = 140
"""GitHub's; GitLab and Gitea take more."""
MAX_URL = 255
"""GitLab's."""
MAX_READ = 1000
"""Of all that a commit was ever told, so many are read: GitHub takes no more of one context."""
State = Literal["pending", "success", "failure", "error", "cancelled"]

_WORDS: dict[Kind, dict[State, str]] = {
    # GitHub and Gitea know no word for cancelled: an error keeps a pull request from being merged, and says why
    "github": {state: state for state in ("pending", "success", "failure", "error")} | {"cancelled": "error"},
    "gitea": {state: state for state in ("pending", "success", "failure", "error")} | {"cancelled": "error"},
    # 'running', because GitLab refuses to go from pending to pending, and from running to pending
    "gitlab": {
        "pending": "running",
        "success": "success",
        "failure": "failed",
        "error": "failed",
        "cancelled": "canceled",
    },
}
_STATES: dict[str, State] = {
    **{state: state for state in ("pending", "success", "failure", "error")},
    # GitLab's
    **dict.fromkeys(("created", "running", "waiting_for_resource", "preparing", "scheduled"), "pending"),
    "failed": "failure",
    "canceled": "cancelled",
}
"""What a forge calls a state, as ours. Others, such as Gitea's ``warning``, are none of ours."""


@dataclass(frozen=True)
class CommitStatus:
    """What is said of a commit."""

    state: State
    description: str
    """One line, cut at 140 characters."""
    target_url: str = ""
    """Where it links to; left out if it is no http address, or longer than 255 characters."""
    context: str = CONTEXT
    """Whose status it is: a later one with the same context takes its place."""


def put_status(
    forge: Forge, address: Address, status: CommitStatus, *, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Set the status of a commit. Setting the same one again changes nothing that people see.

    Args:
        forge: where, and how to be let in.
        address: repository and commit, a whole SHA (``owner/repository@COMMIT``); its number is not looked at.
        status: what is said.
        sleep: waits between tries.

    Raises:
        UsageError: the address names no whole commit; the token or the API's address cannot be one.
        WorldError: the forge cannot be reached, or refuses; the message says what to do.
    """
    if not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", address.commit):
        raise UsageError(f"'{address.commit[:80]}' is not a whole commit", where="commit status")
    api = open_api(forge)
    said = {"state": _WORDS[forge.kind][status.state], "description": short(status.description)}
    if link := _link(status.target_url):
        said["target_url"] = link
    if forge.kind == "gitlab":
        path, value = f"/projects/{quote(address.path, safe='')}", said | {"name": status.context}
    else:
        path, value = f"/repos/{address.path}", said | {"context": status.context}
    try:
        persistently(lambda: api.send("POST", f"{path}/statuses/{address.commit}", value), sleep=sleep)
    except WorldError as error:
        # GitLab's way to say that it is so already
        if forge.kind != "gitlab" or "Cannot transition status" not in error.what:
            raise


def read_statuses(forge: Forge, address: Address, *, context: str = CONTEXT) -> list[CommitStatus]:
    """What was said of a commit in one context, the last first, also what does not stand there any more.

    Args:
        forge: where, and how to be let in.
        address: repository and commit, a whole SHA.
        context: whose statuses.

    Raises:
        UsageError: the token or the API's address cannot be one.
        WorldError: the forge cannot be reached, refuses, or answers something else.
    """
    if forge.kind == "gitlab":
        path = f"/projects/{quote(address.path, safe='')}/repository/commits/{address.commit}/statuses"
        # GitLab before 17.8 gives the first one first whatever it is asked
        asked, named, stated = f"{path}?all=true&order_by=id&sort=desc&name={quote(context, safe='')}", "name", "status"
    elif forge.kind == "gitea":
        # 'leastindex' is its name for the last one first
        asked, named, stated = f"/repos/{address.path}/statuses/{address.commit}?sort=leastindex", "context", "status"
    else:
        asked, named, stated = f"/repos/{address.path}/commits/{address.commit}/statuses", "context", "state"
    try:
        entries = list(islice(open_api(forge).get_all(asked), MAX_READ))
    except AgainError as again:
        raise again.error from None
    mine = [one for one in entries if one.get(named) == context and isinstance(one.get("id"), int)]
    found = [_read(one, stated, context) for one in sorted(mine, key=lambda one: one["id"], reverse=True)]
    return [status for status in found if status is not None]


def _read(entry: dict[str, Any], stated: str, context: str) -> CommitStatus | None:
    state = _STATES.get(str(entry.get(stated)))
    words, url = (found if isinstance(found := entry.get(name), str) else "" for name in ("description", "target_url"))
    return CommitStatus(state, short(words), _link(url), context) if state is not None else None


def short(description: str) -> str:
    """One line of at most 140 characters, without characters that are not seen."""
    plain = "".join(char if char.isprintable() else " " for char in description)
    line = " ".join(plain.split())
    return line if len(line) <= MAX_DESCRIPTION else f"{line[: MAX_DESCRIPTION - 1].rstrip()}…"


def _link(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.hostname and len(url) <= MAX_URL else ""
