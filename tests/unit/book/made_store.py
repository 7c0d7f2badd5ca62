"""A store with two releases, a rejected run and one that was not archived to its end."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx
from starlette.types import ASGIApp
from tests.unit.store.stored_bundle import accepted_bundle

from penstock.book.access import Door, Tickets
from penstock.book.app import application
from penstock.book.shelf import Shelf
from penstock.bundle.models import Invocation, Measurement, StepRecord
from penstock.bundle.verdict_record import Outcome, RuleResult, Verdict
from penstock.releases.release import publish
from penstock.store.archive import archive
from penstock.store.local import LocalStore
from penstock.store.store import Store

MODEL = "sonic-lite"
KEY = b"k" * 32
EVIL = "<script>window.pwned=1</script>"
MOVIE = bytes(range(256)) * 20


def rule_of(value: float, baseline: float | None = None, **more: object) -> RuleResult:
    """A rule for LSE-D with a margin of 0.4 that was judged."""
    change = None if baseline is None else value - baseline
    written: dict[str, object] = {
        "metric": "lse_d",
        "slice": None,
        "verdict": "pass",
        "reason": f"LSE-D is {value}",
        "baseline": baseline,
        "candidate": value,
        "change": change,
        "interval": None if change is None else (change - 0.1, change + 0.1),
        "limit": "≤ 9",
        "maximum": 9.0,
        "margin": None if baseline is None else 0.4,
        "better": "lower",
        "n": 2,
    }
    return RuleResult.model_validate(written | more)


def add_run(
    folder: Path,
    store: Store,
    number: int,
    value: float,
    *,
    baseline: tuple[str, float] | None = None,
    verdict: Outcome = "pass",
    rules: Sequence[RuleResult] = (),
    regated_from: str | None = None,
) -> None:
    """Archive ``run-NUMBER``, and publish it if it was accepted; ``rules`` stand beside the one for LSE-D."""
    name = f"run-{number}"
    bundle = accepted_bundle(
        folder / name,
        run_id=name,
        version=f"1.{number}.0",
        commit=f"{number}" * 40,
        verdict=verdict,
        baseline=baseline[0] if baseline else None,
    )
    step = StepRecord(name="clone", status="done", started=f"2026-05-0{number + 1}T10:00:00+00:00", seconds=1)
    bundle.update_run(bundle.run().model_copy(update={"steps": [step], "notes": f"{EVIL} notes of {number}"}))
    bundle.update_run(bundle.run().model_copy(update={"regated_from": regated_from}))
    rule = rule_of(value, baseline[1] if baseline else None, verdict=verdict)
    found = Verdict(verdict=verdict, baseline=baseline[0] if baseline else None, level=0.05, rules=[rule, *rules])
    bundle.write_verdict(found)
    cases = ["c-1", "c-2", f"größe {EVIL[:8]}"]
    bundle.write_measurements(
        [Measurement(case=case, metric="lse_d", value=value + at) for at, case in enumerate(cases)]
    )
    calls = [
        Invocation(case=case, status="ok", latency_s=0.5, output=f"outputs/{case}/output.mp4") for case in cases[:2]
    ]
    bundle.write_invocations([*calls, Invocation(case=cases[2], status="failed", error=EVIL)])
    files = {
        "outputs/c-1/output.mp4": MOVIE,
        "outputs/c-2/output.mp4": MOVIE[::-1],
        "report/index.html": b"<!doctype html><script>document.title = 'ran'</script><p>a report",
        "page/evil.html": EVIL.encode(),
        "page/evil.svg": f"<svg xmlns='http://www.w3.org/2000/svg'>{EVIL}</svg>".encode(),
        "page/evil.bin": EVIL.encode(),
    }
    for path, content in files.items():
        (bundle.path / path).parent.mkdir(parents=True, exist_ok=True)
        (bundle.path / path).write_bytes(content)
    archive(bundle, store, model=MODEL, run_id=name)
    if verdict == "pass":
        publish(store, bundle)


def made_store(folder: Path) -> LocalStore:
    """The store: 1.0.0 and 1.1.0 are released, run-2 was rejected, run-9 has no manifest yet."""
    store = LocalStore(folder / "store")
    add_run(folder, store, 0, 7.0)
    add_run(folder, store, 1, 7.2, baseline=("run-0", 7.0))
    add_run(folder, store, 2, 8.5, baseline=("run-1", 7.2), verdict="fail")
    unfinished = store.directory / "runs" / MODEL / "run-9"
    unfinished.mkdir()
    (unfinished / "run.json").write_text("{}")
    return store


def copied(made: LocalStore, folder: Path) -> LocalStore:
    """A copy of a made store, for a test that changes it."""
    shutil.copytree(made.directory, folder / "store")
    return LocalStore(folder / "store")


class BookClient:
    """Asks an application as a browser would; errors in it are answered, not raised."""

    def __init__(self, app: ASGIApp, *, peer: str = "127.0.0.1") -> None:
        self.app = app
        self.peer = peer

    def request(
        self, method: str, address: str, headers: Mapping[str, str] | None = None, content: bytes | None = None
    ) -> httpx.Response:
        """One request; redirects are not followed."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(self.peer, 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                return await client.request(method, address, headers=dict(headers or {}), content=content)

        return asyncio.run(ask())

    def get(self, address: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """GET."""
        return self.request("GET", address, headers)

    def head(self, address: str) -> httpx.Response:
        """HEAD."""
        return self.request("HEAD", address)


def client_of(
    store: Store,
    door: Door | None = None,
    *,
    tickets: Tickets | None = None,
    peer: str = "127.0.0.1",
    raters: Door | None = None,
) -> BookClient:
    """A client of the store's book."""
    shelf = Shelf(store)
    app = application(shelf, door or Door(), tickets or Tickets(KEY), hosts=("127.0.0.1",), link_days=7, raters=raters)
    return BookClient(app, peer=peer)
