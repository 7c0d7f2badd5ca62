"""``penstock check`` on repositories as people have them."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.cli.contract_commands import PNG, WAV, app, init, runner
from tests.unit.targets.targets_files import deployment, webhook, write_targets

from penstock.foundation.errors import UsageError
from penstock.gating.calibration import write_calibration
from penstock.gating.measurements import read_source
from penstock.gating.repeats import calibrate


def test_check_as_json(tmp_path: Path) -> None:
    init(tmp_path)
    result = runner.invoke(app, ["check", str(tmp_path), "--json"])
    content = json.loads(result.stdout)
    assert result.exit_code == 2
    assert content["ok"] is False
    assert content["cases"] == 1
    assert {"file", "line", "column", "field", "what", "todo", "severity"} == set(content["faults"][0])


def test_check_of_no_repository(tmp_path: Path) -> None:
    result = runner.invoke(app, ["check", str(tmp_path)])
    assert result.exit_code == 2
    assert (
        result.stdout.splitlines()[0]
        == "penstock.yaml:1: the file is missing. `penstock init` writes one to start from."
    )
    result = runner.invoke(app, ["check", str(tmp_path / "none")])
    assert result.exit_code == 2
    assert "not a directory" in result.stdout


@pytest.mark.slow
def test_check_loads_nothing_heavy(tmp_path: Path) -> None:
    """Nor does the step *check*, whose image has no numpy: with a calibration, and without measurements."""
    rules = "    - {metric: jitter, margin: 10%}\n  calibration: c.json\n"
    tmp_path = whole_repository(tmp_path / "my-model", rules, 8)
    runs = (measured(tmp_path / f"{number}.jsonl", *(1 + number * n for n in range(8))) for number in (1, 2))
    write_calibration(tmp_path / "c.json", calibrate([read_source(run) for run in runs]).calibration)
    # typer.Exit is a RuntimeError
    code = """
import sys
from pathlib import Path
from penstock.cli import gate, init, schema
from penstock.cli.check import check
try:
    check(Path(sys.argv[1]))
except RuntimeError:
    print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "8 cases cannot settle a margin of 10 %" in done.stdout
    assert "by 2 runs of the same model" in done.stdout
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "penstock.contract.check" in loaded
    assert not loaded & {"numpy", "cv2", "av", "scipy", "onnxruntime", "boto3", "httpx", "jinja2", "torch", "rich"}


# margins that the suite cannot settle


def whole_repository(root: Path, policy: str, cases: int) -> Path:
    """A repository without faults, with so many cases."""
    init(root)
    contract = (root / "penstock.yaml").read_text()
    head = contract[: contract.index("policy:")].replace("0" * 64, hashlib.sha256(b"weights").hexdigest())
    (root / "penstock.yaml").write_text(f"{head}policy:\n  rules:\n{policy}")
    case = "  - {{name: case-{}, inputs: {{image: a.png, audio: a.wav}}, parameters: {{duration: 2.0}}}}\n"
    listed = "".join(case.format(number) for number in range(cases))
    (root / "suite/suite.yaml").write_text(f"version: 1\nfamily: talking-head\ncases:\n{listed}")
    (root / "weights").mkdir()
    (root / "weights/model.onnx").write_bytes(b"weights")
    (root / "Containerfile").write_text("FROM scratch\n")
    (root / "suite/a.png").write_bytes(PNG)
    (root / "suite/a.wav").write_bytes(WAV)
    return root


