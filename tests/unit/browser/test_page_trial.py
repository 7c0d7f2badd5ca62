"""What a visit leaves becomes evidence in the bundle, and one value among the measurements."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.browser.pictures import cut_out, png

from penstock.browser import page_trial
from penstock.browser.page_trial import add_page_value, try_page
from penstock.browser.visit_order import Visit
from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation, Measurement
from penstock.bundle.page_record import PageRecord, page_record
from penstock.contract.models import Contract, Suite

CONTRACT = {
    "version": 1,
    "name": "cut",
    "family": "talking-head",
    "call": {"preset": "rmbg", "http": {"argv": ["python", "serve.py", "{port}"]}},
    "page": {},
    "suite": "suite",
    "policy": {"rules": [{"metric": "latency", "max": 1.0}]},
}
SUITE = {"version": 1, "family": "talking-head", "cases": [{"name": "one", "inputs": {"image": "a.png"}}]}


class Tried:
    """A trial whose visit leaves what a test says."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.source, self.bundle = folder / "source", Bundle(folder / "bundle")
        (self.source / "suite").mkdir(parents=True)
        (self.bundle.outputs / "one").mkdir(parents=True)
        png(self.source / "suite" / "a.png", cut_out())
        self.leaves: dict[str, bytes] = {}
        self.visit = Visit(browser="Chromium 1")
        monkeypatch.setattr(page_trial, "visit_page", self._visit)

    def answered(self, *outputs: tuple[str, bytes]) -> None:
        for name, content in outputs:
            (self.bundle.outputs / "one" / name).write_bytes(content)
        (name, _), *_ = outputs
        call = Invocation(case="one", status="ok", output=f"outputs/one/{name}")
        self.bundle.write_invocations([call])

    def _visit(self, page: Any, port: int, inputs: dict[str, Path], target: Path) -> Visit:
        assert (port, inputs) == (4711, {"image": self.source / "suite" / "a.png"})
        for name, content in self.leaves.items():
            (target / name).write_bytes(content)
        return self.visit

    def __call__(self, **page: Any) -> PageRecord:
        contract = Contract.model_validate(CONTRACT | {"page": page})
        assert contract.page is not None
        return try_page(contract, contract.page, Suite.model_validate(SUITE), self.source, self.bundle, 4711)

    def files(self) -> list[str]:
        return sorted(path.name for path in (self.bundle.path / "page").iterdir())


@pytest.fixture
def tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tried:
    return Tried(tmp_path, monkeypatch)


def picture(tmp_path: Path, width: int = 8) -> bytes:
    return png(tmp_path / "picture.png", cut_out(width)).read_bytes()


def test_a_page_that_works_leaves_its_picture_and_no_trace(tried: Tried, tmp_path: Path) -> None:
    tried.answered(("output.png", picture(tmp_path)))
    tried.leaves = {"result": picture(tmp_path), "screenshot.png": b"s", "trace.zip": b"t"}
    record = tried()
    assert (record.case, record.fault, record.result) == ("one", None, "page/result.png")
    assert (record.size, record.difference, record.browser) == ((8, 6), 0, "Chromium 1")
    assert record.confined
    assert tried.files() == ["page.json", "result.png", "screenshot.png"]
    assert page_record(tried.bundle) == record


def test_a_picture_that_is_not_the_apis_is_a_fault_with_its_trace(tried: Tried, tmp_path: Path) -> None:
    tried.answered(("output.png", picture(tmp_path, 9)))
    tried.leaves = {"result": picture(tmp_path), "trace.zip": b"t"}
    record = tried()
    assert record.fault == "what the page shows is 8x6 pixels, the API's answer 9x6"
    assert tried.files() == ["page.json", "result.png", "trace.zip"]


def test_a_page_with_a_fault_is_not_looked_at_further(tried: Tried) -> None:
    tried.bundle.write_invocations([Invocation(case="one", status="failed", error="x")])
    tried.visit = Visit(fault="the page hangs", elsewhere=["http://example.org/"])
    tried.leaves = {"trace.zip": b"t"}
    record = tried()
    assert (record.fault, record.result, record.elsewhere) == ("the page hangs", None, ["http://example.org/"])


def test_without_an_answer_of_the_api_nothing_is_said_to_be_right(tried: Tried, tmp_path: Path) -> None:
    tried.bundle.write_invocations([Invocation(case="one", status="failed", error="x")])
    tried.leaves = {"result": picture(tmp_path)}
    assert "the API gave no answer" in (tried().fault or "")


def test_what_an_earlier_attempt_has_left_goes(tried: Tried, tmp_path: Path) -> None:
    tried.answered(("output.png", picture(tmp_path)))
    (tried.bundle.path / "page").mkdir()
    for name in ("trace.zip", "console.jsonl", "result.bin", "page.json"):
        (tried.bundle.path / "page" / name).write_bytes(b"old")
    tried.leaves = {"result": picture(tmp_path)}
    tried()
    assert tried.files() == ["page.json", "result.png"]


def test_a_text_has_no_file_and_is_compared_with_nothing(tried: Tried) -> None:
    tried.bundle.write_invocations([])
    whole = CONTRACT | {"call": CONTRACT["call"] | {"preset": "wanwu"}}  # type: ignore[operator]
    page = {"upload": {"#in": "image"}, "result": {"selector": "p", "text": "done"}}
    contract = Contract.model_validate(whole | {"page": page})
    assert contract.page is not None
    record = try_page(contract, contract.page, Suite.model_validate(SUITE), tried.source, tried.bundle, 4711)
    assert (record.fault, record.result) == (None, None)


def test_a_fault_is_kept_short(tried: Tried) -> None:
    tried.bundle.write_invocations([])
    tried.visit = Visit(fault="x" * 10_000)
    assert len(tried().fault or "") == page_trial.MAX_FAULT


def test_the_outcome_is_one_value_however_often_it_is_added(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path)
    other = Measurement(case="one", metric="latency", value=1.0)
    bundle.write_measurements([other])
    add_page_value(bundle, PageRecord(case="one", path="/", fault="the page hangs"))
    add_page_value(bundle, PageRecord(case="one", path="/", fault="the page hangs"))
    assert bundle.measurements() == [
        other,
        Measurement(case="*", metric="page", value=0.0, error="the page hangs"),
    ]
    add_page_value(bundle, PageRecord(case="one", path="/"))
    assert bundle.measurements()[1:] == [Measurement(case="*", metric="page", value=1.0)]
