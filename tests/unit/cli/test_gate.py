"""``penstock gate`` on measurements that came from elsewhere."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation, Measurement, Run
from penstock.bundle.verdict_record import Verdict
from penstock.cli.gate import gate, print_verdict
from penstock.foundation.errors import UsageError
from penstock.gating.measurements import read_source

app = typer.Typer()
app.command()(gate)
POLICY = "level: 0.05\nrules:\n  - {metric: lse_d, max: 9.0, margin: 5%}\n"


def write(path: Path, **values: float | None) -> Path:
    lines = [
        {"case": case, "metric": "lse_d", "value": value, "unit": "", "slices": []} for case, value in values.items()
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def run(tmp_path: Path, *more: Any, policy: str = POLICY) -> Result:
    (tmp_path / "policy.yaml").write_text(policy, encoding="utf-8")
    arguments = ["--policy", tmp_path / "policy.yaml", *more]
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_exit_codes_and_json(tmp_path: Path) -> None:
    good, bad = write(tmp_path / "good.jsonl", a=7.9), write(tmp_path / "bad.jsonl", a=9.26)
    done = run(tmp_path, "--candidate", good, "--baseline", good, "--json")
    assert done.exit_code == 0
    content = json.loads(done.stdout)
    assert content["verdict"] == "pass"
    wanted = {"metric", "slice", "verdict", "reason", "baseline", "candidate", "change", "interval", "limit", "n"}
    assert wanted <= set(content["rules"][0])
    done = run(tmp_path, "--candidate", bad, "--baseline", good, "--json", "--out", tmp_path / "out/verdict.json")
    assert done.exit_code == 1
    written = Verdict.model_validate_json((tmp_path / "out/verdict.json").read_text())
    assert written == Verdict.model_validate_json(done.stdout)
    assert (written.candidate, written.baseline) == (str(bad), str(good))
    assert run(tmp_path, "--candidate", good).exit_code == 0


def test_waivers_are_told(tmp_path: Path) -> None:
    bad = write(tmp_path / "bad.jsonl", a=9.26)
    waiver = "waivers:\n  - {metric: lse_d, reason: new voices, author: ada, expires: %s}\n"
    held = run(tmp_path, "--candidate", bad, policy=POLICY + waiver % "2999-01-01")
    assert held.exit_code == 0
    assert "waived until 2999-01-01 by ada: new voices" in held.stdout
    over = run(tmp_path, "--candidate", bad, policy=POLICY + waiver % "2020-01-01")
    assert over.exit_code == 1
    assert "2020-01-01" in over.stdout


def test_the_table_is_plain_text_where_there_is_no_terminal(tmp_path: Path) -> None:
    good, bad = write(tmp_path / "good.jsonl", a=7.9), write(tmp_path / "bad.jsonl", a=9.26)
    warn = POLICY + "  - {metric: own_score, max: 1, severity: warn}\n"
    done = run(tmp_path, "--candidate", bad, "--baseline", good, policy=warn)
    assert "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["rule", "baseline", "candidate", "change", "limit", "verdict"]
    assert lines[1].split()[:4] == ["LSE-D", "7.900", "9.260", "+1.360"]
    assert lines[2].split()[0] == "own_score"
    assert lines[2].rstrip().endswith("warning")
    assert "✗ LSE-D: LSE-D is 9.26, above the maximum of 9; LSE-D rose from 7.9 to 9.26 (+17.2 %)" in done.stdout
    assert lines[-1] == f"fail: {bad} against the baseline {good}"


def test_hostile_texts_drive_no_terminal(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    line = {"case": "[bold]\x1b[2J", "metric": "lse_d", "value": None, "error": "\x1b]0;x\x07[link=x]"}
    path.write_text(json.dumps(line) + "\n")
    done = run(tmp_path, "--candidate", path)
    assert done.exit_code == 1
    assert "\x1b" not in done.stdout
    assert "'[bold]\\x1b[2J'" in done.stdout


def test_a_bundle_is_named_by_its_run_and_its_cases_must_all_be_there(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path / "bundle")
    bundle.write_measurements([Measurement(case="a", metric="lse_d", value=7.0)])
    assert read_source(bundle.path).name == str(bundle.path)
    bundle.update_run(Run(penstock="0", run_id="run-7"))
    bundle.write_invocations([Invocation(case="a", status="ok"), Invocation(case="b", status="failed")])
    source = read_source(bundle.path)
    assert (source.name, source.cases) == ("run-7", ("a", "b"))
    done = run(tmp_path, "--candidate", bundle.path, "--json")
    assert done.exit_code == 1
    assert "'b' (it was not measured)" in json.loads(done.stdout)["rules"][0]["reason"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b'{"case": "a", "metric": "lse_d", "value": NaN}\n',
            "m.jsonl:1: not a valid record: value: a value must be finite",
        ),
        (
            b'\n{"case": "a", "metric": "lse_d", "value": 1e999}\n',
            "m.jsonl:2: not a valid record: value: a value must be finite",
        ),
        (b'{"case": "a", "metric": "lse_d", "value": "7.9"}\n', "a value is a number or null"),
        (b'{"case": "a", "metric": "lse_d", "value": true}\n', "a value is a number or null"),
        (b'{"case": "a", "metric": "lse_d"}\n', "value: Field required"),
        (b'{"case": "a", "metric"', "m.jsonl:1: not a valid record: Invalid JSON"),
        (b"\xff\n", "not UTF-8 text"),
    ],
)
def test_broken_lines(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "m.jsonl").write_bytes(content)
    error = run(tmp_path, "--candidate", tmp_path / "m.jsonl").exception
    assert isinstance(error, UsageError)
    assert message in str(error)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    good = write(tmp_path / "good.jsonl", a=7.9)
    for path, message in (
        (tmp_path / "none", "missing"),
        (tmp_path, "missing"),
        (tmp_path / "fifo", "not a regular file"),
    ):
        error = run(tmp_path, "--candidate", good, "--baseline", path).exception
        assert isinstance(error, UsageError)
        assert message in str(error)
    assert run(tmp_path, "--candidate", write(tmp_path / "empty.jsonl")).exit_code == 1


def test_an_old_separator_in_a_text_does_not_break_a_line(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text('{"case": "a", "metric": "lse_d", "value": null, "error": "a\u2028b\x85c"}\n', encoding="utf-8")
    assert [found.error for found in read_source(path).measurements] == ["a\\u2028b\\x85c"]


def test_the_terminal_says_what_was_not_compared(tmp_path: Path) -> None:
    new, policy = tmp_path / "new.jsonl", tmp_path / "policy.yaml"
    new.write_text('{"case": "a", "metric": "lse_d", "value": 7.0}\n{"case": "a", "metric": "lse_c", "value": 5.0}\n')
    policy.write_text("rules:\n  - {metric: lse_d, max: 9, margin: 5%}\n  - {metric: lse_c, margin: 5%}\n")
    result = CliRunner().invoke(app, ["--candidate", str(new), "--policy", str(policy)])
    assert result.exit_code == 0
    assert "pass (margin not compared)" in result.stdout
    assert "not compared (no baseline)" in result.stdout
    assert "– LSE-C: not compared: there is no baseline (first release)" in result.stdout
    assert result.stdout.splitlines()[-1] == (
        f"pass: {new} as a first release: 1 rule holds its bounds (margin not compared), 1 not compared"
    )


def test_a_reason_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = write(tmp_path / "bad.jsonl", a=9.26)
    assert run(tmp_path, "--candidate", bad, "--out", tmp_path / "verdict.json").exit_code == 1
    verdict = Verdict.model_validate_json((tmp_path / "verdict.json").read_text())
    rules = [verdict.rules[0].model_copy(update={"reason": "it said: x\nerror: all is well"})]
    print_verdict(verdict.model_copy(update={"rules": rules}))
    assert "it said: x error: all is well" in capsys.readouterr().out
