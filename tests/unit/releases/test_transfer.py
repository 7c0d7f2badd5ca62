"""A name is moved to another repository, on record."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.unit.releases.released_runs import MINI, released

from penstock.bundle.directory import read_model
from penstock.foundation.errors import UsageError
from penstock.releases.baseline import Transfer
from penstock.releases.release import SupersededError
from penstock.releases.transfer import transfer
from penstock.store.local import LocalStore
from penstock.store.store import Pointer, Store


@pytest.mark.slow
def test_a_name_is_moved_on_record(tmp_path: Path, store: Store) -> None:
    released(tmp_path, store, "run-1", "1.0.0", "https://git.example.org/acme/mini")
    at = datetime(2026, 1, 2, tzinfo=UTC)
    done = transfer(store, "sonic-lite", "git@new.example.org:mini", reason="moved", by="ada", now=lambda: at)
    assert done == Transfer(
        model="sonic-lite",
        number=1,
        before=MINI,
        after="new.example.org/mini",
        reason="moved",
        by="ada",
        time="2026-01-02T00:00:00+00:00",
    )
    assert transfer(store, "sonic-lite", "https://new.example.org/mini", reason="again", by="ada") is None
    with pytest.raises(UsageError, match=r"belongs to the repository new\.example\.org/mini"):
        released(tmp_path, store, "run-2", "1.1.0", "https://git.example.org/acme/mini", baseline="run-1")
    released(tmp_path, store, "run-3", "1.2.0", "https://new.example.org/mini", baseline="run-1")
    transfer(store, "sonic-lite", "https://git.example.org/acme/mini", reason="back", by="bob")
    keys = [entry.key for entry in store.list("transfers")]
    assert keys == ["transfers/sonic-lite/0001.json", "transfers/sonic-lite/0002.json"]
    store.get_file(keys[0], tmp_path / "first.json")
    assert read_model(tmp_path / "first.json", Transfer) == done


def test_a_transfer_that_is_killed_is_on_record_all_the_same(tmp_path: Path) -> None:
    class Killed(LocalStore):
        def swap_pointer(self, key: str, value: dict[str, object], *, seen: Pointer | None) -> bool:
            super().swap_pointer(key, value, seen=seen)
            raise KeyboardInterrupt

    store = LocalStore(tmp_path / "store")
    released(tmp_path, store, "run-1", "1.0.0", "https://git.example.org/acme/mini")
    with pytest.raises(KeyboardInterrupt):
        transfer(Killed(tmp_path / "store"), "sonic-lite", "https://h/mini", reason="moved", by="ada")
    assert list(store.list("transfers")) == []
    released(tmp_path, store, "run-2", "1.1.0", "https://h/mini", baseline="run-1")
    assert [entry.key for entry in store.list("transfers")] == ["transfers/sonic-lite/0001.json"]


def test_a_transfer_while_a_run_is_published_stops_it(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    released(tmp_path, store, "run-1", "1.0.0", "https://git.example.org/acme/mini")

    class Overtaken(LocalStore):
        def swap_pointer(self, key: str, value: dict[str, object], *, seen: Pointer | None) -> bool:
            transfer(store, "sonic-lite", "https://h/mini", reason="moved", by="ada")
            return super().swap_pointer(key, value, seen=seen)

    with pytest.raises(UsageError, match="belongs to the repository h/mini"):
        released(
            tmp_path,
            Overtaken(tmp_path / "store"),
            "run-2",
            "1.1.0",
            "https://git.example.org/acme/mini",
            baseline="run-1",
        )
    with pytest.raises(SupersededError):
        released(tmp_path, store, "run-3", "1.1.0", "https://h/mini")


def test_what_cannot_be_moved(tmp_path: Path, store: Store) -> None:
    with pytest.raises(UsageError, match="no model 'sonic-lite' is released"):
        transfer(store, "sonic-lite", "https://h/mini", reason="moved", by="ada")
    released(tmp_path, store, "run-1", "1.0.0", "https://git.example.org/acme/mini")
    with pytest.raises(UsageError, match="reason"):
        transfer(store, "sonic-lite", "https://h/mini", reason=" ", by="ada")
    with pytest.raises(UsageError, match="address"):
        transfer(store, "sonic-lite", "https://h", reason="moved", by="ada")
    for gone in (tmp_path / "gone", (tmp_path / "gone").as_uri()):
        with pytest.raises(UsageError, match="there is no repository at this path"):
            transfer(store, "sonic-lite", str(gone), reason="moved", by="ada")
    (tmp_path / "there").mkdir()
    assert transfer(store, "sonic-lite", str(tmp_path / "there"), reason="moved", by="ada") is not None
