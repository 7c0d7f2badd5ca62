"""A model with an exported file: used while it answers as the trained weights do; else these go on, or nothing does."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import yaml
from tests.pipeline import test_recognition as recognition
from tests.pipeline.exported_model import EXPORTER, exported_repository
from tests.pipeline.pipeline_runs import PENSTOCK, run_release
from tests.pipeline.test_matting import matte
from tests.unit.sources.source_servers import commit, git, new_repository

from penstock.bundle.directory import Bundle
from penstock.bundle.export_record import export_record


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported_repository(tmp_path_factory.mktemp("models") / "cutter")


def said(bundle: Bundle) -> set[str]:
    """Which weights the model said that it computes with, in the step infer."""
    lines = (bundle.path / "logs" / "model.log").read_text(encoding="utf-8").splitlines()
    return {"onnx", "trained"} & set(lines)


def published(out: Path, version: str) -> dict[str, object]:
    record: dict[str, object] = json.loads((out / "store" / "published" / "cutter" / f"{version}.json").read_text())
    return record


def test_an_export_that_answers_as_the_trained_weights_do_is_used(repository: Path, tmp_path: Path) -> None:
    code, bundle = run_release(repository, tmp_path, "v1.0.0")
    assert code == 0
    record = export_record(bundle)
    assert record is not None
    assert (record.use_onnx, record.fault, record.exporter.same) == (True, None, True)
    assert [case.values for case in record.cases] == [{"mae": 0.0, "edge_p999": 0.0, "edge_max": 0.0}] * 5
    assert "exported weights/cut.json" in (bundle.path / "export" / "exporter.log").read_text(encoding="utf-8")
    assert said(bundle) == {"onnx"}
    assert published(tmp_path, "1.0.0")["use_onnx"] is True
    assert bundle.verdict().rules[-1].metric == "export"
    assert bundle.verdict().rules[-1].verdict == "pass"


def test_over_a_limit_the_release_goes_on_with_the_trained_weights(repository: Path, tmp_path: Path) -> None:
    code, bundle = run_release(repository, tmp_path, "v1.1.0")
    assert code == 0
    record = export_record(bundle)
    assert record is not None
    assert (record.use_onnx, record.exporter.same, record.shown) == (False, False, record.worst["mae"].case)
    assert record.worst["edge_max"].value == pytest.approx(0.3, abs=0.01)
    assert "5 of 5 cases differ too much from the trained weights: mae is " in (record.fault or "")
    assert said(bundle) == {"trained"}
    values = {line.case: line.value for line in bundle.measurements() if line.metric == "mae"}
    # as far from both truths as the trained weights are: 0 and a tenth of alpha
    assert values["c0"] == pytest.approx(0.05 * float(np.mean(matte(0) / 255)), rel=1e-3)
    rules = {rule.metric: rule for rule in bundle.verdict().rules}
    assert (rules["export"].verdict, rules["export"].severity) == ("fail", "warn")
    assert bundle.verdict().verdict == "pass"
    assert published(tmp_path, "1.1.0")["use_onnx"] is False
    assert bundle.run().use_onnx is False
    kept = sorted(path.relative_to(bundle.path).as_posix() for path in (bundle.path / "export").rglob("*.png"))
    assert kept == [f"export/{side}/outputs/{record.shown}/output.png" for side in ("exported", "trained")]
    assert "export/export.json" in Bundle(tmp_path / "store" / "runs" / "cutter" / "v1.1.0").verify().files
    summary = (bundle.path / "report" / "summary.md").read_text(encoding="utf-8")
    assert "Computed with its trained weights (`use_onnx=false`)" in summary
    html = (bundle.path / "report" / "index.html").read_text(encoding="utf-8")
    assert "USE_ONNX=false" in html


def test_the_policy_may_stop_it(repository: Path, tmp_path: Path) -> None:
    code, bundle = run_release(repository, tmp_path, "v1.2.0")
    assert code == 1
    assert [rule.metric for rule in bundle.verdict().rules if rule.verdict == "fail"] == ["export"]
    assert "differ too much" in bundle.verdict().rules[-1].reason
    assert not (tmp_path / "store" / "published" / "cutter" / "1.2.0.json").exists()


def test_an_exporter_that_fails_is_as_an_export_over_the_limit(repository: Path, tmp_path: Path) -> None:
    code, bundle = run_release(repository, tmp_path, "v1.3.0")
    assert code == 1
    record = export_record(bundle)
    assert record is not None
    assert record.fault is not None
    assert record.fault.startswith("the exporter exited with code 1; the end of its log: ")
    assert "no onnx" in record.fault
    assert (record.cases, said(bundle)) == ([], {"trained"})


@pytest.mark.timeout(300)  # two runs
def test_outputs_of_an_earlier_run_keep_what_the_model_was_told(repository: Path, tmp_path: Path) -> None:
    for name in ("first", "second"):
        argv = ("run", "verify", "--repo", str(repository), "--revision", "v1.1.0", "--param", "slice=hair")
        ended = subprocess.run(
            [PENSTOCK, *argv, "--out", str(tmp_path), "--name", name], capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr
    bundle = Bundle(tmp_path / "runs" / "second" / "bundle")
    assert {step.name: step.status for step in bundle.run().steps}["infer"] == "unchanged"
    assert "export" not in {step.name for step in bundle.run().steps}
    assert bundle.run().use_onnx is False
    record = export_record(bundle)
    assert record is not None
    assert record.use_onnx is False
    (value,) = (line for line in bundle.measurements() if line.metric == "export")
    assert (value.value, value.error) == (0.0, record.fault)


@pytest.mark.timeout(300)  # two runs
def test_a_released_model_that_runs_again_is_told_what_its_release_says(repository: Path, tmp_path: Path) -> None:
    assert run_release(repository, tmp_path, "v1.1.0")[0] == 0
    code, bundle = run_release(repository, tmp_path, "v1.4.0")
    assert code == 0
    assert said(bundle) == {"onnx"}
    released = Bundle(tmp_path / "runs" / "v1.4.0" / "baseline")
    assert said(released) == {"trained"}
    assert bundle.verdict().rules[0].candidate == bundle.verdict().rules[0].baseline


def test_a_service_that_answers_with_json_is_compared_by_its_own_family(tmp_path: Path) -> None:
    """An exported file that finds nothing where the trained weights find a cup and a book is not used."""
    repository = new_repository(tmp_path / "seer")
    which = 'os.path.join("weights", "seer.bin" if os.environ.get("USE_ONNX", "true") == "true" else "seer.json")'
    trained, exported = recognition.answers().encode(), recognition.answers(objects=[]).encode()
    files = {"weights/seer.json": trained, "weights/seer.bin": exported}
    listed = [
        {"path": path, "sha256": hashlib.sha256(content).hexdigest(), "source": "lfs"}
        for path, content in files.items()
    ]
    export = {"argv": ["python", "export.py", "weights/seer.json", "{output}"], "weights": "weights/seer.bin"}
    contract = recognition.CONTRACT | {"weights": listed, "export": export}
    code = {
        "penstock.yaml": yaml.safe_dump(contract),
        "serve.py": recognition.MODEL.replace('"answers.json"', which),
        "export.py": EXPORTER,
    }
    commit(repository, recognition.suite() | files | code, "an export that finds nothing")
    git(repository, "tag", "v1.0.0")
    exit_code, bundle = run_release(repository, tmp_path, "v1.0.0")
    record = export_record(bundle)
    assert record is not None
    assert exit_code == 0, "the trained weights find what is there"
    assert record.use_onnx is False
    assert "1 of 3 cases differ too much from the trained weights: labels is 1, over the limit of 0" in str(
        record.fault
    )
    assert bundle.run().use_onnx is False
