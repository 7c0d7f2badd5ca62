"""Before a model runs: the store is tried out, and the name is this repository's."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.store.stored_bundle import accepted_bundle

from penstock.bundle.directory import Bundle
from penstock.foundation.errors import UsageError
from penstock.releases.admission import admit
from penstock.releases.release import publish
from penstock.store.archive import archive
from penstock.store.local import LocalStore
from penstock.store.store import Store

MODEL = "sonic-lite"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return LocalStore(tmp_path / "store")


def fresh(folder: Path, **changes: object) -> Bundle:
    """A run over the same commit, cloned and with its weights."""
    bundle = Bundle(folder / "fresh")
    run = accepted_bundle(folder / "like", run_id="again").run()
    bundle.update_run(run.model_copy(update={"image": None} | changes))
    return bundle


def test_a_store_is_tried_out_and_a_name_held_before_a_model_runs(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, int]] = []
    monkeypatch.setattr(store, "probe", lambda name, *, need_bytes: asked.append((name, need_bytes)))
    admit(store, fresh(tmp_path).run(), MODEL)
    bundle = accepted_bundle(tmp_path / "first", run_id="first")
    archive(bundle, store, model=MODEL, run_id="first")
    publish(store, bundle)
    admit(store, fresh(tmp_path / "next").run(), MODEL)
    size = sum(path.stat().st_size for path in bundle.path.rglob("*") if path.is_file())
    assert asked == [("again", 0), ("again", size)]
    source = bundle.run().source
    assert source is not None
    eve = bundle.run().model_copy(update={"source": source.model_copy(update={"url": "https://example.org/eve"})})
    with pytest.raises(UsageError, match="belongs to the repository"):
        admit(store, eve, MODEL)
