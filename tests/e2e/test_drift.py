"""The released model once more, started by the CronJob's Job: nothing moved, another card, an image that is gone.

Each in a store of its own, released there as the first release of the session. Adds about 140 s.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.e2e.drift import (
    OTHER_CARD,
    Receiver,
    fetched,
    judged_on,
    node_address,
    objects_of,
    receiver,
    release_again,
    scheduled,
    tell,
    tell_nobody,
)
from tests.e2e.facts import Facts
from tests.e2e.install import write_keys
from tests.e2e.nights import Nights
from tests.e2e.run import Run
from tests.e2e.session import Session

from penstock.bundle.drift_record import DriftRecord
from penstock.store.open import open_store
from penstock.store.store import Store

NAMES = ("same", "moved", "gone")


@dataclass(frozen=True)
class Seen:
    """Two nights, and what they left."""

    first: dict[str, Run]
    at_once: list[dict[str, str]]
    """What a Job said that was started while the first one's runs were under way."""
    again: Run
    """The run of the second night: of the image that is still gone."""
    told: tuple[list[str], list[str]]
    """Titles of the messages of each night."""
    stores: dict[str, Store]
    before: dict[str, dict[str, str | None]]
    after: dict[str, dict[str, str | None]]


@pytest.fixture(scope="module")
def stores(facts: Facts, session: Session, first: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Store]:
    """The release in three stores: as it is, judged on another card, with an image that its registry has no more."""
    folder = tmp_path_factory.mktemp("drift")
    keys = write_keys(facts, folder / "keys")
    found = {name: open_store(f"{session.place.store}-{name}", keys) for name in NAMES}
    released, run = session.cluster.store, first.must_be_green()
    release_again(released, fetched(run, folder / "same"), found["same"])
    release_again(
        released, fetched(run, folder / "moved", lambda bundle: judged_on(bundle, OTHER_CARD)), found["moved"]
    )
    bundle = fetched(run, folder / "gone")
    image = bundle.run().image
    assert image is not None
    release_again(released, bundle, found["gone"], image=image.model_copy(update={"digest": f"sha256:{'0' * 64}"}))
    return found


@pytest.fixture(scope="module")
def listening(facts: Facts) -> Iterator[Receiver]:
    """Somebody who is told."""
    with receiver(node_address(facts)) as found:
        yield found


@pytest.fixture(scope="module")
def seen(session: Session, stores: dict[str, Store], listening: Receiver) -> Iterator[Seen]:
    """Both nights, over."""
    cluster, nights = session.cluster, Nights(session.cluster, session.id)
    before = {name: objects_of(store) for name, store in stores.items()}
    tell(cluster, listening)
    planned = {name: scheduled(name, store.uri) for name, store in stores.items()}
    with nights.planned(planned):
        first = nights.runs(nights.start("1"))
        at_once = nights.start("2")
    for run in first.values():
        run.wait()
    told = sorted(message["title"] for message in listening.taken)
    with nights.planned({"gone": planned["gone"]}):
        (again,) = nights.runs(nights.start("3")).values()
    again.wait()
    later = sorted(message["title"] for message in listening.taken[len(told) :])
    after = {name: objects_of(store) for name, store in stores.items()}
    yield Seen(first, at_once, again, (told, later), stores, before, after)
    tell_nobody(cluster)


def drift(seen: Seen, name: str, tmp_path: Path) -> DriftRecord:
    """What the store keeps of the first night."""
    path = tmp_path / "drift.json"
    seen.stores[name].get_file(f"drift/sonic-lite/{seen.first[name].name}/drift.json", path)
    return DriftRecord.model_validate_json(path.read_bytes())


def test_nothing_moved(seen: Seen, tmp_path: Path) -> None:
    run = seen.first["same"].must_be_green()
    assert (run.results["outcome"], run.results["reason"]) == ("same", "sonic-lite 1.0.0: nothing moved")
    found = drift(seen, "same", tmp_path)
    assert (found.outcome, found.conditions) == ("same", [])
    assert found.answers_same == found.answers > 0
    assert {rule.state for rule in found.rules} <= {"same", "not run"}
    assert "buildah" not in run.log("build")


def test_another_card_is_reported(seen: Seen, tmp_path: Path) -> None:
    run = seen.first["moved"].must_be_red()
    assert run.results["outcome"] == "conditions"
    (condition,) = drift(seen, "moved", tmp_path).conditions
    assert (condition.kind, condition.then) == ("card", OTHER_CARD.partition(",")[0])
    assert "ran under other conditions" in run.log("enforce")


def test_an_image_that_is_gone_is_named_before_a_pod_waits_for_it(seen: Seen) -> None:
    run = seen.first["gone"].must_be_red()
    assert "the registry has the image of the release no more" in run.log("build")
    assert run.task_runs("infer") == []


def test_people_are_told_once(seen: Seen) -> None:
    assert seen.told == (
        [
            "sonic-lite 1.0.0: no value is known to have moved; card moved",
            "sonic-lite 1.0.0: the release could not be run again (step build)",
        ],
        [],
    )
    assert "still so, told at" in seen.again.must_be_red().log("notify")


def test_a_run_that_still_goes_is_not_started_again(seen: Seen) -> None:
    still = {line["what"]: line["run"] for line in seen.at_once if line["event"] == "not started"}
    assert {name: run.name for name, run in seen.first.items() if name != "gone"}.items() <= still.items()


def test_the_record_is_as_it_was_byte_by_byte(seen: Seen) -> None:
    for name in NAMES:
        assert {key: seen.after[name].get(key) for key in seen.before[name]} == seen.before[name]
        new = seen.after[name].keys() - seen.before[name].keys()
        assert all(key.startswith("drift/sonic-lite/") for key in new), new
        assert bool(new) is (name != "gone")
