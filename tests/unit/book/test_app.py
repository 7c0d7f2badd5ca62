"""What each address shows, and what none of them shows."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import threading
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest
from anyio.to_thread import current_default_thread_limiter, run_sync
from tests.unit.book.made_store import EVIL, KEY, MODEL, MOVIE, BookClient, add_run, client_of, copied

from penstock.book.access import Door, Tickets
from penstock.book.app import application
from penstock.book.patient_pool import PatientPool
from penstock.book.shelf import Shelf
from penstock.store.local import LocalStore

RUN = f"/models/{MODEL}/runs/run-1"


def files_of(book: BookClient, run: str = RUN) -> str:
    """The address below which the run's files are."""
    return re.findall(r'href="(/shared/[^"]*/files/)report/index.html"', book.get(run).text)[0]


def test_models(book: BookClient) -> None:
    text = book.get("/").text
    assert f'href="/models/{MODEL}"' in text
    assert ">1.1.0<" in text
    assert '<td class="n">3</td>' in text  # run-9 is not archived yet


def test_a_model_of_which_nothing_was_released(made: LocalStore, tmp_path: Path) -> None:
    store = copied(made, tmp_path)
    (store.directory / "baselines" / f"{MODEL}.json").unlink()
    book = client_of(store)
    assert "<td>none</td>" in book.get("/").text
    assert "Nothing of it was released yet" in book.get(f"/models/{MODEL}").text


def test_timeline_and_courses(book: BookClient) -> None:
    text = book.get(f"/models/{MODEL}").text
    assert text.index("1.1.0") < text.index("1.0.0")
    assert text.count('class="chip now"') == 1
    assert '<a href="#courses">metrics</a>' in text
    assert "1.1.0: 7.200, interval 7.100 to 7.300, allowed up to 7.400" in text
    assert "/compare?model=sonic-lite&amp;a=run-0&amp;b=run-1" in text


def test_a_withdrawn_release_says_why(made: LocalStore, tmp_path: Path) -> None:
    from penstock.releases.acts import roll_back, withdraw

    store = copied(made, tmp_path)
    roll_back(store, MODEL, reason="users see flicker", by="ann")
    withdraw(store, MODEL, "1.1.0", reason="never again", by="bob")
    text = client_of(store).get(f"/models/{MODEL}").text
    assert re.search(r'class="withdrawn">\s*<p><b><bdi>1.1.0', text)
    assert "<bdi>bob</bdi>: <bdi>never again</bdi>" in text
    assert "rolled back" in text
    assert re.search(r'class="current">\s*<p><b><bdi>1.0.0', text)


def test_runs_and_a_filter(book: BookClient) -> None:
    assert re.findall(r'name="a" value="([^"]+)"', book.get(f"/models/{MODEL}/runs").text) == [
        "run-2",
        "run-1",
        "run-0",
    ]
    found = book.get(f"/models/{MODEL}/runs?verdict=fail").text
    assert re.findall(r'name="a" value="([^"]+)"', found) == ["run-2"]


def test_a_run(book: BookClient) -> None:
    text = book.get(f"/models/{MODEL}/runs/run-2").text
    assert "rejected" in text
    assert "LSE-D is 8.5" in text
    assert "case?name=c-1" in text
    assert 'class="forest"' in text


def test_a_case_at_a_moment(book: BookClient) -> None:
    text = book.get(f"{RUN}/case?name=c-1&t=2.4").text
    sources = [unescape(found) for found in re.findall(r'<video[^>]* src="([^"]+)"', text)]
    assert len(sources) == 2
    assert all(source.endswith("outputs/c-1/output.mp4#t=2.4") for source in sources)
    assert {source.split("/")[4] for source in sources} == {"run-0", "run-1"}
    for source in sources:
        assert book.get(source).content == MOVIE
        # the link of a file opens that file alone
        assert book.get(source.replace("c-1", "c-2")).status_code == 403
    assert book.get(f"{RUN}/case?name=c-9").status_code == 404
    assert book.get(f"{RUN}/case?name=c-1&t=nan").status_code == 422
    assert book.get(f"{RUN}/case?name=c-1&t=-1").status_code == 422


def test_a_comparison(book: BookClient) -> None:
    text = book.get(f"/compare?model={MODEL}&a=run-0&b={MODEL}/run-2").text
    assert "LSE-D" in text
    assert "+1.500" in text
    assert "runs/run-2/case?name=c-1" in text
    assert book.get("/compare").status_code == 200
    assert book.get(f"/compare?model={MODEL}&a=run-0&b=nothing").status_code == 404
    assert book.get("/compare?a=../x&b=../../y").status_code == 422


