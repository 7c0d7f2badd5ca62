"""One store for all tests that only read it."""

from __future__ import annotations

import pytest
from tests.unit.book.made_store import BookClient, client_of, made_store

from penstock.store.local import LocalStore


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """See :func:`made_store`."""
    return made_store(tmp_path_factory.mktemp("book"))


@pytest.fixture(scope="session")
def book(made: LocalStore) -> BookClient:
    """A client of its book, which asks nobody."""
    return client_of(made)


@pytest.fixture(autouse=True)
def _looks_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy this machine is, a page has what the store has: the tests change stores, and ask again."""
    monkeypatch.setattr("penstock.book.shelf.LOOK_S", 60)
