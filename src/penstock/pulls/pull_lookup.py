"""What a pull request is now: its forge is asked, because events come late, twice, or in another order.

GitHub: https://docs.github.com/en/rest/pulls/pulls. GitLab: https://docs.gitlab.com/api/merge_requests/. Gitea: ``GET
/repos/{owner}/{repo}/pulls/{index}`` of its ``/swagger.v1.json``.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from penstock.foundation.errors import WorldError
from penstock.notices.forge import AgainError
from penstock.notices.forge_places import Forge, open_api
from penstock.pulls.happenings import at

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_BRANCH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/-]{0,199}")
MAX_OPEN = 100


@dataclass(frozen=True)
class PullNow:
    """A pull request as its forge has it."""

    number: int
    open: bool
    head: str
    """Its commit."""
    base: str
    """The branch that it goes into."""
    fork: bool
    """Whether its commits come from another repository, from one that is gone, or from no branch."""


class OddPullError(WorldError):
    """A pull request that is never tried: nothing is done with the name of its target branch."""


def look_up(forge: Forge, path: str, number: int) -> PullNow:
    """Ask a forge.

    Args:
        forge: where, with the token.
        path: of the base repository.
        number: of the pull request.

    Raises:
        OddPullError: it cannot be tried.
        WorldError: the forge does not answer, refuses, or answers something else; asking later may help.
    """
    api = open_api(forge)
    try:
        if forge.kind == "gitlab":
            return _merge_request(api.get(f"/projects/{quote(path, safe='')}/merge_requests/{number}"), number)
        return _pull_request(api.get(f"/repos/{path}/pulls/{number}"), number)
    except AgainError as again:
        raise again.error from None


def recently_open(forge: Forge, path: str, *, since: datetime.datetime) -> list[int]:
    """The numbers of the open pull requests that something has happened to since a time, at most 100.

    Raises:
        WorldError: the forge does not answer, refuses, or answers something else.
    """
    api = open_api(forge)
    if forge.kind == "gitlab":
        asked, number = f"/projects/{quote(path, safe='')}/merge_requests?state=opened&order_by=updated_at", "iid"
    else:
        asked, number = f"/repos/{path}/pulls?state=open", "number"
        asked += "&sort=recentupdate" if forge.kind == "gitea" else "&sort=updated&direction=desc"
    found: list[int] = []
    try:
        for entry in _first(api.get_all(asked), MAX_OPEN):
            updated = _time(entry.get("updated_at"))
            if updated is not None and updated >= since and isinstance(entry.get(number), int):
                found.append(entry[number])
    except AgainError as again:
        raise again.error from None
    return found


def _first(entries: Iterator[dict[str, Any]], most: int) -> Iterator[dict[str, Any]]:
    for _, entry in zip(range(most), entries, strict=False):
        yield entry


def _time(value: Any) -> datetime.datetime | None:
    try:
        found = datetime.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo is not None else None


def _pull_request(answer: dict[str, Any], number: int) -> PullNow:
    ours, theirs = at(answer, "base", "repo", "id"), at(answer, "head", "repo", "id")
    ref, label = at(answer, "head", "ref"), at(answer, "head", "label")
    # Anybody who may read a repository on Gitea may push to refs/for/main: that pull request names the base repository
    # as its own, and no branch. One whose branch was deleted looks alike, and waits too.
    by_branch = _text(ref) and _text(label) and not ref.startswith("refs/")
    fork = not isinstance(ours, int) or ours != theirs or not by_branch  # a fork that was deleted is null
    return _pull(number, answer.get("state") == "open", at(answer, "head", "sha"), at(answer, "base", "ref"), fork=fork)


def _text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _merge_request(answer: dict[str, Any], number: int) -> PullNow:
    ours, theirs = answer.get("target_project_id"), answer.get("source_project_id")
    fork = not isinstance(ours, int) or ours != theirs
    return _pull(number, answer.get("state") == "opened", answer.get("sha"), answer.get("target_branch"), fork=fork)


def _pull(number: int, is_open: bool, head: Any, base: Any, *, fork: bool) -> PullNow:
    if not isinstance(head, str) or _COMMIT.fullmatch(head) is None:
        raise WorldError(f"the forge names no commit of pull request {number}", todo="Check the API's address.")
    if not isinstance(base, str) or _BRANCH.fullmatch(base) is None or ".." in base:
        raise OddPullError(f"pull request {number} goes into a branch whose name is not plain: it is not tried")
    return PullNow(number, is_open, head, base, fork)
