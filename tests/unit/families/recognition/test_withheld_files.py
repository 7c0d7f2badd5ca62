"""What a case says is true is checked before a model starts, and kept from it: the suite itself, and its tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.families.recognition.recognition_cases import picture, table

from penstock.bundle.directory import Bundle
from penstock.bundle.steps import begin
from penstock.contract.check import check_repository
from penstock.contract.load import load_contract, load_suite
from penstock.evaluation.infer import withheld_files
from penstock.evaluation.plan import plan
from penstock.families.registry import directions
from penstock.foundation.errors import UsageError

CONTRACT = {
    "version": 1,
    "name": "seer",
    "family": "recognition",
    "call": {"preset": "wanwu", "http": {"argv": ["python", "serve.py"]}},
    "suite": "suite",
    "policy": {"rules": [{"metric": "label_f1", "min": 0.5}]},
}
CASE = {"name": "a", "inputs": {"image": "a.png"}, "labels": ["cup"], "synonyms": "synonyms.yaml", "language": "en"}


def repository(root: Path, **changed: Any) -> Path:
    (root / "suite").mkdir()
    picture(root / "suite")
    table(root / "suite")
    suite = {"version": 1, "family": "recognition", "cases": [CASE | changed]}
    (root / "suite" / "suite.yaml").write_text(yaml.safe_dump(suite), encoding="utf-8")
    (root / "penstock.yaml").write_text(yaml.safe_dump(CONTRACT), encoding="utf-8")
    (root / "Containerfile").write_text("FROM scratch\n", encoding="utf-8")
    (root / "serve.py").write_text("", encoding="utf-8")
    return root


def planned(root: Path, folder: Path) -> None:
    contract = load_contract(root)
    bundle = Bundle(folder / "bundle")
    bundle.path.mkdir()
    begin(bundle, run_id="r", track="release")
    plan(contract, load_suite(root, contract), root, bundle, cache=None)


def test_suite_and_tables_are_hidden(tmp_path: Path) -> None:
    root = repository(tmp_path)
    contract = load_contract(root)
    found = withheld_files(contract, load_suite(root, contract), root, root, None)
    assert sorted(path.name for path in found) == ["suite.yaml", "synonyms.yaml"]


def test_a_good_suite_is_checked_and_planned(tmp_path: Path) -> None:
    root = repository(tmp_path)
    report = check_repository(root, metrics=directions())
    assert [fault for fault in report.faults if not fault.warning] == []
    planned(root, tmp_path)


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"synonyms": "a.png"}, "not a text in UTF-8"),
        ({"synonyms": "none.yaml"}, "the file is missing"),
        ({"language": "zh-Hant"}, "no language 'zh-Hant'"),
        ({"objects": [{"label": "cup", "box": [70, 0, 20, 20]}]}, "is not inside the picture"),
    ],
)
def test_a_suite_that_cannot_be_is_refused_before_the_model_starts(
    tmp_path: Path, changed: dict[str, Any], what: str
) -> None:
    with pytest.raises(UsageError, match=what) as caught:
        planned(repository(tmp_path, **changed), tmp_path)
    assert "of case 'a'" in str(caught.value) or "case 'a' in suite/suite.yaml" in str(caught.value)
