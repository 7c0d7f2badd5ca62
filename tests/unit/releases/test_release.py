"""Publishing: only what was accepted, once, and only over the release that it was judged against."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.unit.store.stored_bundle import accepted_bundle

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Image, WeightsFile
from penstock.bundle.verdict_record import Outcome
from penstock.foundation.errors import UsageError, WorldError
from penstock.releases.baseline import baseline, published
from penstock.releases.metric_history import past_releases
from penstock.releases.release import Published, SupersededError, publish
from penstock.store.archive import archive
from penstock.store.local import LocalStore
from penstock.store.store import Pointer, Store


def released(
    path: Path, store: Store, run_id: str, version: str, commit: str = "c" * 40, *, judged_against: str | None = None
) -> Bundle:
    bundle = accepted_bundle(path, run_id=run_id, version=version, commit=commit, baseline=judged_against)
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


def test_a_release_of_an_older_version_is_the_same_content(bundle: Bundle, store: Store) -> None:
    """Its record says neither where the weights came from nor what the image was built from."""
    weights = WeightsFile(path="weights/w", sha256="1" * 64, bytes=1)
    run = bundle.run()
    bundle.update_run(run.model_copy(update={"weights": [weights]}))
    bundle.seal()
    archive(bundle, store, model="sonic-lite", run_id="run-1")
    publish(store, bundle)
    found = published(store, "sonic-lite", "1.0.0")
    assert found is not None
    assert (found.notes, found.image.key, found.weights) == ("", "", [weights])
    image = found.image.model_copy(update={"key": "k", "directory": "/model", "built_from": "c" * 40})
    newer = found.model_copy(
        update={"image": image, "notes": "n", "weights": [weights.model_copy(update={"source": "lfs"})]}
    )
    assert found.same_content(newer)
    assert not found.same_content(
        newer.model_copy(update={"weights": [weights.model_copy(update={"sha256": "2" * 64})]})
    )


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


@pytest.mark.slow
def test_next_release_moves_the_pointer_and_the_old_one_does_not_move_it_back(tmp_path: Path, store: Store) -> None:
    first = released(tmp_path / "1", store, "run-1", "1.0.0")
    second = released(tmp_path / "2", store, "run-2", "1.1.0", "d" * 40, judged_against="run-1")
    publish(store, first)
    publish(store, second)
    assert publish(store, first).already
    again = released(tmp_path / "3", store, "run-3", "1.0.0")  # the same code, run once more
    assert publish(store, again).already
    found = baseline(store, "sonic-lite")
    assert found is not None
    assert found.run_id == "run-2"


@pytest.mark.parametrize("version", ["é", "1.0 beta", ".1", "1/2", ""])
def test_a_version_is_made_of_plain_letters(tmp_path: Path, store: Store, version: str) -> None:
    bundle = released(tmp_path / "bundle", store, "run-1", version)
    with pytest.raises(UsageError, match="cannot be a version"):
        publish(store, bundle)
    assert baseline(store, "sonic-lite") is None


@pytest.mark.slow
def test_same_version_with_other_content(tmp_path: Path, store: Store) -> None:
    publish(store, released(tmp_path / "1", store, "run-1", "1.0.0"))
    with pytest.raises(UsageError, match=r"version 1\.0\.0 is published already, with other content"):
        publish(store, released(tmp_path / "2", store, "run-2", "1.0.0", "d" * 40))
    found = baseline(store, "sonic-lite")
    assert found is not None
    assert found.run_id == "run-1"


class _Killed(LocalStore):
    """A store at which we are killed in the act of one request."""

    def __init__(self, directory: Path, *, before: str = "", after: str = "") -> None:
        super().__init__(directory)
        self.before, self.after = before, after

    def swap_pointer(self, key: str, value: dict[str, Any], *, seen: Pointer | None) -> bool:
        if self.before == "swap":
            raise KeyboardInterrupt
        answer = super().swap_pointer(key, value, seen=seen)
        if self.after == "swap":
            raise KeyboardInterrupt
        return answer


def test_killed_before_the_pointer_moves_nothing_is_to_be_seen_and_it_goes_on(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    publish(store, released(tmp_path / "1", store, "run-1", "1.0.0"))
    second = released(tmp_path / "2", store, "run-2", "1.1.0", "d" * 40, judged_against="run-1")
    with pytest.raises(KeyboardInterrupt):
        publish(_Killed(tmp_path / "store", before="swap"), second)
    assert names(store) == ["1.0.0"]
    assert today(store) == "run-1"
    assert not publish(store, second).already
    assert names(store) == ["1.0.0", "1.1.0"]
    assert today(store) == "run-2"


@pytest.mark.parametrize("goes_on", ["the same run", "the next release"])
def test_killed_after_the_pointer_moved_its_record_is_not_lost(tmp_path: Path, goes_on: str) -> None:
    store = LocalStore(tmp_path / "store")
    first = released(tmp_path / "1", store, "run-1", "1.0.0")
    with pytest.raises(KeyboardInterrupt):
        publish(_Killed(tmp_path / "store", after="swap"), first)
    assert (names(store), today(store)) == ([], "run-1")
    if goes_on == "the same run":
        publish(store, first)
        assert names(store) == ["1.0.0"]
    else:
        publish(store, released(tmp_path / "2", store, "run-2", "1.1.0", "d" * 40, judged_against="run-1"))
        assert names(store) == ["1.0.0", "1.1.0"]
    assert chain(store) == ["run-1"] if goes_on == "the same run" else ["run-1", "run-2"]


@pytest.mark.slow
def test_what_was_judged_against_another_release_is_not_published(tmp_path: Path, store: Store) -> None:
    first = released(tmp_path / "1", store, "run-1", "1.0.0")
    alone = released(tmp_path / "2", store, "run-2", "1.1.0", "d" * 40)
    publish(store, first)
    said = r"nothing was published: the released model is 1\.0\.0 \(run 'run-1'\) now, and the gate compared with none"
    with pytest.raises(SupersededError, match=said) as caught:
        publish(store, alone, again="Judge it again: penstock run release --regate run-2")
    assert "--regate run-2" in str(caught.value)
    assert (names(store), today(store)) == (["1.0.0"], "run-1")
    publish(store, released(tmp_path / "3", store, "run-3", "1.2.0", "e" * 40, judged_against="run-1"))
    with pytest.raises(SupersededError, match="compared with run 'run-1'"):
        publish(store, released(tmp_path / "4", store, "run-4", "1.3.0", "f" * 40, judged_against="run-1"))
    assert chain(store) == ["run-1", "run-3"]


def test_somebody_is_faster_between_looking_and_moving(tmp_path: Path) -> None:
    """The compare-and-swap itself, not the look before it."""
    store = LocalStore(tmp_path / "store")
    publish(store, released(tmp_path / "1", store, "run-1", "1.0.0"))
    ours = released(tmp_path / "2", store, "run-2", "1.1.0", "d" * 40, judged_against="run-1")
    theirs = released(tmp_path / "3", store, "run-3", "1.2.0", "e" * 40, judged_against="run-1")

    class Overtaken(LocalStore):
        def swap_pointer(self, key: str, value: dict[str, Any], *, seen: Pointer | None) -> bool:
            publish(store, theirs)
            return super().swap_pointer(key, value, seen=seen)

    with pytest.raises(SupersededError, match="run 'run-3'"):
        publish(Overtaken(tmp_path / "store"), ours)
    assert (names(store), chain(store)) == (["1.0.0", "1.2.0"], ["run-1", "run-3"])


def test_the_same_version_twice_at_once_is_one_release(tmp_path: Path) -> None:
    """Two runs of one tag: the second finds its own content published."""
    store = LocalStore(tmp_path / "store")
    ours, theirs = (released(tmp_path / name, store, name, "1.0.0") for name in ("run-1", "run-2"))

    class Overtaken(LocalStore):
        def swap_pointer(self, key: str, value: dict[str, Any], *, seen: Pointer | None) -> bool:
            publish(store, theirs)
            return super().swap_pointer(key, value, seen=seen)

    assert publish(Overtaken(tmp_path / "store"), ours).already
    assert today(store) == "run-2"


def test_a_publish_of_an_older_version_that_was_killed_before_its_pointer_goes_on(tmp_path: Path) -> None:
    """It wrote the record first."""
    store = LocalStore(tmp_path / "store")
    first = released(tmp_path / "1", store, "run-1", "1.0.0")
    publish(store, first)
    (tmp_path / "store" / "baselines" / "sonic-lite.json").unlink()
    assert not publish(store, first).already
    assert today(store) == "run-1"


def test_the_tag_comes_last_and_is_made_up_for(tmp_path: Path, store: Store) -> None:
    bundle = accepted_bundle(tmp_path / "b")
    image = Image(kind="image", url="registry.example/sonic-lite", digest=f"sha256:{'e' * 64}")
    bundle.update_run(bundle.run().model_copy(update={"image": image}))
    archive(bundle, store, model="sonic-lite", run_id="run-1")
    tagged: list[tuple[Image, str]] = []

    def refuse(image: Image, version: str) -> None:
        assert names(store) == ["1.0.0"]
        raise WorldError("the registry is gone")

    with pytest.raises(WorldError, match=r"1\.0\.0 is released, and its image has no tag yet: the registry is gone"):
        publish(store, bundle, tag=refuse)
    assert today(store) == "run-1"
    done = publish(store, bundle, tag=lambda image, version: tagged.append((image, version)))
    assert tagged == [(image, "1.0.0")]
    assert (done.digest, done.already) == (image.digest, True)


def names(store: Store) -> list[str]:
    """Published versions."""
    return [Path(entry.key).stem for entry in store.list("published")]


def today(store: Store) -> str:
    found = baseline(store, "sonic-lite")
    assert found is not None
    return found.run_id


def chain(store: Store) -> list[str]:
    """Run ids from the first release to that of today, by what each replaced."""
    return [past.run_id for past in past_releases(store, "sonic-lite", baseline(store, "sonic-lite")).releases]


def test_run_without_a_source(bundle: Bundle, store: Store) -> None:
    bundle.update_run(bundle.run().model_copy(update={"source": None}))
    bundle.seal()
    with pytest.raises(UsageError, match="lacks source"):
        publish(store, bundle)
