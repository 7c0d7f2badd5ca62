"""Events in the order in which they came."""

from __future__ import annotations

import pytest
from tests.unit.pulls.payloads import HEAD, OTHER
from tests.unit.pulls.places import desk_settings, repository_on

from penstock.pulls.desk_file import DeskRepository
from penstock.pulls.happenings import CommentEvent, PullEvent, comment_event
from penstock.pulls.hook_queue import HookQueue, QueuedEvent


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
