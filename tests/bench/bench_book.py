"""How long the pages of the release book take over a large store, and how much memory it needs.

``python tests/bench/bench_book.py [--runs N] [--requests N]`` makes up a store of N runs of one model, every tenth of
them a release (seeded), starts ``penstock serve`` on it, asks for each kind of page in turn, and prints a Markdown
table. It ends with 1 where a median is longer than :data:`LIMIT_S`, or the memory grows by more than :data:`GROWTH`.
"""

from __future__ import annotations

import argparse
import functools
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

import httpx
import psutil
from pydantic import BaseModel

from penstock.bundle.models import Image, Invocation, Manifest, Measurement, Run, Source, StepRecord, SuiteRecord
from penstock.bundle.verdict_record import RuleResult, Verdict
from penstock.releases.baseline import Baseline, Release, pointer_key, published_key
from penstock.releases.moves import Move, move_key
from penstock.store.local import LocalStore

MODEL = "made-up"
METRICS = ("lse_d", "lse_c", "fid", "kid", "sharpness", "jitter", "duration_error", "real_time_factor", "peak_memory")
CASES = 48
LIMIT_S = 0.2
ROUNDS = 3
"""How often all kinds of pages are asked for. After the first, all is loaded and the caches are full."""
GROWTH = 1.1
"""What the memory may be after the last round, as a share of that after the first."""
EVERY = 10
"""One run in so many is a release."""


def make_store(folder: Path, runs: int) -> LocalStore:
    """Made up: ``runs`` runs of :data:`CASES` cases, with the records that a run has, and small videos.

    Values of cases are those of one of four runs: making up as many anew would take longer than all that is measured.
    """
    draw = random.Random(7)
    store = LocalStore(folder)
    before: Release | None = None
    released = 0
    for number in range(runs):
        name = f"run-{number:05}"
        root = folder / "runs" / MODEL / name
        values = {metric: 5 + draw.gauss(0, 0.1) for metric in METRICS}
        verdict = "pass" if number % EVERY == 0 else draw.choice(("pass", "fail", "inconclusive"))
        _write_run(root, number, values, verdict, before.run_id if before else None)
        if number % EVERY == 0:
            before = _release(store, name, number, before, released := released + 1)
    return store


def _write_run(root: Path, number: int, values: dict[str, float], verdict: str, before: str | None) -> None:
    root.mkdir(parents=True)
    day = f"2026-{1 + number // 28 % 12:02}-{1 + number % 28:02}T{number // 336 % 24:02}:00:00+00:00"
    source = Source(
        url="https://git.example.org/made/up",
        revision="main",
        commit=f"{number:040x}",
        committer_date=day,
        version=f"1.{number}.0",
        tree="a" * 64,
    )
    run = Run(
        penstock="0.1.0",
        run_id=root.name,
        model=MODEL,
        family="talking-head",
        source=source,
        suite=SuiteRecord(digest="s", cases=CASES),
        image=Image(kind="process", digest="sha256:" + "a" * 64),
        steps=[StepRecord(name=str(step), status="done", started=day, seconds=1) for step in range(12)],
    )
    _write(root / "run.json", run)
    rules = [
        RuleResult(
            metric=metric,
            slice=None,
            verdict="pass",
            reason="made up",
            baseline=5.0,
            candidate=value,
            change=value - 5,
            interval=(value - 5.1, value - 4.9),
            limit="made up",
            margin=0.3,
            better="lower",
            n=CASES,
        )
        for metric, value in values.items()
    ]
    _write(
        root / "verdict.json",
        Verdict.model_validate(
            {"verdict": verdict, "baseline": before, "level": 0.05, "rules": [rule.model_dump() for rule in rules]}
        ),
    )
    cases = [f"case-{case:03}" for case in range(CASES)]
    (root / "measurements.jsonl").write_text(_measurements(number % 4))
    calls = [Invocation(case=case, status="ok", latency_s=0.3, output=f"outputs/{case}/output.mp4") for case in cases]
    (root / "invocations.jsonl").write_text("".join(f"{call.model_dump_json()}\n" for call in calls))
    (root / "outputs" / cases[0]).mkdir(parents=True)
    (root / "outputs" / cases[0] / "output.mp4").write_bytes(b"\0" * 20_000)
    names = ("run.json", "verdict.json", "measurements.jsonl", "invocations.jsonl", f"outputs/{cases[0]}/output.mp4")
    _write(
        root / "manifest.json", Manifest(files={name: sha256((root / name).read_bytes()).hexdigest() for name in names})
    )


@functools.cache
def _measurements(variant: int) -> str:
    draw = random.Random(variant)
    found = [
        Measurement(case=f"case-{case:03}", metric=metric, value=5 + draw.gauss(0, 0.2))
        for metric in METRICS
        for case in range(CASES)
    ]
    return "".join(f"{line.model_dump_json()}\n" for line in found)


