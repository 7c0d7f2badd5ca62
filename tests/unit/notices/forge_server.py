"""A server on this machine that speaks the documented APIs of GitHub, GitLab and Gitea: comments, statuses."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "ghp_hunter2hunter2"
ME, SOMEBODY = "penstock-bot", "mallory"
PAGE = 2
"""Entries of a page, whatever is asked for: a list of five has three pages."""


@dataclass
class Answer:
    """What the server says instead of doing what it is asked."""

    code: int
    content: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    does_it: bool = False
    """It does what it is asked all the same: its answer is lost on the way."""


@dataclass
class Server:
    """The forge's memory."""

    url: str = ""
    comments: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Path of a list → its comments, as the API gives them."""
    statuses: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Repository's path@COMMIT, and the status that was set, in order."""
    pulls: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Commit → the pull or merge requests that have it."""
    requests: list[str] = field(default_factory=list)
    """``METHOD /path?query``, in order."""
    tokens: set[str] = field(default_factory=set)
    failures: list[tuple[str, Answer]] = field(default_factory=list)
    """A pattern of a request, and what is answered to the next one that it fits."""
    app: bool = False
    """The token is that of an app: it may not ask who it is but through GraphQL."""
    reply: bytes | None = None
    """The content of every answer, if set."""

    def wrote(self) -> list[str]:
        return [request for request in self.requests if not request.startswith("GET") and "graphql" not in request]

    def add(self, path: str, body: str, *, author: str = ME, system: bool = False) -> dict[str, Any]:
        number = 100 + sum(map(len, self.comments.values()))
        entry: dict[str, Any] = {"id": number, "body": body}
        if path.startswith("/repos"):
            entry |= {"user": {"login": author}, "html_url": f"{self.url}/html/{number}"}
        else:
            entry |= {"author": {"id": 1 if author == ME else 2, "username": author}, "system": system}
        self.comments.setdefault(path, []).append(entry)
        return entry


def _act(server: Server, method: str, path: str, value: Any) -> tuple[int, Any]:
    """What the forge does; returns status and content."""
    if path == "/user":
        if server.app:
            return 403, {"message": "Resource not accessible by integration", "documentation_url": "…", "status": "403"}
        return 200, {"id": 1, "login": ME}
    if path == "/graphql" and method == "POST":
        return 200, {"data": {"viewer": {"login": ME}}}
    if method == "GET" and (found := re.fullmatch(r".*/commits/([0-9a-f]+)/(pulls|merge_requests)", path)):
        return 200, server.pulls.get(found[1], [])
    if method == "POST" and (found := re.fullmatch(r"/(?:repos|projects)/(.+)/statuses/([0-9a-f]+)", path)):
        return _set_status(server, f"{found[1]}@{found[2]}", value, gitlab=path.startswith("/projects"))
    listed = r"/(?:repos|projects)/(.+?)/(?:repository/)?(?:commits/([0-9a-f]+)/statuses|statuses/([0-9a-f]+))"
    if method == "GET" and (found := re.fullmatch(listed, path)):
        return 200, _statuses(server, f"{found[1]}@{found[2] or found[3]}", path)
    if method == "GET" and path.startswith("/repos") and path.endswith("/pulls"):  # Gitea's
        return 200, server.pulls.get("open", [])
    if path in server.comments:
        if method == "GET":
            return 200, server.comments[path]
        return 201, server.add(path, value["body"])
    for listed, entries in server.comments.items():
        for entry in entries:
            # GitHub edits at …/issues/comments/ID and …/comments/ID, GitLab at …/notes/ID
            root = re.sub(r"/(issues|commits)/[^/]+/comments$", r"/\1/comments", listed).replace("/commits", "")
            if path == f"{root}/{entry['id']}" and method == ("PUT" if "/notes" in path else "PATCH"):
                entry["body"] = value["body"]
                return 200, entry
    return 404, {"message": "Not Found"}


def _set_status(server: Server, where: str, value: dict[str, Any], *, gitlab: bool) -> tuple[int, Any]:
    """Each forge takes its own words; GitLab refuses a status that stands already."""
    states = (
        ("pending", "running", "success", "failed", "canceled", "skipped")
        if gitlab
        else ("pending", "success", "failure", "error")
    )
    if value.get("state") not in states:
        return 422, {"message": "state is not included in the list"}
    if gitlab and server.statuses and server.statuses[-1][1]["state"] == value["state"] == "running":
        return 400, {"message": "Cannot transition status via :run from :running (Reason(s): Status cannot transition)"}
    server.statuses.append((where, value))
    return 201, {"id": len(server.statuses), **value}


def _statuses(server: Server, where: str, path: str) -> list[dict[str, Any]]:
    """All that a commit was told, the first first; GitHub's list begins with the last."""
    github = path.endswith("/statuses") and path.startswith("/repos")
    found = [
        {("state" if github else "status") if name == "state" else name: one for name, one in value.items()}
        | {"id": number}
        for number, (there, value) in enumerate(server.statuses, 1)
        if there == where
    ]
    return found[::-1] if github else found


class _Handler(BaseHTTPRequestHandler):
    server: _Http

    def log_message(self, *arguments: object) -> None:
        pass

    def _answer(self, code: int, content: Any, headers: dict[str, str]) -> None:
        state = self.server.state
        body = state.reply if state.reply is not None else json.dumps(content).encode()
        self.send_response(code)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _do(self) -> None:
        state, parts = self.server.state, urlsplit(self.path)
        value = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")
        request = f"{self.command} {self.path}"
        state.requests.append(request)
        token = re.sub("^(Bearer|token) ", "", self.headers.get("Authorization", "")) or self.headers.get(
            "PRIVATE-TOKEN", ""
        )
        state.tokens.add(token)
        path = unquote(re.sub(r"^/(api/v[134]|api)(?=/)", "", parts.path))
        for planned in state.failures:
            if re.search(planned[0], request):
                state.failures.remove(planned)
                if planned[1].does_it:
                    _act(state, self.command, path, value)
                self._answer(planned[1].code, planned[1].content, planned[1].headers)
                return
        if token != TOKEN:
            self._answer(401, {"message": "Bad credentials"}, {})
            return
        code, content = _act(state, self.command, path, value)
        headers = {}
        if isinstance(content, list):
            page = int(parse_qs(parts.query).get("page", ["1"])[0])
            if len(content) > page * PAGE:
                query = re.sub(r"&page=\d+", "", parts.query)
                headers["Link"] = f'<{state.url}{parts.path}?{query}&page={page + 1}>; rel="next", <x>; rel="last"'
            content = content[(page - 1) * PAGE : page * PAGE]
        self._answer(code, content, headers)

    def do_GET(self) -> None:
        self._do()

    def do_POST(self) -> None:
        self._do()

    def do_PATCH(self) -> None:
        self._do()

    def do_PUT(self) -> None:
        self._do()


class _Http(ThreadingHTTPServer):
    state: Server


@contextlib.contextmanager
def forge_server() -> Iterator[Server]:
    """Start it, and stop it at the end."""
    http = _Http(("127.0.0.1", 0), _Handler)
    http.state = Server(url=f"http://127.0.0.1:{http.server_port}")
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield http.state
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
