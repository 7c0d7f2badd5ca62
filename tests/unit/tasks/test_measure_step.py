"""The step measure: what networks compute in comes from its parameters."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from penstock_tasks.measure import entrypoint
from penstock_tasks.measure.entrypoint import main

from penstock.bundle.directory import Bundle
from penstock.bundle.steps import begin
from penstock.extractors import precision


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run the step with parameters; the exit code, and the arithmetic that it measures in."""
    bundle = Bundle(tmp_path / "bundle")
    begin(bundle, run_id="run-1", track="release")
    monkeypatch.setattr(entrypoint, "read_checked", lambda bundle, source: Checked())
    found: list[str] = []

    def measured(*given: object, arithmetic: str, **more: object) -> tuple[list[object], bool]:
        found.append(arithmetic)
        return [], False

    monkeypatch.setattr(entrypoint, "measure_once", measured)
    places = [f"--source={tmp_path}", f"--bundle={bundle.path}", f"--cache={tmp_path / 'cache'}"]
    results = [f"--result={name}={tmp_path / name}" for name in entrypoint.RESULTS]

    def run(*more: str) -> tuple[int, list[str]]:
        found.clear()
        return main([*more, *places, *results]), list(found)

    return run


class Checked:
    """A contract, and its suite."""

    contract = None

    def suite(self) -> Checked:
        return self

    def only(self, slice_name: str) -> Checked:
        return self


def test_what_networks_compute_in(asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "why_no_bf16", lambda: "")
    assert asked() == (0, ["f32"])
    assert asked("--like=bf16-openvino") == (0, ["bf16-openvino"])
    assert asked("--precision=bf16") == (0, ["bf16-openvino"])
    assert asked("--precision=f32", "--like=bf16-openvino") == (0, ["f32"])
    assert asked("--device=cuda") == (0, ["f32-cuda"])


def test_a_machine_without_amx(asked, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(precision, "why_no_bf16", lambda: "no AMX here")
    assert asked("--precision=bf16") == (2, [])
    assert "no AMX here" in capsys.readouterr().out
    assert asked("--like=bf16-openvino") == (0, ["f32"])
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (line,) = [line["message"] for line in said if line["event"] == "log"]
    assert "no AMX here" in line


@pytest.mark.parametrize("wrong", ["--precision=fp16", "--device=tpu"])
def test_words_that_mean_nothing_are_refused(asked, wrong: str) -> None:
    assert asked(wrong) == (2, [])
