"""What the report says of a service under load."""

from __future__ import annotations

from pathlib import Path

from tests.unit.report.load_parts import load_part

from penstock.bundle.directory import Bundle
from penstock.bundle.load_record import MixedRecord, OomRecord, RateRecord, SaturationRecord, write_load_part
from penstock.report.load_section import load_section, measured


def bundle(folder: Path, *parts: object) -> Bundle:
    folder.mkdir(parents=True, exist_ok=True)
    for part in parts:
        write_load_part(Bundle(folder), part)  # type: ignore[arg-type]
    return Bundle(folder)


def test_a_service_that_was_not_put_under_load(tmp_path: Path) -> None:
    assert load_section(bundle(tmp_path), None) is None


def test_what_was_done_and_what_came_of_it(tmp_path: Path) -> None:
    section = load_section(bundle(tmp_path, load_part(lost=(100, 101))), None)
    assert section is not None
    assert (section.facts, section.fault, section.beside) == ("10 requests a second for 20 s", None, False)
    assert section.rows == [
        ("without a good answer", "2 of 200 requests"),
        ("memory growth", section.rows[1][1]),
        ("start", "ready after 1.2 s, first answer after 1.5 s"),
        ("GPU memory", "not measured: no NVIDIA card was there, or the service held nothing of its memory"),
        ("twice the rate", "88 answered, 12 refused in words"),
        ("SIGTERM under load", "1 of 9 requests lost (connection reset); ended after 0.3 s"),
        ("kill -9", "answered again after 1.4 s"),
    ]
    assert "MiB for each 1,000 requests (" in section.rows[1][1]
    assert section.samples == [("status", "500 <Internal>")]
    assert [chart.title for chart in section.charts] == [
        "Latency while it went on",
        "How it is distributed",
        "Memory by requests answered",
    ]
    assert "2 requests without a good answer" in section.charts[0].words


def test_several_rates_are_a_chart_and_a_line_each(tmp_path: Path) -> None:
    part = load_part()
    line = part.requests
    assert line is not None
    slow = line.model_copy(update={"latency_ms": [3 * value for value in line.latency_ms]})
    several = part.model_copy(
        update={"at_rates": [RateRecord(rate=20, requests=slow), RateRecord(rate=5, requests=line)]}
    )
    section = load_section(bundle(tmp_path / "a", several), bundle(tmp_path / "b", several))
    assert section is not None
    assert section.facts == "10, 20 and 5 requests a second, each for 20 s"
    assert [name for name, _ in section.rows[:3]] == ["5 a second", "10 a second", "20 a second"]
    assert section.rows[2][1].startswith("P50 6")
    assert section.rows[2][1].endswith(" ms; 0 without a good answer")
    chart = section.charts[2]
    assert chart.title == "By requests a second: P95 thick, P50 and P99 thin"
    assert [curve.kind for curve in chart.curves] == [
        *("candidate worst", "candidate", "candidate worst"),
        *("baseline worst", "baseline", "baseline worst"),
    ]
    assert [tick.label for tick in chart.below] == ["5", "10", "20"]
    assert [len(curve.points.split()) for curve in chart.curves] == [3] * 6


def test_requests_at_the_same_time_and_out_of_memory(tmp_path: Path) -> None:
    mixed = MixedRecord(requests=2, at_once=2, answered=6, wrong=1, refused=2, failed=0, sample="another's")
    oom = OomRecord(problem=None, killed="one of 2 processes, with 50 MiB", by_itself=True, ready_s=0.5)
    most = SaturationRecord(concurrency=4, throughput=50.0, p50_ms=1.0, p95_ms=2.0, p99_ms=3.0, errors=0)
    part = load_part().model_copy(update={"mixed": mixed, "oom": oom, "saturation": most})
    section = load_section(bundle(tmp_path, part), None)
    assert section is not None
    rows = dict(section.rows)
    assert rows["at the same time"] == "2 requests: 1 of 6 answers wrong (another's); 2 refused, 0 failed"
    assert rows["out of memory"] == ("killed: one of 2 processes, with 50 MiB; answered again after 0.5 s, by itself")
    assert rows["4 at a time"] == "50.0 answers a second; P50 1.0, P95 2.0, P99 3.0 ms; 0 errors"
    old = part.model_copy(update={"saturation": most.model_copy(update={"p50_ms": None})})
    section = load_section(bundle(tmp_path, old), None)
    assert section is not None
    assert dict(section.rows)["4 at a time"] == "50.0 answers a second; 0 errors"


def test_memory_of_a_card_has_a_chart_of_its_own(tmp_path: Path) -> None:
    part = load_part()
    section = load_section(bundle(tmp_path, part.model_copy(update={"gpu_memory": part.memory})), None)
    assert section is not None
    assert [chart.title for chart in section.charts[2:]] == [
        "Memory by requests answered",
        "GPU memory by requests answered",
    ]
    assert "GPU memory" not in dict(section.rows)


def test_files_have_a_chart_where_a_service_writes_any(tmp_path: Path) -> None:
    part = load_part()
    section = load_section(bundle(tmp_path / "a", part.model_copy(update={"files": part.memory})), None)
    assert section is not None
    assert section.charts[-1].title == "Files by requests answered"
    assert dict(section.rows)["growth of files"] == dict(section.rows)["memory growth"]
    assert part.memory is not None
    none = part.memory.model_copy(update={"mib": [0.0] * len(part.memory.mib)})
    section = load_section(bundle(tmp_path / "b", part.model_copy(update={"files": none})), None)
    assert section is not None
    assert section.charts[-1].title == "Memory by requests answered"
    assert dict(section.rows)["growth of files"] == "0.0 MiB for each 1,000 requests (0.0 to 0.0)"


def test_the_released_model_beside_it_in_two_parts(tmp_path: Path) -> None:
    halves = [load_part("1/2"), load_part("2/2")]
    section = load_section(bundle(tmp_path / "a", *halves), bundle(tmp_path / "b", *halves))
    assert section is not None
    assert section.beside
    assert section.facts == "10 requests a second for 40 s"
    # each half has a service of its own, and a line of its own
    kinds = [curve.kind for curve in section.charts[2].curves if not curve.kind.endswith("slope")]
    assert kinds == ["candidate"] * 2 + ["baseline"] * 2
    found = measured(halves)
    assert len(found.at_s) == 400
    assert found.at_s == sorted(found.at_s)
    assert found.at_s[0] == 0.0
    assert found.at_s[-1] < 40


def test_requests_without_a_good_answer_took_the_whole_timeout() -> None:
    found = measured([load_part(lost=(50,))])
    assert max(found.latency_ms) == 10_000
    assert found.good.count(False) == 1


def test_a_service_that_lied_and_died(tmp_path: Path) -> None:
    part = load_part()
    start = part.start
    assert start is not None
    early = start.model_copy(update={"too_early": "503 loading"})
    dead = {"start": early, "fault": "under load the service exited with 1"}
    gone = dict.fromkeys(("requests", "memory", "overload", "stop", "recovery"))
    section = load_section(bundle(tmp_path, part.model_copy(update=dead | gone)), None)
    assert section is not None
    assert section.rows == [("start", "said that it was ready after 1.2 s, and was not: 503 loading")]
    assert (section.fault, section.charts) == ("under load the service exited with 1", [])
