from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.book.made_store import EVIL, KEY, MODEL, BookClient
from tests.unit.store.stored_bundle import accepted_bundle

from penstock.book.access import Door, Tickets
from penstock.book.app import application
from penstock.book.shelf import Shelf
from penstock.book.workbench import Workbench
from penstock.bundle.models import Invocation
from penstock.store.local import LocalStore

MOVIE = bytes(range(256)) * 8
FILE = "/live/going/files/outputs/c-1/output.mp4"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A run that goes on, and one whose name is that of an archived run."""
    for name in ("going", "run-0"):
        bundle = accepted_bundle(tmp_path / "runs" / name / "bundle", run_id=name, version="2.0.0")
        bundle.verdict_file.unlink()
        bundle.write_invocations(
            [
                Invocation(case="c-1", status="ok", latency_s=0.5, output="outputs/c-1/output.mp4"),
                Invocation(case=EVIL, status="failed", error=EVIL),
            ]
        )
        (bundle.outputs / "c-1").mkdir()
        (bundle.outputs / "c-1" / "output.mp4").write_bytes(MOVIE)
    return tmp_path


@pytest.fixture
def live(made: LocalStore, work: Path) -> BookClient:
    app = application(Shelf(made), Door(), Tickets(KEY), hosts=("127.0.0.1",), link_days=7, bench=Workbench(work))
    return BookClient(app)


def test_runs_in_progress(live: BookClient) -> None:
    assert "/live" in live.get("/").text
    answer = live.get("/live")
    assert "/live/going" in answer.text
    assert "run-0" not in answer.text  # it is archived


def test_the_page_of_a_run(live: BookClient) -> None:
    answer = live.get("/live/going")
    assert answer.status_code == 200
    assert "<b>2 cases</b>" in answer.text
    assert "1 failed" in answer.text
    assert f'src="{FILE}"' in answer.text
    assert EVIL not in answer.text
    assert 'http-equiv="refresh"' in answer.text
    assert 'http-equiv="refresh"' not in live.get("/live/going?hold=1").text


def test_an_archived_run_is_on_its_own_page(live: BookClient) -> None:
    answer = live.get("/live/run-0")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/models/{MODEL}/runs/run-0")


def test_a_run_that_has_not_begun(live: BookClient) -> None:
    answer = live.get("/live/later%3Cscript%3E")
    assert answer.status_code == 404
    assert 'http-equiv="refresh"' in answer.text
    assert "<script>" not in answer.text


def test_media(live: BookClient) -> None:
    whole = live.get(FILE)
    assert (whole.status_code, whole.content, whole.headers["content-type"]) == (200, MOVIE, "video/mp4")
    assert whole.headers["content-security-policy"].startswith("sandbox")
    part = live.get(FILE, {"Range": "bytes=5-9"})
    assert (part.status_code, part.content) == (206, MOVIE[5:10])
    assert part.headers["content-range"] == f"bytes 5-9/{len(MOVIE)}"
    assert live.get(FILE, {"Range": f"bytes={len(MOVIE)}-"}).status_code == 416
    head = live.head(FILE)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(MOVIE)))


@pytest.mark.parametrize("path", ["run.json", "outputs/c-1/none.mp4", "../run-0/bundle/outputs/c-1/output.mp4"])
def test_nothing_else(live: BookClient, path: str) -> None:
    assert live.get(f"/live/going/files/{path}").status_code == 404


def test_without_a_workspace_nothing_of_runs_in_progress_is_shown(book: BookClient) -> None:
    assert book.get("/live").status_code == 404
    assert "/live" not in book.get("/").text
    assert book.get(FILE).status_code == 404


def test_without_a_workspace_the_address_still_leads_to_the_archived_run(book: BookClient) -> None:
    early = book.get("/live/later%3Cscript%3E")
    assert early.status_code == 404
    assert "not archived yet" in early.text
    assert 'http-equiv="refresh"' in early.text
    assert 'href="/live"' not in early.text
    assert "<script>" not in early.text
    answer = book.get("/live/run-0")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/models/{MODEL}/runs/run-0")


def test_readers_alone(made: LocalStore, work: Path) -> None:
    door = Door(user_header="x-user")
    app = application(Shelf(made), door, Tickets(KEY), hosts=(), link_days=7, bench=Workbench(work))
    assert BookClient(app, peer="10.9.9.9").get(FILE).status_code == 401
