"""Whose a name is, and the pointer of the current release."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.releases.released_runs import MINI, released

from penstock.foundation.errors import UsageError, WorldError
from penstock.releases.baseline import baseline, current_release, hold_owner, owner
from penstock.store.store import Store


@pytest.mark.slow
def test_the_first_release_binds_the_name(tmp_path: Path, store: Store) -> None:
    hold_owner(store, None, "sonic-lite", "https://git.example.org/acme/mini")
    released(tmp_path, store, "run-1", "1.0.0", "https://git.example.org/acme/mini.git")
    found = baseline(store, "sonic-lite")
    assert found is not None
    assert (found.repository, owner(store, found)) == (MINI, MINI)
    hold_owner(store, found, "sonic-lite", "git@git.example.org:acme/mini.git")
    said = f"the name 'sonic-lite' belongs to the repository {MINI}, and this one is git.example.org/eve/mini"
    with pytest.raises(UsageError, match=said) as caught:
        hold_owner(store, found, "sonic-lite", "https://git.example.org/eve/mini")
    assert "penstock store transfer sonic-lite --to https://git.example.org/eve/mini" in str(caught.value)
    with pytest.raises(UsageError, match="belongs to the repository"):
        released(tmp_path, store, "run-2", "1.1.0", "https://git.example.org/eve/mini", baseline="run-1")
    assert baseline(store, "sonic-lite") == found
    released(tmp_path, store, "run-3", "1.2.0", "git@git.example.org:acme/mini", baseline="run-1")


@pytest.mark.slow
def test_in_a_store_from_before_the_name_belongs_to_where_its_release_came_from(tmp_path: Path, store: Store) -> None:
    released(tmp_path, store, "run-1", "1.0.0", "https://git.example.org/acme/mini")
    seen = store.read_pointer("baselines/sonic-lite.json")
    assert seen is not None
    older = {key: value for key, value in seen.value.items() if key not in ("repository", "release", "transfer")}
    store.swap_pointer("baselines/sonic-lite.json", older, seen=seen)
    found = baseline(store, "sonic-lite")
    assert found is not None
    assert (found.repository, owner(store, found)) == ("", MINI)
    with pytest.raises(UsageError, match="belongs to the repository"):
        released(tmp_path, store, "run-2", "1.1.0", "https://git.example.org/eve/mini", baseline="run-1")
    released(tmp_path, store, "run-3", "1.2.0", "git@git.example.org:acme/mini", baseline="run-1")
    found = baseline(store, "sonic-lite")
    assert found is not None
    assert found.repository == MINI


@pytest.mark.slow
def test_damaged_pointer(store: Store) -> None:
    store.swap_pointer("baselines/sonic-lite.json", {"model": 1}, seen=None)
    with pytest.raises(WorldError, match="damaged"):
        current_release(store, "sonic-lite")
