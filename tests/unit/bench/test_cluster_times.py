"""How the cluster benchmark divides the time of a run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.bench.bench_cluster import Times, Work, began, table, union_s

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def at(second: float) -> datetime:
    return NOON + timedelta(seconds=second)


def test_steps_at_the_same_time_count_once() -> None:
    assert union_s([]) == 0
    assert union_s([(at(0), at(2)), (at(5), at(6))]) == 3
    assert union_s([(at(5), at(9)), (at(0), at(10)), (at(9), at(12))]) == 12


def test_the_rest_of_the_time_is_tekton_and_pods() -> None:
    work = (Work("clone", at(4), at(6)), Work("notify", at(20), at(21)), Work("enforce", at(20.5), at(21.5)))
    times = Times(wall_s=25, work=work, held_s=0, pull_s=0, used_s=0)
    assert (times.at_work_s, times.start_up_s) == (3.5, 21.5)
    assert (times.of("clone"), times.of("infer")) == (2, None)
    rows = table({"cold": times, "warm": times}).splitlines()
    assert "| steps at work | 3.5 s | 3.5 s |" in rows
    assert "| the same, share | 86 % | 86 % |" in rows
    assert "| card held | – | – |" in rows


def test_the_start_of_a_step_is_what_tekton_wrote_down() -> None:
    message = (
        '[{"key":"uri","value":"s3://store/runs/model/run","type":1},'
        '{"key":"StartedAt","value":"2026-01-01T12:00:05.990Z","type":3}]'
    )
    assert began(message) == at(5.99)
