"""A service that runs already: its answers and failures are results, and it is not called for ever in vain."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.evaluation.cutting_service import FORM, cutting_service
from tests.unit.evaluation.photo_folders import photo_folders

from penstock.contract.models import Call, Case, Contract
from penstock.foundation.errors import WorldError
from penstock.invocation.driver import reach
from penstock.invocation.service_address import read_address


def contract() -> Contract:
    http = {"argv": ["none"], "path": FORM, "files": {"image": "image"}, "response": "image/png"}
    rules = [{"metric": "mae", "max": 1}]
    whole = {"version": 1, "name": "m", "family": "matting", "suite": "suite", "policy": {"rules": rules}}
    return Contract.model_validate({**whole, "call": Call.model_validate({"http": http, "warmup": 0})})


CASE = Case(name="anna", inputs={"image": "anna.jpg"})


def test_calls_are_results_and_a_success_starts_the_count_anew(tmp_path: Path) -> None:
    photo = photo_folders(tmp_path) / "photos" / "anna.jpg"
    output = tmp_path / "answer.png"
    with (
        cutting_service() as service,
        reach(contract(), read_address(service.url, where=""), tmp_path / "log") as model,
    ):
        assert model.warm
        assert model.revive() == 1

        def ask(*, cut_off: bool) -> str:
            service.cut_off = cut_off
            result = model.call(CASE, {"image": photo}, output, 5.0)
            assert result.broken_off == (cut_off and "broke" in (result.error or ""))
            return "" if result.status == "ok" else result.error or ""

        said = [ask(cut_off=bad) for bad in (True, True, False, True, True, True, False, False)]
        assert output.read_bytes().startswith(b"\x89PNG")
    broke, no_more = "the connection to the service broke", "the service gave no whole answer 3 times in a row"
    assert [text[: len(broke)] for text in said[:6]] == [broke, broke, "", broke, broke, broke]
    assert all(text.startswith(no_more) for text in said[6:])
    assert len(service.requests) == 6
    log = (tmp_path / "log").read_text(encoding="utf-8")
    assert f"the service at {service.url}, which runs already" in log
    assert log.count("case anna") == 6


def test_nobody_there(tmp_path: Path) -> None:
    with cutting_service() as service:
        address = read_address(service.url, where="")
    with pytest.raises(WorldError, match="nothing answers"), reach(contract(), address, tmp_path / "log"):
        pass
