"""Every bad release of sonic-lite that answers has a rule that must stop it, and the contract has that rule."""

from __future__ import annotations

import make_repository
import yaml
from tests.faults.fault_table import GOOD
from tests.sonic_lite.faults import TABLE
from tests.sonic_lite.talking_head_service import ASSETS

OF_THE_SERVICE = {"v1.0.3-crash", "v1.0.4-silent"}
"""They come to no verdict."""
UNCHANGED = {"v1.0.5"}


def test_each_release_has_its_rule() -> None:
    tags = {release.tag for release in make_repository.read_manifest("sonic-lite").releases}
    assert tags == {GOOD, *TABLE.stopped_by, TABLE.better, *OF_THE_SERVICE, *UNCHANGED}


def test_the_contract_has_these_rules() -> None:
    text = (ASSETS / "models" / "sonic-lite" / "base" / "penstock.yaml").read_text(encoding="utf-8")
    contract = yaml.safe_load(text.replace("{{", "").replace("}}", ""))
    assert set(TABLE.stopped_by.values()) <= {rule["metric"] for rule in contract["policy"]["rules"]}
    assert contract["extractors"]["lips"] == "lip-opening"
