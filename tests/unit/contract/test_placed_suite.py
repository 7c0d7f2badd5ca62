"""Where a suite from elsewhere lies, and what is said while it does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.contract.conftest import Write
from tests.unit.contract.found_faults import only

from penstock.contract.load import load_contract, load_suite
from penstock.contract.placed_suite import RECORD, placed_folder, suite_from_elsewhere
from penstock.contract.suite_sources import FOLDER
from penstock.foundation.errors import UsageError

ADDRESS = f"oci://registry.example.org/suites/a@sha256:{'5' * 64}"


def moved(root: Path, address: str = ADDRESS) -> Path:
    """The repository's own suite, as one that was brought."""
    (root / FOLDER).parent.mkdir()
    (root / "suite").rename(root / FOLDER)
    (root / RECORD).write_text(json.dumps({"address": address, "digest": "d" * 64}))
    return root


def test_a_brought_suite_is_read_as_one_of_the_repository(repository: Write) -> None:
    own = load_suite(root := repository(), load_contract(root))
    root = moved(repository(contract=("suite: suite", f"suite: {ADDRESS}")))
    contract = load_contract(root)
    assert (contract.suite, contract.suite_folder) == (ADDRESS, FOLDER)
    assert placed_folder(root, contract.suite) == FOLDER
    assert load_suite(root, contract) == own


def test_one_that_is_not_here_is_one_fault_with_what_to_do(repository: Write) -> None:
    root = repository(contract=("suite: suite", f"suite: {ADDRESS}"))
    found = only(root)
    assert "suite: the suite lies elsewhere and is not here yet" in found
    assert "penstock suite fetch" in found
    with pytest.raises(UsageError, match="not here yet"):
        load_suite(root, load_contract(root))


@pytest.mark.parametrize("record", ["{", "[]", "{}", '{"address": "oci://other"}'])
def test_another_one_is_not_taken(repository: Write, record: str) -> None:
    root = moved(repository(contract=("suite: suite", f"suite: {ADDRESS}")))
    (root / RECORD).write_text(record)
    assert "another one than the contract names" in only(root)


def test_a_moving_name_is_one_fault(repository: Write) -> None:
    found = only(repository(contract=("suite: suite", "suite: oci://registry.example.org/a:latest")))
    assert "it names no digest: a tag can be moved. Write @sha256:DIGEST" in found


def test_what_the_contract_names_even_if_it_has_faults(repository: Write, tmp_path: Path) -> None:
    root = repository(contract=("suite: suite", f"suite: {ADDRESS}\nnaem: x"))
    source = suite_from_elsewhere(root)
    assert source is not None
    assert source.text == ADDRESS
    assert suite_from_elsewhere(repository()) is None
    (root / "penstock.yaml").write_text("suite: [")
    assert suite_from_elsewhere(root) is None
    assert suite_from_elsewhere(tmp_path / "nothing") is None
