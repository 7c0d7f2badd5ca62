"""The git server on the node: every bare repository below one directory, over HTTP. :mod:`git_http` is the server."""

from __future__ import annotations

import http.client
import sys
from contextlib import closing
from pathlib import Path

from tests.cluster import git_http, process
from tests.cluster.settings import Settings

NAME = "git"


def start(settings: Settings) -> None:
    """Start the server."""
    process.start(settings, part(settings))


def root(settings: Settings) -> Path:
    """Where the bare repositories lie: ``NAME.git`` here is ``http://ADDRESS:PORT/NAME.git``."""
    return settings.state / "git"


def part(settings: Settings) -> process.Part:
    """The server's process."""
    root(settings).mkdir(parents=True, exist_ok=True)
    place = ["--root", root(settings), "--address", settings.address, "--port", str(settings.git_port)]
    # by its path: it needs nothing but Python
    argv = [sys.executable, "-I", Path(git_http.__file__).resolve(), *place]
    return process.Part(name=NAME, argv=argv, ready=lambda: _answers(settings))


def _answers(settings: Settings) -> bool:
    with closing(http.client.HTTPConnection(settings.address, settings.git_port, timeout=5)) as connection:
        try:
            connection.request("GET", "/")
            return connection.getresponse().status == http.client.NOT_FOUND
        except (OSError, http.client.HTTPException):
            return False
