"""The threads of the desk: what happens to events that fail, and that rounds go on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.unit.pulls.payloads import HEAD
from tests.unit.pulls.places import desk_settings, repository_on

from penstock.foundation.errors import WorldError
from penstock.pulls import desk_threads
from penstock.pulls.desk import HeadBehindError
from penstock.pulls.desk_file import DeskRepository
from penstock.pulls.desk_threads import DeskThread, RoundsThread
from penstock.pulls.happenings import CommentEvent, Happening, PullEvent, comment_event
from penstock.pulls.hook_queue import HookQueue, QueuedEvent
from penstock.pulls.pull_lookup import OddPullError


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> DeskRepository:
    return repository_on(desk_settings(tmp_path_factory.mktemp("desk")))


def pull(number: int = 7, head: str = HEAD) -> PullEvent:
    return PullEvent(path="acme/sonic-lite", number=number, head=head)


def comment(number: int) -> CommentEvent:
    return comment_event(
        path="acme/sonic-lite", number=7, comment=number, person="ann", text="x", written="2026-11-27T12:00:00Z"
    )


class Scripted:
    """A desk of which each call does the next thing."""

    def __init__(self, *acts: Exception | None) -> None:
        self.acts, self.seen, self.patient = list(acts), list[Happening](), list[bool]()
        self.rounds = 0
        self.done = threading.Event()

    def _next(self, event: Happening) -> None:
        self.seen.append(event)
        act = self.acts.pop(0)
        if not self.acts:
            self.done.set()
        if act is not None:
            raise act

    def pull(self, _repository: DeskRepository, event: PullEvent, *, patient: bool) -> None:
        self.patient.append(patient)
        self._next(event)

    def comment(self, _repository: DeskRepository, event: CommentEvent) -> None:
        self._next(event)

    def go(self) -> None:
        self.rounds += 1
        if self.rounds == 1:
            raise WorldError("the API server does not answer")
        if self.rounds == 2:
            raise ValueError("a bug")


Start = Callable[[Scripted], HookQueue]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    workers: list[DeskThread] = []
    monkeypatch.setattr(desk_threads, "BEHIND_S", (0.001, 0.001, 0.001))
    monkeypatch.setattr(desk_threads, "AGAIN_S", (0.001, 0.001))

    def started(scripted: Scripted) -> HookQueue:
        queue, desk = HookQueue(), scripted
        parts: Any = (queue, desk)
        workers.append(DeskThread(*parts, changed=lambda: None))
        workers[0].start()
        return queue

    yield started
    for worker in workers:
        worker.stop()


def test_a_forge_that_is_behind_is_asked_four_times(start: Start, repository: DeskRepository) -> None:
    scripted = Scripted(HeadBehindError(), HeadBehindError(), HeadBehindError(), None)
    start(scripted).put(QueuedEvent(repository, pull()))
    assert scripted.done.wait(5)
    assert scripted.patient == [True, True, True, False]


def test_what_failed_is_tried_again_and_given_up(start: Start, repository: DeskRepository) -> None:
    down = WorldError("the forge cannot be reached")
    scripted = Scripted(down, down, down, None)
    queue = start(scripted)
    queue.put(QueuedEvent(repository, comment(41)))
    end = time.monotonic() + 5
    while len(scripted.seen) < 3 and time.monotonic() < end:
        time.sleep(0.005)
    queue.put(QueuedEvent(repository, comment(42)))
    assert scripted.done.wait(5)
    assert [event.comment for event in scripted.seen if isinstance(event, CommentEvent)] == [41, 41, 41, 42]


@pytest.mark.parametrize("fault", [ValueError("a bug"), OddPullError("a branch whose name is not plain")])
def test_one_event_does_not_stop_the_others(start: Start, repository: DeskRepository, fault: Exception) -> None:
    scripted = Scripted(fault, None)
    queue = start(scripted)
    queue.put(QueuedEvent(repository, comment(41)))
    queue.put(QueuedEvent(repository, comment(42)))
    assert scripted.done.wait(5)
    assert len(scripted.seen) == 2


@pytest.mark.parametrize("fault", [HeadBehindError(), WorldError("the forge cannot be reached")])
def test_an_event_for_which_there_is_no_room_is_given_up_aloud(
    repository: DeskRepository, caplog: pytest.LogCaptureFixture, fault: Exception
) -> None:
    scripted, queue = Scripted(fault, None), HookQueue(1)
    take = scripted.pull

    def pull_and_fill(_repository: DeskRepository, event: PullEvent, *, patient: bool) -> None:
        if event.number == 7:
            queue.put(QueuedEvent(repository, pull(8)))
        take(repository, event, patient=patient)

    scripted.pull = pull_and_fill  # type: ignore[method-assign]
    queue.put(QueuedEvent(repository, pull(7)))
    parts: Any = (queue, scripted)
    worker = DeskThread(*parts, changed=lambda: None)
    worker.start()
    assert scripted.done.wait(5)
    worker.stop()
    assert [event.number for event in scripted.seen] == [7, 8]
    assert "acme/sonic-lite#7: given up: too many events wait already" in caplog.text


def until(there: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not there():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_rounds_go_on_whatever_happens() -> None:
    scripted: Any = Scripted()
    rounds = RoundsThread(scripted, every_s=0.01)
    rounds.start()
    until(lambda: scripted.rounds >= 3)
    rounds.stop()


def test_a_round_comes_soon_after_something_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_threads, "SOON_S", 0.001)
    scripted: Any = Scripted()
    rounds = RoundsThread(scripted, every_s=3600)
    rounds.start()
    rounds.wake()
    until(lambda: scripted.rounds == 1)
    rounds.stop()
    assert scripted.rounds == 2, "once more at the end"


def test_what_was_missed_comes_first(repository: DeskRepository) -> None:
    scripted, queue, changed = Scripted(None, None), HookQueue(), list[str]()
    queue.put(QueuedEvent(repository, comment(42)))
    parts: Any = (queue, scripted)
    thread = DeskThread(*parts, changed=lambda: changed.append("x"))

    def first() -> None:
        before = thread.alive_at
        until(lambda: time.monotonic() > before)
        thread.beat()
        changed.append("first" if thread.alive_at > before else "stuck")
        raise WorldError("the forge cannot be reached")

    thread.start(first=first)
    queue.put(QueuedEvent(repository, pull()))
    assert scripted.done.wait(5)
    thread.stop()
    assert changed == ["first", "x", "x"]


def test_what_is_queued_is_finished_at_the_end(repository: DeskRepository) -> None:
    scripted, queue = Scripted(*[None] * 20), HookQueue()
    for number in range(1, 21):
        queue.put(QueuedEvent(repository, comment(number)))
    parts: Any = (queue, scripted)
    worker = DeskThread(*parts, changed=lambda: None)
    worker.start()
    worker.stop()
    assert len(scripted.seen) == 20
