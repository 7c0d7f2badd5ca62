"""``penstock suite lint`` and ``penstock suite power``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from tests.unit.suites.repository import case, write_repository
from typer.testing import CliRunner

from penstock.bundle.models import Measurement
from penstock.cli.app import application
from penstock.foundation.errors import UsageError

runner = CliRunner()
app = application(["suite"])


def test_lint_warns(tmp_path: Path) -> None:
    write_repository(tmp_path, [case("a"), case("b")])
    result = runner.invoke(app, ["suite", "lint", str(tmp_path)])
    assert result.exit_code == 0
    first, second, end = result.stdout.splitlines()
    assert first.startswith("suite/suite.yaml:1: licences: 2 of 2 files without a licence")
    assert "the case 'b' is the same as 'a'" in second
    assert end == "2 cases, 1 file: 0 faults, 2 warnings"


def test_a_leak_is_a_fault(tmp_path: Path) -> None:
    write_repository(tmp_path, [case("a")])
    training = tmp_path / "training"
    training.mkdir()
    (training / "x.png").write_bytes((tmp_path / "suite" / "picture-0.png").read_bytes())
    result = runner.invoke(app, ["suite", "lint", str(tmp_path), "--training", str(training), "--json"])
    assert result.exit_code == 2
    said = json.loads(result.stdout)
    assert said["ok"] is False
    assert [fault["field"] for fault in said["faults"] if not fault["warning"]] == ["cases[0].inputs.image"]


def test_a_suite_that_cannot_be_read(tmp_path: Path) -> None:
    result = runner.invoke(app, ["suite", "lint", str(tmp_path)])
    assert result.exit_code != 0
    assert "penstock.yaml" in str(result.exception)


def test_the_suites_fault_is_named_whatever_else_is_wrong(tmp_path: Path) -> None:
    write_repository(tmp_path, [])
    contract = yaml.safe_load((tmp_path / "penstock.yaml").read_text())
    contract["weights"] = [{"path": "weights/model.onnx", "sha256": "0" * 64, "source": "repository"}]
    (tmp_path / "penstock.yaml").write_text(yaml.safe_dump(contract))
    result = runner.invoke(app, ["suite", "lint", str(tmp_path)])
    assert isinstance(result.exception, UsageError)
    assert str(result.exception.where).startswith("suite/suite.yaml:")


def test_power_of_what_is_not_known(tmp_path: Path) -> None:
    write_repository(tmp_path, [case("a"), case("b", "picture-1.png")])
    result = runner.invoke(app, ["suite", "power", str(tmp_path)])
    assert result.exit_code == 0
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["rule", "cases", "margin", "smallest", "that", "it", "settles", "takes"],
        ["mae", "2", "0.01", "not", "known", "not", "known"],
    ]


def test_power_of_a_baseline(tmp_path: Path) -> None:
    names = [f"c{number:02}" for number in range(30)]
    write_repository(tmp_path, [case(name, parameters={"n": number}) for number, name in enumerate(names)])
    sides = []
    for side in range(3):
        file = tmp_path / f"{side}.jsonl"
        lines = [
            Measurement(case=name, metric="mae", value=0.1 + 0.001 * ((7 * place * (side + 2)) % 5), unit="1")
            for place, name in enumerate(names)
        ]
        file.write_text("".join(f"{line.model_dump_json(exclude_none=True)}\n" for line in lines))
        sides += ["--baseline", str(file)]
    result = runner.invoke(app, ["suite", "power", str(tmp_path), *sides, "--json"])
    assert result.exit_code == 0, result.exception
    (found,) = json.loads(result.stdout)
    assert found["answer"] == "settled"
    assert 0 < found["smallest_margin"] < 0.01
    text = runner.invoke(app, ["suite", "power", str(tmp_path), *sides]).stdout.splitlines()[1].split()
    assert text[:3] == ["mae", "30", "0.01"]
    assert text[-1] == "enough"


def test_power_of_ratings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.ratings.power.rating_power.__kwdefaults__", {"runs": 10})
    write_repository(tmp_path, [case("a"), case("b", "picture-1.png")])
    contract = yaml.safe_load((tmp_path / "penstock.yaml").read_text())
    contract["policy"]["rules"] = [{"metric": "preference", "min": 0.35, "ratings": 20}]
    (tmp_path / "penstock.yaml").write_text(yaml.safe_dump(contract))
    text = runner.invoke(app, ["suite", "power", str(tmp_path)])
    assert text.exit_code == 0, text.exception
    assert text.stdout.splitlines()[1].startswith("preference >= 0.35  2      20 by 10")
    said = json.loads(runner.invoke(app, ["suite", "power", str(tmp_path), "--json"]).stdout)
    assert [(one["metric"], one["ratings"], one["raters"]) for one in said] == [("preference", 20, 10)]


def test_add(tmp_path: Path) -> None:
    write_repository(tmp_path, [case("a")])
    photo = tmp_path / "new.png"
    photo.write_bytes((tmp_path / "suite" / "picture-3.png").read_bytes())
    matte = tmp_path / "suite" / "matte-3.png"
    words = ("suite", "add", str(photo), "--repository", str(tmp_path), "--field", f"truth={matte}", "--slice", "hair")
    result = runner.invoke(app, [*words, "--parameter", "size=5", "--licence", "CC0-1.0", "--origin", "Ann"])
    assert result.exit_code == 0, result.exception
    assert result.stdout == "1 case added: new\n"
    suite = yaml.safe_load((tmp_path / "suite" / "suite.yaml").read_text())
    assert suite["cases"][1] == {
        "name": "new",
        "inputs": {"image": "new.png"},
        "parameters": {"size": 5},
        "slices": ["hair"],
        "truth": "matte-3.png",
    }


@pytest.mark.parametrize(
    "more", [("--licence", "MIT"), ("--with", "audio"), ("--as", "audio"), ("--with", "image=x.png")]
)
def test_add_of_what_is_not_clear(tmp_path: Path, more: tuple[str, ...]) -> None:
    write_repository(tmp_path, [case("a")])
    file = str(tmp_path / "suite" / "picture-3.png")
    result = runner.invoke(app, ["suite", "add", file, "--repository", str(tmp_path), *more])
    assert isinstance(result.exception, UsageError)
