"""A load that does not fit its call, suite or policy is told before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.pipeline.loaded_service import LOAD, RULES, loaded_files

from penstock.contract.check import check_repository
from penstock.contract.load import load_contract, load_suite
from penstock.contract.load_faults import sent_calls, sent_cases
from penstock.contract.models import Contract, suite_model
from penstock.contract.request import http_of
from penstock.families.registry import directions
from penstock.foundation.errors import UsageError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, content in loaded_files(LOAD, {}).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return tmp_path


def told(root: Path, *, warnings: bool = False, **changes: Any) -> list[str]:
    """The faults of the contract with sections in place of its own."""
    file = root / "penstock.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text(encoding="utf-8")) | changes), encoding="utf-8")
    found = check_repository(root, metrics=directions()).faults
    return [str(fault) for fault in found if fault.warning == warnings]


def rules(*more: dict[str, Any], **policy: Any) -> dict[str, Any]:
    return {"rules": [*RULES[:1], *more], **policy}


def test_a_load_that_fits_is_no_fault(root: Path) -> None:
    assert told(root) == []
    assert told(root, load={"rate": 5}) == []
    assert told(root, policy=rules({"metric": "throughput", "min": 5}), load=LOAD | {"concurrency": 2}) == []


@pytest.mark.parametrize(
    ("load", "said"),
    [
        ({"slice": "hair"}, "load.slice: no case carries the slice 'hair'"),
        ({"call": "compare"}, "load.call: there is no call 'compare'"),
        ({"rate": "5"}, "load.rate"),
        ({"rate": [5.0, "x"]}, "load.rate"),
        ({"rte": 5}, "load.rte: unknown field 'rte'. Did you mean 'rate'?"),
        ({"rate": 2000.0, "seconds": 600.0}, "load: these are 1,200,400 requests; at most 200,000 are put"),
    ],
)
def test_a_load_that_does_not_fit_is_told(root: Path, load: dict[str, Any], said: str) -> None:
    (fault,) = told(root, load=LOAD | load)
    assert said in fault


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (
            {"metric": "load_p95_ms", "max": 300.0, "confidence": 0.95},
            "a maximum of 'load_p95_ms' with 95 % confidence needs at least 59 requests, and 'load' puts 40. "
            "Write 'seconds: 15' into 'load'",
        ),
        (
            {"metric": "load_p99_ms", "max": 300.0, "confidence": 0.99},
            "with 99 % confidence needs at least 459 requests, and 'load' puts 40",
        ),
        (
            {"metric": "throughput", "min": 5.0},
            "'throughput' is not measured: 'load' leaves it out. Write 'concurrency",
        ),
        ({"metric": "stop_lost", "max": 0.0}, "'stop_lost' is not measured: 'load' leaves it out. Write 'stop: true'"),
        ({"metric": "load_errors", "max": 0.0, "slice": "a"}, "one value for the whole suite: no case has one"),
        ({"metric": "latency", "max": 3.0, "confidence": 0.95}, "no upper bound of 'latency' is known"),
        ({"metric": "load_p95_ms", "margin": "5%", "confidence": 0.95}, "'confidence' is about a maximum"),
        ({"metric": "load_p95_ms", "max": 3.0, "confidence": 0.4}, "0.5"),
    ],
)
def test_a_rule_that_cannot_be_answered_is_told(root: Path, rule: dict[str, Any], said: str) -> None:
    load = {"rate": 4.0, "seconds": 10.0, "stop": False}
    faults = told(root, load=load, policy=rules(rule))
    assert any(said in fault for fault in faults), faults


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"metric": "load_p95_ms_at_10", "max": 300.0}, None),
        ({"metric": "load_p95_ms_at_10", "max": 300.0, "confidence": 0.95}, None),
        (
            {"metric": "load_p95_ms_at_2", "max": 300.0, "confidence": 0.95},
            "of 'load_p95_ms_at_2' with 95 % confidence needs at least 59 requests, and 'load' puts 20. "
            "Write 'seconds: 30' into 'load'",
        ),
        (
            {"metric": "load_p95_ms_at_7.5", "max": 300.0},
            "'load_p95_ms_at_7.5' is not measured: 'load' leaves it out. Rates that are put have load_p95_ms (the "
            "first), load_p95_ms_at_2, load_p95_ms_at_10. Write 'rate: [4, 2, 10, 7.5]'",
        ),
        ({"metric": "load_p95_ms_at_4", "max": 300.0}, "At the first rate it is 'load_p95_ms'"),
        ({"metric": "load_errors_at_10", "max": 0.0, "slice": "a"}, "one value for the whole suite"),
        ({"metric": "load_p95_ms_at_10", "max": 3.0, "direction": "higher"}, "lower is better"),
        ({"metric": "saturated_p95_ms", "max": 3.0}, "Write 'concurrency: 8' into 'load'"),
        ({"metric": "oom_recovered", "min": 1.0}, "Write 'oom: true' into 'load'"),
    ],
)
def test_rules_for_other_rates(root: Path, rule: dict[str, Any], said: str | None) -> None:
    load = {"rate": [4.0, 2.0, 10.0], "seconds": 10.0, "oom": False}
    faults = told(root, load=load, policy=rules(rule))
    assert (faults == []) if said is None else any(said in fault for fault in faults), faults
    warnings = told(root, load=load, policy=rules(rule), warnings=True)
    assert said is not None or not [text for text in warnings if "unknown metric" in text]


def test_a_program_takes_no_requests(root: Path) -> None:
    command = {"command": {"argv": ["x", "{image}", "{output}"]}}
    assert any("a program takes no requests" in fault for fault in told(root, call=command))


def test_a_rule_for_a_load_that_is_not_there(root: Path) -> None:
    first, second, third = told(root, load=None)
    assert "'load_p95_ms' is measured under load, and the contract has no 'load'" in first
    assert "memory_growth" in second
    assert "file_growth" in third


def test_a_stored_value_may_be_of_another_machine(root: Path) -> None:
    rule = {"metric": "load_p95_ms", "margin": "10%"}
    (warning,) = (text for text in told(root, warnings=True, policy=rules(rule)) if "load_p95_ms" in text)
    assert "Write 'baseline: rerun' into the policy" in warning
    assert not [text for text in told(root, warnings=True, policy=rules(rule, baseline="rerun")) if "load_p95" in text]


def test_requests_are_made_of_cases_that_the_model_must_answer(root: Path) -> None:
    contract = load_contract(root)
    suite = load_suite(root, contract)
    assert contract.load is not None
    assert [case.name for case in sent_cases(contract.load, suite, http_of(contract))] == ["one"]
    refused = suite.cases[0].model_copy(update={"expect": {"status": 422}})
    with pytest.raises(UsageError, match="there is none"):
        sent_cases(contract.load, suite.model_copy(update={"cases": [refused]}), http_of(contract))


def test_each_case_sends_the_calls_that_it_takes() -> None:
    call = {"preset": "face-ood", "http": {"argv": ["serve"]}}
    made = {"version": 1, "name": "faces", "family": "face", "call": call, "suite": "suite", "load": {"rate": 5}}
    contract = Contract.model_validate(made | {"policy": rules()})
    image = {"name": "one", "inputs": {"image": "a.png"}}
    pair = {"name": "two", "inputs": {"first": "a.png", "second": "b.png"}, "same": True}
    suite = suite_model("face").model_validate({"version": 1, "family": "face", "cases": [image, pair]})
    http, load = http_of(contract), contract.load
    assert load is not None
    assert [sent_calls(load, http, case) for case in suite.cases] == [["feature"], ["compare"]]
    only = load.model_copy(update={"call": "compare"})
    assert [case.name for case in sent_cases(only, suite, http)] == ["two"]
    assert [case.name for case in sent_cases(load, suite, http)] == ["one", "two"]
    with pytest.raises(UsageError, match="no case takes the call 'compare'"):
        sent_cases(only, suite.model_copy(update={"cases": suite.cases[:1]}), http)


@pytest.mark.parametrize("rate", [1e-307, 0.001])
def test_a_rate_that_puts_no_request_is_told(root: Path, rate: float) -> None:
    rule = {"metric": "load_p95_ms", "max": 300.0, "confidence": 0.95}
    none, few = told(root, load={"rate": rate}, policy=rules(rule))
    assert "load.rate: 'load' puts no request" in none
    assert "needs at least 59 requests, and 'load' puts 0. Raise the rate of 'load'" in few
