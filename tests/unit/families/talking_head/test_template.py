"""What ``penstock init`` writes is valid once its blanks are filled."""

from __future__ import annotations

from pathlib import Path

import yaml

from penstock.contract.load import load_contract, load_suite
from penstock.families.talking_head.template import TEMPLATE


def test_contract_and_suite_are_valid(tmp_path: Path) -> None:
    blanks = {"name": "mine", "family": "talking-head", "suite": "suite", "sha256": "a" * 64}
    (tmp_path / "suite").mkdir()
    (tmp_path / "penstock.yaml").write_text(TEMPLATE.contract.format(**blanks), encoding="utf-8")
    (tmp_path / "suite" / "suite.yaml").write_text(TEMPLATE.suite.format(**blanks), encoding="utf-8")
    contract = load_contract(tmp_path)
    assert (contract.name, contract.family) == ("mine", "talking-head")
    assert load_suite(tmp_path, contract).cases
    assert yaml.safe_load(TEMPLATE.suite.format(**blanks))["family"] == "talking-head"
