"""As many cases as there may be: work grows with them, not with their square, and records are added one by one."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from tests.unit.evaluation.conftest import Repository

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Inference, Invocation, ShardRecord
from penstock.bundle.shards import Shard, write_shard_record
from penstock.bundle.steps import begin, utc_now
from penstock.contract.models import Suite
from penstock.evaluation.collect import collect
from penstock.evaluation.infer import infer
from penstock.foundation.errors import UsageError

MANY = 3000


def suite_of(cases: int) -> Suite:
    entries = [{"name": f"case-{number}", "inputs": {"image": "face.png"}} for number in range(cases)]
    return Suite.model_validate({"version": 1, "family": "talking-head", "cases": entries})


@pytest.mark.slow
def test_shards_of_many_cases_are_merged_in_time_that_grows_with_them(tmp_path: Path) -> None:
    suite, bundle, parts = suite_of(MANY), Bundle(tmp_path / "bundle"), [Shard(1, 2), Shard(2, 2)]
    run = begin(bundle, run_id="r", track="release")
    bundle.update_run(run.model_copy(update={"inference": Inference(unchanged=False, parts=[str(p) for p in parts])}))
    for part in parts:
        shard = part.bundle(bundle)
        cases = part.of_all(suite.cases)
        shard.write_invocations(Invocation(case=case.name, status="failed", error="no") for case in cases)
        now = utc_now("milliseconds")
        write_shard_record(shard, ShardRecord(shard=str(part), cases=len(cases), started=now, ended=now))
    start = time.process_time()
    calls = collect(suite, bundle, cache=None)
    assert time.process_time() - start < 4  # it was 20 s when each case was looked for among all
    assert [call.case for call in calls] == [case.name for case in suite.cases]


def test_names_of_many_cases_are_compared_in_time_that_grows_with_them() -> None:
    start = time.process_time()
    suite_of(10_000)
    assert time.process_time() - start < 1.5
    with pytest.raises(ValueError, match="two cases are named 'a'"):
        Suite.model_validate(
            {"version": 1, "family": "talking-head", "cases": [{"name": name, "inputs": {}} for name in "aAb"]}
        )


@pytest.mark.slow
def test_records_are_added_and_written_whole_only_at_both_ends(repository: Repository, bundle: Bundle) -> None:
    whole: list[int] = []
    write = bundle.write_invocations

    def counted(records: Iterable[Invocation]) -> None:
        found = list(records)
        whole.append(len(found))
        write(found)

    bundle.write_invocations = counted  # type: ignore[method-assign,assignment]
    there: list[int] = []
    infer(
        repository.contract(warmup=0),
        repository.suite(*"abcd"),
        repository.path,
        bundle,
        on_progress=lambda *_: there.append(len(bundle.invocations())),
    )
    assert there == [1, 2, 3, 4]
    assert whole == [0, 4]


@pytest.mark.slow
def test_line_that_was_cut_off_is_left_out_and_its_case_done_again(repository: Repository, bundle: Bundle) -> None:
    contract, suite = repository.contract(warmup=0), repository.suite("a", "500", "b")
    first = infer(contract, suite, repository.path, bundle)
    lines = bundle.invocations_file.read_bytes().splitlines(keepends=True)
    bundle.invocations_file.write_bytes(b"".join(lines[:2]) + lines[2][:-20])
    heard: list[str] = []
    second = infer(contract, suite, repository.path, bundle, on_progress=lambda *what: heard.append(what[2][:6]))
    assert heard == ["case-2"]
    assert second[:2] == first[:2]
    assert [call.status for call in second] == ["ok", "failed", "ok"]
    assert bundle.invocations() == second


@pytest.mark.slow
def test_line_that_is_whole_and_wrong_is_an_error(repository: Repository, bundle: Bundle) -> None:
    contract, suite = repository.contract(warmup=0), repository.suite("a")
    infer(contract, suite, repository.path, bundle)
    bundle.invocations_file.write_bytes(b'{"case": "case-0", "sta\n')
    with pytest.raises(UsageError, match=r"invocations\.jsonl:1: not a valid record"):
        infer(contract, suite, repository.path, bundle)


@pytest.mark.slow
def test_records_are_in_the_order_of_the_suite_after_a_case_was_done_again(
    repository: Repository, bundle: Bundle
) -> None:
    contract, suite = repository.contract(warmup=0), repository.suite("a", "b", "a")
    infer(contract, suite, repository.path, bundle)
    (bundle.outputs / "case-0" / "output.mp4").unlink()
    infer(contract, suite, repository.path, bundle)
    assert [call.case for call in bundle.invocations()] == ["case-0", "case-1", "case-2"]
