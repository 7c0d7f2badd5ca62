"""The document of the current release is brought from the store: nothing else of its run, and not without one."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.store.stored_bundle import accepted_bundle

from penstock.bundle.directory import Bundle
from penstock.bundle.interface_record import ReleasedDocument, released_document
from penstock.foundation.errors import WorldError
from penstock.foundation.files import write_json
from penstock.releases.archived_document import bring_document
from penstock.releases.release import publish
from penstock.store.archive import archive
from penstock.store.local import LocalStore

MODEL = "sonic-lite"


def released(folder: Path, document: str | None) -> LocalStore:
    bundle = accepted_bundle(folder / "run-1")
    if document is not None:
        (bundle.path / "interface").mkdir()
        (bundle.path / "interface" / "document.json").write_text(document)
    store = LocalStore(folder / "store")
    archive(bundle, store, model=MODEL, run_id="run-1")
    publish(store, bundle)
    return store


def test_before_the_first_release_there_is_none(tmp_path: Path) -> None:
    assert bring_document(LocalStore(tmp_path / "store"), MODEL, Bundle(tmp_path / "bundle")) is None
    assert not (tmp_path / "bundle").exists()


def test_it_comes_alone_and_a_second_attempt_changes_nothing(tmp_path: Path) -> None:
    store = released(tmp_path, '{"openapi": "3.1.0"}')
    bundle = Bundle(tmp_path / "bundle")
    bundle.path.mkdir()
    for _ in range(2):
        expected = ReleasedDocument(run_id="run-1", document={"openapi": "3.1.0"})
        assert bring_document(store, MODEL, bundle) == expected == released_document(bundle)
    assert [path.name for path in bundle.path.rglob("*") if path.is_file()] == ["released.json"]


def test_a_release_of_an_older_version_has_none(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path / "bundle")
    bundle.path.mkdir()
    assert bring_document(released(tmp_path, None), MODEL, bundle) == ReleasedDocument(run_id="run-1")


def test_a_damaged_one_is_the_worlds_failure(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path / "bundle")
    bundle.path.mkdir()
    store = released(tmp_path, "{}")
    (stored,) = (path for path in (tmp_path / "store").rglob("document.json"))
    stored.chmod(0o644)
    write_json(stored, {"openapi": "3.1.0"})
    with pytest.raises(WorldError):
        bring_document(store, MODEL, bundle)
