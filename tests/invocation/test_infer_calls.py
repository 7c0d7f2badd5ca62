"""Cases of several calls, cases that must be refused, and several cases at a time: put to a real service."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from tests.invocation.conftest import contract_of
from tests.invocation.json_answers import JSON_ANSWERS

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation
from penstock.contract.models import Case, Contract, Suite
from penstock.evaluation.concurrent_calls import Called, called_at_once
from penstock.evaluation.infer import infer
from penstock.evaluation.refusals import split_refusals, wrongly_accepted

SERVICE = (
    JSON_ANSWERS
    + """
import os, sys, threading, time
lock, now, most, seen = threading.Lock(), 0, 0, []
class Handler(JsonHandler):
    def do_GET(self): self.answer(200, {})
    def do_POST(self):
        global now, most
        order = self.asked()["order"]
        with lock:
            now += 1
            most = max(most, now)
            seen.append(order)
        try:
            if order == "die": os._exit(3)
            if order == "hang": time.sleep(600)
            if order == "refuse" or order == "refuse-compare" and self.path == "/compare":
                return self.answer(422, {"code": "no_face"})
            if order == "broken": return self.answer(500, {"code": "oh"})
            if order.startswith("slow"): time.sleep(0.3)
            self.answer(200, {"path": self.path, "order": order, "most": most, "calls": len(seen)})
        finally:
            with lock: now -= 1
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
)
ONE = {"path": "/one", "body": {"json": {"order": "{order}"}}, "response": "application/json"}
PAIR = {"calls": {name: {**ONE, "path": f"/{name}"} for name in ("first", "second", "compare")}}


class Work:
    """A repository with the service, and a bundle."""

    def __init__(self, folder: Path) -> None:
        self.source = folder / "source"
        (self.source / "suite").mkdir(parents=True)
        (self.source / "service.py").write_text(SERVICE, encoding="utf-8")
        self.bundle = Bundle(folder / "bundle")
        self.folder = folder

    def contract(self, http: dict[str, Any], timeout_s: float = 5.0) -> Contract:
        call = {"http": {"argv": ["python", "service.py", "{port}"], **http}, "timeout_s": timeout_s, "warmup": 0}
        return contract_of(call)

    def infer(self, contract: Contract, *orders: str, **expects: Any) -> list[Invocation]:
        suite = suite_of(*orders, **expects)
        return infer(contract, suite, self.source, self.bundle, temporary=self.folder)

    def output(self, record: Invocation, name: str = "output") -> Any:
        return json.loads((self.bundle.outputs / record.case / f"{name}.json").read_bytes())


def suite_of(*orders: str, **expects: Any) -> Suite:
    cases = [
        Case(name=f"c{index}-{order}", inputs={}, parameters={"order": order}, expect=expects.get(f"c{index}"))
        for index, order in enumerate(orders)
    ]
    return Suite(version=1, family="talking-head", cases=cases)


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path)


def test_several_calls_have_outputs_and_records_of_their_own(work: Work) -> None:
    good, bad, after = work.infer(work.contract(PAIR), "ok", "broken", "ok")
    assert [(call.name, call.output) for call in good.calls] == [
        (name, f"outputs/c0-ok/{name}.json") for name in ("first", "second", "compare")
    ]
    assert [work.output(good, name)["path"] for name in ("first", "second", "compare")] == [
        "/first",
        "/second",
        "/compare",
    ]
    assert (good.output, good.complete, len(good.outputs)) == (None, True, 3)
    assert good.latency_s == pytest.approx(sum(call.latency_s or 0.0 for call in good.calls))
    # the case ends with the first call that is not answered
    assert (bad.status, bad.http_status, [call.name for call in bad.calls]) == ("failed", 500, ["first"])
    assert not (work.bundle.outputs / bad.case).exists()
    assert after.status == "ok"
    assert work.bundle.invocations() == [good, bad, after]
    resumed = work.infer(work.contract(PAIR), "ok", "broken", "ok")
    assert resumed == [good, bad, after]
    (work.bundle.outputs / good.case / "second.json").unlink()
    assert work.infer(work.contract(PAIR), "ok", "broken", "ok")[0].started != good.started


