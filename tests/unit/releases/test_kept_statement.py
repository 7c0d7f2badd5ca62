"""Statements in the store: signed once, read within limits."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.releases.signing_keys import key_pair

from penstock.releases.envelope import NotSignedError, private_key, public_key
from penstock.releases.kept_statement import keep_signed, kept_envelope, kept_statement
from penstock.store.local import LocalStore
from penstock.store.store import NotStoredError

PLACE = "attestations/x.json"


def test_it_is_signed_once(tmp_path: Path) -> None:
    store, (private, public) = LocalStore(tmp_path / "store"), key_pair(tmp_path)
    keep_signed(store, PLACE, lambda: b'{"a": 1}', private_key(private))
    first = kept_envelope(store, PLACE, 1 << 20)

    def again() -> bytes:
        raise AssertionError("what lies there stays")

    keep_signed(store, PLACE, again, private_key(private))
    assert kept_envelope(store, PLACE, 1 << 20) == first
    assert kept_statement(store, PLACE, public_key(public), 1 << 20) == {"a": 1}


def test_another_key_and_too_large_a_one(tmp_path: Path) -> None:
    store, (private, public) = LocalStore(tmp_path / "store"), key_pair(tmp_path)
    keep_signed(store, PLACE, lambda: b"{}", private_key(private))
    with pytest.raises(NotSignedError):
        kept_statement(store, PLACE, public_key(key_pair(tmp_path / "other")[1]), 1 << 20)
    with pytest.raises(ValueError, match="too large"):
        kept_statement(store, PLACE, public_key(public), 10)
    with pytest.raises(NotStoredError):
        kept_envelope(store, "attestations/none.json", 10)
