"""Pull requests and commits on GitHub and Gitea, merge requests on GitLab: where our comment goes, and how.

GitHub: REST API 2022-11-28, https://docs.github.com/en/rest/issues/comments and …/rest/commits/comments.
GitLab: REST API v4, https://docs.gitlab.com/api/notes/.
Gitea (Forgejo speaks the same): API v1, https://docs.gitea.com/api/ and ``/swagger.v1.json`` of every server.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from penstock.bundle.models import Run
from penstock.foundation.errors import UsageError, WorldError
from penstock.foundation.files import read_regular
from penstock.notices.forge import Api, Comment, ForbiddenError, Place

Kind = Literal["github", "gitlab", "gitea"]
KINDS: tuple[Kind, ...] = ("github", "gitlab", "gitea")
GITHUB = "https://api.github.com"
GITLAB = "https://gitlab.com/api/v4"
_API_BELOW = {"github": "/api/v3", "gitlab": "/api/v4", "gitea": "/api/v1"}
"""Where the API lies below the address of a server of one's own."""
MAX_SECRET_BYTES = 1 << 16
_PART = r"\.?[A-Za-z0-9_][A-Za-z0-9_.-]*"
_ADDRESS = re.compile(
    rf"(?P<path>{_PART}(?:/{_PART})+)(?:(?P<sign>[#!])(?P<number>[1-9][0-9]{{0,9}})|@(?P<commit>[0-9a-f]{{7,64}}))?"
)


@dataclass(frozen=True)
class Address:
    """``owner/repository#12``, ``owner/repository@COMMIT``; neither: what belongs to the run's commit."""

    kind: Kind
    path: str
    number: int | None = None
    commit: str = ""


@dataclass(frozen=True)
class Forge:
    """A forge, and how to be let in."""

    kind: Kind
    api: str
    token: str
    allow_http: bool = False
    """Whether the token may be sent without TLS, inside a cluster."""


def parse_address(kind: Kind, text: str) -> Address:
    """Read what a user typed; a pull request's page in the browser is an address too.

    Raises:
        UsageError: it is none.
    """
    page = re.fullmatch(r"https?://[^/]+/(.+?)(?:/-)?/(?:pulls?|merge_requests)/([0-9]+)(?:[/?#].*)?", text)
    found = _ADDRESS.fullmatch(f"{page[1]}#{page[2]}" if page else text)
    if found is None or (kind != "gitlab" and found["path"].count("/") != 1):
        example = "group/project!12" if kind == "gitlab" else "owner/repository#12"
        raise UsageError(f"'{text[:200]}' is not an address on a forge", where=f"--{kind}", todo=f"Write {example}.")
    return Address(kind, found["path"], int(found["number"]) if found["number"] else None, found["commit"] or "")


def address_of(run: Run, forge: Forge, number: str = "") -> Address:
    """The place of a run's repository on the forge: the pull request ``number``, or what has the run's commit.

    The repository must lie on the forge that the token is for: the caller of a run names the repository, and must not
    choose with it where the token is shown.

    Raises:
        UsageError: the run's record names no repository, or one elsewhere; ``number`` is not a number.
    """
    if not re.fullmatch(r"([1-9][0-9]{0,9})?", number):
        raise UsageError(f"'{number[:40]}' is not the number of a pull request", where="pull-request")
    if run.source is None:
        raise UsageError("the run's record names no repository", where="run.json")
    url = run.source.url
    scp = re.fullmatch(r"(?:[^@/:\s]+@)?([A-Za-z0-9._-]+):([^:].*)", url) if "://" not in url else None
    host, path = (scp[1], scp[2]) if scp else (urlsplit(url).hostname or "", urlsplit(url).path)
    host = {"ssh.github.com": "github.com", "altssh.gitlab.com": "gitlab.com"}.get(host, host)
    wanted = "github.com" if forge.api == GITHUB else urlsplit(forge.api).hostname or ""
    if host != wanted:
        raise UsageError(
            f"the repository lies on '{host or url[:100]}', the forge is '{wanted}'",
            where="run.json",
            todo="Bind the secret of the forge that holds the repository, with its 'url'.",
        )
    below = "" if scp else urlsplit(forge.api).path.rstrip("/").removesuffix(_API_BELOW[forge.kind])
    name = path.removeprefix(below).strip("/").removesuffix(".git")
    found = _ADDRESS.fullmatch(f"{name}@{run.source.commit}")
    if found is None or (forge.kind != "gitlab" and name.count("/") != 1):
        raise UsageError("the run's record names no repository of a forge", where="run.json")
    return Address(forge.kind, name, int(number)) if number else Address(forge.kind, name, commit=run.source.commit)


