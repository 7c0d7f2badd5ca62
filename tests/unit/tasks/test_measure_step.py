"""The step measure: what networks compute in comes from its parameters."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from penstock_tasks.measure import entrypoint
from penstock_tasks.measure.entrypoint import main

from penstock.bundle.directory import Bundle
from penstock.bundle.steps import begin
from penstock.contract.arithmetic import extractor_label
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
        labels = {"lipsync": extractor_label("syncnet", "0" * 64, arithmetic)}  # type: ignore[arg-type]
        bundle.update_run(bundle.run().model_copy(update={"extractors": labels}))
        return [], False

    monkeypatch.setattr(entrypoint, "measure_once", measured)
    places = [f"--source={tmp_path}", f"--bundle={bundle.path}", f"--cache={tmp_path / 'cache'}"]
    results = [f"--result={name}={tmp_path / name}" for name in entrypoint.RESULTS]

    def run(*more: str) -> tuple[int, list[str]]:
        found.clear()
        return main([*more, *places, *results]), list(found)

    return run


class Checked:
    """A contract that asks nothing of the log, and its suite."""

    contract = SimpleNamespace(log=None)

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
    monkeypatch.setattr(precision, "why_no_bf16", lambda: "no bf16 here")
    assert asked("--precision=bf16") == (2, [])
    assert "no bf16 here" in capsys.readouterr().out
    assert asked("--like=bf16-openvino") == (0, ["f32"])
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (line,) = [line["message"] for line in said if line["event"] == "log"]
    assert "no bf16 here" in line


@pytest.mark.parametrize(
    ("more", "again", "why"),
    [
        (["--like=bf16-openvino", "--stored=lipsync=bf16-openvino"], "true", "bf16-openvino: no bf16 here"),
        (["--precision=f32", "--stored=lipsync=bf16-openvino"], "true", "stored in lipsync=bf16-openvino"),
        (["--device=cuda", "--like=f32", "--stored=lipsync=f32"], "true", "in f32-cuda; what"),
        (["--like=f32", "--stored=lipsync=f32"], "false", "0 values"),
        (["--like=bf16-openvino"], "false", "0 values"),
        (["--stored=frechet=bf16-openvino"], "false", "0 values"),
    ],
    ids=str,
)
def test_stored_values_in_another_arithmetic_are_to_be_measured_again(
    asked, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, more: list[str], again: str, why: str
) -> None:
    monkeypatch.setattr(precision, "why_no_bf16", lambda: "no bf16 here")
    code, (arithmetic,) = asked(*more)
    assert code == 0
    assert (tmp_path / "arithmetic").read_text() == arithmetic
    assert (tmp_path / "again").read_text() == again
    assert why in Bundle(tmp_path / "bundle").run().steps[-1].note


@pytest.mark.parametrize("wrong", ["--precision=fp16", "--device=tpu"])
def test_words_that_mean_nothing_are_refused(asked, wrong: str) -> None:
    assert asked(wrong) == (2, [])
