"""What was kept of a load becomes values, with what their bounds and changes are taken from."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from penstock.bundle.directory import Bundle
from penstock.bundle.load_record import (
    LoadPart,
    MemoryLine,
    MixedRecord,
    OomRecord,
    OverloadRecord,
    RateRecord,
    RecoveryRecord,
    RequestLine,
    SaturationRecord,
    StartRecord,
    StopRecord,
)
from penstock.bundle.models import Measurement
from penstock.contract.policy import Rule
from penstock.contract.serving import Load
from penstock.evaluation.load_values import add_load_values, load_values
from penstock.gating.measurements import Table
from penstock.gating.rules import conclude, examine

LOAD = Load(rate=10.0, seconds=10.0, warmup_s=1.0, concurrency=4)


def line(latencies: list[float], endings: list[int] | None = None, **more: Any) -> RequestLine:
    """10 requests of the warm-up, which nothing may count, then these."""
    endings = [3] * 10 + (endings or [1] * len(latencies))
    latencies = [9999.0] * 10 + latencies
    due = [round(index / 10, 4) for index in range(len(latencies))]
    return RequestLine(due_s=due, latency_ms=latencies, ending=endings, status=[200] * len(due), **more)


def part(text: str = "1/1", **more: Any) -> LoadPart:
    fixed = {"part": text, "rate": 10.0, "seconds": 10.0, "warmup_s": 1.0, "timeout_s": 10.0}
    start = StartRecord(ready_s=2.0, true_s=2.0)
    return LoadPart.model_validate(fixed | {"start": start, "requests": line([5.0] * 100)} | more)


def values(*parts: LoadPart, load: Load = LOAD) -> dict[str, Measurement]:
    return {found.metric: found for found in load_values(load, parts)}


def test_percentiles_are_ranks_and_keep_what_their_bounds_need() -> None:
    latencies = [float(number) for number in range(1, 101)]
    random.Random(1).shuffle(latencies)
    found = values(part(requests=line(latencies)))
    assert [found[f"load_p{share}_ms"].value for share in (50, 95, 99)] == [50.0, 95.0, 99.0]
    tail = found["load_p95_ms"].tail
    assert tail is not None
    assert (tail.quantile, tail.count, tail.values) == (0.95, 100, [95.0, 96.0, 97.0, 98.0, 99.0, 100.0])
    assert found["load_errors"].value == 0


def test_what_failed_ranks_last_with_the_whole_timeout() -> None:
    endings = [1] * 94 + [3] * 4 + [2] * 2
    found = values(part(requests=line([5.0] * 94 + [0.1] * 6, endings, samples={"status": "the service answered 500"})))
    assert (found["load_p50_ms"].value, found["load_p95_ms"].value) == (5.0, 10_000.0)
    assert (found["load_errors"].value, found["load_dropped"].value) == (4, 2)
    assert found["load_errors"].error == "the service answered 500"


def test_halves_are_one_sample() -> None:
    found = values(part("1/2", requests=line([5.0] * 50)), part("2/2", requests=line([7.0] * 50)))
    assert (found["load_p50_ms"].value, found["load_p95_ms"].value) == (5.0, 7.0)
    assert found["load_p95_ms"].tail is not None
    assert found["load_p95_ms"].tail.count == 100
    assert found["startup_s"].value == 2.0


def changed(ours: list[float], theirs: list[float]) -> str:
    sides = [values(part(requests=line(latencies)))["load_p50_ms"] for latencies in (ours, theirs)]
    candidate, baseline = (Table(name, [side]) for name, side in zip(("candidate", "baseline"), sides, strict=True))
    rule = Rule.model_validate({"metric": "load_p50_ms", "margin": "10%"})
    return conclude(examine(rule, candidate, baseline, lambda _, base: 0.1 * base), 0.05, None).verdict


@pytest.mark.slow
def test_a_change_is_told_from_noise_by_the_same_resamples_on_both_sides() -> None:
    draws = random.Random(3)

    def noisy(mean: float) -> list[float]:
        return [draws.gauss(mean, 3.0) for _ in range(200)]

    assert changed(noisy(50.0), noisy(50.0)) == "pass"
    assert changed(noisy(70.0), noisy(50.0)) == "fail"
    first = values(part(requests=line(noisy(50.0))))["load_p50_ms"].resamples
    second = values(part(requests=line(noisy(60.0))))["load_p50_ms"].resamples
    assert first is not None
    assert second is not None
    assert (first.key, first.cases, len(first.values)) == (second.key, 200, 1000)


def test_each_other_rate_has_values_of_its_own() -> None:
    load = Load.model_validate({"rate": [10, 2, 20], "seconds": 10, "warmup_s": 1})
    slow = RateRecord(rate=20.0, requests=line([50.0] * 100, [1] * 98 + [3, 2], samples={"status": "503"}))
    fast = RateRecord(rate=2.0, requests=line([4.0] * 20))
    found = values(part(at_rates=[fast, slow]), load=load)
    assert [found[f"load_p95_ms{at}"].value for at in ("", "_at_2", "_at_20")] == [5.0, 4.0, 50.0]
    assert (found["load_errors_at_20"].value, found["load_dropped_at_20"].value) == (1.0, 1.0)
    assert found["load_p99_ms_at_20"].value == 10_000.0
    assert found["load_p95_ms_at_20"].unit == "ms"
    tail = found["load_p95_ms_at_20"].tail
    assert tail is not None
    assert tail.count == 100
    assert found["load_p95_ms_at_20"].resamples is not None
    halves = [part(f"{number}/2", at_rates=[fast]) for number in (1, 2)]
    both = values(*halves, load=load)
    assert both["load_p95_ms_at_2"].tail is not None
    assert both["load_p95_ms_at_2"].tail.count == 40
    died = values(part(at_rates=[fast], fault="at 20 requests a second the service exited"), load=load)
    assert died["load_p95_ms_at_20"].error == "at 20 requests a second the service exited"
    assert died["load_p95_ms_at_2"].value == 4.0


def test_a_leak_and_memory_that_is_taken_once() -> None:
    at = [0.5 + index * 0.05 for index in range(220)]
    done = [int(10 * when) for when in at]
    leak = MemoryLine(at_s=at, done=done, mib=[100 + 2.0 * count for count in done])
    found = values(part(memory=leak))["memory_growth"]
    assert found.value == pytest.approx(2000, rel=0.05)
    assert found.standard_error is not None
    assert found.standard_error.freedom == 8
    once = leak.model_copy(update={"mib": [100.0 if when < 5 else 180.0 for when in at]})
    taken = values(part(memory=once))["memory_growth"]
    assert taken.value is not None
    assert taken.standard_error is not None
    assert taken.value - 2.306 * taken.standard_error.error <= 0
    both = values(part("1/2", memory=leak), part("2/2", memory=leak))["memory_growth"]
    assert (both.value, both.standard_error and both.standard_error.freedom) == (found.value, 16)
    assert "too few" in (values(part())["memory_growth"].error or "")


def test_files_that_grow_and_a_service_that_writes_none() -> None:
    at = [0.5 + index * 0.05 for index in range(220)]
    done = [int(10 * when) for when in at]
    log = MemoryLine(at_s=at, done=done, mib=[0.5 * count for count in done])
    assert values(part(files=log))["file_growth"].value == pytest.approx(500, rel=0.05)
    none = values(part(files=log.model_copy(update={"mib": [0.0] * len(at)})))["file_growth"]
    assert (none.value, none.error) == (0.0, None)
    assert "too few samples of its files" in (values(part())["file_growth"].error or "")


def test_gpu_memory_is_measured_where_there_is_a_card_and_said_where_a_rule_asks() -> None:
    at = [0.5 + index * 0.05 for index in range(220)]
    done = [int(10 * when) for when in at]
    leak = MemoryLine(at_s=at, done=done, mib=[1000 + 3.0 * count for count in done])
    found = values(part(gpu_memory=leak))["gpu_memory_growth"]
    assert found.value == pytest.approx(3000, rel=0.05)
    assert found.standard_error is not None
    assert "gpu_memory_growth" not in values(part())
    (asked,) = (value for value in load_values(LOAD, [part()], ["gpu_memory_growth"]) if value.metric.startswith("gpu"))
    assert (asked.value, asked.error) == (
        None,
        "not measured: no NVIDIA card was there, or the service held nothing of its memory",
    )
    half = [part("1/2", gpu_memory=leak), part("2/2")]
    assert "too few" in (values(*half)["gpu_memory_growth"].error or "")


def test_what_a_lie_costs() -> None:
    start = StartRecord(ready_s=0.1, true_s=3.0, too_early="the service answered 500")
    found = values(part(start=start))
    assert (found["early_ready"].value, found["startup_s"].value) == (1.0, 3.0)
    assert found["early_ready"].error == (
        "it said that it was ready after 0.1 s, and was not: the service answered 500"
    )
    assert values(part())["early_ready"].value == 0.0


def test_what_it_did_when_it_was_harmed() -> None:
    good = part(
        saturation=SaturationRecord(concurrency=4, throughput=77.5, p50_ms=0.5, p95_ms=1.0, p99_ms=2.0, errors=0),
        mixed=MixedRecord(requests=2, at_once=2, answered=8, wrong=0, refused=0, failed=0),
        oom=OomRecord(problem=None, killed="one of 2 processes", by_itself=True, ready_s=0.5),
        overload=OverloadRecord(problem=None, refused=3, good=10),
        stop=StopRecord(sent=20, lost=0, ended_s=0.2),
        recovery=RecoveryRecord(problem=None, ready_s=1.0),
    )
    found = {name: value.value for name, value in values(good).items()}
    names = ("throughput", "overload", "stop_lost", "recovered")
    assert [found[name] for name in names] == [77.5, 0.0, 0.0, 1.0]
    assert [found[f"saturated_p{share}_ms"] for share in (50, 95, 99)] == [0.5, 1.0, 2.0]
    assert (found["mixed_answers"], found["oom_recovered"]) == (0.0, 1.0)
    bad = good.model_copy(
        update={
            "overload": OverloadRecord(problem="it took no connections", refused=0, good=0),
            "stop": StopRecord(sent=20, lost=2, sample="the connection was reset", ended_s=0.2),
            "recovery": RecoveryRecord(problem="the service exited with code 1"),
        }
    )
    told = {name: (value.value, value.error) for name, value in values(bad).items() if name in names[1:]}
    assert told == {
        "overload": (1.0, "it took no connections"),
        "stop_lost": (2.0, "the connection was reset"),
        "recovered": (0.0, "the service exited with code 1"),
    }
    mixed = MixedRecord(requests=2, at_once=2, answered=8, wrong=3, refused=0, failed=0, sample="another's")
    oom = OomRecord(problem="left alone", killed="one of 2 processes", by_itself=True)
    worse = values(good.model_copy(update={"mixed": mixed, "oom": oom}))
    assert (worse["mixed_answers"].value, worse["mixed_answers"].error) == (
        3.0,
        "of 8 answers, 2 requests at a time; one was another's",
    )
    assert (worse["oom_recovered"].value, worse["oom_recovered"].error) == (0.0, "left alone")
    unlike = values(good.model_copy(update={"mixed": mixed.model_copy(update={"requests": 0})}))["mixed_answers"]
    assert unlike.value == 0.0
    assert "nothing could be compared" in (unlike.error or "")
    deaf = good.model_copy(update={"stop": StopRecord(sent=20, lost=0)})
    assert values(deaf)["stop_lost"].value is None
    assert "did not end after SIGTERM" in (values(deaf)["stop_lost"].error or "")


def test_a_service_that_never_came_has_one_reason_for_all() -> None:
    fault = "the service was not ready after 20 s: nothing answered on its port"
    start = StartRecord(ready_s=None, true_s=None)
    found = values(part(fault=fault, start=start, requests=None))
    told = {name for name, value in found.items() if value.value is None and value.error == fault}
    assert told == set(LOAD.measured) - {"gpu_memory_growth"}
    asked = {value.metric: value for value in load_values(LOAD, [part(fault=fault, start=start, requests=None)], told)}
    assert asked.keys() == told


def test_they_take_the_place_of_earlier_ones(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path)
    bundle.write_measurements(
        [Measurement(case="a", metric="latency", value=1.0), Measurement(case="*", metric="load_p50_ms", value=1.0)]
    )
    add_load_values(bundle, LOAD, [part()], ["load_p50_ms", "gpu_memory_growth"])
    add_load_values(bundle, LOAD, [part()], ["load_p50_ms"])
    found = bundle.measurements()
    measured = [name for name in LOAD.measured if name != "gpu_memory_growth"]
    assert [measurement.metric for measurement in found] == ["latency", *measured]
    assert found[1].value == 5.0
