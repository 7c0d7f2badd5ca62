"""A released model that is run every night: people are told when it changes, and not the same each night."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.bundle.test_drift_record import DRIFT
from tests.unit.notices.chat_server import ChatServer, chat_server

from penstock.bundle.directory import Bundle
from penstock.bundle.drift_record import write_drift
from penstock.bundle.failures import remember_failure
from penstock.bundle.models import Source, StepRecord
from penstock.bundle.steps import begin
from penstock.notices.audience import Audience
from penstock.notices.notify import Told
from penstock.notices.watch_news import WatchNews, memory_of, news_of, tell_watch_news


def night(folder: Path, number: int, *, failed: str = "", steps: tuple[str, ...] = (), **drift: Any) -> Bundle:
    """The bundle of one night's run: what moved, or why it broke."""
    bundle = Bundle(folder / f"night-{number}")
    begin(bundle, run_id=f"drift-{number}", track="watch")
    done = [StepRecord(name=name, status="done", started="", seconds=1.0) for name in steps]
    bundle.update_run(bundle.run().model_copy(update={"model": "m", "steps": done}))
    if failed:
        remember_failure(bundle, failed.partition(": ")[0], failed.partition(": ")[2])
    elif not steps:
        write_drift(bundle, DRIFT.model_copy(update={"run": f"drift-{number}"} | drift))
    return bundle


class Nights:
    """Nights one after the other, with one receiver and one cache."""

    def __init__(self, folder: Path, server: ChatServer) -> None:
        self.folder, self.server, self.count = folder, server, 0
        self.memory = memory_of(folder / "cache", "m", "s3://releases")

    def pass_by(self, **what: Any) -> Told:
        self.count += 1
        bundle = night(self.folder, self.count, **what)
        news = news_of(bundle, None, "Completed" if not what.get("failed") else "Failed")
        return self.tell(news)

    def tell(self, news: WatchNews, key: str = "") -> Told:
        address = self.server.address("feishu", key=key) if key else self.server.address("feishu")
        return tell_watch_news(Audience((address,)), news, self.memory, places=self.server.places)


@pytest.fixture
def nights(tmp_path: Path) -> Any:
    with chat_server() as server:
        yield Nights(tmp_path, server)


SAME: dict[str, Any] = {"outcome": "same", "conditions": [], "rules": []}


def test_nothing_is_told_as_long_as_nothing_moves(nights: Nights) -> None:
    assert [nights.pass_by(**SAME).sent for _ in range(2)] == [0, 0]
    assert nights.server.requests == 0


def test_what_moved_is_told_once_and_that_it_is_over(nights: Nights) -> None:
    nights.pass_by(**SAME)
    assert nights.pass_by().sent == 1
    moved = [rule.model_copy(update={"now": 8.1, "change": 1.1}) for rule in DRIFT.rules]
    assert nights.pass_by(rules=moved).sent == 0, "another figure of the same rule"
    assert nights.pass_by(conditions=[]).sent == 1, "the driver is back, the value is not"
    assert nights.pass_by(**SAME).sent == 1
    assert nights.pass_by(**SAME).sent == 0
    assert nights.memory is not None
    known = json.loads(nights.memory.read_text(encoding="utf-8"))
    assert (known["run"], known["nights"], known["what"]) == ("drift-5", 2, "m 1.0.0: nothing moved")


def test_another_release_is_told_of_again(nights: Nights) -> None:
    assert [nights.pass_by(version=version).sent for version in ("1.0.0", "1.0.0", "1.1.0")] == [1, 0, 1]


def test_a_new_release_that_has_not_moved_is_no_news(nights: Nights) -> None:
    told = [nights.pass_by(**SAME, version=version).sent for version in ("1.0.0", "1.1.0")]
    assert told == [0, 0]
    assert nights.pass_by(version="1.1.0").sent == 1
    assert nights.pass_by(**SAME, version="1.2.0").sent == 1, "what people were told of is over"


