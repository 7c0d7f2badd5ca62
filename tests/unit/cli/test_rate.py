"""``penstock rate status`` and ``close``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.book.made_rated import RUN, rated_store
from tests.unit.book.made_store import MODEL
from tests.unit.ratings.made_ratings import made_plan, prefers, rated

from penstock.cli.app import main
from penstock.cli.rate import close, status


def test_each_has_an_example() -> None:
    assert all(command.__doc__ and "Example: " in command.__doc__ for command in (status, close))


def test_from_waiting_to_closed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = rated_store(tmp_path)
    at = ["--store", store.uri]
    plan = made_plan(store, run=RUN)
    rated(store, plan, "ann", prefers(True))
    rated(store, plan, "bob", lambda _: "same")
    assert main(["rate", "status", RUN, *at]) == 0
    told = capsys.readouterr().out
    assert f"{MODEL}/{RUN} beside run-1: inconclusive, 5 of 40 ratings (disqualified: 1)" in told
    assert "  ann: counts, 5 ratings, 3 of 3 catch pairs right" in told
    assert "  bob: does not count, 5 ratings, 1 of 3 catch pairs right" in told
    assert "--regate" not in told
    assert main(["rate", "status", f"{MODEL}/{RUN}", "--json", *at]) == 0
    assert json.loads(capsys.readouterr().out)["count"]["counted"] == 5
    assert main(["rate", "close", RUN, "--reason", " ", *at]) == 2
    assert main(["rate", "close", RUN, "--reason", "enough", "--by", "ann", *at]) == 0
    assert f"nobody rates {MODEL}/{RUN} any more: 5 of 40 ratings" in capsys.readouterr().out
    assert main(["rate", "close", RUN, "--reason", "again", *at]) == 0
    assert "it was closed before" in capsys.readouterr().out
    assert main(["rate", "status", RUN, *at]) == 0
    told = capsys.readouterr().out
    assert "closed by ann: enough" in told
    assert f"penstock run release --regate {RUN}" in told


def test_what_is_no_run_that_waits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = rated_store(tmp_path)
    assert main(["rate", "status", "gone", "--store", store.uri]) == 2
    assert "no run 'gone' is archived" in capsys.readouterr().err
    assert main(["rate", "close", "run-1", "--reason", "x", "--store", store.uri]) == 2
    assert "no rule of the run's verdict asks for ratings" in capsys.readouterr().err
