"""The package's public names: what docs/api.md and the package's docstring say runs, and importing is light."""

from __future__ import annotations

import doctest
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

import penstock

ROOT = Path(__file__).parents[2]
V1 = ROOT / "tests" / "fixtures" / "formats" / "v1"
DOC = ROOT / "docs" / "api.md"
HEAVY = ("numpy", "cv2", "av", "scipy", "onnxruntime", "boto3", "httpx", "jinja2", "pydantic", "yaml")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with what the examples of docs/api.md name."""
    with tarfile.open(V1 / "store.tar.xz") as archive:
        archive.extractall(tmp_path / "store", filter="data")
    for name in ("policy.yaml", "calibration.json"):
        shutil.copy(V1 / name, tmp_path)
    shutil.copytree(V1 / "repository" / "suite" / "reference", tmp_path / "reference")
    monkeypatch.chdir(tmp_path)
    for name in ("PENSTOCK_SYNCNET", "PENSTOCK_FRECHET"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_the_examples_of_the_document_run(files: Path) -> None:
    blocks = re.findall(r"^```pycon\n(.*?)^```$", DOC.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    assert len(blocks) == 7
    text = "\n".join(blocks)
    test = doctest.DocTestParser().get_doctest(text, {}, DOC.name, str(DOC), 0)
    result = doctest.DocTestRunner().run(test)
    assert result.attempted > 20
    assert result.failed == 0


def test_the_tour_runs() -> None:
    result = doctest.testmod(penstock)
    assert result.attempted > 5
    assert result.failed == 0


def test_the_document_lists_every_public_name() -> None:
    table = DOC.read_text(encoding="utf-8").split("## What is stable")[1]
    named = set(re.findall(r"`([A-Za-z_]+)`", table))
    assert set(penstock.__all__) - {"__version__"} <= named


def test_every_public_name_is_there() -> None:
    for name in penstock.__all__:
        assert getattr(penstock, name) is not None
        assert name in dir(penstock)


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="module 'penstock' has no attribute 'gaet'"):
        getattr(penstock, "gaet")  # noqa: B009 (a type checker would find it)


def test_the_import_loads_nothing() -> None:
    code = f"import penstock, sys; print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_gate_loads_no_network_runtime() -> None:
    code = (
        f"import penstock, sys; penstock.gate; print(sorted(set({('cv2', 'av', 'onnxruntime')!r}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def measured(value: float, count: int = 20) -> list[penstock.Measurement]:
    return [penstock.Measurement(case=f"case-{n}", metric="lse_d", value=value + n % 3) for n in range(count)]


def test_sides_may_be_paths_bundles_and_measurements(files: Path) -> None:
    first, second = (files / "store" / "runs" / "tiny-portrait" / name for name in ("first", "second"))
    bundle = penstock.read_bundle(second)
    sides: list[object] = [second, str(second), bundle, second / "measurements.jsonl", bundle.measurements()]
    found = {penstock.compare(first, side).metrics[0].change for side in sides}  # type: ignore[arg-type]
    assert len(found) == 1


def test_a_run_folder_holds_its_bundle(files: Path) -> None:
    run = files / "run"
    shutil.copytree(files / "store" / "runs" / "tiny-portrait" / "first", run / "bundle")
    assert penstock.read_bundle(run).path == run / "bundle"


def test_what_was_edited_is_refused(files: Path) -> None:
    path = files / "store" / "runs" / "tiny-portrait" / "first"
    (path / "measurements.jsonl").chmod(0o644)
    with (path / "measurements.jsonl").open("a") as file:
        file.write("\n")
    with pytest.raises(penstock.UsageError, match="does not match its manifest: changed measurements"):
        penstock.read_bundle(path)
    with pytest.raises(penstock.UsageError, match="does not match its manifest"):
        penstock.compare(path, path)


def test_what_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(penstock.UsageError, match="the file is missing"):
        penstock.read_bundle(tmp_path)
    with pytest.raises(penstock.UsageError, match="this is not a directory"):
        penstock.read_bundle(__file__)


def test_gate_refuses_what_cannot_be_compared(files: Path) -> None:
    first = penstock.read_bundle(files / "store" / "runs" / "tiny-portrait" / "first")
    shutil.rmtree(files / "copy", ignore_errors=True)
    shutil.copytree(first.path, files / "copy", ignore=shutil.ignore_patterns("manifest.json"))
    other = penstock.Bundle(files / "copy")
    other.run_file.chmod(0o644)
    other.update_run(other.run().model_copy(update={"parameters": {"steps": 20}}))
    with pytest.raises(penstock.UsageError, match="parameter 'steps'"):
        penstock.gate(other, first, "policy.yaml")
    assert any("parameter 'steps'" in note for note in penstock.compare(first, other).notes)


def test_gate_without_a_baseline_and_with_a_floor(tmp_path: Path) -> None:
    policy = penstock.Policy.model_validate({"rules": [{"metric": "lse_d", "margin": "5%"}]})
    verdict = penstock.gate(measured(8.0), None, policy)
    assert (verdict.verdict, verdict.baseline, verdict.rules[0].not_compared) == ("pass", None, "rule")
    floor = tmp_path / "floor.yaml"
    floor.write_text("rules: [{metric: lse_d, max: 8.5}]\n")
    verdict = penstock.gate(measured(8.0), None, policy, policy_floor=floor)
    assert (verdict.verdict, [rule.origin for rule in verdict.rules]) == ("fail", ["policy", "floor"])


def test_the_level_of_a_comparison() -> None:
    wide, narrow = (penstock.compare(measured(8.0), measured(8.5)[::-1], level=level) for level in (0.01, 0.2))
    assert wide.level == 0.01
    assert narrow.level == 0.2
    with pytest.raises(penstock.UsageError, match=r"0\.7 is not a level"):
        penstock.compare(measured(8.0), measured(8.5), level=0.7)
