"""One thread samples all that is watched, ends when nothing is, and begins again."""

from __future__ import annotations

import threading

from penstock.invocation.sampler import IDLE_PERIODS, Sampler


class Counted:
    def __init__(self) -> None:
        self.samples = 0
        self.enough = threading.Event()

    def sample(self) -> None:
        self.samples += 1
        if self.samples >= 3:
            self.enough.set()


def threads(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == name]


def test_all_that_is_watched_is_sampled_by_one_thread() -> None:
    sampler, one, other = Sampler(0.005, name="of-two"), Counted(), Counted()
    sampler.add(one)
    sampler.add(other)
    assert len(threads("of-two")) == 1
    assert one.enough.wait(10)
    assert other.enough.wait(10)
    sampler.remove(one)
    sampler.remove(other)


def test_it_ends_when_nothing_is_watched_and_begins_again() -> None:
    sampler, first, second = Sampler(0.001, name="ends"), Counted(), Counted()
    sampler.add(first)
    (thread,) = threads("ends")
    sampler.remove(first)
    thread.join(10 + IDLE_PERIODS * 0.001)
    assert not thread.is_alive()
    taken = first.samples
    sampler.add(second)
    assert second.enough.wait(10)
    assert first.samples == taken
    sampler.remove(second)
