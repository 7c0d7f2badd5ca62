"""An export that does not fit its weights, family, suite or policy is told before anything runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.pipeline.exported_model import CONTRACT, EXPORT, TRAINED, repository_files, weights
from tests.pipeline.test_matting import suite

from penstock.contract.check import check_repository
from penstock.contract.export import Export
from penstock.contract.export_faults import SANDBOX_BEGINNINGS, SANDBOX_VARIABLES, compared_cases
from penstock.contract.load import load_contract, load_suite
from penstock.families.registry import BUILT_IN, directions, family
from penstock.foundation.errors import UsageError
from penstock.invocation.environment import own_environment
from penstock.invocation.sandbox import PASSED_ON, Sandbox


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, content in (suite() | repository_files(TRAINED)).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return tmp_path


def told(root: Path, **changes: Any) -> list[str]:
    """The faults of the contract with sections in place of its own."""
    file = root / "penstock.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text(encoding="utf-8")) | changes), encoding="utf-8")
    return [str(fault) for fault in check_repository(root, metrics=directions()).faults if not fault.warning]


def test_an_export_that_fits_is_no_fault(root: Path) -> None:
    assert told(root) == []
    assert told(root, export=EXPORT | {"limits": {"mae": 0.1}, "switch": "OTHER"}) == []
    assert told(root, policy={"rules": [{"metric": "export", "min": 1}]}) == []


@pytest.mark.parametrize(
    ("export", "said"),
    [
        (
            {"weights": "weights/cut.bim"},
            "export.weights: 'weights/cut.bim' is none of the contract's weights. Did you",
        ),
        ({"limits": {"mea": 0.1}}, "export.limits.mea: the family 'matting' compares no 'mea'. Did you mean 'mae'?"),
        ({"slice": "har"}, "export.slice: no case carries the slice 'har'"),
        ({"argv": ["x"]}, "export.argv: the exporter is not told which file to write: '{output}' stands nowhere in it"),
        ({"argv": ["x", "{output}", "{image}"]}, "export.argv: nothing fills '{image}'"),
        ({"swich": "X"}, "export.swich: unknown field 'swich'. Did you mean 'switch'?"),
    ],
)
def test_an_export_that_does_not_fit_is_told(root: Path, export: dict[str, Any], said: str) -> None:
    (fault,) = told(root, export=EXPORT | export)
    assert said in fault


@pytest.mark.parametrize("bound", [{"slice": "hair", "min": 1}, {"worst": 1}])
@pytest.mark.parametrize("metric", ["export", "page", "environment", "environment_warnings"])
def test_a_rule_for_cases_of_one_value_for_the_suite(root: Path, metric: str, bound: dict[str, Any]) -> None:
    found = told(root, policy={"rules": [{"metric": "mae", "max": 1}, {"metric": metric, **bound}]})
    field = "slice" if "slice" in bound else "worst"
    what = f"policy.rules[1].{field}: '{metric}' is one value for the whole suite: no case has one. Leave '{field}' out"
    assert len([fault for fault in found if what in fault]) == 1


@pytest.mark.parametrize("switch", ["PATH", "LD_PRELOAD", "LD_LIBRARY_PATH", "UV_OFFLINE", "CONDA_PREFIX"])
def test_a_switch_that_every_model_is_started_with(root: Path, switch: str) -> None:
    (fault,) = told(root, export=EXPORT | {"switch": switch})
    assert f"export.switch: '{switch}' is a variable that every model is started with" in fault


def test_no_variable_of_the_sandbox_can_be_the_switch(tmp_path: Path) -> None:
    made = set(Sandbox(source=tmp_path, scratch=tmp_path).variables(port=1)) | set(PASSED_ON)
    for kind in ("conda", "venv"):
        made |= set(replace(own_environment(), kind=kind).variables())
    assert {"HOME", "PORT", "VIRTUAL_ENV", "CONDA_PREFIX"} <= made
    assert not {name for name in made - SANDBOX_VARIABLES if not name.startswith(SANDBOX_BEGINNINGS)}


def test_an_export_needs_trained_weights_beside_it(root: Path) -> None:
    (fault,) = told(root, weights=[one for one in weights(TRAINED) if one["path"] == EXPORT["weights"]])
    assert "export.weights: 'weights/cut.bin' is all of the contract's weights: there are no trained weights" in fault


def test_its_switch_is_not_set_twice(root: Path) -> None:
    (fault,) = told(root, call=CONTRACT["call"] | {"env": {"USE_ONNX": "true"}})
    assert "call.env.USE_ONNX: 'USE_ONNX' is set here, and 'export' sets it by what it finds" in fault


def test_every_family_of_ours_compares_two_answers() -> None:
    assert [name for name in BUILT_IN if family(name).agreement is None] == []


def test_a_family_without_a_comparison_has_no_export(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without = replace(family("matting"), agreement=None)
    monkeypatch.setattr("penstock.contract.export_faults.family", lambda name: without)
    found = told(root)
    what = "the family 'matting' has no comparison of an export's answers with those of trained weights"
    assert any(what in fault and "Leave 'export' out" in fault for fault in found)


def test_a_rule_for_an_export_that_there_is_not(root: Path) -> None:
    (fault,) = told(root, export=None, policy={"rules": [{"metric": "export", "min": 1}]})
    assert "'export' is what came of the export, and the contract has no 'export'" in fault


def test_cases_that_must_be_refused_are_not_compared(root: Path) -> None:
    cases = load_suite(root, load_contract(root))
    export = Export(argv=["{output}"], weights="x")
    assert len(compared_cases(export, cases).cases) == 5
    refused = cases.model_dump()
    refused["cases"] = [case | {"expect": {"status": 422}} for case in refused["cases"]]
    with pytest.raises(UsageError, match="there is none"):
        compared_cases(export, type(cases).model_validate(refused))
    assert compared_cases(export, type(cases).model_validate(refused), only="hair").cases == []
    assert len(compared_cases(export.model_copy(update={"slice": "other"}), cases, only="hair").cases) == 5
