"""Every bad release of face-lite has a rule that must stop it, and the contract has that rule."""

from __future__ import annotations

from pathlib import Path

import make_repository
from tests.face_lite.faults import TABLE
from tests.faults.fault_table import BETTER, GOOD

from penstock.contract.engine_rules import with_engine_rules
from penstock.contract.load import load_contract

MANIFEST = make_repository.read_manifest("face-lite")


def test_each_release_and_no_other_has_what_stops_it() -> None:
    tags = [release.tag for release in MANIFEST.releases]
    assert tags == [GOOD, *TABLE.stopped_by, BETTER]


def test_the_contract_has_these_rules(tmp_path: Path) -> None:
    make_repository.stage(MANIFEST, MANIFEST.releases[0], tmp_path)
    contract = load_contract(tmp_path)
    rules = {
        f"{rule.metric} ({rule.slice})" if rule.slice is not None else rule.metric
        for rule in with_engine_rules(contract.policy, contract).rules
        if rule.severity == "block"
    }
    assert set(TABLE.stopped_by.values()) <= rules
