"""MLflow that is away, refuses, or answers with something else: one message, no secret, no wait without end."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from tests.unit.tracking.mlflow_server import MlflowServer, mlflow_server

from penstock.foundation.errors import UsageError
from penstock.tracking import mlflow_api
from penstock.tracking.mlflow_api import Mlflow, MlflowError, MlflowPlace, entries, read_mlflow, text_of

QUERY = {"experiment_name": "sonic"}


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ((500, b"<html>"), "answered 500"),
        ((302, b""), "answered 302"),
        ((200, b"[]"), "is no answer of MLflow"),
        ((200, b"<html>"), "is no answer of MLflow"),
        ((200, b"[" * 100_000), "is no answer of MLflow"),
        ((400, b'{"error_code": "X", "message": "no hunter2 here"}'), r"answered 400 \(X: no \*\*\* here\)"),
    ],
)
def test_other_answers(server: MlflowServer, reply: tuple[int, bytes], said: str) -> None:
    server.reply = reply
    with pytest.raises(MlflowError, match=said) as caught:
        Mlflow(MlflowPlace(server.url, token="hunter2")).get("experiments/get-by-name", QUERY)
    assert "penstock track" in str(caught.value)
    assert "hunter2" not in str(caught.value) + repr(MlflowPlace(server.url, token="hunter2", password="hunter2"))


def test_credentials(server: MlflowServer) -> None:
    server.token = "hunter2"
    with pytest.raises(MlflowError, match="401"):
        Mlflow(MlflowPlace(server.url)).get("experiments/get-by-name", QUERY)
    for place in (
        MlflowPlace(server.url, token="hunter2"),
        MlflowPlace(server.url, user="ann", password="hunter2"),
    ):
        with pytest.raises(MlflowError) as caught:
            Mlflow(place).get("experiments/get-by-name", QUERY)
        assert caught.value.code == "RESOURCE_DOES_NOT_EXIST"


def test_too_long_and_too_late(server: MlflowServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlflow_api, "MAX_ANSWER_BYTES", 10)
    server.reply = (200, b" " * 100)
    with pytest.raises(MlflowError, match="does not end"):
        Mlflow(MlflowPlace(server.url)).get("experiments/get-by-name", QUERY)
    monkeypatch.setattr(mlflow_api, "TOTAL_S", -1.0)
    with pytest.raises(MlflowError, match="took longer"):
        Mlflow(MlflowPlace(server.url)).get("experiments/get-by-name", QUERY)


def test_nobody_is_there() -> None:
    with mlflow_server() as gone:
        pass
    with pytest.raises(MlflowError, match="cannot be reached"):
        Mlflow(MlflowPlace(gone.url)).get("experiments/get-by-name", QUERY)


@pytest.mark.parametrize(
    "place",
    [
        MlflowPlace(""),
        MlflowPlace("sqlite:///x"),
        MlflowPlace("https://me:hunter2@host"),
        MlflowPlace("https://host?x=1"),
        MlflowPlace("http://mlflow.example.org", token="hunter2"),
        MlflowPlace("http://mlflow.example.org", user="ann", password="hunter2"),
        MlflowPlace("https://mlflow.example.org", token="hunter2\nX: y"),
    ],
)
def test_a_place_that_cannot_be_one(place: MlflowPlace) -> None:
    with pytest.raises(UsageError) as caught:
        Mlflow(place)
    assert "hunter2" not in str(caught.value)


def test_the_workspace(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="url"):
        read_mlflow(tmp_path)
    (tmp_path / "url").write_text("https://mlflow.example.org\n")
    assert read_mlflow(tmp_path) == MlflowPlace("https://mlflow.example.org")
    (tmp_path / "token").write_text("t\n")
    assert read_mlflow(tmp_path).token == "t"
    (tmp_path / "username").write_bytes(b"\xff")
    with pytest.raises(UsageError, match="username"):
        read_mlflow(tmp_path)


def test_parts_of_answers() -> None:
    assert entries({}, "runs") == []
    assert text_of({"a": {"b": 3}}, "a", "b") == "3"
    for value in ({}, {"a": None}, {"a": {"b": ""}}, {"a": {"b": True}}, {"a": []}):
        with pytest.raises(MlflowError):
            text_of(value, "a", "b")
    for odd in ("x", [1]):
        with pytest.raises(MlflowError):
            entries({"runs": odd}, "runs")


@pytest.mark.slow
def test_pages_that_do_not_end(server: MlflowServer) -> None:
    server.reply = (200, b'{"model_versions": [], "next_page_token": "x"}')
    with pytest.raises(MlflowError, match="more than 100 pages"):
        list(Mlflow(MlflowPlace(server.url)).pages("model-versions/search", {}, "model_versions"))


def test_an_address_that_cannot_be_one_is_said() -> None:
    with pytest.raises(UsageError, match="not the address of an MLflow server"):
        Mlflow(MlflowPlace("https://[::1"))


@pytest.mark.parametrize("url", ["https://a..b", f"https://{'a' * 300}.org", "https://xn--/"])
def test_a_host_that_cannot_be_one_is_said(url: str) -> None:
    with pytest.raises(MlflowError, match="cannot be reached"):
        Mlflow(MlflowPlace(url)).get("experiments/get-by-name", {})


def test_a_value_that_json_has_no_form_for_is_said() -> None:
    with pytest.raises(MlflowError, match="JSON"):
        Mlflow(MlflowPlace("http://127.0.0.1:1")).post("runs/log-batch", {"value": float("inf")})


def test_a_compressed_answer_is_not_unpacked(server: MlflowServer) -> None:
    """Two kilobytes that are packed twice become more than the step has memory, before any of it is counted."""
    server.reply, server.packed = (200, gzip.compress(gzip.compress(b"{}"))), "gzip, gzip"
    with pytest.raises(MlflowError, match="compressed, which was not asked for"):
        Mlflow(MlflowPlace(server.url)).get("experiments/get-by-name", QUERY)
