"""Every bad release of rmbg-lite has a rule that must stop it, and the contract has that rule."""

from __future__ import annotations

import make_repository
import yaml
from tests.rmbg_lite.faults import BETTER, GOOD, STOPPED_BY, named, table
from tests.rmbg_lite.matting_service import BASE
from tests.unit.report.case_values import result

from penstock.bundle.verdict_record import Verdict


def test_each_release_and_no_other_has_its_rule() -> None:
    tags = [release.tag for release in make_repository.read_manifest("rmbg-lite").releases]
    assert tags == [GOOD, *STOPPED_BY, BETTER]


def test_the_contract_has_these_rules() -> None:
    contract = yaml.safe_load((BASE / "penstock.yaml").read_text(encoding="utf-8").replace("{{", "").replace("}}", ""))
    rules = {
        f"{rule['metric']} ({rule['slice']})" if "slice" in rule else rule["metric"]
        for rule in contract["policy"]["rules"]
    }
    assert {"page", "export"} <= contract.keys(), "their own rules come with them"
    assert set(STOPPED_BY.values()) <= rules | {"page", "export"}


def test_the_table_says_what_fell() -> None:
    rules = [
        result(metric="mae"),
        result(metric="mae", slice="hair", verdict="pass"),
        result(metric="page", verdict="pass"),
    ]
    verdict = Verdict.model_construct(rules=rules)
    assert [named(rule) for rule in rules] == ["mae", "mae (hair)", "page"]
    assert table({"v1.0.9-inverted": verdict}).splitlines()[2] == "| v1.0.9-inverted | **fell** |  |  |"
