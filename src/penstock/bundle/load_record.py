"""``load/``: what came of putting the service under load, a file for each part of it: ``load/1-of-2.json``."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from penstock.bundle.directory import Bundle, read_model
from penstock.bundle.models import SCHEMA_VERSION, Isolation, Machine
from penstock.bundle.record import Record
from penstock.bundle.shards import Shard
from penstock.foundation.files import disk_errors, write_text

LOAD_FOLDER = Path("load")
LOAD_LOG = Path("logs") / "load-model.log"


class StartRecord(Record):
    """From the service's start to its first answer."""

    ready_s: float | None
    """When it said that it was ready; ``None``: never."""
    true_s: float | None
    """When it was, in truth."""
    not_ready_statuses: list[int] = Field(default_factory=list)
    """What its probe answered before: 503 is right."""
    too_early: str | None = None
    """What came of the first real request, where that was no good answer."""


class RequestLine(Record):
    """What became of each request, in the order in which they were due; an entry of each list a request."""

    due_s: list[float] = Field(default_factory=list)
    """From the beginning of the load, the warm-up included."""
    latency_ms: list[float] = Field(default_factory=list)
    """From the moment at which it was due."""
    ending: list[int] = Field(default_factory=list)
    """1 a good answer, 2 never sent, 3 another status, 4 timed out, 5 refused, 6 reset, 7 broken, 9 unreachable."""
    status: list[int] = Field(default_factory=list)
    """Of the answer; 0: none."""
    samples: dict[str, str] = Field(default_factory=dict)
    """Kind of error → the message of one of them."""
    notes: list[str] = Field(default_factory=list)
    """What a reader of the numbers must know."""


class MemoryLine(Record):
    """What the service held; an entry of each list a sample."""

    at_s: list[float] = Field(default_factory=list)
    """From the beginning of the load, the warm-up included."""
    done: list[int] = Field(default_factory=list)
    """Requests that had ended."""
    mib: list[float] = Field(default_factory=list)


class RateRecord(Record):
    """Another rate than the first."""

    rate: float
    requests: RequestLine


class SaturationRecord(Record):
    """So many requests at a time."""

    concurrency: int
    throughput: float
    """Good answers a second."""
    p50_ms: float | None = None
    p95_ms: float | None
    p99_ms: float | None = None
    errors: int


class OverloadRecord(Record):
    """Twice the rate."""

    problem: str | None
    """What it did wrong; ``None``: it bore it."""
    refused: int
    """How many requests it refused in words (429, 503)."""
    good: int


class StopRecord(Record):
    """Asked to end (SIGTERM) while requests were under way."""

    sent: int
    """Requests that were sent before it was asked."""
    lost: int
    """How many of these came to no good answer."""
    sample: str = ""
    """What became of one of them."""
    ended_s: float | None = None
    """How long it took to end; ``None``: it did not, and was killed."""


class RecoveryRecord(Record):
    """Ended at once (kill -9), and started again on what it has left."""

    problem: str | None
    """Why it did not answer again; ``None``: it did."""
    ready_s: float | None = None


class OomRecord(Record):
    """Its largest process killed in the middle of a request, as the kernel does when memory runs out."""

    problem: str | None
    """Why it did not answer again; ``None``: it did."""
    killed: str
    """Which process that was."""
    by_itself: bool
    """Its first process lived on, so that nothing started it again."""
    ready_s: float | None = None


class MixedRecord(Record):
    """Different requests at the same time, compared with what each of them gets alone."""

    requests: int
    """How many different ones there were whose answer alone says the same every time; 0: nothing could be compared."""
    at_once: int
    answered: int
    wrong: int
    """Of these: not its own answer."""
    refused: int
    """In words: a status from 400 on."""
    failed: int
    """No whole answer."""
    sample: str = ""
    """What one of the wrong answers was."""


class LoadPart(Record):
    """One part of the load: all of it (``1/1``), or one of two halves (``1/2``, ``2/2``). What is ``None`` was not
    measured: ``fault`` says why, unless the contract left it out or it belongs to the other half.
    """

    schema_version: int = SCHEMA_VERSION
    part: str
    rate: float
    """The first."""
    seconds: float
    """Each rate."""
    warmup_s: float
    timeout_s: float
    isolation: Isolation | None = None
    machine: Machine | None = None
    fault: str | None = None
    """Why no more was measured: it was never ready, or died under load."""
    start: StartRecord | None = None
    requests: RequestLine | None = None
    memory: MemoryLine | None = None
    """Main memory."""
    gpu_memory: MemoryLine | None = None
    """``None``: there was no card, or the service held nothing of its memory."""
    files: MemoryLine | None = None
    """What its files took on disk. ``None``: not looked at, as in older records."""
    at_rates: list[RateRecord] = Field(default_factory=list)
    """The other rates, in the contract's order."""
    mixed: MixedRecord | None = None
    saturation: SaturationRecord | None = None
    overload: OverloadRecord | None = None
    stop: StopRecord | None = None
    recovery: RecoveryRecord | None = None
    oom: OomRecord | None = None


def load_part(bundle: Bundle, part: Shard) -> LoadPart | None:
    """What came of a part; ``None``: it was not put."""
    path = bundle.path / _file(part)
    return read_model(path, LoadPart) if path.exists() else None


def load_parts(bundle: Bundle) -> list[LoadPart]:
    """All parts that there are, in their order."""
    places = (Shard(1, 1), Shard(1, 2), Shard(2, 2))
    return [found for place in places if (found := load_part(bundle, place)) is not None]


def write_load_part(bundle: Bundle, record: LoadPart) -> None:
    """Write the part's file, whole or not at all; in one line, for it may hold many thousand numbers."""
    path = bundle.path / _file(Shard.parse(record.part))
    with disk_errors(path):
        path.parent.mkdir(exist_ok=True)
    write_text(path, record.model_dump_json() + "\n")


def _file(part: Shard) -> Path:
    return LOAD_FOLDER / f"{part.number}-of-{part.of}.json"
