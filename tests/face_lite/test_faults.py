"""Every bad release of face-lite has a rule that must stop it, and the contract has that rule."""

from __future__ import annotations

import make_repository
import yaml
from tests.face_lite.face_service import BASE
from tests.face_lite.faults import BETTER, GOOD, NOT_YET, STOPPED_BY, missed
from tests.unit.report.case_values import result

from penstock.bundle.verdict_record import Verdict


def test_each_release_and_no_other_has_what_stops_it() -> None:
    tags = [release.tag for release in make_repository.read_manifest("face-lite").releases]
    assert set(tags) == {GOOD, *STOPPED_BY, *NOT_YET, BETTER}
    assert len(tags) == len(STOPPED_BY) + len(NOT_YET) + 2


def test_the_contract_has_these_rules() -> None:
    contract = yaml.safe_load((BASE / "penstock.yaml").read_text(encoding="utf-8").replace("{{", "").replace("}}", ""))
    rules = {
        f"{rule['metric']} ({rule['slice']})" if "slice" in rule else rule["metric"]
        for rule in contract["policy"]["rules"]
        if rule.get("severity") != "warn"
    }
    assert set(STOPPED_BY.values()) <= rules


def test_a_fault_that_another_rule_stops_is_missed() -> None:
    verdicts = {tag: Verdict.model_construct(verdict="fail", rules=[result(metric="auroc")]) for tag in STOPPED_BY}
    good = Verdict.model_construct(verdict="pass", rules=[])
    found = missed({GOOD: good, **verdicts, BETTER: good})
    assert len(found) == sum(rule != "auroc" for rule in STOPPED_BY.values())
    assert found[0] == "v1.0.1-half is fail, and auroc fell: not eer"
    assert missed({GOOD: good, **verdicts, BETTER: verdicts["v1.0.2-nan"]})[0] == "v1.1.0 is not accepted"