def measured(path: Path, *values: float) -> Path:
    lines = [{"case": f"case-{number}", "metric": "jitter", "value": value} for number, value in enumerate(values)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_check_says_which_margins_the_suite_cannot_settle(tmp_path: Path) -> None:
    root = whole_repository(tmp_path / "my-model", "    - {metric: jitter, margin: 10%}\n", 4)
    old, new = measured(tmp_path / "old.jsonl", 1, 1, 1, 1), measured(tmp_path / "new.jsonl", 1.3, 0.9, 1.1, 0.7)
    result = runner.invoke(app, ["check", str(root)])
    assert (result.exit_code, len(result.stdout.splitlines())) == (0, 1), "nothing is known, and nothing is said"
    result = runner.invoke(app, ["check", str(root), "--baseline", str(old), "--baseline", str(new)])
    assert result.exit_code == 0, "a warning is no fault"
    fine, counted, last = result.stdout.splitlines()
    assert "policy.rules[0].margin: 4 cases cannot settle a margin of 10 % (0.1) on jitter: its change has" in fine
    assert counted == "the suite is known to settle 0 of 1 margin"
    assert last.startswith("ok: my-model")
    assert last.endswith("1 rule and 1 warning")
    result = runner.invoke(app, ["check", str(root), "--baseline", str(old), "--baseline", str(new), "--json"])
    content = json.loads(result.stdout)
    (margin,) = content["margins"]
    assert (margin["answer"], margin["basis"], margin["seen"], margin["cases"]) == ("not settled", "comparisons", 1, 4)
    assert margin["needed"] > 20
    assert content["faults"][0]["severity"] == "warning"


def test_check_warns_of_a_blocking_margin_on_time(tmp_path: Path) -> None:
    root = whole_repository(tmp_path / "my-model", "    - {metric: latency, margin: 20%}\n", 6)
    result = runner.invoke(app, ["check", str(root)])
    assert result.exit_code == 0
    assert "'latency' is compared with values that were measured on another day" in result.stdout


def test_check_takes_a_store_that_is_there_or_baselines(tmp_path: Path) -> None:
    root = whole_repository(tmp_path / "my-model", "    - {metric: jitter, margin: 10%}\n", 4)
    for arguments, what in (
        (["--store", str(tmp_path / "none")], "there is no such directory"),
        (["--store", str(tmp_path), "--baseline", str(tmp_path)], "two sources"),
        (["--baseline", str(tmp_path / "none.jsonl")], "none.jsonl"),
    ):
        with pytest.raises(UsageError, match=what):
            runner.invoke(app, ["check", str(root), *arguments], catch_exceptions=False)
    assert not (tmp_path / "none").exists()


def test_a_broken_calibration_is_a_fault(tmp_path: Path) -> None:
    root = whole_repository(tmp_path / "my-model", "    - {metric: jitter, margin: 10%}\n  calibration: c.json\n", 4)
    (root / "c.json").write_text("{}")
    result = runner.invoke(app, ["check", str(root)])
    assert result.exit_code == 2
    assert "policy.calibration: not a calibration" in result.stdout
    (root / "c.json").unlink()
    result = runner.invoke(app, ["check", str(root)])
    assert result.stdout.splitlines()[-1] == "1 fault"


def test_check_knows_the_platforms_targets(tmp_path: Path) -> None:
    root = whole_repository(tmp_path / "my-model", "    - {metric: jitter, max: 9}\n", 1)
    contract = root / "penstock.yaml"
    contract.write_text(contract.read_text().replace("version: 1\n", "version: 1\ntarget: studoi\n", 1))
    targets = write_targets(tmp_path, studio=webhook(models=["my-model"]), other=webhook(models=["else"]))
    line = 1 + contract.read_text().splitlines().index("target: studoi")

    assert runner.invoke(app, ["check", str(root)]).exit_code == 0, "without the file nobody knows"
    result = runner.invoke(app, ["check", str(root), "--targets", str(targets)])
    assert result.exit_code == 2
    assert result.stdout.splitlines()[0] == (
        f"penstock.yaml:{line}: target: the platform has no target 'studoi' (targets.yaml). Did you mean 'studio'? "
        "'target' in the contract names one of: studio."
    )
    contract.write_text(contract.read_text().replace("studoi", "other"))
    result = runner.invoke(app, ["check", str(root), "--targets", str(targets), "--json"])
    assert result.exit_code == 2
    assert [(fault["field"], fault["line"]) for fault in json.loads(result.stdout)["faults"]] == [("target", line)]
    contract.write_text(contract.read_text().replace("target: other", "target: studio"))
    assert runner.invoke(app, ["check", str(root), "--targets", str(targets)]).exit_code == 0

    fields = [{"at": ["image"], "value": "image"}]
    git = {"repository": "https://git.example.org/deploy.git", "file": "sonic.yaml", "fields": fields}
    write_targets(tmp_path, studio=deployment(kind="rollout", models=["my-model"], git=git))
    result = runner.invoke(app, ["check", str(root), "--targets", str(targets)])
    assert isinstance(result.exception, UsageError)
    assert "'git.fields' must write the version" in str(result.exception)
    targets.write_text("version: 1\ntargets: {studio: {kind: pigeon}}\n")
    result = runner.invoke(app, ["check", str(root), "--targets", str(targets)])
    assert isinstance(result.exception, UsageError), "a platform's file that is none is no fault of the repository"