def read_forge(directory: Path) -> Forge:
    """The secret of the step *notify*: files ``token``, ``kind`` (``github``, the default, or another), ``url``.

    A file ``allow-http`` that holds ``true`` lets the token be sent without TLS, inside a cluster.

    Raises:
        UsageError: a file is missing or holds something else.
    """

    def content(name: str, default: str | None) -> str:
        if default is not None and not (directory / name).exists():
            return default
        raw = read_regular(directory / name, max_bytes=MAX_SECRET_BYTES, where=f"forge: {name}")
        try:
            return raw.decode("utf-8").strip()
        except UnicodeDecodeError:
            raise UsageError("not UTF-8 text", where=f"forge: {name}") from None

    named = content("kind", "github")
    kind = next((kind for kind in KINDS if kind == named), None)
    if kind is None:
        raise UsageError("not a kind of forge", where="forge: kind", todo=f"Write one of {', '.join(KINDS)}.")
    public = {"github": GITHUB, "gitlab": GITLAB}.get(kind)
    if public is None and not (directory / "url").exists():
        raise UsageError(
            "no server is named", where="forge: url", todo="Write https://HOST/api/v1: Gitea is nowhere else."
        )
    allow_http = content("allow-http", "false")
    if allow_http not in ("true", "false"):
        raise UsageError("neither true nor false", where="forge: allow-http")
    return Forge(kind, content("url", public), content("token", None), allow_http=allow_http == "true")


def open_api(forge: Forge) -> Api:
    """The forge's API, as it wants to be asked. Nothing is sent yet.

    Raises:
        UsageError: the token or the API's address cannot be one.
    """
    if forge.kind == "gitlab":
        return Api(
            forge.api,
            forge.token,
            {"PRIVATE-TOKEN": "{token}", "User-Agent": "penstock"},
            rights="the scope 'api' and the role Developer (Reporter for comments alone; a job's own token may not)",
            allow_http=forge.allow_http,
        )
    if forge.kind == "gitea":
        return Api(
            forge.api,
            forge.token,
            {"Authorization": "token {token}", "Accept": "application/json", "User-Agent": "penstock"},
            rights="the scopes write:issue, write:repository and read:user",
            allow_http=forge.allow_http,
        )
    return Api(
        forge.api,
        forge.token,
        {
            "Authorization": "Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
            "User-Agent": "penstock",
        },
        rights="'Pull requests: write', 'Contents: write' and 'Commit statuses: write' on the repository (classic "
        "tokens: the scope 'repo')",
        allow_http=forge.allow_http,
    )


def open_place(forge: Forge, address: Address) -> Place | None:
    """Where the comment goes; ``None`` if a commit has no open request (commits on GitLab and Gitea take no comment).

    Without a number, the open pull request that the commit belongs to; on GitHub, if there is none, the commit itself.

    Raises:
        UsageError: the token or the API's address cannot be one.
        WorldError: the forge refuses.
        AgainError: it cannot be reached now.
    """
    opened = {"github": _github, "gitlab": _gitlab, "gitea": _gitea}
    return opened[forge.kind](forge, address)


class _GitHubPlace:
    """Comments of a pull request, or of a commit. Gitea's are the same, but for its GraphQL, which it has none of."""

    def __init__(self, api: Api, listed: str, edited: str, *, graphql: bool = True) -> None:
        self._api, self._listed, self._edited, self._graphql = api, listed, edited, graphql
        self._me: str | None = None

    def comments(self) -> Iterator[Comment]:
        for entry in self._api.get_all(self._listed):
            author = entry.get("user")
            login = author.get("login") if isinstance(author, dict) else None
            yield _comment(entry, "html_url", mine=isinstance(login, str) and login == self._who())

    def create(self, body: str) -> str:
        return _text(self._api.send("POST", self._listed, {"body": body}), "html_url")

    def edit(self, comment: Comment, body: str) -> str:
        return _text(self._api.send("PATCH", f"{self._edited}/{comment.id}", {"body": body}), "html_url")

    def _who(self) -> str:
        """The token's user. Tokens of apps, GitHub Actions' own among them, may not ask ``/user``: GraphQL tells."""
        if self._me is None:
            try:
                self._me = _text(self._api.get("/user"), "login")
            except ForbiddenError as refused:
                if not self._graphql:
                    raise
                self._me = self._viewer(refused)
        return self._me

    def _viewer(self, refused: ForbiddenError) -> str:
        data = self._api.graphql("query { viewer { login } }").get("data")
        viewer = data.get("viewer") if isinstance(data, dict) else None
        login = viewer.get("login") if isinstance(viewer, dict) else None
        if not isinstance(login, str):
            raise refused
        return login


