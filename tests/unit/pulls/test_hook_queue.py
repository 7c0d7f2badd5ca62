"""The queue, and the thread that works on it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.unit.pulls.payloads import HEAD, OTHER
from tests.unit.pulls.places import desk_settings, repository_on

from penstock.foundation.errors import WorldError
from penstock.pulls import hook_queue
from penstock.pulls.desk import HeadBehindError
from penstock.pulls.desk_file import DeskRepository
from penstock.pulls.happenings import CommentEvent, Happening, PullEvent, comment_event
from penstock.pulls.hook_queue import DeskWorker, HookQueue, QueuedEvent
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


def test_in_order_and_of_one_pull_request_only_the_last(repository: DeskRepository) -> None:
    queue = HookQueue()
    for event in (pull(1), pull(2), comment(41), pull(1, OTHER), comment(41), comment(42)):
        assert queue.put(QueuedEvent(repository, event))
    taken = [queue.take(0.0) for _ in range(5)]
    assert [event.happening if event else None for event in taken] == [
        pull(1, OTHER),
        pull(2),
        comment(41),
        comment(42),
        None,
    ]


def test_no_more_than_so_many(repository: DeskRepository) -> None:
    queue = HookQueue(most=2)
    assert [queue.put(QueuedEvent(repository, comment(number))) for number in (1, 2, 3, 1)] == [True, True, False, True]
    assert len(queue) == 2


def test_a_delayed_one_does_not_hold_up_others(repository: DeskRepository) -> None:
    queue = HookQueue()
    queue.put(QueuedEvent(repository, pull(1)), delay_s=0.05)
    queue.put(QueuedEvent(repository, pull(2)))
    first, second = queue.take(0.0), queue.take(5.0)
    assert first is not None
    assert second is not None
    assert (first.happening.number, second.happening.number) == (2, 1)


def test_another_try_makes_way_for_what_is_newer(repository: DeskRepository) -> None:
    queue = HookQueue()
    queue.put(QueuedEvent(repository, pull(1, OTHER)))
    queue.put(QueuedEvent(repository, pull(1), failures=1), delay_s=60)
    event = queue.take(0.0)
    assert event is not None
    assert event.happening == pull(1, OTHER)
    assert len(queue) == 0


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
    workers: list[DeskWorker] = []
    monkeypatch.setattr(hook_queue, "BEHIND_S", 0.001)
    monkeypatch.setattr(hook_queue, "AGAIN_S", (0.001, 0.001))

    def started(scripted: Scripted) -> HookQueue:
        queue, desk = HookQueue(), scripted
        parts: Any = (queue, desk, desk)
        workers.append(DeskWorker(*parts, every_s=0.01))
        workers[0].start()
        return queue

    yield started
    for worker in workers:
        worker.stop()


def test_a_forge_that_is_behind_is_asked_three_times(start: Start, repository: DeskRepository) -> None:
    scripted = Scripted(HeadBehindError(), HeadBehindError(), None)
    start(scripted).put(QueuedEvent(repository, pull()))
    assert scripted.done.wait(5)
    assert scripted.patient == [True, True, False]


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


def test_rounds_go_on_whatever_happens(start: Start) -> None:
    scripted = Scripted()
    start(scripted)
    end = time.monotonic() + 5
    while scripted.rounds < 3 and time.monotonic() < end:
        time.sleep(0.005)
    assert scripted.rounds >= 3


def test_what_is_queued_is_finished_at_the_end(repository: DeskRepository) -> None:
    scripted, queue = Scripted(*[None] * 20), HookQueue()
    for number in range(1, 21):
        queue.put(QueuedEvent(repository, comment(number)))
    parts: Any = (queue, scripted, scripted)
    worker = DeskWorker(*parts, every_s=60)
    worker.start()
    worker.stop()
    assert len(scripted.seen) == 20