def test_what_must_be_refused(work: Work) -> None:
    expects = {"c0": {"status": 422, "json": {"$.code": "no_face"}}, "c1": {"status": "4xx"}, "c2": {"status": 422}}
    orders = ("refuse", "ok", "broken", "ok")
    records = work.infer(work.contract(ONE), *orders, **expects)
    assert [(record.status, record.refusal) for record in records] == [
        ("ok", "as_expected"),
        ("failed", "accepted"),
        ("failed", "otherwise"),
        ("ok", None),
    ]
    assert records[1].error == "the model accepted what it must refuse: the model answered 200 where 4xx was expected"
    assert [record.outputs for record in records] == [[], [], [], ["outputs/c3-ok/output.json"]]
    assert records[0].complete
    assert sorted(path.name for path in work.bundle.outputs.iterdir()) == ["c3-ok"]
    answered, refused = split_refusals(suite_of(*orders, **expects))
    assert [case.name for case in answered.cases] == ["c3-ok"]
    lines = list(wrongly_accepted(refused, {record.case: record for record in records}))
    assert [(line.case, line.value) for line in lines] == [("c0-refuse", 0.0), ("c1-ok", 1.0), ("c2-broken", None)]
    assert lines[2].error == records[2].error


def test_a_model_that_dies_has_not_refused(work: Work) -> None:
    (died,) = work.infer(work.contract(ONE), "die", c0={"status": 422})
    assert (died.status, died.refusal) == ("failed", "otherwise")


def test_one_of_several_calls_must_be_refused(work: Work) -> None:
    expect = {"call": "compare", "status": 422}
    refused, early = work.infer(work.contract(PAIR), "refuse-compare", "refuse", c0=expect, c1=expect)
    assert (refused.status, refused.refusal) == ("ok", "as_expected")
    assert [(call.name, call.refusal) for call in refused.calls] == [
        ("first", None),
        ("second", None),
        ("compare", "as_expected"),
    ]
    assert refused.outputs == ["outputs/c0-refuse-compare/first.json", "outputs/c0-refuse-compare/second.json"]
    assert (early.status, early.refusal, len(early.calls)) == ("failed", "otherwise", 1)


def test_several_at_a_time_give_the_same_records_in_the_same_order(work: Work, tmp_path: Path) -> None:
    orders = ("slow-0", "ok", "broken", "slow-1", "ok", "slow-2", "ok", "ok")
    begin = time.monotonic()
    records = work.infer(work.contract({**ONE, "concurrency": 4}), *orders)
    assert time.monotonic() - begin < 10
    assert [record.case for record in records] == [f"c{index}-{order}" for index, order in enumerate(orders)]
    assert work.bundle.invocations() == records
    most = [work.output(record)["most"] for record in records if record.status == "ok"]
    assert max(most) == 4  # never more than the contract says
    one_at_a_time = Work(tmp_path / "again").infer(work.contract(ONE), *orders)
    timed = {"latency_s", "started", "peak_memory_mib", "warm"}
    assert [record.model_dump(exclude=timed) for record in records] == [
        record.model_dump(exclude=timed) for record in one_at_a_time
    ]


@pytest.mark.parametrize(("order", "status"), [("die", "failed"), ("hang", "timeout")])
def test_who_ends_a_service_is_found_by_calling_again_alone(work: Work, order: str, status: str) -> None:
    orders = ("slow-0", "slow-1", order, "slow-2", "ok", "ok", "ok")
    records = work.infer(work.contract({**ONE, "concurrency": 4}, timeout_s=1.5), *orders)
    assert [record.status for record in records] == ["ok", "ok", status, "ok", "ok", "ok", "ok"]
    assert [record.case for record in work.bundle.invocations()] == [record.case for record in records]
    assert records[2].attempts == 2


def record_of(case: Case) -> Invocation:
    return Invocation(case=case.name, status="ok")


def test_records_come_in_order_whatever_finishes_first() -> None:
    cases = suite_of(*"abcdef").cases
    first_may_end = threading.Event()

    def call(case: Case) -> Called:
        if case is cases[0]:
            assert first_may_end.wait(10)
        if case is cases[3]:
            first_may_end.set()
        return Called(record_of(case), broken_off=False)

    assert [case.name for case, _ in called_at_once(cases, call, 2)] == [case.name for case in cases]


def test_nothing_is_begun_after_a_call_that_broke_off() -> None:
    cases = suite_of(*"abcdef").cases
    begun: list[str] = []

    def call(case: Case) -> Called:
        begun.append(case.name)
        return Called(record_of(case), broken_off=case is cases[1])

    yielded = list(called_at_once(cases, call, 2))
    assert len(begun) < len(cases)
    assert sorted(case.name for case, _ in yielded) == sorted(begun)
    assert [case.name for case, record in yielded if record is None] == [cases[1].name]


def test_an_error_of_ours_is_not_swallowed() -> None:
    def call(_case: Case) -> Called:
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        list(called_at_once(suite_of(*"ab").cases, call, 2))
