"""Roll back, promote, withdraw: on record, done once, and never against somebody else's move."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.unit.releases.released_runs import released
from tests.unit.store.stored_bundle import accepted_bundle

from penstock.bundle.directory import Bundle
from penstock.foundation.errors import UsageError, WorldError
from penstock.foundation.files import sha256_file
from penstock.releases.acts import promote, roll_back, withdraw
from penstock.releases.baseline import Release, baseline, published, withdrawn
from penstock.releases.history import history
from penstock.releases.release import SupersededError, publish
from penstock.store.archive import archive
from penstock.store.local import LocalStore
from penstock.store.store import Pointer, Store

URL = "https://git.example.org/acme/mini"
MODEL = "sonic-lite"
AT = datetime(2026, 1, 2, tzinfo=UTC)


def three(folder: Path, store: Store) -> None:
    """1.0.0, 1.1.0 and 1.2.0, each judged against the one before."""
    before = None
    for number in range(3):
        released(folder, store, f"run-{number}", f"1.{number}.0", URL, baseline=before)
        before = f"run-{number}"


def current(store: Store) -> tuple[str, str]:
    now = baseline(store, MODEL)
    assert now is not None
    return now.version, now.run_id


@pytest.mark.slow
def test_a_rollback_is_one_step_back_and_on_record(tmp_path: Path, store: Store) -> None:
    three(tmp_path, store)
    act = roll_back(store, MODEL, reason="users see flicker", by="ann", now=lambda: AT)
    assert act.move is not None
    assert (act.move.number, act.move.kind, act.move.version, act.move.before) == (4, "rolled back", "1.1.0", "1.2.0")
    assert (act.move.by, act.move.reason, act.move.time) == ("ann", "users see flicker", "2026-01-02T00:00:00+00:00")
    assert current(store) == ("1.1.0", "run-1")
    now, record = baseline(store, MODEL), published(store, MODEL, "1.1.0")
    assert now is not None
    assert record is not None
    assert (now.commit, now.weights, now.image, now.manifest_sha256, now.release) == (
        record.commit,
        record.weights,
        record.image,
        record.manifest_sha256,
        record,
    )
    # given again it does not go back again
    assert roll_back(store, MODEL, reason="users see flicker", by="ann").move is None
    assert current(store) == ("1.1.0", "run-1")
    assert roll_back(store, MODEL, "1.0.0", reason="further").move is not None
    assert roll_back(store, MODEL, "1.0.0", reason="further").move is None
    assert [move.number for move in history(store, MODEL).moves] == [1, 2, 3, 4, 5]


@pytest.mark.slow
def test_the_next_release_is_judged_against_what_was_rolled_back_to(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    three(tmp_path, store)
    roll_back(store, MODEL, reason="flicker")
    with pytest.raises(SupersededError, match=r"the released model is 1\.1\.0"):
        released(tmp_path, store, "run-3", "1.3.0", URL, baseline="run-2")
    released(tmp_path, store, "run-4", "1.3.1", URL, baseline="run-1")
    assert current(store) == ("1.3.1", "run-4")
    # back over the one that was rolled back from
    roll_back(store, MODEL, reason="flicker again")
    assert current(store) == ("1.1.0", "run-1")


@pytest.mark.slow
def test_what_was_rolled_back_from_does_not_come_back_by_a_step_that_runs_again(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    three(tmp_path, store)
    roll_back(store, MODEL, reason="flicker")
    again = accepted_bundle(
        tmp_path / "again", run_id="run-2", version="1.2.0", commit="2" * 40, url=URL, baseline="run-1"
    )
    archive(again, store, model=MODEL, run_id="run-2")
    assert publish(store, again).already
    assert current(store) == ("1.1.0", "run-1")
    promote(store, MODEL, "1.2.0", reason="it was the network", by="bob")
    assert current(store) == ("1.2.0", "run-2")
    # after a promotion a rollback goes one step back again
    roll_back(store, MODEL, reason="it was not")
    assert current(store) == ("1.1.0", "run-1")


@pytest.mark.slow
def test_a_withdrawn_release_is_never_current_or_published_again(tmp_path: Path, store: Store) -> None:
    three(tmp_path, store)
    with pytest.raises(UsageError, match=r"version 1\.2\.0 is the current release"):
        withdraw(store, MODEL, "1.2.0", reason="data")
    done = withdraw(store, MODEL, "1.1.0", reason="trained on data we may not use", by="ann")
    assert done.move is not None
    assert (
        withdraw(store, MODEL, "1.1.0", reason="other words").withdrawal
        == done.move
        == withdrawn(store, MODEL, "1.1.0")
    )
    assert current(store) == ("1.2.0", "run-2")
    for act in (promote, roll_back):
        with pytest.raises(UsageError, match=r"1\.1\.0 was withdrawn by ann: trained on data"):
            act(store, MODEL, "1.1.0", reason="all the same")
    with pytest.raises(UsageError, match=r"1\.1\.0 was withdrawn by ann"):
        released(tmp_path / "again", store, "run-1", "1.1.0", URL, baseline="run-0")
    roll_back(store, MODEL, reason="passes over what was withdrawn")
    assert current(store) == ("1.0.0", "run-0")


def test_where_there_is_nothing_to_go_back_to(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    with pytest.raises(UsageError, match="no model 'sonic-lite' is released"):
        roll_back(store, MODEL, reason="r")
    released(tmp_path, store, "run-0", "1.0.0", URL)
    with pytest.raises(UsageError, match=r"there is no release before 1\.0\.0"):
        roll_back(store, MODEL, reason="r")
    with pytest.raises(UsageError, match=r"no version '9\.9' of sonic-lite is published"):
        roll_back(store, MODEL, "9.9", reason="r")
    with pytest.raises(UsageError, match="cannot name a version"):
        promote(store, MODEL, "../x", reason="r")
    with pytest.raises(UsageError, match="a reason has"):
        withdraw(store, MODEL, "1.0.0", reason=" ")


def test_a_release_whose_evidence_is_gone_cannot_be_the_baseline(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    three(tmp_path, store)
    (tmp_path / "store" / "runs" / MODEL / "run-1" / "manifest.json").unlink()
    with pytest.raises(WorldError, match=r"the evidence of 1\.1\.0 is not in the store"):
        roll_back(store, MODEL, reason="r")
    assert current(store) == ("1.2.0", "run-2")


class Overtaken(LocalStore):
    """Somebody publishes between reading and moving, once."""

    def __init__(self, folder: Path, other: Any) -> None:
        super().__init__(folder)
        self.other = other

    def swap_pointer(self, key: str, value: dict[str, Any], *, seen: Pointer | None) -> bool:
        other, self.other = self.other, None
        if other is not None:
            other()
        return super().swap_pointer(key, value, seen=seen)


@pytest.mark.slow
def test_an_act_that_was_overtaken_looks_again(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    three(tmp_path, store)

    def publish_another() -> None:
        released(tmp_path, store, "run-3", "1.3.0", URL, baseline="run-2")

    act = roll_back(Overtaken(tmp_path / "store", publish_another), MODEL, reason="flicker")
    assert act.move is not None
    assert (act.move.version, act.move.before, act.move.number) == ("1.2.0", "1.3.0", 5)


class Killed(LocalStore):
    """It dies right after the pointer was moved."""

    def swap_pointer(self, key: str, value: dict[str, Any], *, seen: Pointer | None) -> bool:
        super().swap_pointer(key, value, seen=seen)
        raise KeyboardInterrupt


def test_an_act_that_is_killed_is_on_record_all_the_same(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    three(tmp_path, store)
    with pytest.raises(KeyboardInterrupt):
        withdraw(Killed(tmp_path / "store"), MODEL, "1.0.0", reason="data", by="ann")
    assert list(store.list("withdrawn")) == []
    gone = withdrawn(store, MODEL, "1.0.0")
    assert gone is not None
    assert [found.release.version for found in history(store, MODEL).releases if found.withdrawn] == ["1.0.0"]
    gone = withdrawn(store, MODEL, "1.0.0")
    assert gone is not None
    assert gone.by == "ann"


@pytest.mark.slow
def test_a_rollback_goes_back_once_whatever_is_withdrawn_meanwhile(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    three(tmp_path, store)
    roll_back(store, MODEL, reason="flicker")
    withdraw(store, MODEL, "1.2.0", reason="flicker")
    assert roll_back(store, MODEL, reason="flicker").move is None
    assert current(store) == ("1.1.0", "run-1")


def without_log(store: Store) -> None:
    """As an older version of Penstock writes the pointer: without the log's last entry."""
    key = f"baselines/{MODEL}.json"
    seen = store.read_pointer(key)
    assert seen is not None
    old = {name: value for name, value in seen.value.items() if name not in ("move", "became")}
    assert store.swap_pointer(key, old, seen=seen)