def _write(path: Path, record: BaseModel) -> None:
    """Without the sync of each file that evidence gets."""
    path.write_text(record.model_dump_json())


def _release(store: LocalStore, run_id: str, number: int, before: Release | None, count: int) -> Release:
    release = Release(
        model=MODEL,
        version=f"1.{number}.0",
        run_id=run_id,
        url="https://git.example.org/made/up",
        commit=f"{number:040x}",
        tree="a" * 64,
        weights=[],
        image=Image(kind="process", digest="sha256:" + "a" * 64),
        manifest_sha256="0" * 64,
        replaces=before.run_id if before else None,
        notes="made up",
    )
    move = Move(
        model=MODEL,
        number=count,
        kind="published",
        version=release.version,
        run_id=run_id,
        before=before.version if before else None,
        by="ann",
        time="2026-05-01T10:00:00+00:00",
    )
    for key, record in ((published_key(MODEL, release.version), release), (move_key(MODEL, count), move)):
        (store.directory / key).parent.mkdir(parents=True, exist_ok=True)
        _write(store.directory / key, record)
    pointer = Baseline(
        model=MODEL,
        version=release.version,
        run_id=run_id,
        commit=release.commit,
        weights=[],
        image=release.image,
        manifest_sha256=release.manifest_sha256,
        time=move.time,
        repository="git.example.org/made/up",
        release=release,
        move=move,
        became=move,
    )
    (store.directory / pointer_key(MODEL)).parent.mkdir(parents=True, exist_ok=True)
    _write(store.directory / pointer_key(MODEL), pointer)
    return release


def measure(store: LocalStore, runs: int, requests: int) -> tuple[list[tuple[str, float, float, float]], list[float]]:
    """Each kind of page: seconds of the first request, of the median one, and of the slowest after the first.

    And MiB of memory after each round of all pages.
    """
    draw = random.Random(11)
    command = ["serve", "--store", str(store.directory), "--port", "0"]
    code = f"import sys; from penstock.cli.app import main; sys.exit(main({command!r}))"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as served:
        try:
            assert served.stdout is not None
            address = served.stdout.readline().split("http://")[1].split("/")[0]
            process = psutil.Process(served.pid)

            def some(limit: int = runs) -> str:
                return f"run-{draw.randrange(limit):05}"

            pages = {
                "models": lambda: "/",
                "model, its first 50 releases": lambda: f"/models/{MODEL}",
                "model, any page of releases": lambda: f"/models/{MODEL}?page={draw.randint(1, max(1, runs // 500))}",
                "runs, any page": lambda: f"/models/{MODEL}/runs?page={draw.randint(1, max(1, runs // 50))}",
                "run": lambda: f"/models/{MODEL}/runs/{some()}",
                "case": lambda: f"/models/{MODEL}/runs/{some()}/case?name=case-000&t=1",
                "comparison, any two": lambda: f"/compare?model={MODEL}&a={some()}&b={some()}",
                "search": lambda: f"/search?q=1.{draw.randrange(runs)}",
            }
            with httpx.Client(base_url=f"http://{address}", timeout=60) as client:
                began = time.perf_counter()
                while client.get("/").status_code == 503:
                    time.sleep(0.5)
                say(f"first look at {runs} runs: {time.perf_counter() - began:.1f} s")
                sizes = []
                times: dict[str, list[float]] = {name: [] for name in pages}
                for _ in range(ROUNDS):
                    for name, page in pages.items():
                        for _ in range(requests):
                            at = time.perf_counter()
                            answer = client.get(page())
                            times[name].append(time.perf_counter() - at)
                            assert answer.status_code == 200, (name, answer.status_code, answer.text[:500])
                    sizes.append(process.memory_info().rss / (1 << 20))
                found = [(name, took[0], statistics.median(took), max(took[1:])) for name, took in times.items()]
            say(f"memory after each round of all pages: {', '.join(f'{size:.0f}' for size in sizes)} MiB")
            return found, sizes
        finally:
            served.terminate()


def say(text: str) -> None:
    """A line, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Make the store, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--requests", type=int, default=50)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
        began = time.perf_counter()
        store = make_store(Path(folder) / "store", arguments.runs)
        os.sync()
        say(f"made in {time.perf_counter() - began:.0f} s")
        found, sizes = measure(store, arguments.runs, arguments.requests)
    say("| page | first | median | slowest |\n|---|---:|---:|---:|")
    for name, *times in found:
        say(f"| {name} | {' | '.join(f'{1000 * value:.0f} ms' for value in times)} |")
    quick = all(median <= LIMIT_S for _, _, median, _ in found)
    return 0 if quick and sizes[-1] <= GROWTH * sizes[0] else 1


if __name__ == "__main__":
    sys.exit(main())
