"""MLflow's REST API 2.0, as far as runs and registered models go: https://mlflow.org/docs/latest/rest-api.html.

The server's answers are read with limits of size and time; a password is sent over TLS only.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from penstock.foundation.errors import UsageError, WorldError
from penstock.foundation.files import read_regular
from penstock.foundation.whole_answer import PLAIN, answered_within, plain_chunks

TIMEOUT_S = 30.0
"""For each of connecting, sending and waiting: a server that has just started takes its time."""
TOTAL_S = 120.0
"""For all requests together: a step has more to do than to wait for a copy."""
MAX_ANSWER_BYTES = 16 << 20
MAX_PAGES = 100
MAX_SECRET_BYTES = 1 << 16
LATER = "Try it again later with `penstock track`; the run and the release stand."


@dataclass(frozen=True)
class MlflowPlace:
    """A tracking server, and how to be let in."""

    url: str
    token: str = field(default="", repr=False)
    user: str = ""
    password: str = field(default="", repr=False)


class MlflowError(WorldError):
    """MLflow cannot be reached, or refuses."""

    def __init__(self, what: str, *, where: str = "", todo: str = LATER, code: str = "") -> None:
        super().__init__(what, where=where, todo=todo)
        self.code = code
        """MLflow's own, such as ``RESOURCE_DOES_NOT_EXIST``."""


def read_mlflow(directory: Path) -> MlflowPlace:
    """The workspace ``mlflow``: files ``url``, and if need be ``token``, or ``username`` and ``password``.

    Raises:
        UsageError: there is no ``url``, or a file is not text.
    """

    def content(name: str) -> str:
        if name != "url" and not (directory / name).exists():
            return ""
        raw = read_regular(directory / name, max_bytes=MAX_SECRET_BYTES, where=f"mlflow: {name}")
        try:
            return raw.decode("utf-8").strip()
        except UnicodeDecodeError:
            raise UsageError("not UTF-8 text", where=f"mlflow: {name}") from None

    return MlflowPlace(content("url"), content("token"), content("username"), content("password"))


def mlflow_at(url: str) -> MlflowPlace:
    """A server by its address, with the credentials of MLflow's own variables (``MLFLOW_TRACKING_TOKEN`` …)."""
    names = ("MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")
    return MlflowPlace(url, *(os.environ.get(name, "") for name in names))


class Mlflow:
    """A tracking server."""

    def __init__(self, place: MlflowPlace) -> None:
        """Prepare; nothing is sent yet.

        Raises:
            UsageError: the address or a credential cannot be one.
        """
        try:
            parts = urlsplit(place.url)
        except ValueError:  # a bracket that is not closed
            parts = urlsplit("")
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or parts.query:
            raise UsageError(
                "not the address of an MLflow server",
                where="mlflow",
                todo="Give https://HOST/PATH, without a password.",
            )
        secrets = [secret for secret in (place.token, place.password) if secret]
        if secrets and parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise UsageError("a password is not sent without TLS", where="mlflow", todo="Use https.")
        if any(not re.fullmatch(r"[ -~]{1,4096}", secret) for secret in (*secrets, place.user) if secret):
            raise UsageError("a credential holds characters that none has", where="mlflow")
        self._base = f"{place.url.rstrip('/')}/api/2.0/mlflow"
        self._shown = f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")
        self._secrets = secrets
        self._headers = {**PLAIN, "User-Agent": "penstock"}
        if place.token:
            self._headers["Authorization"] = f"Bearer {place.token}"
        self._auth = (place.user, place.password) if place.user and not place.token else None
        self._trusted = httpx.create_ssl_context()
        self._until = time.monotonic() + TOTAL_S

    def get(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        """Ask for something.

        Raises:
            MlflowError: it cannot be reached, refuses, or answers with something else.
        """
        return self._send("GET", path, params=dict(query))

    def post(self, path: str, value: Mapping[str, Any]) -> dict[str, Any]:
        """Write something, or search. Else as :meth:`get`."""
        return self._send("POST", path, json=dict(value))

    def pages(self, path: str, query: Mapping[str, str], name: str) -> Iterator[dict[str, Any]]:
        """All entries of a list that comes in pages."""
        token = ""
        for _ in range(MAX_PAGES):
            answer = self.get(path, {**query, **({"page_token": token} if token else {})})
            yield from entries(answer, name)
            token = answer.get("next_page_token") or ""
            if not isinstance(token, str) or not token:
                return
        raise MlflowError(f"a list has more than {MAX_PAGES} pages", where=self._shown)

    def _send(self, method: str, path: str, **what: Any) -> dict[str, Any]:
        where = f"{self._shown}: {path}"
        left_s = self._until - time.monotonic()
        if left_s <= 0:
            raise MlflowError(f"it took longer than {TOTAL_S:.0f} s", where=where)
        try:
            with (
                httpx.Client(
                    headers=self._headers,
                    auth=self._auth,
                    timeout=TIMEOUT_S,
                    follow_redirects=False,
                    verify=self._trusted,
                ) as client,
                answered_within(client, left_s),
                client.stream(method, f"{self._base}/{path}", **what) as answer,
            ):
                content = b""
                for chunk in plain_chunks(answer):
                    content += chunk
                    if len(content) > MAX_ANSWER_BYTES:
                        raise MlflowError("the answer does not end", where=where)
        # ValueError: a host that cannot be one (IDNA), or a value that JSON has no form for.
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, OverflowError) as error:
            reason = self._clean(str(error)) or type(error).__name__
            raise MlflowError(f"MLflow cannot be reached: {reason}", where=where) from None
        try:
            found = json.loads(content)
        except (ValueError, RecursionError):
            found = None
        if answer.is_success and isinstance(found, dict):
            return found
        code = found.get("error_code") if isinstance(found, dict) else None
        said = found.get("message") if isinstance(found, dict) else None
        words = f" ({self._clean(code)}: {self._clean(str(said))})" if isinstance(code, str) else ""
        what_is_wrong = "is no answer of MLflow" if answer.is_success else f"{answer.status_code}{words}"
        raise MlflowError(f"MLflow answered {what_is_wrong}", where=where, code=code if isinstance(code, str) else "")

    def _clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return " ".join(text.split())[:200]


def entries(answer: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """A list of objects in an answer; MLflow leaves empty ones out."""
    found = answer.get(name) or []
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise MlflowError(f"the answer's '{name}' is no list")
    return found


def text_of(value: Mapping[str, Any], *path: str) -> str:
    """A text, or a number as a text, within an answer.

    Raises:
        MlflowError: there is none.
    """
    found: Any = value
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, str | int) or isinstance(found, bool) or found == "":
        raise MlflowError(f"the answer has no '{'.'.join(path)}'")
    return str(found)