@pytest.mark.slow
def test_an_older_version_in_between_loses_nothing_of_the_log(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    three(tmp_path, store)
    without_log(store)
    assert roll_back(store, MODEL, reason="flicker", by="ann").move is not None
    withdraw(store, MODEL, "1.2.0", reason="flicker", by="ann")
    found = history(store, MODEL)
    assert [(move.number, move.kind) for move in found.moves][2:] == [
        (3, "published"),
        (4, "rolled back"),
        (5, "withdrawn"),
    ]
    assert [line.release.version for line in found.releases if line.withdrawn] == ["1.2.0"]


@pytest.mark.slow
def test_a_record_of_what_was_never_released_is_no_release(tmp_path: Path) -> None:
    """An older version wrote it and was killed before it moved the pointer."""
    store = LocalStore(tmp_path / "store")
    three(tmp_path, store)
    record = published(store, MODEL, "1.2.0")
    assert record is not None
    never = record.model_copy(update={"version": "1.3.0", "run_id": "run-3", "replaces": "run-2"})
    path = tmp_path / "store" / "published" / MODEL / "1.3.0.json"
    path.write_text(never.model_dump_json())
    assert [line.release.version for line in history(store, MODEL).releases] == ["1.2.0", "1.1.0", "1.0.0"]
    with pytest.raises(UsageError, match=r"no version '1\.3\.0' of sonic-lite is published"):
        promote(store, MODEL, "1.3.0", reason="r")
    roll_back(store, MODEL, reason="flicker")
    promote(store, MODEL, "1.2.0", reason="back")
    path.unlink()
    bundle = accepted_bundle(
        tmp_path / "b", run_id="run-3", version="1.3.0", commit="3" * 40, url=URL, baseline="run-2"
    )
    archive(bundle, store, model=MODEL, run_id="run-3")
    path.write_text(record_of(bundle, "run-2").model_dump_json())
    # the run that was killed goes on
    assert not publish(store, bundle).already
    assert current(store) == ("1.3.0", "run-3")


def record_of(bundle: Bundle, replaces: str) -> Release:
    run = bundle.run()
    assert run.source is not None
    assert run.image is not None
    return Release(
        model=run.model,
        version=run.source.version,
        run_id=run.run_id,
        url=run.source.url,
        commit=run.source.commit,
        tree=run.source.tree,
        weights=run.weights,
        image=run.image,
        manifest_sha256=sha256_file(bundle.manifest_file),
        replaces=replaces,
    )


@pytest.mark.slow
def test_whose_the_name_is_stays_in_a_store_that_does_not_say_it(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    three(tmp_path, store)
    key = f"baselines/{MODEL}.json"
    seen = store.read_pointer(key)
    assert seen is not None
    assert store.swap_pointer(key, seen.value | {"repository": ""}, seen=seen)
    roll_back(store, MODEL, reason="flicker")
    now = baseline(store, MODEL)
    assert now is not None
    assert now.repository == "git.example.org/acme/mini"


def test_a_store_without_a_log(tmp_path: Path) -> None:
    """A pointer as versions of before wrote it."""
    store = LocalStore(tmp_path / "store")
    three(tmp_path, store)
    key = f"baselines/{MODEL}.json"
    seen = store.read_pointer(key)
    assert seen is not None
    old = {name: value for name, value in seen.value.items() if name != "move"}
    assert store.swap_pointer(key, old, seen=seen)
    for entry in list(store.list(f"moves/{MODEL}")):
        (tmp_path / "store" / entry.key).unlink()
    found = history(store, MODEL)
    assert [line.release.version for line in found.releases] == ["1.2.0", "1.1.0", "1.0.0"]
    assert [line.published for line in found.releases] == [None, None, None]
    act = roll_back(store, MODEL, reason="flicker")
    assert act.move is not None
    assert (act.move.number, act.move.version) == (1, "1.1.0")
