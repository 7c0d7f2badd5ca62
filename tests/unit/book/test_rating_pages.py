"""What raters see, and what they cannot: which side is which, another's pairs, a second answer."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from tests.unit.book.made_rated import HOME, RUN, RaterClient, rated_store, raters, token
from tests.unit.book.made_store import KEY, MODEL, MOVIE, client_of

from penstock.book import rating_pages
from penstock.book.access import Door, Tickets
from penstock.ratings.kept import close, read_ratings
from penstock.ratings.turns import turns
from penstock.store.local import LocalStore


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """For tests that answer nothing."""
    return rated_store(tmp_path_factory.mktemp("seen"))


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return rated_store(tmp_path)


def test_only_raters_with_a_token(seen: LocalStore) -> None:
    reader = "reader-has-a-token-of-enough-characters"
    book = client_of(seen, raters("reader"), raters=raters("ann"))
    for address in ("/rate", HOME, f"{HOME}/0/left/x", "/rate/step.js"):
        assert book.get(address).status_code == 401
        assert book.get(address, {"Authorization": f"Bearer {reader}"}).status_code == 401
    assert book.request("POST", HOME).status_code == 401
    rater = {"Authorization": f"Bearer {token('ann')}"}
    assert book.get("/rate", rater).status_code == 200
    assert book.get(f"/models/{MODEL}", rater).status_code == 401  # it would tell which is which
    assert client_of(seen).get("/rate").status_code == 404  # off by default
    assert client_of(seen, Door(), raters=raters("ann")).get("/rate").status_code == 401


def test_all_pairs_from_the_list_to_thanks(store: LocalStore) -> None:
    ann = RaterClient(store)
    assert "nobody has begun yet" in ann.get("/rate").text
    answers = 0
    while form := ann.form():
        page = ann.get(HOME)
        assert f"pair {answers + 1} of 5" in page.text  # two cases and three catch pairs
        assert "script-src 'self'" in page.headers["content-security-policy"]
        answer = ann.send(form | {"answer": "left", "reason": "  sharper\nteeth "})
        assert (answer.status_code, answer.headers["location"]) == (303, HOME)
        answers += 1
    assert answers == 5
    assert "You have answered all pairs" in ann.get(HOME).text
    assert "you have answered all 5 pairs" in ann.get("/rate").text
    kept = read_ratings(store, MODEL, RUN)
    assert kept.broken == []
    assert {(one.rater, one.answer, one.reason) for one in kept.ratings} == {("ann", "left", "sharper teeth")}
    assert kept.plan is not None
    assert {pair.case for pair in kept.plan.pairs} == {"c-1", "c-2"}  # the third case failed


def test_nothing_tells_which_side_is_which(seen: LocalStore) -> None:
    ann, bob = RaterClient(seen), RaterClient(seen, "bob")
    page = ann.get(HOME).text
    for word in ("run-1", "candidate", "released", "outputs", "output.mp4", "c-1", "c-2"):
        assert word not in page
    answers = [ann.get(address) for address in ann.clips()]
    assert [answer.status_code for answer in answers] == [200, 200]
    told = [dict(answer.headers.items()) for answer in answers]
    assert told[0] == told[1]
    assert "etag" not in told[0]
    assert {answer.content for answer in answers} <= {MOVIE, MOVIE[::-1]}
    assert set(ann.clips()).isdisjoint(bob.clips())
    for address in ann.clips():
        assert bob.get(address).status_code == 403
        assert ann.get(address.replace("/left/", "/right/")).status_code == (200 if "/right/" in address else 403)
    part = ann.book.get(ann.clips()[0], ann.headers | {"Range": "bytes=0-9"})
    assert (part.status_code, len(part.content)) == (206, 10)


def test_each_side_shows_what_the_lot_says(tmp_path: Path) -> None:
    store = rated_store(tmp_path)
    for path in (store.directory / "runs" / MODEL / "run-1" / "outputs").rglob("output.mp4"):
        path.chmod(0o644)
        path.write_bytes(b"released")  # another content than the candidate's
    ann = RaterClient(store)
    seen = 0
    while form := ann.form():
        plan = read_ratings(store, MODEL, RUN).plan
        assert plan is not None
        turn = turns(plan, "ann")[int(form["position"])]
        for side, address in zip(("left", "right"), ann.clips(), strict=True):
            of_candidate = turn.of_candidate or turn.candidate == side
            assert (ann.get(address).content != b"released") == of_candidate
        seen += turn.kind == "case"
        ann.send(form | {"answer": "same"})
    assert seen == 2


def test_a_pair_is_rated_once(store: LocalStore) -> None:
    ann = RaterClient(store)
    form = ann.form()
    assert ann.send(form | {"answer": "left"}).status_code == 303
    again = ann.send(form | {"answer": "right"})
    assert (again.status_code, again.headers["location"]) == (303, f"{HOME}?said=before")
    assert "the first answer stays" in ann.get(f"{HOME}?said=before").text
    assert [one.answer for one in read_ratings(store, MODEL, RUN).ratings] == ["left"]


def test_forged_replayed_and_broken_forms(store: LocalStore) -> None:
    now = 1_000_000.0
    ann = RaterClient(store, tickets=Tickets(KEY, clock=lambda: now))
    form = ann.form()
    bob = RaterClient(store, "bob", tickets=Tickets(KEY, clock=lambda: now))
    good = form | {"answer": "left"}
    assert bob.send(good).status_code == 403
    assert ann.send(good | {"position": "1"}).status_code == 403
    assert ann.send(good | {"form": "9999999999-" + "x" * 43}).status_code == 403
    clip = ann.clips()[0].rpartition("/")[2]
    assert ann.send(good | {"form": clip}).status_code == 403
    now += 6 * 3600
    late = ann.send(good)
    assert (late.status_code, "This form is over" in late.text) == (403, True)
    now -= 6 * 3600
    for wrong in ({"answer": "both"}, {"answer": ""}, {"position": "-1"}, {"position": "x"}, {"position": "9" * 30}):
        assert ann.send(good | wrong).status_code == 422
    assert ann.send(good | {"reason": "x" * 501}).status_code == 413
    assert ann.send(good | {"reason": "x" * 20_000}).status_code == 413
    assert ann.send(good | {f"field-{number}": "" for number in range(20)}).status_code == 422
    typed = ann.headers | {"Content-Type": "application/json"}
    assert ann.book.request("POST", HOME, typed, json.dumps(good).encode()).status_code == 422
    raw = ann.headers | {"Content-Type": "application/x-www-form-urlencoded"}
    assert ann.book.request("POST", HOME, raw, b"answer=%ff&\xff").status_code == 422
    assert read_ratings(store, MODEL, RUN).ratings == []
    assert ann.send(good).status_code == 303


def test_hostile_words_are_shown_as_words(store: LocalStore) -> None:
    ann = RaterClient(store)
    ann.send(ann.form() | {"answer": "left", "reason": "<script>x</script>\x1b[31m"})
    (kept,) = read_ratings(store, MODEL, RUN).ratings
    assert kept.reason.startswith("<script>")
    assert "\x1b" not in kept.reason


def test_a_run_that_nobody_rates_any_more(store: LocalStore) -> None:
    ann = RaterClient(store)
    form = ann.form()
    close(store, MODEL, RUN, reason="enough", by="ann")
    assert ann.send(form | {"answer": "left"}).status_code == 409
    assert ann.get(HOME).status_code == 404
    assert "No run waits for ratings" in ann.get("/rate").text


def test_what_is_no_place(seen: LocalStore) -> None:
    ann = RaterClient(seen)
    for address in (f"/rate/{MODEL}/run-1", "/rate/nothing/run-3", "/rate/%2E%2E/run-3", f"{HOME}/0/middle/x"):
        assert ann.get(address).status_code == 404
    assert ann.get(f"{HOME}/0/left/x").status_code == 403


def test_a_damaged_plan_breaks_no_list(store: LocalStore) -> None:
    ann = RaterClient(store)
    folder = store.directory / "ratings" / MODEL / RUN
    folder.mkdir(parents=True)
    (folder / "plan.json").write_text('{"seed": "<script>"}')
    listed = ann.get("/rate")
    assert (listed.status_code, "cannot be rated" in listed.text, "<script>" in listed.text) == (200, True, False)
    assert ann.get(HOME).status_code == 422


def test_hostile_answers_in_the_store_break_no_page(store: LocalStore) -> None:
    ann = RaterClient(store)
    first = ann.form()
    folder = store.directory / "ratings" / MODEL / RUN / "answers" / "ann"
    folder.mkdir(parents=True)
    (folder / "<b>.json").write_text("[")
    (folder / "case-0.json").mkdir()
    assert ann.form()["position"] == first["position"]
    assert "0 of 5" in ann.get("/rate").text


def test_a_store_that_is_gone_is_told_and_nothing_is_lost(store: LocalStore, tmp_path: Path) -> None:
    ann = RaterClient(store)
    form = ann.form()
    store.directory.rename(tmp_path / "away")
    (tmp_path / "store").write_text("in its place")
    told = ann.send(form | {"answer": "left"})
    assert told.status_code == 503
    assert "let the browser send your answer again" in told.text
    (tmp_path / "store").unlink()
    (tmp_path / "away").rename(store.directory)
    assert RaterClient(store).send(form | {"answer": "left"}).status_code == 303
    assert len(read_ratings(store, MODEL, RUN).ratings) == 1


def test_two_at_once_leave_one_answer(store: LocalStore) -> None:
    ann = RaterClient(store)
    form = ann.form()
    found: list[httpx.Response] = []
    threads = [
        threading.Thread(target=lambda said=said: found.append(RaterClient(store).send(form | {"answer": said})))  # type: ignore[misc]
        for said in ("left", "right", "same", "left")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.headers["location"] for answer in found) == [HOME, *[f"{HOME}?said=before"] * 3]
    assert len(read_ratings(store, MODEL, RUN).ratings) == 1


def test_the_script_is_no_more_than_one_file(seen: LocalStore) -> None:
    ann = RaterClient(seen)
    answer = ann.get("/rate/step.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert re.findall(r"<script[^>]*>", ann.get(HOME).text) == ['<script src="/rate/step.js">']
    assert "script-src" not in ann.get("/rate").headers["content-security-policy"]


def test_a_form_that_comes_too_slowly(seen: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rating_pages, "FORM_WAIT_S", 0.05)
    ann = RaterClient(seen)

    async def slowly() -> AsyncIterator[bytes]:
        yield b"answer="
        await asyncio.sleep(5)

    async def ask() -> httpx.Response:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        transport = httpx.ASGITransport(ann.book.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.post(HOME, headers=ann.headers | kind, content=slowly())

    assert asyncio.run(ask()).status_code == 408


def test_a_line_break_in_a_reason_is_one_character_as_the_browser_counts(store: LocalStore) -> None:
    ann = RaterClient(store)
    reason = "\r\n".join(["x" * 99] * 5)
    assert ann.send(ann.form() | {"answer": "left", "reason": reason}).status_code == 303
    (kept,) = read_ratings(store, MODEL, RUN).ratings
    assert kept.reason == reason.replace("\r\n", " ")
