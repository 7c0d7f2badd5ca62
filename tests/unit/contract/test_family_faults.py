"""A contract keeps to its family: its presets, its networks, its suite."""

from __future__ import annotations

import pytest
from tests.unit.contract.conftest import Write

from penstock.contract.family_faults import family_faults, family_of, suite_family_faults
from penstock.contract.load import load_contract, load_suite, read_contract_text


def test_contract_of_a_family_has_no_fault(repository: Write) -> None:
    root = repository()
    contract = load_contract(root)
    found = family_of(contract)
    assert found is not None
    assert found.name == contract.family
    assert list(family_faults(contract, read_contract_text(root))) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"family": "no-such-family"}, None),
        ({"extractors": {"no-such-role": "syncnet-compact"}}, "extractors.no-such-role"),
        ({"extractors": {"lipsync": "portrait-features"}}, "extractors.lipsync"),
    ],
)
def test_what_the_family_does_not_have(repository: Write, change: dict[str, object], field: str | None) -> None:
    root = repository()
    contract = load_contract(root).model_copy(update=change)
    found = [fault.field for fault in family_faults(contract, read_contract_text(root))]
    assert found == ([field] if field is not None else [])
    assert field is not None or family_of(contract) is None


def test_suite_of_another_family_is_a_fault(repository: Write) -> None:
    root = repository()
    contract = load_contract(root)
    suite = load_suite(root, contract)
    document = read_contract_text(root)
    assert list(suite_family_faults(contract, suite, document)) == []
    (fault,) = suite_family_faults(contract, suite.model_copy(update={"family": "matting"}), document)
    assert "matting" in fault.what
    assert not fault.warning
