"""Every family's contract, as ``penstock init`` writes it, begins alike."""

from __future__ import annotations

import pytest
import yaml

from penstock.families.registry import BUILT_IN, family
from penstock.families.shared_template import CONTRACT_HEAD

BLANKS = {"name": "mine", "family": "any", "suite": "suite", "sha256": "a" * 64}


def test_its_blanks_are_filled() -> None:
    head = yaml.safe_load(CONTRACT_HEAD.format(**BLANKS))
    assert (head["version"], head["name"], head["family"]) == (1, "mine", "any")
    assert head["weights"][0]["sha256"] == "a" * 64


@pytest.mark.parametrize("name", BUILT_IN)
def test_families_take_it_and_go_on(name: str) -> None:
    contract = family(name).template.contract
    assert contract.startswith(CONTRACT_HEAD)
    assert set(yaml.safe_load(contract.format(**BLANKS))) > {"version", "weights", "build", "call", "policy"}
