"""A store is opened by its address."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.foundation.errors import UsageError
from penstock.store.local import LocalStore
from penstock.store.open import existing_store, open_store


def test_directory_is_a_local_store(tmp_path: Path) -> None:
    assert isinstance(open_store(tmp_path / "new"), LocalStore)
    assert isinstance(open_store(str(tmp_path)), LocalStore)


@pytest.mark.parametrize("location", ["", "  ", "gs://bucket", "https://example.org/store", "s3://", "s3://a b/c"])
def test_what_is_no_store(location: str) -> None:
    with pytest.raises(UsageError):
        open_store(location)


def test_a_store_that_must_be_there(tmp_path: Path) -> None:
    assert isinstance(existing_store(tmp_path), LocalStore)
    with pytest.raises(UsageError, match="there is no store here"):
        existing_store(tmp_path / "new")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UsageError, match="is not a store"):
        existing_store("gs://bucket")
