"""``penstock watch``: what it prints, and how it ends."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
from tests.unit.watch.made_prometheus import prometheus
from tests.unit.watch.test_prometheus import side

from penstock.cli.app import main

T0 = 1_764_200_000.0
POLICY = "signals: {errors: {}}\nwarm_up_s: 0.0\n"


def watch(*arguments: object) -> int:
    return main(["watch", *(str(argument) for argument in arguments)])


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "watch.yaml"
    path.write_text(POLICY, encoding="utf-8")
    return path


def log(path: Path, *, errors: float, minutes: int = 40, start: float = T0) -> Path:
    """40 canary requests a minute, 160 of the stable side, of which 5 % fail."""
    rng = np.random.default_rng(1)
    lines = []
    for second in np.linspace(0, minutes * 60, minutes * 200):
        ours = rng.random() < 0.2
        status = 500 if rng.random() < (errors if ours else 0.05) else 200
        name = "canary" if ours else "stable"
        lines.append(f'{{"time": {start + second:.2f}, "side": "{name}", "status": {status}}}\n')
    path.write_text("".join(lines), encoding="utf-8")
    return path


@pytest.mark.slow
@pytest.mark.parametrize(("errors", "code", "word"), [(0.05, 0, "good"), (0.2, 1, "bad")])
def test_records(
    policy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], errors: float, code: int, word: str
) -> None:
    records = log(tmp_path / "log.jsonl", errors=errors)
    assert watch(policy, "--records", records) == code
    assert capsys.readouterr().out.startswith(f"{word}: ")
    assert watch(policy, "--records", records, "--json") == code
    assert json.loads(capsys.readouterr().out)["decision"] == word


def test_too_few(policy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = log(tmp_path / "log.jsonl", errors=0.05, minutes=5)
    assert watch(policy, "--records", records) == 3
    assert "more canary requests are needed" in capsys.readouterr().out
    text = policy.read_text(encoding="utf-8")
    policy.write_text(text + "timeout_s: 240.0\n", encoding="utf-8")
    assert watch(policy, "--records", records, "--json") == 3
    assert json.loads(capsys.readouterr().out)["phase"] == "Inconclusive"


def test_standard_input(
    policy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    content = log(tmp_path / "log.jsonl", errors=0.2).read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert watch(policy, "--records", "-") == 1
    assert "errors" in capsys.readouterr().out


def test_a_bad_line_is_named(policy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = tmp_path / "log.jsonl"
    records.write_text('{"time": 1764200000, "side": "canary", "status": NaN}\n', encoding="utf-8")
    assert watch(policy, "--records", records) == 2
    assert f"{records}:1: not a record: NaN is not a JSON number" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "when was the canary started?"),
        (["--since", "1764200000"], "there is no 'prometheus'"),
        (["--records", "none.jsonl"], "missing"),
        (["--records", "-", "--follow"], "read to its end"),
        (["--serve", "8080"], "not an address"),
        (["--serve", "127.0.0.1:99999"], "not an address"),
        (["--serve", "127.0.0.1:1", "--json"], "prints no verdict"),
    ],
)
def test_what_cannot_be(policy: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    if "--since" not in arguments and "--records" not in arguments:
        policy.write_text(POLICY + _prometheus("http://127.0.0.1:1"), encoding="utf-8")
    assert watch(policy, *arguments) == 2
    assert said in capsys.readouterr().err


def test_prometheus_that_is_gone_is_not_good(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy.write_text(POLICY + _prometheus("http://127.0.0.1:9"), encoding="utf-8")
    assert watch(policy, "--since", "1764200000") == 3
    assert "inconclusive: undecided after 7200 s: Prometheus" in capsys.readouterr().out


def test_prometheus(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with prometheus(side("canary", 2.0) | side("stable", 40.0)) as made:
        policy.write_text(POLICY + _prometheus(made.url), encoding="utf-8")
        assert watch(policy, "--since", T0) == 0
    assert "errors: 1 % on the canary" in capsys.readouterr().out


def test_follow_a_file_to_its_end(policy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy.write_text("signals: {errors: {}}\nwarm_up_s: 0.0\nstretch_s: 60.0\n", encoding="utf-8")
    records = log(tmp_path / "log.jsonl", errors=0.2, start=time.time() - 2400)
    assert watch(policy, "--records", records, "--follow") == 1
    said = capsys.readouterr()
    assert said.out.startswith("bad: errors")
    assert said.err.startswith("bad, ")


@pytest.mark.slow
def test_serve(policy: Path, tmp_path: Path) -> None:
    records = log(tmp_path / "log.jsonl", errors=0.2, start=time.time() - 2400)
    command = [sys.executable, "-c", "import sys; from penstock.cli.app import main; sys.exit(main())"]
    process = subprocess.Popen(
        [*command, "watch", str(policy), "--records", str(records), "--serve", "127.0.0.1:0"],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        address = process.stderr.readline().strip().removeprefix("listening on ")
        answer = httpx.get(f"http://{address}/verdict", trust_env=False, timeout=10).json()
        assert answer["phase"] == "Failed"
        assert httpx.get(f"http://{address}/healthz", trust_env=False).status_code == 200
        records.write_text("", encoding="utf-8")
        since = {"since": f"{time.time() - 2400:.0f}"}  # another question: the answer to the first is kept a while
        answer = httpx.get(f"http://{address}/verdict", params=since, trust_env=False, timeout=10).json()
        assert answer["phase"] == "Running", "what is lost is no verdict, and no fault of the program"
        assert "has become shorter" in answer["reason"]
        os.kill(process.pid, signal.SIGTERM)  # a shell may start its jobs with SIGINT ignored
        assert process.wait(10) == 130
    finally:
        process.kill()
        process.wait()


def _prometheus(url: str) -> str:
    sides = [f"  {name}: {{requests: \"requests_total{{side='{name}'}}\"}}\n" for name in ("canary", "stable")]
    return f"prometheus:\n  url: {url}\n{''.join(sides)}"
