"""Two promotions at once: one of them has the target."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import penstock.targets.claim as claim_module
from penstock.foundation.errors import WorldError
from penstock.store.local import LocalStore
from penstock.targets.claim import ClaimLostError, HeldClaim, claim_key, claimed

AT = datetime(2026, 1, 2, tzinfo=UTC)


def test_one_at_a_time_and_given_back(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    with claimed(store, "shop", "mini", "1.0.0", by="ann", longest_s=60) as held:
        held.hold()
        with (
            pytest.raises(WorldError, match=r"ann brings mini 1\.0\.0 to the target 'shop'.*its claim ends at 20"),
            claimed(store, "shop", "mini", "1.1.0", by="bob", longest_s=60),
        ):
            pytest.fail("two have it")
        with claimed(store, "booth", "mini", "1.1.0", by="bob", longest_s=60):
            pass
    with pytest.raises(RuntimeError), claimed(store, "shop", "mini", "1.1.0", by="bob", longest_s=60):
        raise RuntimeError
    with claimed(store, "shop", "mini", "1.2.0", by="cid", longest_s=60):
        pass


def test_that_of_a_killed_one_ends_by_itself_and_it_may_not_go_on(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    with claimed(store, "shop", "mini", "1.0.0", by="ann", longest_s=60, now=lambda: AT) as slow:
        later = AT + timedelta(seconds=60)
        with (
            pytest.raises(WorldError, match="ann brings"),
            claimed(store, "shop", "mini", "1.1.0", by="bob", longest_s=60, now=lambda: later),
        ):
            pass
        later = AT + timedelta(seconds=600)
        with claimed(store, "shop", "mini", "1.1.0", by="bob", longest_s=60, now=lambda: later) as held:
            with pytest.raises(ClaimLostError, match="bob took it over; nothing was put back"):
                slow.hold()
            slow.end()
            held.hold()


def test_its_owner_puts_its_end_off_as_long_as_he_lives(tmp_path: Path) -> None:
    store, at = LocalStore(tmp_path), [AT]
    with claimed(store, "shop", "mini", "1.0.0", by="ann", longest_s=3600, now=lambda: at[0]) as held:
        assert held.claim.until == "2026-01-02T00:03:00+00:00", "one who is killed keeps it for minutes, not for hours"
        at[0] += timedelta(minutes=2)
        held.renew()
        assert held.claim.until == "2026-01-02T00:05:00+00:00"
        at[0] += timedelta(minutes=61)
        held.renew()
        assert held.claim.until == "2026-01-02T01:02:00+00:00", "one that hangs keeps it no longer than it may take"
        with claimed(store, "shop", "mini", "1.1.0", by="bob", longest_s=60, now=lambda: at[0]) as other:
            held.renew()
            other.hold()
            with pytest.raises(ClaimLostError):
                held.hold()
    with claimed(store, "shop", "mini", "1.2.0", by="cid", longest_s=60):
        pass


def test_it_is_renewed_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim_module, "RENEW_S", 0.01)
    store, at = LocalStore(tmp_path), [AT]
    with claimed(store, "shop", "mini", "1.0.0", by="ann", longest_s=3600, now=lambda: at[0]) as held:
        before = held.claim.until
        at[0] += timedelta(minutes=1)
        end = time.monotonic() + 10
        while held.claim.until == before:
            assert time.monotonic() < end
            time.sleep(0.01)


def test_it_is_renewed_again_whatever_went_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that ends is not seen: after a minute and two for the clocks somebody else would have the target."""
    monkeypatch.setattr(claim_module, "RENEW_S", 0.01)
    store, renewals = LocalStore(tmp_path), threading.Semaphore(0)
    renew, broken = HeldClaim.renew, [OSError("stale file handle"), WorldError("away")]

    def renewed(held: HeldClaim) -> None:
        if broken:
            raise broken.pop()
        renew(held)
        renewals.release()

    monkeypatch.setattr(HeldClaim, "renew", renewed)
    with claimed(store, "shop", "mini", "1.0.0", by="ann", longest_s=60):
        assert renewals.acquire(timeout=10)


def test_of_many_at_once_one_has_it(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)

    # none is given back: a second one would have it after the first
    claims = [claimed(store, "shop", "mini", str(number), by="x", longest_s=60) for number in range(8)]

    def attempt(number: int) -> str:
        try:
            claims[number].__enter__()
        except WorldError as error:
            return error.what
        return "mine"

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(attempt, range(8)))
    assert said.count("mine") == 1


@pytest.mark.parametrize("value", [{}, {"until": "x"}, {"until": "2026-01-02T00:00:00"}])
def test_a_damaged_claim_is_said(tmp_path: Path, value: dict[str, str]) -> None:
    store = LocalStore(tmp_path)
    whole = {"target": "shop", "model": "m", "version": "1", "by": "ann", "token": "t"} | value
    store.swap_pointer(claim_key("shop"), whole, seen=None)
    with (
        pytest.raises(WorldError, match="the claim is damaged"),
        claimed(store, "shop", "mini", "1", by="bob", longest_s=60),
    ):
        pass