def test_search(book: BookClient) -> None:
    assert "1 releases, 1 runs" in book.get("/search?q=1.1.0+11111").text
    assert "0 releases, 1 runs" in book.get("/search?q=FAIL").text
    assert "0 releases, 0 runs" in book.get("/search?q=nothing+of+this").text
    assert "runs" in book.get("/search").text


def test_ranges_and_etags(book: BookClient) -> None:
    address = f"{files_of(book)}outputs/c-1/output.mp4"
    whole = book.get(address)
    assert (whole.status_code, whole.headers["content-type"], whole.content) == (200, "video/mp4", MOVIE)
    part = book.get(address, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, MOVIE[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(MOVIE)}"
    assert book.get(address, headers={"Range": "bytes=-10"}).content == MOVIE[-10:]
    beyond = book.get(address, headers={"Range": f"bytes={len(MOVIE)}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(MOVIE)}")
    assert book.get(address, headers={"Range": "bytes=0-1", "If-Range": '"other"'}).status_code == 200
    assert book.get(address, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304
    head = book.head(address)
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(MOVIE)), b"")


def test_nothing_of_a_bundle_runs_in_the_book(book: BookClient) -> None:
    below = files_of(book)
    for name, kind in (
        ("page/evil.html", "text/plain"),
        ("page/evil.svg", "text/plain"),
        ("page/evil.bin", "application/octet-stream"),
        ("verdict.json", "text/plain"),
    ):
        answer = book.get(below + name)
        assert answer.headers["content-type"].startswith(kind)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    report = book.get(f"{below}report/index.html")
    assert report.headers["content-type"].startswith("text/html")
    policy = report.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none'")
    assert "allow-same-origin" not in policy
    assert "connect-src" not in policy


def test_texts_of_a_bundle_are_escaped(book: BookClient) -> None:
    for address in (f"/models/{MODEL}", RUN, f"/search?q={EVIL}", f"{RUN}/case?name=größe {EVIL[:8]}"):
        answer = book.get(address)
        assert answer.status_code == 200
        assert EVIL not in answer.text
        assert "<script" not in answer.text
    assert "&lt;script&gt;" in book.get(RUN).text


@pytest.mark.parametrize(
    "name",
    [
        "../run-0/run.json",
        "%2e%2e/run-0/run.json",
        "..%2f..%2f..%2f..%2fetc/passwd",
        "/etc/passwd",
        "%00",
        "run.json%00.mp4",
        "outputs/c-1/",
        "outputs//c-1/output.mp4",
        "%2e/run.json",
        "manifest.json",
    ],
)
def test_only_what_the_manifest_names(book: BookClient, name: str) -> None:
    ticket = Tickets(KEY).issue(f"{MODEL}/run-1", 4_000_000_000)
    answer = book.get(f"/shared/{ticket}/{MODEL}/run-1/files/{name}")
    assert answer.status_code in (403, 404)
    assert b"root:" not in answer.content


@pytest.mark.parametrize("address", ["/models/%2e%2e/runs", "/models/.x", "/models/a%00b", "/models/x/runs/y"])
def test_no_such_place(book: BookClient, address: str) -> None:
    assert book.get(address).status_code == 404


@pytest.mark.parametrize("run", ["%2e%2e", ".x", "a%00b", "a%5cb", "x" * 300])
def test_no_such_run(book: BookClient, run: str) -> None:
    assert book.get(f"/models/{MODEL}/runs/{run}").status_code == 404


def test_links_that_lead_out_of_the_store_are_not_followed(made: LocalStore, tmp_path: Path) -> None:
    store = copied(made, tmp_path)
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    output = store.directory / "runs" / MODEL / "run-1" / "outputs" / "c-1" / "output.mp4"
    output.unlink()
    output.symlink_to(secret)
    (store.directory / "runs" / "linked").symlink_to(tmp_path)
    book = client_of(store)
    answer = book.get(f"{files_of(book)}outputs/c-1/output.mp4")
    assert (answer.status_code, b"hunter2" in answer.content) == (404, False)
    assert book.get("/models/linked").status_code in (200, 404)
    assert "run-1" not in book.get("/models/linked/runs").text


def test_a_link_opens_one_run_until_it_is_over(made: LocalStore) -> None:
    now = 1_800_000_000.0
    tickets = Tickets(KEY, clock=lambda: now)
    book = client_of(made, tickets=tickets)
    share = re.findall(r'<a href="(/shared/[^"]+)">A link to this run', book.get(RUN).text)[0]
    page = book.get(share).text
    assert "LSE-D" in page
    assert "/compare" not in page
    assert "A link to this run" not in page  # it would hold longer than this one
    assert f"{share}/case?name=c-1" in page
    assert book.get(f"{share}/case?name=c-1&t=1").status_code == 200
    assert set(re.findall(r"/shared/(\d+)-", page)) == {share.split("/")[2].split("-")[0]}
    assert book.get(share.replace("run-1", "run-2")).status_code == 403
    now += 8 * 24 * 3600
    assert book.get(share).status_code == 403
    assert book.get(f"{share}/files/run.json").status_code == 403


def test_a_link_does_not_tell_who_rated(made: LocalStore, tmp_path: Path) -> None:
    store = copied(made, tmp_path)
    folder = store.directory / "runs" / MODEL / "run-1"
    (folder / "ratings.json").write_text('{"raters": ["ada"]}')
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["files"]["ratings.json"] = hashlib.sha256((folder / "ratings.json").read_bytes()).hexdigest()
    (folder / "manifest.json").chmod(0o644)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    book = client_of(store)
    page = book.get(RUN).text
    assert f'href="{RUN}/files/ratings.json"' in page
    assert b"ada" in book.get(book.get(f"{RUN}/files/ratings.json").headers["location"]).content
    assert book.get(f"{files_of(book)}ratings.json").status_code == 403  # the report's own leave is no more than a link
    share = re.findall(r'<a href="(/shared/[^"]+)">A link to this run', page)[0]
    assert "ratings.json" not in book.get(share).text
    assert book.get(f"{share}/files/ratings.json").status_code == 403
    assert book.get(f"{share}/files/run.json").status_code == 200


def test_a_store_that_is_gone_is_one_clear_page(made: LocalStore, tmp_path: Path) -> None:
    store = copied(made, tmp_path)
    book = client_of(store)
    store.directory.rename(tmp_path / "elsewhere")
    for address in ("/", f"/models/{MODEL}", RUN):
        answer = book.get(address)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert "The store does not answer" in answer.text
        assert str(tmp_path) not in answer.text
    assert book.get("/healthz").status_code == 200


def test_a_page_waits_so_long_at_most_for_all_that_it_asks(made: LocalStore) -> None:
    now, takes_s = [0.0], [0.0]

    class SlowStore(LocalStore):
        def read_range(self, key: str, start: int, length: int) -> Iterator[bytes]:
            now[0] += takes_s[0]
            return super().read_range(key, start, length)

    shelf = Shelf(SlowStore(made.directory), pool=PatientPool("s", limit_s=8, clock=lambda: now[0]))
    shelf.models()
    takes_s[0] = 3
    book = BookClient(application(shelf, Door(), Tickets(KEY), hosts=("127.0.0.1",), link_days=7))
    assert book.get(RUN).status_code == 503  # four records, each of which comes in time
    assert now[0] == 9
    now[0] += 60
    assert book.get(RUN).status_code == 200  # those that came are kept


def test_damaged_records_of_one_run_leave_the_others(made: LocalStore, tmp_path: Path) -> None:
    store = copied(made, tmp_path)
    for name, content in (("run-1", b"{"), ("run-2", b"x" * (5 << 20))):
        record = store.directory / "runs" / MODEL / name / "run.json"
        record.chmod(0o644)
        record.write_bytes(content)
    book = client_of(store)
    listed = book.get(f"/models/{MODEL}/runs").text
    assert listed.count("cannot be read") == 2
    assert book.get(f"/models/{MODEL}/runs/run-0").status_code == 200
    assert book.get(RUN).status_code == 422
    assert book.get(f"/models/{MODEL}/runs/run-2").status_code == 502


@pytest.mark.parametrize("content", [b"{", b"x" * (5 << 20)])
def test_a_damaged_verdict_leaves_all_else(content: bytes, made: LocalStore, tmp_path: Path) -> None:
    store = copied(made, tmp_path)
    record = store.directory / "runs" / MODEL / "run-1" / "verdict.json"
    record.chmod(0o644)
    record.write_bytes(content)
    book = client_of(store)
    assert book.get(f"/models/{MODEL}").status_code == 200
    assert "The verdict cannot be read" in book.get(RUN).text
    assert "LSE-D" in book.get(f"{RUN}/case?name=c-1").text


def test_a_record_that_was_restored_is_read_again(made: LocalStore, tmp_path: Path) -> None:
    store, now = copied(made, tmp_path), [0.0]
    record = store.directory / "runs" / MODEL / "run-1" / "run.json"
    content = record.read_bytes()
    record.chmod(0o644)
    record.write_bytes(b"{")
    book = client_of(store)
    shelf = book.app.app.routes[0].endpoint.__self__.shelf  # type: ignore[attr-defined]
    shelf.pool.clock = lambda: now[0]
    assert "cannot be read" in book.get(f"/models/{MODEL}/runs").text
    record.write_bytes(content)
    now[0] += 60
    assert "cannot be read" not in book.get(f"/models/{MODEL}/runs").text


def test_what_stands_in_a_pointers_place_is_that_models_fault(made: LocalStore, tmp_path: Path) -> None:
    store = copied(made, tmp_path)
    (store.directory / "baselines" / "folder.json").mkdir()
    os.mkfifo(store.directory / "baselines" / "pipe.json")  # waited for, it would hold the look for good
    book = client_of(store)
    assert book.get("/").text.count("cannot be read") == 2
    assert book.get(f"/models/{MODEL}").status_code == 200


def test_a_probe_is_answered_by_any_name_and_however_slow_the_store_is(made: LocalStore) -> None:
    app = application(Shelf(made), Door(), Tickets(KEY), hosts=("book.example.org",), link_days=7)
    assert BookClient(app).get("/").status_code == 421
    release = threading.Event()

    async def ask() -> int:
        limiter = current_default_thread_limiter()
        limiter.total_tokens = 1  # all threads hang in pages
        hanging = asyncio.create_task(run_sync(release.wait, 1))
        await asyncio.sleep(0.01)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://10.1.2.3") as client:
            try:
                return (await asyncio.wait_for(client.get("/healthz"), 0.2)).status_code
            finally:
                release.set()
                await hanging

    assert asyncio.run(ask()) == 200


def test_what_is_archived_later_appears(made: LocalStore, tmp_path: Path) -> None:
    store = copied(made, tmp_path)
    now = [0.0]
    book = client_of(store)
    shelf = book.app.app.routes[0].endpoint.__self__.shelf  # type: ignore[attr-defined]
    shelf.pool.clock = lambda: now[0]
    assert "run-3" not in book.get(f"/models/{MODEL}/runs").text
    add_run(tmp_path, store, 3, 7.1, baseline=("run-1", 7.2))
    now[0] += 60
    assert "run-3" in book.get(f"/models/{MODEL}/runs").text
    assert re.search(r'class="current">\s*<p><b><bdi>1.3.0', book.get(f"/models/{MODEL}").text)


def test_only_reading(book: BookClient) -> None:
    assert {book.request(method, "/").status_code for method in ("POST", "PUT", "DELETE", "PATCH")} == {405}


def test_a_digest_that_is_none_becomes_no_header(made: LocalStore, tmp_path: Path) -> None:
    store = copied(made, tmp_path)
    manifest = store.directory / "runs" / MODEL / "run-1" / "manifest.json"
    manifest.chmod(0o644)
    content = json.loads(manifest.read_bytes())
    content["files"]["run.json"] = '"\r\nSet-Cookie: a=b'
    manifest.write_text(json.dumps(content))
    book = client_of(store)
    answer = book.get(f"{files_of(book)}run.json")
    assert (answer.status_code, "no SHA-256" in answer.text) == (502, True)
    assert book.get(f"{files_of(book)}verdict.json").status_code == 200


def test_a_readers_address_of_a_file_lasts(made: LocalStore) -> None:
    token = "r" * 32
    door = Door(tokens={hashlib.sha256(token.encode()).hexdigest(): "ann"})
    book, reads = client_of(made, door), {"Authorization": f"Bearer {token}"}
    movie = f"{RUN}/files/outputs/c-1/output.mp4"
    assert book.get(movie).status_code == 401
    led = book.get(movie, reads)
    assert (led.status_code, led.headers["cache-control"]) == (303, "no-store")
    assert book.get(led.headers["location"]).content == MOVIE
    report = book.get(f"{RUN}/files/report/index.html", reads).headers["location"]
    assert book.get(report.replace("report/index.html", "run.json")).status_code == 200
    for name in ("outputs/c-1", "manifest.json", "../run-0/run.json", "%2e%2e/run-0/run.json"):
        assert book.get(f"{RUN}/files/{name}", reads).status_code == 404
    assert book.get(f"/models/{MODEL}/runs/run-9/files/run.json", reads).status_code == 404
