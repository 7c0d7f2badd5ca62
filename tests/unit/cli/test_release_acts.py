"""``penstock rollback``, ``promote``, ``withdraw``: what they say, twice, and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.releases.released_runs import released
from tests.unit.releases.test_attestation import WAIVED
from tests.unit.targets.promotions import platform, publish_with_image
from tests.unit.targets.receiver import receiver
from tests.unit.tracking.mlflow_server import mlflow_server

from penstock.bundle.verdict_record import WaiverRecord
from penstock.cli.app import main
from penstock.cli.release_acts import promote, rollback, withdraw
from penstock.store.local import LocalStore

URL = "https://git.example.org/acme/mini"


@pytest.fixture
def store(tmp_path: Path) -> str:
    store = LocalStore(tmp_path / "store")
    for number, before in enumerate([None, "run-0"]):
        released(tmp_path, store, f"run-{number}", f"1.{number}.0", URL, baseline=before)
    return str(tmp_path / "store")


def test_back_and_forward_again(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert all(command.__doc__ and "Example: " in command.__doc__ for command in (rollback, promote, withdraw))
    back = ["rollback", "sonic-lite", "--reason", "users see flicker", "--by", "ann", "--store", store]
    assert main(back) == 0
    assert capsys.readouterr().out == "sonic-lite: 1.0.0 is the current release now, it was 1.1.0\n"
    assert main(back) == 0
    said = capsys.readouterr().out
    assert "1.0.0 is the current release already, rolled back to from 1.1.0" in said
    assert "by ann: users see flicker" in said
    forward = ["promote", "sonic-lite", "1.1.0", "--reason", "it was the network", "--store", store, "--json"]
    assert main(forward) == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["current"], done["changed"], done["entry"]["kind"]) == ("1.1.0", True, "promoted")
    assert main(forward) == 0
    assert json.loads(capsys.readouterr().out) == {
        "model": "sonic-lite",
        "current": "1.1.0",
        "changed": False,
        "entry": None,
        "told": 0,
    }


def test_withdrawn_once(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["withdraw", "sonic-lite", "1.0.0", "--reason", "data", "--by", "ann", "--store", store]
    assert main(command) == 0
    assert capsys.readouterr().out == "sonic-lite: 1.0.0 is withdrawn; 1.1.0 stays current\n"
    assert main(command) == 0
    assert "was withdrawn already, at 20" in capsys.readouterr().out
    assert main(["rollback", "sonic-lite", "--reason", "r", "--store", store]) == 2
    assert "there is no release before 1.1.0" in capsys.readouterr().err


def test_a_reason_is_asked_for(store: str) -> None:
    assert main(["rollback", "sonic-lite", "--store", store]) == 2
    assert main(["withdraw", "sonic-lite", "1.0.0", "--reason", " ", "--store", store]) == 2
    assert main(["promote", "sonic-lite", "1.0.0", "--store", store]) == 0, "that its verdict stands is one"


@pytest.mark.slow
def test_people_are_told_and_what_is_done_stays_done(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    urls = tmp_path / "urls.txt"
    urls.write_text("nobody-knows://x\n")
    back = ["rollback", "sonic-lite", "--reason", "r", "--store", store, "--notify", str(urls)]
    assert main(back) == 2, "nothing is done for receivers that cannot be any"
    assert "address 1: not an address" in capsys.readouterr().err
    urls.write_text("json://127.0.0.1:1\n")
    assert main(back) == 0
    said = capsys.readouterr()
    assert said.out == "sonic-lite: 1.0.0 is the current release now, it was 1.1.0\n"
    assert said.err.startswith("warning: 1 of 1 notifications were not sent: address 1 (json://…)")
    assert main([*back, "--json"]) == 0
    said = capsys.readouterr()
    assert (json.loads(said.out)["changed"], json.loads(said.out)["told"], said.err) == (False, 0, "")
    forward = ["promote", "sonic-lite", "1.1.0", "--reason", "r", "--store", store, "--notify", str(tmp_path / "none")]
    assert main(forward) == 2
    assert "there is no file 'none'" in capsys.readouterr().err


def test_mlflow_follows_and_its_outage_stops_nothing(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    back = ["rollback", "sonic-lite", "--reason", "r", "--store", store, "--mlflow"]
    assert main([*back, "nowhere"]) == 2, "nothing is done"
    with mlflow_server() as server:
        server.reply = (503, b"away")
        assert main([*back, server.url]) == 0
        said = capsys.readouterr()
        assert "1.0.0 is the current release now" in said.out
        assert "warning: " in said.err
        assert "MLflow answered 503" in said.err
        server.reply = None
        assert main([*back, server.url]) == 0
        assert capsys.readouterr().err == ""
        assert server.aliases == {("sonic-lite", "current"): "1"}


@pytest.mark.slow
def test_to_a_target_and_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    store = LocalStore(tmp_path / "store")
    publish_with_image(tmp_path, store, 0)
    with receiver() as hook:
        file, secrets, _ = platform(tmp_path, hook)
        where = [
            "--store",
            str(tmp_path / "store"),
            "--targets",
            str(file),
            "--secrets",
            str(secrets),
            "--reason",
            "go",
        ]
        assert main(["promote", "sonic-lite", "1.0.0", *where]) == 0
        said = "sonic-lite: 1.0.0 serves at the target 'studio' and is the current release now, the first\n"
        assert capsys.readouterr().out == said
        assert "verdict not verified: targets.yaml names no verdict_keys" in caplog.messages
        publish_with_image(tmp_path, store, 1, before="run-0")
        hook.fails = True
        assert main(["promote", "sonic-lite", "1.1.0", *where]) == 4
        assert "target 'studio': it could not serve sonic-lite 1.1.0: out of memory" in capsys.readouterr().err
        hook.fails = False
        assert main(["promote", "sonic-lite", "1.1.0", *where, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["current"] == "1.1.0"
        assert main(["promote", "sonic-lite", "1.1.0", *where]) == 0
        assert "1.1.0 serves at the target 'studio', it was current already" in capsys.readouterr().out
        assert main(["rollback", "sonic-lite", *where]) == 0
        assert hook.image == f"sha256:{'0' * 64}"
        hook.image = "sha256:lost"
        capsys.readouterr()
        assert main(["rollback", "sonic-lite", "--to", "1.0.0", *where]) == 0
        assert "1.0.0 serves at the target 'studio', it was current already" in capsys.readouterr().out
        assert hook.image == f"sha256:{'0' * 64}"
        assert main(["rollback", "sonic-lite", "--to", "1.0.0", *where[:2], "--reason", "x"]) == 0
        said = "already; to bring it to its target 'studio' once more, say --targets targets.yaml\n"
        assert capsys.readouterr().out.endswith(said)
        assert main(["rollback", "sonic-lite", "--to", "1.1.0", *where[:2], "--reason", "x"]) == 2
        assert "--targets targets.yaml" in capsys.readouterr().err


def test_a_waiver_that_is_over_without_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = LocalStore(tmp_path / "store")
    waiver = WaiverRecord(reason="new camera", author="ann", expires="2020-03-01")
    publish_with_image(tmp_path, store, 0, rules=[WAIVED.model_copy(update={"waiver": waiver})])
    with receiver() as hook:
        file, secrets, _ = platform(tmp_path, hook)
        where = ["--store", str(tmp_path / "store"), "--targets", str(file), "--secrets", str(secrets)]
        assert main(["promote", "sonic-lite", "1.0.0", *where, "--reason", "go"]) == 1
    said = capsys.readouterr().err
    assert "sonic-lite 1.0.0: its verdict does not stand any more" in said
    assert "the waiver of 'lse_d' by ann ended on 2020-03-01. Renew the waiver" in said


def test_not_signed_by_the_platform(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = LocalStore(tmp_path / "store")
    publish_with_image(tmp_path, store, 0)
    with receiver() as hook:
        file, secrets, _ = platform(tmp_path, hook, keys=True)
        where = ["--store", str(tmp_path / "store"), "--targets", str(file), "--secrets", str(secrets)]
        assert main(["promote", "sonic-lite", "1.0.0", *where, "--reason", "go"]) == 1
    assert "its verdict is not signed by the platform" in capsys.readouterr().err
    withdrawn = ["withdraw", "sonic-lite", "1.0.0", "--reason", "data", "--store", str(tmp_path / "store")]
    assert main(withdrawn) == 0
    assert capsys.readouterr().out == "sonic-lite: 1.0.0 is withdrawn; no release is current yet\n"


def test_the_platform_names_the_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = LocalStore(tmp_path / "store")
    publish_with_image(tmp_path, store, 0)
    with receiver() as hook:
        file, secrets, _ = platform(tmp_path, hook)
        file.write_text(f"{file.read_text()}store: {tmp_path / 'store'}\n")
        words = ["promote", "sonic-lite", "1.0.0", "--targets", str(file), "--secrets", str(secrets), "--reason", "go"]
        assert main([*words, "--store", str(tmp_path)]) == 2
        assert f"the platform keeps its releases in '{tmp_path / 'store'}'" in capsys.readouterr().err
        assert hook.requests == []
        assert main(words) == 0