def test_a_run_that_breaks_the_same_way_each_night_is_told_once(nights: Nights) -> None:
    gone = "build: the registry has the image of the release no more, looked for in drift-{} after {}.5 s"
    assert nights.pass_by(failed=gone.format(1, 31)).sent == 1
    assert nights.pass_by(failed=gone.format(2, 44)).sent == 0
    assert nights.pass_by(failed="find: the store cannot be reached").sent == 1
    assert nights.pass_by(**SAME).sent == 1


def test_a_name_of_a_temporary_file_is_no_news(nights: Nights) -> None:
    full = "find: /workspace/runs/drift-{}/baseline/.penstock-fetch-{}/run.json: the disk gives no more"
    told = [
        nights.pass_by(failed=full.format(*name)).sent for name in ((1, "z0cwqyn0"), (2, "r0u_wm0g"), (3, "abcdefgh"))
    ]
    assert told == [1, 0, 0]


def test_who_could_not_be_reached_is_told_the_next_night(nights: Nights) -> None:
    news = news_of(night(nights.folder, 1), None, "Completed")
    assert nights.tell(news, key="wrong1").error() is not None
    assert nights.tell(news).sent == 1
    assert nights.tell(news).sent == 0


@pytest.mark.parametrize("damage", ["nothing", "not json", "newer"])
def test_what_is_not_known_is_told(nights: Nights, damage: str) -> None:
    news = news_of(night(nights.folder, 1), None, "Completed")
    assert nights.tell(news).sent == 1
    file = nights.memory
    assert file is not None
    if damage == "nothing":
        nights.memory = None
    else:
        content = json.loads(file.read_text(encoding="utf-8")) | {"schema_version": 99}
        file.write_text("{" if damage == "not json" else json.dumps(content), encoding="utf-8")
    assert nights.tell(news).sent == 1


def test_what_broke_is_named_with_the_release(tmp_path: Path) -> None:
    released = Bundle(tmp_path / "released")
    begin(released, run_id="r", track="release")
    source = Source(
        url="https://git.example.org/m", revision="v1", commit="c" * 40, committer_date="", version="1.0.0", tree=""
    )
    released.update_run(released.run().model_copy(update={"source": source}))
    news = news_of(night(tmp_path, 1, failed="build: the registry has no such image"), released, "Failed")
    assert news.notice.what == "m 1.0.0: the release could not be run again (step build)"
    assert news.notice.why == "the registry has no such image"
    assert (news.notice.tone, news.quiet) == ("failure", False)


def test_a_model_that_found_no_card_is_said_to_have_found_none(tmp_path: Path) -> None:
    news = news_of(night(tmp_path, 1, steps=("clone", "plan")), None, "Failed")
    assert news.notice.what == "m: the release could not be run again (step infer)"
    assert "no card was free" in news.notice.why
    other = news_of(night(tmp_path, 2, steps=("clone",)), None, "Failed")
    assert "The last step that finished was 'clone'" in other.notice.why


def test_what_moved_is_told_also_if_it_could_not_be_kept(tmp_path: Path) -> None:
    bundle = night(tmp_path, 1)
    remember_failure(bundle, "gate", "the store is full")
    news = news_of(bundle, None, "Failed")
    assert news.notice.what == "m 1.0.0: its values moved; driver moved, too"
    assert news.notice.details[0] == "The run broke in the step gate: the store is full"
    still = night(tmp_path, 2, **SAME)
    remember_failure(still, "gate", "the store is full")
    news = news_of(still, None, "Failed")
    assert (news.notice.what, news.quiet) == ("m: the release could not be run again (step gate)", False)


def test_a_model_of_the_same_name_in_another_store_is_another(nights: Nights) -> None:
    news = news_of(night(nights.folder, 1), None, "Completed")
    assert nights.tell(news).sent == 1
    nights.memory = memory_of(nights.folder / "cache", "m", "s3://staging")
    assert nights.tell(news).sent == 1
    assert memory_of(None, "m", "s3://staging") is None
    assert memory_of(nights.folder, "", "s3://staging") is None, "the run had not begun its bundle"
    for name in ("../../runs/other/bundle/run", "a/b", ".."):
        assert memory_of(nights.folder, name, "s3://staging") is None, "a bundle's run.json is anybody's"
