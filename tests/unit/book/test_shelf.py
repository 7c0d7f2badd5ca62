"""What is read of the store, and how often."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from botocore.model import OperationModel
from moto import mock_aws
from tests.unit.book.made_store import MODEL, add_run, copied

from penstock.book.patient_pool import WORKERS, PatientPool, StoreAwayError
from penstock.book.shelf import FRESH_S, READERS, STALE_S, Shelf
from penstock.foundation.errors import WorldError
from penstock.releases.baseline import pointer_key
from penstock.store.local import LocalStore
from penstock.store.s3 import S3Store
from penstock.store.s3_client import CONNECTIONS, s3_client
from penstock.store.store import DamagedError, Pointer


class CountingStore(LocalStore):
    """Counts which objects are read."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.read_keys: Counter[str] = Counter()
        self.wait_for: threading.Event | None = None

    def read_range(self, key: str, start: int, length: int) -> Iterator[bytes]:
        if self.wait_for is not None:
            self.wait_for.wait(5)
        self.read_keys[key] += 1
        return super().read_range(key, start, length)


def test_lists_read_the_small_records_once(made: LocalStore) -> None:
    store, now = CountingStore(made.directory), [0.0]
    shelf = Shelf(store, pool=PatientPool("s", clock=lambda: now[0]))
    card = shelf.model(MODEL)
    assert card is not None
    assert [run.run_id for run in card.runs] == ["run-2", "run-1", "run-0"]
    assert set(store.read_keys) == {
        f"runs/{MODEL}/run-{number}/{name}" for number in range(3) for name in ("run.json", "verdict.json")
    }
    now[0] += 2 * FRESH_S
    again = shelf.model(MODEL)
    assert again is not None
    assert again.releases is card.releases  # the pointer has not moved
    assert set(store.read_keys.values()) == {1}


