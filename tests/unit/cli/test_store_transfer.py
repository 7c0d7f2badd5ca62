"""``penstock store transfer``: a name moves to another repository, once, on record."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.store.stored_bundle import accepted_bundle

from penstock.cli.app import main
from penstock.cli.store_transfer import transfer
from penstock.releases.baseline import baseline
from penstock.releases.release import publish
from penstock.store.archive import archive
from penstock.store.open import open_store

NEW = "https://new.example.org/sonic-lite"


def test_name_moves_once_and_the_release_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert transfer.__doc__
    store = open_store(tmp_path / "store")
    bundle = accepted_bundle(tmp_path / "bundle")
    archive(bundle, store, model="sonic-lite", run_id="run-1")
    publish(store, bundle)
    command = ["store", "transfer", "sonic-lite", "--to", NEW, "--reason", "moved", "--by", "ann"]
    assert main([*command, "--store", str(tmp_path / "store")]) == 0
    assert "transfer 1, by ann" in capsys.readouterr().out
    current = baseline(store, "sonic-lite")
    assert current is not None
    assert (current.run_id, current.repository) == ("run-1", "new.example.org/sonic-lite")
    assert main([*command, "--store", str(tmp_path / "store")]) == 0
    assert "already" in capsys.readouterr().out


def test_model_that_was_never_released(tmp_path: Path) -> None:
    assert main(["store", "transfer", "x", "--to", NEW, "--reason", "r", "--store", str(tmp_path / "store")]) != 0
