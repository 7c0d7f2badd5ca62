"""What ``penstock init --family recognition`` writes is valid once its blanks are filled, and holds what it says."""

from __future__ import annotations

from pathlib import Path

from penstock.contract.load import load_contract, load_suite
from penstock.contract.policy import policy_faults
from penstock.families.recognition.case import RecognitionCase
from penstock.families.recognition.template import TEMPLATE
from penstock.families.registry import directions


def test_contract_and_suite_are_valid(tmp_path: Path) -> None:
    blanks = {"name": "mine", "family": "recognition", "suite": "suite", "sha256": "a" * 64}
    (tmp_path / "suite").mkdir()
    (tmp_path / "penstock.yaml").write_text(TEMPLATE.contract.format(**blanks), encoding="utf-8")
    (tmp_path / "suite" / "suite.yaml").write_text(TEMPLATE.suite.format(**blanks), encoding="utf-8")
    contract = load_contract(tmp_path)
    assert (contract.name, contract.family, contract.call.preset) == ("mine", "recognition", "wanwu")
    assert not list(policy_faults(contract.policy, known=directions()))
    (case,) = load_suite(tmp_path, contract).cases
    assert isinstance(case, RecognitionCase)
    assert (case.true_labels, case.text) == (["cup", "book"], "出口 Exit")
