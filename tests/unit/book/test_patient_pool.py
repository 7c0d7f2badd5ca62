"""A store that is slow or gone is not waited for."""

from __future__ import annotations

import threading

import pytest

from penstock.book.patient_pool import AWAY_S, WORKERS, PatientPool, StoreAwayError
from penstock.foundation.errors import WorldError
from penstock.store.store import NotStoredError


def test_answers() -> None:
    assert PatientPool("s").ask(lambda: 7) == 7


def test_a_store_that_hangs_and_comes_back() -> None:
    now = [0.0]
    release = threading.Event()
    pool = PatientPool("s", limit_s=0.05, clock=lambda: now[0])
    with pytest.raises(StoreAwayError, match="did not answer within"):
        pool.ask(release.wait)
    asked: list[int] = []
    with pytest.raises(StoreAwayError):  # at once: nobody asks it now
        pool.ask(lambda: asked.append(1))
    assert asked == []
    now[0] += AWAY_S
    pool.ask(lambda: asked.append(1))
    assert asked == [1]
    release.set()
    pool.close()


def test_a_store_that_is_gone() -> None:
    def fail() -> None:
        raise WorldError("S3 cannot be reached")

    with pytest.raises(StoreAwayError, match="S3 cannot be reached"):
        PatientPool("s").ask(fail)


def test_an_object_that_is_missing_is_no_outage() -> None:
    def fail() -> None:
        raise NotStoredError("the store has no such object")

    pool = PatientPool("s")
    for _ in range(2):
        with pytest.raises(NotStoredError):
            pool.ask(fail)
    assert pool.ask(lambda: 1) == 1


def test_who_waits_for_what_another_gave_up_is_told_the_same() -> None:
    release = threading.Event()
    pool = PatientPool("s", limit_s=0.05)
    for _ in range(WORKERS):
        pool.submit(release.wait)
    waiting = pool.submit(lambda: 7)  # no thread is free for it
    waiting.cancel()  # as the first of those that wait for it does
    try:
        with pytest.raises(StoreAwayError, match="did not answer within"):
            pool.wait(waiting)
    finally:
        release.set()
        pool.close()
