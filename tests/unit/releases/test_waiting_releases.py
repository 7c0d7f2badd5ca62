"""Releases with a target: published apart from current, and current once they serve."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.unit.releases.released_runs import released

from penstock.foundation.errors import UsageError, WorldError
from penstock.releases.acts import promote, roll_back, withdraw
from penstock.releases.baseline import Release, baseline, published, published_key
from penstock.releases.history import history
from penstock.releases.moves import STANDS
from penstock.releases.release import SupersededError
from penstock.store.local import LocalStore
from penstock.store.store import Pointer, Store

URL = "https://git.example.org/acme/mini"
MODEL = "sonic-lite"


class Shop:
    """A target in memory; ``meanwhile`` is done while it serves a new release."""

    def __init__(self) -> None:
        self.serves = "nothing"
        self.seen: list[str] = []
        self.claims = 0
        self.meanwhile = lambda: None
        self.before_claim = lambda: None

    @contextmanager
    def claimed(self, target: str, release: Release, *, back: bool) -> Iterator[None]:
        self.before_claim()
        self.claims += 1
        try:
            yield
        finally:
            self.claims -= 1

    @contextmanager
    def served(self, target: str, release: Release, current: Release | None) -> Iterator[None]:
        assert self.claims == 1
        before, self.serves = self.serves, release.version
        self.seen.append(f"{target}: {release.version} over {current.version if current else None}")
        self.meanwhile()
        try:
            yield
        except BaseException:
            self.serves = before
            raise


def shop_with(folder: Path, store: Store) -> Shop:
    """1.0.0 serves, 1.1.0 and 1.2.0 wait, both compared with it."""
    released(folder, store, "run-0", "1.0.0", URL, target="shop")
    shop = Shop()
    promote(store, MODEL, "1.0.0", reason="the first", serving=shop)
    for number in (1, 2):
        released(folder, store, f"run-{number}", f"1.{number}.0", URL, baseline="run-0", target="shop")
    return shop


def current(store: Store) -> str | None:
    found = baseline(store, MODEL)
    return found.version if found is not None else None


@pytest.mark.slow
def test_with_a_target_it_waits_and_the_next_is_compared_with_what_serves(tmp_path: Path, store: Store) -> None:
    released(tmp_path, store, "run-0", "1.0.0", URL)
    released(tmp_path, store, "run-1", "1.1.0", URL, baseline="run-0", target="shop")
    found = baseline(store, MODEL)
    assert found is not None
    assert (found.version, found.run_id, found.current_version) == ("1.0.0", "run-0", "1.0.0")
    assert found.move is not None
    assert (found.move.kind, found.move.version, found.move.before) == ("published", "1.1.0", "1.0.0")
    waiting = published(store, MODEL, "1.1.0")
    assert waiting is not None
    assert (waiting.target, waiting.replaces) == ("shop", "run-0")
    # what waits is no baseline
    with pytest.raises(SupersededError, match=r"the released model is 1\.0\.0"):
        released(tmp_path, store, "run-2", "1.2.0", URL, baseline="run-1", target="shop")
    released(tmp_path, store, "run-3", "1.3.0", URL, baseline="run-0", target="shop")
    lines = {line.release.version: (line.current, line.waits) for line in history(store, MODEL).releases}
    assert lines == {"1.0.0": (True, False), "1.1.0": (False, True), "1.3.0": (False, True)}


def test_a_first_release_with_a_target_is_not_current_but_has_the_name(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    released(tmp_path, store, "run-0", "1.0.0", URL, target="shop")
    assert baseline(store, MODEL) is None
    with pytest.raises(UsageError, match=f"the name '{MODEL}' belongs to"):
        released(tmp_path, store, "run-1", "1.1.0", "https://git.example.org/other/x")
    released(tmp_path, store, "run-2", "1.2.0", URL, target="shop")
    assert [(line.current, line.waits) for line in history(store, MODEL).releases] == [(False, True), (False, True)]
    # without a target one is current at once, also over those that wait
    released(tmp_path, store, "run-3", "1.3.0", URL)
    found = baseline(store, MODEL)
    assert found is not None
    assert (found.current_version, found.serves) == ("1.3.0", True)


def test_a_release_without_a_target_leaves_nobody_with_the_one_before(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    released(tmp_path, store, "run-0", "1.0.0", URL, target="shop")
    promote(store, MODEL, "1.0.0", reason="the first", serving=Shop())
    with pytest.raises(UsageError, match=r"served at the target 'shop', and the contract of 1\.1\.0 names none"):
        released(tmp_path, store, "run-1", "1.1.0", URL, baseline="run-0")
    assert current(store) == "1.0.0"
    assert published(store, MODEL, "1.1.0") is None
    released(tmp_path, store, "run-2", "1.2.0", URL, baseline="run-0", target="other")


def test_a_publisher_that_is_killed_after_the_pointer_is_made_up_for(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    released(tmp_path, store, "run-0", "1.0.0", URL)
    released(tmp_path, store, "run-1", "1.1.0", URL, baseline="run-0", target="shop")
    record = tmp_path / "store" / published_key(MODEL, "1.1.0")
    record.chmod(0o600)
    record.unlink()
    assert history(store, MODEL).releases[0].release.target == "shop", "read from the pointer"
    released(tmp_path, store, "run-2", "1.2.0", URL, baseline="run-0", target="shop")
    assert record.is_file()


@pytest.mark.slow
def test_promoted_once_it_serves(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    shop = shop_with(tmp_path, store)
    assert (current(store), shop.serves) == ("1.0.0", "1.0.0")
    act = promote(store, MODEL, "1.1.0", reason="go", by="ann", serving=shop)
    assert act.move is not None
    assert (act.move.kind, act.move.before, act.target) == ("promoted", "1.0.0", "shop")
    assert (current(store), shop.serves, shop.claims) == ("1.1.0", "1.1.0", 0)
    # compared with 1.0.0, which is not current any more
    with pytest.raises(SupersededError, match=r"nothing was promoted: the released model is 1\.1\.0.*new version"):
        promote(store, MODEL, "1.2.0", reason="go", serving=shop)
    roll_back(store, MODEL, reason="flicker", serving=shop)
    assert (current(store), shop.serves) == ("1.0.0", "1.0.0")
    # given again it does nothing; one that has served may come again
    assert roll_back(store, MODEL, reason="flicker", serving=shop).move is None
    promote(store, MODEL, "1.1.0", reason="it was the network", serving=shop)
    assert shop.seen == [
        "shop: 1.0.0 over None",
        "shop: 1.1.0 over 1.0.0",
        "shop: 1.0.0 over 1.1.0",
        "shop: 1.1.0 over 1.0.0",
    ]
    # the current one is brought there again, and nothing is written
    shop.serves = "by hand"
    assert promote(store, MODEL, "1.1.0", reason="again", serving=shop).move is None
    assert shop.serves == "1.1.0"
    assert len([line for line in history(store, MODEL).moves if line.kind == "promoted"]) == 3


def test_a_release_with_a_target_is_not_current_by_word_alone(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    shop_with(tmp_path, store)
    with pytest.raises(UsageError, match=r"1\.1\.0: it is served at the target 'shop'\. Say where that is: --targets"):
        promote(store, MODEL, "1.1.0", reason="go")
    assert current(store) == "1.0.0"


def test_a_promotion_needs_no_reason(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    shop = shop_with(tmp_path, store)
    first = promote(store, MODEL, "1.1.0", by="ann", serving=shop).move
    assert first is not None
    assert (first.reason, first.by) == (STANDS, "ann")
    assert promote(store, MODEL, "1.1.0", by="ann", serving=shop).move is None, "done once"
    with pytest.raises(UsageError, match="a reason has 1 to 500 characters"):
        promote(store, MODEL, "1.1.0", reason=" ", by="ann", serving=shop)


@pytest.mark.slow
def test_what_is_withdrawn_or_moved_meanwhile_is_put_back(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    shop = shop_with(tmp_path, store)
    shop.meanwhile = lambda: withdraw(store, MODEL, "1.1.0", reason="data", by="bob")
    with pytest.raises(UsageError, match=r"1\.1\.0 was withdrawn by bob: data"):
        promote(store, MODEL, "1.1.0", reason="go", serving=shop)
    assert (current(store), shop.serves, shop.claims) == ("1.0.0", "1.0.0", 0)
    # somebody else was first, while this one waited for the target
    shop.meanwhile = lambda: None
    other = Shop()
    shop.before_claim = lambda: promote(store, MODEL, "1.2.0", reason="first", serving=other)
    released(tmp_path, store, "run-3", "1.3.0", URL, baseline="run-0", target="shop")
    with pytest.raises((WorldError, SupersededError)):
        promote(store, MODEL, "1.3.0", reason="second", serving=shop)
    assert (current(store), shop.serves) == ("1.2.0", "1.0.0")


@pytest.mark.slow
def test_what_comes_in_between_and_does_not_matter_does_not_stop_it(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    shop = shop_with(tmp_path, store)
    shop.meanwhile = lambda: withdraw(store, MODEL, "1.2.0", reason="data", by="bob")
    assert promote(store, MODEL, "1.1.0", reason="go", serving=shop).move is not None
    assert current(store) == "1.1.0"
    assert [line.number for line in history(store, MODEL).moves] == [1, 2, 3, 4, 5, 6]


def test_one_that_waits_can_be_withdrawn_and_is_then_not_promoted(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    released(tmp_path, store, "run-0", "1.0.0", URL, target="shop")
    with pytest.raises(UsageError, match=f"no release of {MODEL} is current yet"):
        roll_back(store, MODEL, reason="x", serving=Shop())
    withdraw(store, MODEL, "1.0.0", reason="data", by="ann")
    with pytest.raises(UsageError, match="was withdrawn by ann"):
        promote(store, MODEL, "1.0.0", reason="go", serving=Shop())


def test_back_to_one_from_before_there_was_a_target(tmp_path: Path) -> None:
    store, shop = LocalStore(tmp_path / "store"), Shop()
    released(tmp_path, store, "run-0", "1.0.0", URL)
    released(tmp_path, store, "run-1", "1.1.0", URL, baseline="run-0", target="shop")
    promote(store, MODEL, "1.1.0", reason="go", serving=shop)
    roll_back(store, MODEL, reason="flicker", serving=shop)
    assert (current(store), shop.serves) == ("1.0.0", "1.0.0")


@pytest.mark.slow
@pytest.mark.parametrize("ending", [WorldError("the store did not answer", where="store"), KeyboardInterrupt()])
def test_a_pointer_that_has_moved_though_it_ended_in_an_error_is_no_reason_to_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: BaseException
) -> None:
    store = LocalStore(tmp_path / "store")
    shop = shop_with(tmp_path, store)
    swap = store.swap_pointer

    def answer_is_lost(key: str, value: dict[str, Any], *, seen: Pointer | None) -> bool:
        swap(key, value, seen=seen)
        raise ending

    monkeypatch.setattr(store, "swap_pointer", answer_is_lost)
    assert promote(store, MODEL, "1.1.0", reason="go", serving=shop).move is not None
    monkeypatch.undo()
    assert (current(store), shop.serves) == ("1.1.0", "1.1.0")

    def nothing_is_written(key: str, value: dict[str, Any], *, seen: Pointer | None) -> bool:
        raise ending

    monkeypatch.setattr(store, "swap_pointer", nothing_is_written)
    with pytest.raises(type(ending)):
        roll_back(store, MODEL, reason="flicker", serving=shop)
    assert (current(store), shop.serves) == ("1.1.0", "1.1.0")
    assert [line.number for line in history(store, MODEL).moves] == [1, 2, 3, 4, 5]


def test_one_does_not_go_back_to_what_has_never_served(tmp_path: Path) -> None:
    """A rollback does not ask for waivers, so it must not be another way to promote."""
    store = LocalStore(tmp_path / "store")
    shop = shop_with(tmp_path, store)
    with pytest.raises(UsageError, match=r"1\.1\.0 waits for its target 'shop'.*penstock promote"):
        roll_back(store, MODEL, "1.1.0", reason="go", serving=shop)
    assert (current(store), shop.serves, shop.claims) == ("1.0.0", "1.0.0", 0)
