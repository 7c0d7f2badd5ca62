"""A service: started once, called many times, its bad answers are results."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.invocation.driver import start
from penstock.invocation.http import HttpModel


@pytest.mark.slow
def test_good_and_bad_answers_of_one_service(repository: Path, service_contract, case, tmp_path: Path) -> None:
    results = []
    with start(service_contract(), repository, tmp_path / "scratch", tmp_path / "log") as model:
        assert isinstance(model, HttpModel)
        for order in ("ok", "500", "wrong", "empty"):
            made, inputs = case(order)
            results.append(model.call(made, inputs, tmp_path / f"{order}.mp4", 20.0))
        assert model.warm
        assert model.revive() == 1
    assert [result.status for result in results] == ["ok", "failed", "failed", "failed"]
    assert [result.http_status for result in results[:2]] == [200, 500]
    assert all(result.error for result in results[1:])
    assert [path.name for path in tmp_path.glob("*.mp4")] == ["ok.mp4"]
