"""The verdict on a commit that is not released: the step gate on the track verify, over a store with a release."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.pipeline.pipeline_runs import text
from tests.unit.tasks.step_folders import StepFolders

from penstock.bundle.checked_contract import CheckedRecord
from penstock.bundle.directory import write_model
from penstock.bundle.models import WHOLE_SUITE, Invocation, Measurement, SuiteRecord
from penstock.bundle.verdict_record import Verdict
from penstock.contract.floor import FLOOR_FILE
from penstock.gating.short_suite import looks_worse
from penstock.releases.quick_verdict import NOTHING_ASKED, UNREADABLE
from penstock.releases.release import publish
from penstock.store.archive import archive
from penstock.store.open import open_store

WHOLE, PART = SuiteRecord(digest="a" * 64, cases=2), SuiteRecord(digest="b" * 64, cases=1, whole="a" * 64)


@pytest.fixture
def folders(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> StepFolders:
    found = StepFolders(tmp_path / "run", capsys)
    found.write_repository()
    found.cloned(track="verify", suite=PART)
    return found


def tried(folders: StepFolders, sharpness: float, *more: str, lines: tuple[Measurement, ...] = ()) -> Verdict:
    """A commit over the one case of the slice, judged."""
    folders.bundle.write_invocations([Invocation(case="one", status="ok")])
    values = {"duration_error": 0.0, "latency": 0.5, "sharpness": sharpness}
    measured = [
        Measurement(case="one", metric=metric, value=value, slices=["smoke"]) for metric, value in values.items()
    ]
    folders.bundle.write_measurements([*measured, *lines])
    answer = folders.call("gate", "--slice=smoke", *more)
    assert answer.code == 0, answer.error
    return folders.bundle.verdict()


def enforced(folders: StepFolders) -> int:
    """The exit code of *enforce* after *gate*."""
    found = folders.call("gate", "--slice=smoke", f"--store={folders.store}").results
    return folders.call("enforce", *(f"--{name}={found[name]}" for name in ("verdict", "reason", "harmless"))).code


def test_a_case_is_compared_with_the_same_case_of_the_release(folders: StepFolders) -> None:
    folders.release(sharpness=9.0, suite=WHOLE)
    worse = tried(folders, 2.0, f"--store={folders.store}")
    assert (worse.verdict, worse.baseline, worse.cases, worse.uncompared) == ("inconclusive", "run-1", "smoke", "")
    assert [rule.metric for rule in looks_worse(worse)] == ["sharpness"]
    assert enforced(folders) == 3
    assert all("has no value" not in rule.reason for rule in worse.rules), "the release's other case is not missed"
    near = tried(folders, 8.9, f"--store={folders.store}")
    assert (near.verdict, looks_worse(near)) == ("inconclusive", [])
    assert enforced(folders) == 0


def test_nothing_of_it_becomes_a_release(folders: StepFolders) -> None:
    folders.release(sharpness=9.0, suite=WHOLE)
    store = open_store(folders.store)
    before = {entry.key for entry in store.list("")}
    tried(folders, 9.0, f"--store={folders.store}")
    answer = folders.call("archive", f"--store={folders.store}", "--pull-request=7", "--fork=true")
    assert answer.code == 0
    assert answer.results["uri"].endswith("/forks/pulls/tiny/7/run-2")
    new = {entry.key for entry in store.list("")} - before
    assert new
    assert all(key.startswith("forks/pulls/tiny/7/run-2/") for key in new)


@pytest.mark.parametrize(
    ("record", "wanted"),
    [
        ({"suite": SuiteRecord(digest="c" * 64, cases=9)}, "not compared with 1.0.0: suite: 1 case, sha256:bbbb"),
        (
            {"suite": WHOLE, "parameters": {"inference_steps": 5}},
            "parameter 'inference_steps': not set in the candidate",
        ),
    ],
)
def test_what_came_about_otherwise_is_held_to_its_bounds(
    folders: StepFolders, record: dict[str, Any], wanted: str
) -> None:
    folders.release(sharpness=9.0, **record)
    verdict = tried(folders, 2.0, f"--store={folders.store}")
    assert verdict.baseline is None
    assert wanted in verdict.uncompared
    (sharp,) = [rule for rule in verdict.rules if rule.metric == "sharpness"]
    assert sharp.not_compared is not None
    assert wanted in sharp.reason
    assert "first release" not in verdict.model_dump_json()


def test_without_a_store_and_before_the_first_release(folders: StepFolders) -> None:
    assert "no store is named" in tried(folders, 9.0).uncompared
    assert tried(folders, 9.0, f"--store={folders.store}").uncompared == "nothing is released yet"
    answer = folders.call("gate", "--slice=smoke")
    assert answer.results["reason"].startswith("pass (no store is named")


def test_a_policy_that_runs_the_release_again_does_not_here(folders: StepFolders) -> None:
    folders.release(sharpness=9.0, suite=WHOLE)
    rerun = {"rules": [{"metric": "sharpness", "margin": "10%"}], "baseline": "rerun"}
    (folders.source / "rerun.yaml").write_text(text(rerun), encoding="utf-8")
    verdict = tried(folders, 2.0, f"--store={folders.store}", "--policy=rerun.yaml")
    assert (verdict.verdict, verdict.baseline, verdict.comparison) == ("inconclusive", "run-1", "stored")


def test_a_waiver_of_the_run_is_shown_with_who_gave_it(folders: StepFolders) -> None:
    folders.release(sharpness=9.0, suite=WHOLE)
    waiver = {"metric": "sharpness", "reason": "softer on purpose", "expires": "2999-12-31", "by": "ada"}
    verdict = tried(folders, 2.0, f"--store={folders.store}", f"--waive={json.dumps([waiver])}")
    assert looks_worse(verdict) == []
    (sharp,) = [rule for rule in verdict.rules if rule.metric == "sharpness"]
    assert sharp.waiver is not None
    assert (sharp.waiver.author, sharp.verdict) == ("ada", "inconclusive")
    assert folders.call("gate", "--waive=[1]").code == 2


def test_where_no_rule_can_be_asked_nothing_is_accepted(folders: StepFolders) -> None:
    only = {"rules": [{"metric": "fid", "max": 10.0}]}
    (folders.source / "only.yaml").write_text(text(only), encoding="utf-8")
    line = Measurement(case=WHOLE_SUITE, metric="fid", value=99.0)
    verdict = tried(folders, 9.0, "--policy=only.yaml", lines=(line,))
    assert (verdict.verdict, [left.metric for left in verdict.not_asked]) == ("inconclusive", ["fid"])
    assert NOTHING_ASKED in folders.call("gate", "--slice=smoke", "--policy=only.yaml").results["reason"]


def test_a_release_needs_a_store(folders: StepFolders) -> None:
    folders.cloned(track="release")
    folders.measured()
    assert folders.call("gate").code == 2


def floor_of(folders: StepFolders, *rules: dict[str, Any], **more: Any) -> str:
    (folders.folder / "floor").mkdir()
    (folders.folder / "floor" / FLOOR_FILE).write_text(text({"rules": list(rules)} | more), encoding="utf-8")
    return f"--policy-floor={folders.folder / 'floor'}"


def test_the_platforms_floor_is_out_of_reach_of_the_commits_policy_and_of_waivers(folders: StepFolders) -> None:
    folders.release(sharpness=9.0, suite=WHOLE)
    floor = floor_of(folders, {"metric": "sharpness", "min": 5.0}, {"metric": "fid", "max": 9.0}, min_cases=20)
    (folders.source / "lax.yaml").write_text(text({"rules": [{"metric": "sharpness", "min": 0.0}]}), encoding="utf-8")
    waiver = {"metric": "sharpness", "reason": "x", "expires": "2999-12-31", "by": "eve"}
    asked = (f"--store={folders.store}", floor, "--policy=lax.yaml", f"--waive={json.dumps([waiver])}")
    verdict = tried(folders, 2.0, *asked)
    assert [(rule.origin, rule.verdict, rule.blocks) for rule in verdict.rules] == [
        ("policy", "pass", False),
        ("floor", "fail", True),
    ]
    assert verdict.verdict == "fail"
    assert verdict.floor is not None
    assert (folders.bundle.path / FLOOR_FILE).is_file()
    assert {(left.metric, left.why) for left in verdict.not_asked} == {
        ("fid", "the platform's floor: a value of the whole suite"),
        ("sharpness", "the platform's floor: at least 20 cases"),
    }
    assert tried(folders, 8.9, *asked).verdict == "pass"


def test_a_floor_that_only_a_release_can_answer_is_recorded(folders: StepFolders) -> None:
    verdict = tried(folders, 9.0, floor_of(folders, {"metric": "page", "min": 1.0}))
    assert verdict.floor is not None
    assert {rule.origin for rule in verdict.rules} == {"policy"}


def released_policy(folders: StepFolders, policy: dict[str, Any]) -> None:
    """A release whose record holds the contract with this policy."""
    earlier = StepFolders(folders.folder / "earlier", folders._capsys)
    earlier.cloned(version="1.0.0", suite=WHOLE)
    earlier.bundle.update_run(earlier.bundle.run().model_copy(update={"run_id": "run-1"}))
    earlier.measured(9.0)
    record = CheckedRecord(sources={}, contract={"policy": policy}, suite={})
    write_model(earlier.bundle.contract_file, record)
    earlier.bundle.write_verdict(Verdict(verdict="pass", level=0.05, rules=[], candidate="run-1"))
    store = open_store(folders.store)
    archive(earlier.bundle, store, model="tiny", run_id="run-1")
    publish(store, earlier.bundle, tag=lambda *_: None)


@pytest.mark.parametrize("suite", [PART, SuiteRecord(digest="c" * 64, cases=1)])
def test_a_weaker_policy_is_named_also_where_nothing_is_compared(folders: StepFolders, suite: SuiteRecord) -> None:
    folders.bundle.update_run(folders.bundle.run().model_copy(update={"suite": suite}))
    released_policy(folders, {"rules": [{"metric": "sharpness", "min": 8.0}, {"metric": "duration_error", "max": 0.1}]})
    lax = {"rules": [{"metric": "sharpness", "min": 1.0}, {"metric": "duration_error", "max": 0.1}]}
    (folders.source / "lax.yaml").write_text(text(lax), encoding="utf-8")
    verdict = tried(folders, 9.0, f"--store={folders.store}", "--policy=lax.yaml")
    assert [(one.metric, one.what) for one in verdict.weakened] == [("sharpness", "min 8 became 1")]
    assert bool(verdict.uncompared) == (suite is not PART)


def test_a_record_without_a_policy_is_not_passed_over(folders: StepFolders) -> None:
    folders.release(sharpness=9.0, suite=WHOLE)
    assert [one.what for one in tried(folders, 9.0, f"--store={folders.store}").weakened] == [UNREADABLE]
    assert tried(folders, 9.0).weakened == []
