"""``penstock releases``: the list, the log, and both as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.releases.released_runs import released

from penstock.cli.app import main
from penstock.cli.releases import as_object, releases
from penstock.releases.acts import roll_back, withdraw
from penstock.releases.history import history
from penstock.store.local import LocalStore

URL = "https://git.example.org/acme/mini"


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "store")
    for number, before in enumerate([None, "run-0", "run-1"]):
        released(tmp_path, store, f"run-{number}", f"1.{number}.0", URL, baseline=before)
    roll_back(store, "sonic-lite", reason="users see flicker", by="ann")
    withdraw(store, "sonic-lite", "1.2.0", reason="never\nagain", by="bob")
    return store


@pytest.mark.slow
def test_the_list(store: LocalStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert releases.__doc__
    assert main(["releases", "sonic-lite", "--store", str(tmp_path / "store")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["1.2.0", "→", "1.0.0"]
    assert [title for title in lines[0].split() if title == "verdict"] == ["verdict"]
    assert all(" pass " in line for line in lines[1:])
    assert "withdrawn: never again" in lines[1]
    assert "sha256:aaaaaaaaaaaa" in lines[2]
    assert "bbbbbbbbbbbb" in lines[2]


@pytest.mark.slow
def test_the_log(store: LocalStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["releases", "sonic-lite", "--store", str(tmp_path / "store"), "--log"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["1", "2", "3", "4", "5"]
    assert all(word in lines[4] for word in ("rolled back", "1.1.0", "1.2.0", "ann", "users see flicker"))


@pytest.mark.slow
def test_json_holds_both(store: LocalStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["releases", "sonic-lite", "--store", str(tmp_path / "store"), "--json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert whole == as_object(history(store, "sonic-lite"))
    assert (whole["model"], whole["current"], whole["repository"]) == (
        "sonic-lite",
        "1.1.0",
        "git.example.org/acme/mini",
    )
    newest = whole["releases"][0]
    assert (newest["version"], newest["current"], newest["commit"]) == ("1.2.0", False, "2" * 40)
    assert newest["weights"] == {"w.onnx": "b" * 64}
    assert (newest["withdrawn"]["by"], newest["withdrawn"]["reason"]) == ("bob", "never again")
    assert (newest["run"], newest["replaces"], newest["verdict"]) == ("run-2", "run-1", "pass")
    assert [entry["kind"] for entry in whole["log"]] == ["published"] * 3 + ["rolled back", "withdrawn"]


def test_a_model_that_was_never_released(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "store").mkdir()
    assert main(["releases", "mini", "--store", str(tmp_path / "store")]) == 2
    assert "no model 'mini' is released in this store" in capsys.readouterr().err


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["releases", "mini", "--store", str(tmp_path / "stroe")]) == 2
    assert "there is no store here" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_published_apart_from_current(store: LocalStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    released(tmp_path, store, "run-3", "1.3.0", URL, baseline="run-1", target="shop")
    assert main(["releases", "sonic-lite", "--store", str(tmp_path / "store")]) == 0
    first = capsys.readouterr().out.splitlines()[1]
    assert first.split()[0] == "1.3.0"
    assert "waits for its target 'shop'" in first
    whole = as_object(history(store, "sonic-lite"))
    assert (whole["published"], whole["current"]) == ("1.3.0", "1.1.0")
    newest = whole["releases"][0]
    assert (newest["target"], newest["waits"], newest["current"]) == ("shop", True, False)
