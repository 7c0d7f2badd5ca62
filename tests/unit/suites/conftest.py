"""The servers that suites are fetched from: git over HTTP, S3, and a registry."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.unit.environment.image_server import ImageServer, image_server
from tests.unit.sources.conftest import bucket, serve_git

__all__ = ["bucket", "registry", "serve_git"]


@pytest.fixture(scope="session")
def registry() -> Iterator[ImageServer]:
    """A registry that skopeo speaks to."""
    with image_server() as server:
        yield server
