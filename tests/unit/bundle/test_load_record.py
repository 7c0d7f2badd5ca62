"""``load/*.json`` is read as it was written, in one line."""

from __future__ import annotations

from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.load_record import LoadPart, RequestLine, StartRecord, load_part, load_parts, write_load_part
from penstock.bundle.shards import Shard

PART = LoadPart(
    part="1/2",
    rate=5.0,
    seconds=10.0,
    warmup_s=2.0,
    timeout_s=10.0,
    start=StartRecord(ready_s=1.0, true_s=1.5, not_ready_statuses=[503], too_early="the service answered 500"),
    requests=RequestLine(due_s=[0.0, 0.2], latency_ms=[3.5, 4.0], ending=[1, 3], status=[200, 500]),
)


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path)
    assert load_part(bundle, Shard(1, 2)) is None
    other = PART.model_copy(update={"part": "2/2", "fault": "the service exited with code 3"})
    write_load_part(bundle, other)
    write_load_part(bundle, PART)
    assert load_part(bundle, Shard(1, 2)) == PART
    assert load_parts(bundle) == [PART, other]
    text = (tmp_path / "load" / "1-of-2.json").read_text(encoding="utf-8")
    assert text.count("\n") == 1


def test_one_that_an_older_version_wrote_is_read(tmp_path: Path) -> None:
    """Before there were several rates, requests at the same time, a card's memory and out of memory."""
    (tmp_path / "load").mkdir()
    saturation = '{"concurrency": 4, "throughput": 50.0, "p95_ms": 2.0, "errors": 0}'
    text = f'{{"part": "1/1", "rate": 5, "seconds": 10, "warmup_s": 2, "timeout_s": 10, "saturation": {saturation}}}'
    (tmp_path / "load" / "1-of-1.json").write_text(text, encoding="utf-8")
    (found,) = load_parts(Bundle(tmp_path))
    assert (found.at_rates, found.gpu_memory, found.mixed, found.oom) == ([], None, None, None)
    assert found.saturation is not None
    assert (found.saturation.p50_ms, found.saturation.p95_ms, found.saturation.p99_ms) == (None, 2.0, None)
