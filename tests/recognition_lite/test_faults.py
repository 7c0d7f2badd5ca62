"""Every bad release of recognition-lite has a rule that must stop it, and its contract has that rule."""

from __future__ import annotations

import make_repository
import numpy as np
import yaml
from tests.faults.fault_table import BETTER, GOOD
from tests.recognition_lite.faults import TABLE
from tests.recognition_lite.recognition_service import BASE
from training import make_recognition_lite_suite as maker
from training.recognition import scenes

from penstock.contract.model_log import with_log_rule
from penstock.contract.models import ModelLog
from penstock.contract.policy import Policy
from penstock.contract.serving import Load, with_load_rules


def test_each_release_and_no_other_has_what_stops_it() -> None:
    tags = [release.tag for release in make_repository.read_manifest("recognition-lite").releases]
    assert sorted(tags) == sorted([GOOD, *TABLE.stopped_by, BETTER])


def test_the_contract_has_these_rules() -> None:
    contract = yaml.safe_load((BASE / "penstock.yaml").read_text(encoding="utf-8").replace("{{", "").replace("}}", ""))
    policy = with_log_rule(Policy(**contract["policy"]), ModelLog(**contract["log"]))
    rules = with_load_rules(policy, Load(**contract["load"])).rules
    blocking = {
        f"{rule.metric} ({rule.slice})" if rule.slice else rule.metric for rule in rules if rule.severity == "block"
    }
    assert set(TABLE.stopped_by.values()) <= blocking


def test_the_short_table_has_cases_enough_of_the_slice_that_must_stop_a_release() -> None:
    """A rule over fewer than 20 cases stops nothing."""
    each = int(TABLE.small[TABLE.small.index("--each") + 1])
    blank = scenes.Scene(np.zeros((240, 320, 3), np.uint8))
    made = [maker.Made(f"{kind}-{number + 1:02}", kind, blank) for kind, number in maker.cases(each)]
    assert sum("chinese" in one.slices for one in made) >= 20
