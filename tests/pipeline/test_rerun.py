"""``baseline: rerun``: the released model runs again beside the candidate, and what is compared is paired."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml
from tests.pipeline.conftest import Once
from tests.pipeline.pipeline_runs import (
    MODEL,
    Ended,
    Penstock,
    archived,
    contract,
    files,
    one_message,
    pointer,
    text,
)
from tests.unit.sources.source_servers import commit, git, new_repository

from penstock.bundle.directory import Bundle
from penstock.releases.transfer import transfer
from penstock.store.open import open_store

CASES = [f"case-{number}" for number in range(6)]
SLOW = 'import sys, time\nif sys.argv[1] != "check": time.sleep(0.7)\n'


def candidate() -> dict[str, str | bytes]:
    """A model that answers the same as the released one, only later; over a suite of its own, larger one."""
    rules = [{"metric": "latency", "margin": 0.2}, {"metric": "sharpness", "margin": "10%"}]
    found = files()
    inputs = yaml.safe_load(str(found["suite/suite.yaml"]))["cases"][0]["inputs"]
    suite = {"version": 1, "family": "talking-head", "cases": [{"name": name, "inputs": inputs} for name in CASES]}
    return {
        "model.py": SLOW + MODEL,
        "suite/suite.yaml": text(suite),
        "penstock.yaml": text(contract(policy={"rules": rules, "baseline": "rerun"})),
    }


@pytest.fixture(scope="session")
def slower(once: Once, repository: Path, first: Ended) -> Ended:
    """A slower candidate after the first release, from another clone, to which the name was moved."""

    def run(folder: Path) -> None:
        git(folder, "clone", "-q", str(repository), "clone")
        commit(folder / "clone", candidate(), "slower")
        git(folder / "clone", "tag", "v2.0.0")
        shutil.copytree(first.out, folder / "out")
        store = open_store(folder / "out" / "store")
        assert transfer(store, "tiny", str(folder / "clone"), reason="a clone of it", by="a test") is not None
        ended = Penstock(folder / "clone", folder / "out").run("v2.0.0", "slower")
        (folder / "said").write_text(f"{ended.code}\n{ended.stderr}", encoding="utf-8")

    folder = once("slower", run)
    code, _, said = (folder / "said").read_text(encoding="utf-8").partition("\n")
    return Ended(int(code), "", said, folder / "out", "slower")


def test_a_slower_candidate_is_caught(slower: Ended) -> None:
    assert slower.code == 1, slower.stderr
    verdict = archived(slower).verdict()
    assert (verdict.verdict, verdict.comparison, verdict.baseline) == ("fail", "rerun", "first")
    latency, sharpness = verdict.rules
    assert latency.verdict == "fail"
    assert latency.change is not None
    assert latency.change > 0.4
    assert (sharpness.verdict, sharpness.change) == ("pass", 0)
    told = pointer(slower.out)
    assert told is not None
    assert told["run_id"] == "first"


def test_the_two_took_turns_and_never_were_called_at_once(slower: Ended) -> None:
    ours, theirs = slower.bundle.invocations(), Bundle(slower.folder / "baseline").invocations()
    assert [call.case for call in ours] == [call.case for call in theirs] == CASES
    calls = sorted((call.started, whose, call) for whose, side in (("C", ours), ("R", theirs)) for call in side)
    assert [call.case for _, _, call in calls] == [case for case in CASES for _ in "12"]
    assert "".join(whose for _, whose, _ in calls) == "CRRC" * (len(CASES) // 2)
    # said once more as they came, by the run itself
    said = [line.split()[2:4] for line in slower.stderr.splitlines() if re.match(r"infer-turns: \d+/\d+ ", line)]
    assert said == [["candidate" if whose == "C" else "released", f"{call.case}:"] for _, whose, call in calls]


def test_both_sides_are_of_this_run_under_the_candidates_conditions(slower: Ended, first: Ended) -> None:
    run, released = slower.bundle.run(), Bundle(slower.folder / "baseline").run()
    assert (released.run_id, released.track) == ("first", "rerun")
    assert released.source is not None
    before = first.bundle.run().source
    assert before is not None
    assert (released.source.commit, released.source.version) == (before.commit, "1.0.0")
    assert released.suite == run.suite != first.bundle.run().suite
    assert released.parameters == run.parameters
    for inference in (run.inference, released.inference):
        assert inference is not None
        assert not inference.unchanged
        assert inference.shards[0].machine is not None
    assert run.inference is not None
    assert run.inference.products == "", "pairs are not kept for runs that compare otherwise"


def test_the_evidence_holds_what_was_compared_with(slower: Ended) -> None:
    evidence = archived(slower)
    kept = Bundle(evidence.path / "baseline")
    released = Bundle(slower.folder / "baseline")
    assert kept.run() == released.run()
    assert kept.invocations() == released.invocations()
    assert kept.measurements() == released.measurements()
    assert {name for name in evidence.verify().files if name.startswith("baseline/")} == {
        "baseline/run.json",
        "baseline/invocations.jsonl",
        "baseline/measurements.jsonl",
    }
    page = (evidence.report / "index.html").read_text(encoding="utf-8")
    assert "1.0.0" in page


def test_a_released_model_that_is_gone_breaks_the_run(first: Ended, tmp_path: Path) -> None:
    """It is neither the candidate's fault, nor are the stored measurements taken instead."""
    elsewhere = new_repository(tmp_path / "rewritten")
    commit(elsewhere, files() | candidate(), "another history")
    git(elsewhere, "tag", "v2.0.0")
    shutil.copytree(first.out / "store", tmp_path / "out" / "store")
    transfer(open_store(tmp_path / "out" / "store"), "tiny", str(elsewhere), reason="rewritten", by="a test")
    ended = Penstock(elsewhere, tmp_path / "out").run("v2.0.0", "gone")
    assert ended.code == 4, ended.stderr
    said = one_message(ended)
    assert said.startswith("clone-released: error: ")
    assert "the released model cannot be run again: " in said
    assert "baseline: stored" in said
    assert not ended.bundle.verdict_file.exists()
    assert "tiny 2.0.0: stopped in the step clone" in ended.stdout