def _github(forge: Forge, address: Address) -> Place:
    api = open_api(forge)
    root = f"/repos/{address.path}"
    number = address.number
    if number is None:
        pulls = api.get_all(f"{root}/commits/{address.commit}/pulls")
        number = next(
            (pull["number"] for pull in pulls if pull.get("state") == "open" and _is_id(pull, "number")), None
        )
    if number is None:
        return _GitHubPlace(api, f"{root}/commits/{address.commit}/comments", f"{root}/comments")
    return _GitHubPlace(api, f"{root}/issues/{number}/comments", f"{root}/issues/comments")


def _gitea(forge: Forge, address: Address) -> Place | None:
    api, root = open_api(forge), f"/repos/{address.path}"
    number = address.number
    if number is None:
        # its list of a commit's pull requests holds merged ones alone
        pulls = api.get_all(f"{root}/pulls?state=open&limit=50")
        number = next((pull["number"] for pull in pulls if _has_head(pull, address) and _is_id(pull, "number")), None)
    if number is None:
        return None
    return _GitHubPlace(api, f"{root}/issues/{number}/comments", f"{root}/issues/comments", graphql=False)


def _has_head(pull: dict[str, Any], address: Address) -> bool:
    head = pull.get("head")
    return isinstance(head, dict) and head.get("sha") == address.commit


class _GitLabPlace:
    """Notes of a merge request."""

    def __init__(self, api: Api, request: str, page: str) -> None:
        self._api, self._notes, self._page = api, f"{request}/notes", page
        self._me: int | None = None

    def comments(self) -> Iterator[Comment]:
        for entry in self._api.get_all(f"{self._notes}?sort=asc&order_by=created_at"):
            author = entry.get("author")
            if entry.get("system") is not True:
                mine = isinstance(author, dict) and _is_id(author, "id") and author["id"] == self._who()
                yield _comment(entry | {"page": f"{self._page}#note_{entry.get('id')}"}, "page", mine=mine)

    def create(self, body: str) -> str:
        return f"{self._page}#note_{self._api.send('POST', self._notes, {'body': body}).get('id')}"

    def edit(self, comment: Comment, body: str) -> str:
        self._api.send("PUT", f"{self._notes}/{comment.id}", {"body": body})
        return comment.url

    def _who(self) -> int:
        if self._me is None:
            user = self._api.get("/user")
            self._me = int(user["id"]) if _is_id(user, "id") else -1
        return self._me


def _gitlab(forge: Forge, address: Address) -> Place | None:
    api = open_api(forge)
    root = f"/projects/{quote(address.path, safe='')}"
    number = address.number
    if number is None:
        requests = api.get_all(f"{root}/repository/commits/{address.commit}/merge_requests")
        number = next(
            (entry["iid"] for entry in requests if entry.get("state") == "opened" and _is_id(entry, "iid")), None
        )
    if number is None:
        return None
    site = forge.api.rstrip("/").removesuffix("/api/v4")
    return _GitLabPlace(api, f"{root}/merge_requests/{number}", f"{site}/{address.path}/-/merge_requests/{number}")


def _comment(entry: dict[str, Any], url: str, *, mine: bool) -> Comment:
    if not _is_id(entry, "id"):
        raise WorldError("this is not a forge's API: a comment has no number", todo="Check the API's address.")
    return Comment(entry["id"], _text(entry, "body"), _text(entry, url), mine)


def _is_id(entry: dict[str, Any], name: str) -> bool:
    value = entry.get(name)
    return isinstance(value, int) and not isinstance(value, bool)


def _text(entry: dict[str, Any], name: str) -> str:
    value = entry.get(name)
    return value if isinstance(value, str) else ""