@pytest.fixture
def s3_store(made: LocalStore, aws_described_once: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Store]:
    """What a look reads of the made store, in S3."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with mock_aws():
        client = s3_client(None)
        client.create_bucket(Bucket="made")
        for path in made.directory.rglob("*.json"):
            client.put_object(Bucket="made", Key=path.relative_to(made.directory).as_posix(), Body=path.read_bytes())
        yield S3Store("made", "", client=client)


def test_each_run_costs_three_requests_once(s3_store: S3Store) -> None:
    asked: list[tuple[str, str]] = []

    def note(params: dict[str, str], model: OperationModel, **_: object) -> None:
        asked.append((model.name, params.get("Key", "")))

    s3_store.client.meta.events.register("before-parameter-build.s3", note)
    now = [0.0]
    shelf = Shelf(s3_store, pool=PatientPool("s", clock=lambda: now[0]))
    assert [run.run_id for run in shelf.models()[MODEL].runs] == ["run-2", "run-1", "run-0"]
    of_runs = sorted(one for one in asked if one[1].startswith("runs/"))
    expected = [("GetObject", f"runs/{MODEL}/run-{number}/run.json") for number in range(3)]
    expected += [("GetObject", f"runs/{MODEL}/run-{number}/verdict.json") for number in range(3)]
    manifests = [("HeadObject", f"runs/{MODEL}/run-{number}/manifest.json") for number in (0, 1, 2, 9)]
    assert of_runs == sorted(expected + manifests)

    asked.clear()
    now[0] += 2 * FRESH_S
    assert len(shelf.models()[MODEL].runs) == 3
    # later: lists, the pointer, and whether the run that was not archived to its end is now
    assert {one for one in asked if one[0] != "ListObjectsV2"} == {
        ("GetObject", pointer_key(MODEL)),
        ("HeadObject", f"runs/{MODEL}/run-9/manifest.json"),
    }


def test_no_reader_connects_anew_for_each_request() -> None:
    assert CONNECTIONS >= READERS + WORKERS


class BrokenAt(LocalStore):
    """Cannot be reached where it is asked for one key."""

    broken = ""

    def read_range(self, key: str, start: int, length: int) -> Iterator[bytes]:
        if key == self.broken:
            raise WorldError("S3 answered SlowDown")
        return super().read_range(key, start, length)

    def read_pointer(self, key: str) -> Pointer | None:
        if key == self.broken:
            raise WorldError("S3 answered SlowDown")
        return super().read_pointer(key)


def test_a_look_that_fails_on_its_way_loses_nothing(made: LocalStore, tmp_path: Path) -> None:
    copied(made, tmp_path)
    store, now = BrokenAt(tmp_path / "store"), [0.0]
    shelf = Shelf(store, pool=PatientPool("s", clock=lambda: now[0]))
    store.broken = f"runs/{MODEL}/run-2/run.json"
    with pytest.raises(StoreAwayError):
        shelf.models()
    assert {"run-0", "run-1"} <= shelf._cards[MODEL].keys()  # they are not read again
    now[0], store.broken = now[0] + 3, ""
    assert len(shelf.models()[MODEL].runs) == 3

    add_run(tmp_path, store, 3, 7.1, baseline=("run-1", 7.2), verdict="fail")
    now[0], store.broken = now[0] + 2 * FRESH_S, pointer_key(MODEL)
    with pytest.raises(StoreAwayError):
        shelf.models()
    now[0], store.broken = now[0] + 3, ""
    assert shelf.models()[MODEL].runs[0].run_id == "run-3"


def test_a_look_that_fails_at_another_model_keeps_no_old_release(made: LocalStore, tmp_path: Path) -> None:
    copied(made, tmp_path)
    store, now = BrokenAt(tmp_path / "store"), [0.0]
    (store.directory / "runs" / "z-other").mkdir()  # comes after it
    shelf = Shelf(store, pool=PatientPool("s", clock=lambda: now[0]))
    shelf.models()
    add_run(tmp_path, store, 3, 7.1, baseline=("run-1", 7.2))
    now[0], store.broken = now[0] + 2 * FRESH_S, pointer_key("z-other")
    with pytest.raises(StoreAwayError):
        shelf.models()
    now[0], store.broken = now[0] + 3, ""
    found = shelf.models()[MODEL].releases
    assert found is not None
    assert found.current.version == "1.3.0"


def test_releases_are_read_again_when_the_pointer_moves(made: LocalStore, tmp_path: Path) -> None:
    store, now = copied(made, tmp_path), [0.0]
    shelf = Shelf(store, pool=PatientPool("s", clock=lambda: now[0]))
    assert shelf.models()[MODEL].releases
    add_run(tmp_path, store, 3, 7.1, baseline=("run-1", 7.2))
    assert [run.run_id for run in shelf.models()[MODEL].runs] == ["run-2", "run-1", "run-0"]  # fresh enough
    now[0] += 2 * FRESH_S
    card = shelf.models()[MODEL]
    assert card.releases is not None
    assert card.releases.current.version == "1.3.0"
    assert card.runs[0].run_id == "run-3"


def test_a_first_look_goes_on_after_a_page_has_given_up(made: LocalStore) -> None:
    store, now = CountingStore(made.directory), [0.0]
    store.wait_for = threading.Event()
    shelf = Shelf(store, pool=PatientPool("s", limit_s=0.05, clock=lambda: now[0]))
    with pytest.raises(StoreAwayError):
        shelf.models()
    running = shelf._refresh
    assert running is not None
    store.wait_for.set()
    running.result(5)
    now[0] += 3
    assert len(shelf.models()[MODEL].runs) == 3
    assert set(store.read_keys.values()) == {1}


def test_a_page_is_not_held_for_a_look_that_takes_long(
    made: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.book.shelf.LOOK_S", 0.02)
    copied(made, tmp_path)
    store, now = CountingStore(tmp_path / "store"), [0.0]
    shelf = Shelf(store, pool=PatientPool("s", clock=lambda: now[0]))
    shelf.models()
    add_run(tmp_path, store, 3, 7.1, baseline=("run-1", 7.2))
    store.wait_for = threading.Event()
    now[0] += 2 * FRESH_S
    assert "run-3" not in {run.run_id for run in shelf.models()[MODEL].runs}  # what was seen before
    now[0], shelf.pool.limit_s = STALE_S + 1, 0.05
    with pytest.raises(StoreAwayError):  # too old to be shown
        shelf.models()
    running = shelf._refresh
    assert running is not None
    store.wait_for.set()
    running.result(5)
    assert shelf.models()[MODEL].runs[0].run_id == "run-3"


def test_a_look_that_fails_is_no_old_page(made: LocalStore, tmp_path: Path) -> None:
    store, now = copied(made, tmp_path), [0.0]
    shelf = Shelf(store, pool=PatientPool("s", clock=lambda: now[0]))
    shelf.models()
    store.directory.rename(tmp_path / "elsewhere")
    now[0] += 2 * FRESH_S
    with pytest.raises(StoreAwayError):
        shelf.models()


def test_a_damaged_pointer_is_that_models_fault(made: LocalStore, tmp_path: Path) -> None:
    store = copied(made, tmp_path)
    (store.directory / "baselines" / f"{MODEL}.json").write_text("[]")
    card = Shelf(store).models()[MODEL]
    assert card.releases is None
    assert "no JSON object" in card.fault
    assert len(card.runs) == 3


def test_lines_are_found_and_limited(made: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(made)
    found = shelf.lines(MODEL, "run-1", "measurements.jsonl", lambda line: b"c-2" in line)
    assert len(found) == 1
    monkeypatch.setattr("penstock.book.shelf.MAX_LINES_BYTES", 10)
    with pytest.raises(DamagedError, match="too large"):
        shelf.lines(MODEL, "run-1", "measurements.jsonl", bool)


def test_an_empty_store(tmp_path: Path) -> None:
    assert Shelf(LocalStore(tmp_path / "store")).models() == {}


def test_large_records_push_out_those_before(made: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(made)
    kept = shelf._kept["Manifest"]
    for run in ("run-0", "run-1", "run-2"):
        shelf.manifest(MODEL, run)
    assert len(kept) == 3
    monkeypatch.setattr("penstock.book.shelf.MAX_KEPT_BYTES", 10)
    shelf.run(MODEL, "run-1")
    shelf.run(MODEL, "run-2")
    assert [key.split("/")[2] for key in shelf._kept["Run"]] == ["run-2"]  # the last one stays, however large


def test_a_run_is_shown_while_a_first_look_goes_on(made: LocalStore, tmp_path: Path) -> None:
    copied(made, tmp_path)
    (tmp_path / "store" / "pulls" / MODEL / "7").mkdir(parents=True)
    (tmp_path / "store" / "runs" / MODEL / "run-1").rename(tmp_path / "store" / "pulls" / MODEL / "7" / "run-1")
    go_on = threading.Event()

    class SlowCards(LocalStore):
        def size(self, key: str) -> int | None:
            go_on.wait(30)
            return super().size(key)

    shelf = Shelf(SlowCards(tmp_path / "store"))
    shelf.begin()
    assert shelf.run(MODEL, "run-0").run_id == "run-0"
    assert shelf.run(MODEL, "run-1").run_id == "run-1"  # of a pull request
    assert shelf._models == {}
    go_on.set()
    assert len(shelf.models()[MODEL].runs) == 3


def test_a_process_that_ends_does_not_look_on(made: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.book.shelf.BATCH", 1)
    asked: list[str] = []

    class EndingStore(LocalStore):
        def size(self, key: str) -> int | None:
            asked.append(key)
            monkeypatch.setattr("concurrent.futures.thread._shutdown", True)  # as Python does before it waits
            return super().size(key)

    shelf = Shelf(EndingStore(made.directory))
    with pytest.raises(RuntimeError, match="shutdown"):
        shelf._look()
    assert len(asked) == 1


def test_the_first_page_finds_what_was_begun(made: LocalStore) -> None:
    looks: list[str] = []

    class WatchedStore(LocalStore):
        def names(self, prefix: str) -> Sequence[str]:
            looks.append(prefix)
            return super().names(prefix)

    shelf = Shelf(WatchedStore(made.directory))
    shelf.begin()
    assert list(shelf.models()) == [MODEL]
    assert looks.count("baselines") == 1


def test_a_store_that_is_gone_at_the_start_is_looked_at_again(made: LocalStore, tmp_path: Path) -> None:
    store = copied(made, tmp_path)
    elsewhere = store.directory.rename(tmp_path / "elsewhere")
    shelf = Shelf(store)
    shelf.begin()
    assert shelf._refresh is not None
    assert shelf._refresh.exception(5) is not None
    elsewhere.rename(store.directory)
    assert list(shelf.models()) == [MODEL]
