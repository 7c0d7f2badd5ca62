"""The forge, and the runs that it is told of."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.unit.bundle.conftest import bundle
from tests.unit.notices.forge_comments import NOTES, ON_COMMIT, PULL
from tests.unit.notices.forge_server import Server, forge_server
from tests.unit.report.conftest import pair

__all__ = ["bundle", "pair", "server"]


@pytest.fixture
def server() -> Iterator[Server]:
    """A forge without a comment."""
    with forge_server() as state:
        state.comments |= {PULL: [], NOTES: [], ON_COMMIT: []}
        yield state
