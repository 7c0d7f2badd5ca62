"""Every bad release of rmbg-lite has a rule that must stop it, and the contract has that rule."""

from __future__ import annotations

import make_repository
import yaml
from tests.faults.fault_table import BETTER, GOOD
from tests.rmbg_lite.faults import TABLE
from tests.rmbg_lite.matting_service import BASE


def test_each_release_and_no_other_has_its_rule() -> None:
    tags = [release.tag for release in make_repository.read_manifest("rmbg-lite").releases]
    assert tags == [GOOD, *TABLE.stopped_by, BETTER]


def test_the_contract_has_these_rules() -> None:
    contract = yaml.safe_load((BASE / "penstock.yaml").read_text(encoding="utf-8").replace("{{", "").replace("}}", ""))
    rules = {
        f"{rule['metric']} ({rule['slice']})" if "slice" in rule else rule["metric"]
        for rule in contract["policy"]["rules"]
    }
    assert {"page", "export"} <= contract.keys(), "their own rules come with them"
    assert set(TABLE.stopped_by.values()) <= rules | {"page", "export"}
