"""The repositories and servers of the unit tests of ``sources``."""

from __future__ import annotations

from tests.unit.sources.conftest import file_server, repository, serve_git

__all__ = ["file_server", "repository", "serve_git"]
