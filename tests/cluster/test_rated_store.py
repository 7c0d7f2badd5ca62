"""Ratings in the cluster's S3 server: fifty raters at once at two books over one store."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest
from tests.cluster.objects import Access
from tests.unit.book.made_rated import HOME, RUN, put_rated
from tests.unit.book.made_store import MODEL

from penstock.bundle.models import Run
from penstock.ratings.counting import counted_ratings
from penstock.ratings.kept import read_ratings
from penstock.store.open import open_store

PENSTOCK = str(Path(sys.executable).parent / "penstock")
TRIES = 60
CROWD = {f"rater-{number}": secrets.token_hex(16) for number in range(50)}


@pytest.fixture
def store(access: Access) -> str:
    """Its address."""
    return f"s3://{access.bucket}/rated-{secrets.token_hex(4)}"


@pytest.fixture
def books(store: str, credentials: Path, tmp_path: Path) -> Iterator[list[str]]:
    """Two processes with one key, as two replicas are; the run that waits is in the store."""
    put_rated(tmp_path / "made", open_store(store, credentials))
    lines = [f"{name} sha256:{hashlib.sha256(token.encode()).hexdigest()}" for name, token in CROWD.items()]
    (tmp_path / "raters").write_text("\n".join(lines))
    (tmp_path / "readers").write_text(f"reader sha256:{hashlib.sha256(b'r' * 32).hexdigest()}")
    (tmp_path / "key").write_text("k" * 64)
    where = ["--store", store, "--store-credentials", str(credentials), "--port", "0", "--key", str(tmp_path / "key")]
    who = ["--ratings", str(tmp_path / "raters"), "--tokens", str(tmp_path / "readers")]
    servers = [subprocess.Popen([PENSTOCK, "serve", *where, *who], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        found = [re.search(r"http://[0-9.:]+", server.stdout.readline()) for server in servers if server.stdout]
        yield [one[0] for one in found if one is not None]
    finally:
        for server in servers:
            server.terminate()
            server.wait(20)


async def answered(client: httpx.AsyncClient, method: str, address: str, **form: str) -> httpx.Response:
    """As a person does it: a page that says that the store is slow is asked for again, and a form sent again."""
    for _ in range(TRIES):
        found = await client.request(method, address, data=form or None)
        if found.status_code != 503:
            return found
        await asyncio.sleep(1)
    pytest.fail("the store is away")


async def rate(name: str, books: list[str]) -> list[str]:
    """All pairs of a rater, each form sent to both books at once with another reason.

    Returns:
        The reasons of those that were taken; of the others the rater was told that the first answer stays.
    """
    taken: list[str] = []
    pairs = 0
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {CROWD[name]}"}, timeout=120) as client:
        while True:
            page = (await answered(client, "GET", books[pairs % 2] + HOME)).text
            fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
            if not fields:
                assert "You have answered all pairs" in page
                return taken
            soft = re.search(r'class="soft"><figcaption>(left|right)', page)
            right = "same" if soft is None else "right" if soft[1] == "left" else "left"
            form = {word: unescape(value) for word, value in fields.items()} | {"answer": right}
            reasons = [f"pair {pairs} at book {number}" for number in range(2)]
            both = await asyncio.gather(
                *(
                    answered(client, "POST", book + HOME, **form, reason=reason)
                    for book, reason in zip(books, reasons, strict=True)
                )
            )
            led = [sent.headers["location"] for sent in both]
            assert set(led) <= {HOME, f"{HOME}?said=before"}
            # the answer of the one that was first can be lost, and then it is told that it was there before
            assert led.count(HOME) <= 1
            taken += [reason for place, reason in zip(led, reasons, strict=True) if place == HOME]
            pairs += 1


@pytest.mark.timeout(400)  # 20 s of CPU here; on busy cores the S3 server is slow, and is asked again
def test_fifty_at_once_and_each_pair_counts_once(books: list[str], store: str, credentials: Path) -> None:
    async def all_of_them() -> list[list[str]]:
        return await asyncio.gather(*(rate(name, books) for name in CROWD))

    taken = dict(zip(CROWD, asyncio.run(all_of_them()), strict=True))
    at_books = {reason[-1] for of_rater in taken.values() for reason in of_rater}
    assert at_books == {"0", "1"}  # now one was first, now the other
    opened = open_store(store, credentials)
    kept = read_ratings(opened, MODEL, RUN)
    assert (len(kept.ratings), kept.broken) == (250, [])
    for name in CROWD:
        mine = [one.case for one in kept.ratings if one.rater == name and one.kind == "case"]
        assert sorted(mine) == ["c-1", "c-2"]
        reasons = {one.reason for one in kept.ratings if one.rater == name}
        assert len(reasons) == 5
        assert set(taken[name]) <= reasons  # what a rater was told was taken is there, and stayed
    record, (measured, *_) = counted_ratings(opened, MODEL, Run(penstock="1", run_id=RUN), "run-1")
    assert (record.count.counted, record.count.raters, record.count.disqualified) == (100, 50, 0)
    assert measured.value == 0.5
    words = ["rate", "status", f"{MODEL}/{RUN}", "--store", store, "--store-credentials", str(credentials)]
    told = subprocess.run([PENSTOCK, *words], capture_output=True, text=True, check=True).stdout
    assert "is 0.5 of 100 ratings by 50 people" in told
    over = subprocess.run([PENSTOCK, "rate", "close", *words[2:], "--reason", "over"], capture_output=True, check=True)
    assert b"nobody rates" in over.stdout
    rater = {"Authorization": f"Bearer {CROWD['rater-0']}"}
    assert [httpx.get(book + HOME, headers=rater, timeout=60).status_code for book in books] == [404, 404]
