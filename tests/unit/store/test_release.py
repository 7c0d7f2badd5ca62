"""Publishing: only what was accepted, once, and the pointer last."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from stored_bundle import accepted_bundle

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Image, Outcome
from penstock.errors import UsageError, WorldError
from penstock.store.archive import archive
from penstock.store.local import LocalStore
from penstock.store.release import Published, baseline, publish
from penstock.store.store import Store


def released(path: Path, store: Store, run_id: str, version: str, commit: str = "c" * 40) -> Bundle:
    bundle = accepted_bundle(path, run_id=run_id, version=version, commit=commit)
    archive(bundle, store, model="sonic-lite", run_id=run_id)
    return bundle


def now() -> datetime:
    return datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_first_release(bundle: Bundle, store: Store) -> None:
    assert baseline(store, "sonic-lite") is None
    archive(bundle, store, model="sonic-lite", run_id="run-1")
    done = publish(store, bundle, now=now)
    assert done == Published(
        uri=store.location("published/sonic-lite/1.0.0.json"),
        digest=f"sha256:{'a' * 64}",
        version="1.0.0",
        already=False,
    )
    found = baseline(store, "sonic-lite")
    assert found is not None
    assert (found.run_id, found.version, found.time) == ("run-1", "1.0.0", "2026-01-02T03:04:05+00:00")
    assert publish(store, bundle).already
    assert baseline(store, "sonic-lite") == found


@pytest.mark.parametrize("verdict", ["fail", "inconclusive"])
def test_what_was_not_accepted_is_not_published(tmp_path: Path, store: Store, verdict: Outcome) -> None:
    bundle = accepted_bundle(tmp_path / "b", verdict=verdict)
    archive(bundle, store, model="sonic-lite", run_id="run-1")
    with pytest.raises(UsageError, match=f"verdict is '{verdict}'"):
        publish(store, bundle)
    assert baseline(store, "sonic-lite") is None
    assert list(store.list("published")) == []


def test_forged_verdict_is_not_published(tmp_path: Path, store: Store) -> None:
    bundle = accepted_bundle(tmp_path / "b", verdict="fail")
    archive(bundle, store, model="sonic-lite", run_id="run-1")
    bundle.write_verdict(bundle.verdict().model_copy(update={"verdict": "pass"}))
    with pytest.raises(UsageError, match=r"changed verdict\.json"):
        publish(store, bundle)
    bundle.seal()
    with pytest.raises(WorldError, match="other content"):
        publish(store, bundle)
    assert baseline(store, "sonic-lite") is None


def test_run_that_is_not_archived(bundle: Bundle, store: Store) -> None:
    bundle.seal()
    with pytest.raises(WorldError, match="not archived"):
        publish(store, bundle)


def test_next_release_moves_the_pointer_and_the_old_one_does_not_move_it_back(tmp_path: Path, store: Store) -> None:
    first = released(tmp_path / "1", store, "run-1", "1.0.0")
    second = released(tmp_path / "2", store, "run-2", "1.1.0", "d" * 40)
    publish(store, first)
    publish(store, second)
    assert publish(store, first).already
    again = released(tmp_path / "3", store, "run-3", "1.0.0")  # the same code, run once more
    assert publish(store, again).already
    found = baseline(store, "sonic-lite")
    assert found is not None
    assert found.run_id == "run-2"


def test_same_version_with_other_content(tmp_path: Path, store: Store) -> None:
    publish(store, released(tmp_path / "1", store, "run-1", "1.0.0"))
    with pytest.raises(UsageError, match=r"version 1\.0\.0 is published already, with other content"):
        publish(store, released(tmp_path / "2", store, "run-2", "1.0.0", "d" * 40))
    found = baseline(store, "sonic-lite")
    assert found is not None
    assert found.run_id == "run-1"


class _Killed(LocalStore):
    """A store at which we are killed before the pointer moves."""

    def put_pointer(self, key: str, value: dict[str, Any]) -> None:
        raise KeyboardInterrupt


def test_killed_before_the_pointer_goes_on(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    publish(store, released(tmp_path / "1", store, "run-1", "1.0.0"))
    second = released(tmp_path / "2", store, "run-2", "1.1.0", "d" * 40)
    with pytest.raises(KeyboardInterrupt):
        publish(_Killed(tmp_path / "store"), second)
    found = baseline(store, "sonic-lite")
    assert found is not None
    assert found.run_id == "run-1"
    assert not publish(store, second).already
    found = baseline(store, "sonic-lite")
    assert found is not None
    assert found.run_id == "run-2"


def test_tag_comes_before_the_pointer(tmp_path: Path, store: Store) -> None:
    bundle = accepted_bundle(tmp_path / "b")
    image = Image(kind="image", url="registry.example/sonic-lite", digest=f"sha256:{'e' * 64}")
    bundle.update_run(bundle.run().model_copy(update={"image": image}))
    archive(bundle, store, model="sonic-lite", run_id="run-1")
    tagged: list[tuple[Image, str]] = []

    def refuse(image: Image, version: str) -> None:
        raise WorldError("the registry is gone")

    with pytest.raises(WorldError, match="registry"):
        publish(store, bundle, tag=refuse)
    assert baseline(store, "sonic-lite") is None
    done = publish(store, bundle, tag=lambda image, version: tagged.append((image, version)))
    assert tagged == [(image, "1.0.0")]
    assert done.digest == image.digest


def test_run_without_a_source(bundle: Bundle, store: Store) -> None:
    bundle.update_run(bundle.run().model_copy(update={"source": None}))
    bundle.seal()
    with pytest.raises(UsageError, match="lacks source"):
        publish(store, bundle)


def test_damaged_pointer(store: Store) -> None:
    store.put_pointer("baselines/sonic-lite.json", {"model": 1})
    with pytest.raises(WorldError, match="damaged"):
        baseline(store, "sonic-lite")
