"""What was released, the newest first, with who and what became of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.releases.released_runs import released

from penstock.foundation.errors import UsageError, WorldError
from penstock.releases.acts import roll_back, withdraw
from penstock.releases.history import history
from penstock.store.local import LocalStore
from penstock.store.store import Store

URL = "https://git.example.org/acme/mini"


@pytest.mark.slow
def test_the_history_of_a_model(tmp_path: Path, store: Store) -> None:
    # by their names, 1.10.0 comes before 1.9.0
    for number, (version, before) in enumerate([("1.9.0", None), ("1.10.0", "run-0"), ("1.11.0", "run-1")]):
        released(tmp_path, store, f"run-{number}", version, URL, baseline=before)
    roll_back(store, "sonic-lite", reason="flicker", by="ann")
    withdraw(store, "sonic-lite", "1.11.0", reason="flicker", by="bob")
    found = history(store, "sonic-lite")
    assert [line.release.version for line in found.releases] == ["1.11.0", "1.10.0", "1.9.0"]
    assert [line.current for line in found.releases] == [False, True, False]
    assert [line.withdrawn.by if line.withdrawn else None for line in found.releases] == ["bob", None, None]
    assert all(line.published is not None for line in found.releases)
    assert found.releases[0].evidence == store.location("runs/sonic-lite/run-2")
    assert [(move.kind, move.version) for move in found.moves] == [
        ("published", "1.9.0"),
        ("published", "1.10.0"),
        ("published", "1.11.0"),
        ("rolled back", "1.10.0"),
        ("withdrawn", "1.11.0"),
    ]


def test_nothing_of_this_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no model 'mini' is released"):
        history(LocalStore(tmp_path / "store"), "mini")


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    released(tmp_path, store, "run-0", "1.0.0", URL)
    (tmp_path / "store" / "moves" / "sonic-lite" / "000001.json").write_text("{}")
    with pytest.raises(
        WorldError, match=r"000001\.json: a record of the store: not a valid record: model: Field required"
    ):
        history(store, "sonic-lite")
