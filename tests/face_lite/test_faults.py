"""Every bad release of face-lite has a rule that must stop it, and the contract has that rule."""

from __future__ import annotations

import make_repository
import yaml
from tests.face_lite.face_service import BASE
from tests.face_lite.faults import NOT_YET, TABLE
from tests.faults.fault_table import BETTER, GOOD


def test_each_release_and_no_other_has_what_stops_it() -> None:
    tags = [release.tag for release in make_repository.read_manifest("face-lite").releases]
    assert set(tags) == {GOOD, *TABLE.stopped_by, *NOT_YET, BETTER}
    assert len(tags) == len(TABLE.stopped_by) + len(NOT_YET) + 2


def test_the_contract_has_these_rules() -> None:
    contract = yaml.safe_load((BASE / "penstock.yaml").read_text(encoding="utf-8").replace("{{", "").replace("}}", ""))
    rules = {
        f"{rule['metric']} ({rule['slice']})" if "slice" in rule else rule["metric"]
        for rule in contract["policy"]["rules"]
        if rule.get("severity") != "warn"
    }
    assert set(TABLE.stopped_by.values()) <= rules
