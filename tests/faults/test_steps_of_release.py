"""The short path judges as a whole release does, and takes out what it says and no more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.faults.fault_table import Judged
from tests.faults.steps_of_release import Order, judge
from tests.faults.whole_release import release
from tests.pipeline.pipeline_runs import contract, files, text, tiny_repository
from tests.unit.sources.source_servers import commit, git, new_repository

from penstock.bundle.directory import Bundle
from penstock.contract.load import load_contract

GOOD, BAD = "v1.0.0", "v1.1.0"
pytestmark = pytest.mark.timeout(300)


def rules(judged: Judged) -> list[tuple[str, str | None, str, str]]:
    return [(rule.metric, rule.slice, rule.verdict, rule.limit) for rule in judged.rules]


def order(repository: Path, out: Path, tag: str, **more: Any) -> Order:
    return Order(repository, tag, out, frozenset(more.pop("sections", ())), more.pop("changes", {}), **more)


def test_it_judges_as_a_whole_release(tmp_path: Path) -> None:
    repository = tiny_repository(tmp_path / "tiny")
    for tag, word in ((GOOD, "pass"), (BAD, "fail")):
        short = judge(order(repository, tmp_path / "short", tag, released=tag == GOOD)).judged
        whole = release(repository, tmp_path / "whole", tag)
        assert short.word == word
        assert rules(short) == rules(whole)


def test_a_release_that_breaks_off_says_why(tmp_path: Path) -> None:
    repository = new_repository(tmp_path / "tiny")
    commit(repository, files() | {"penstock.yaml": text(contract(suite="nowhere"))}, "no suite")
    git(repository, "tag", GOOD)
    ended = judge(order(repository, tmp_path / "out", GOOD))
    assert ended.judged.word.startswith("without a verdict: ")
    assert "nowhere" in ended.judged.word


def test_what_is_not_asked_is_taken_out_with_its_rules(tmp_path: Path) -> None:
    repository = new_repository(tmp_path / "tiny")
    kept = [{"metric": "duration_error", "max": 0.1}, {"metric": "sharpness", "slice": "smoke", "min": 1.0}]
    dropped = [{"metric": "sharpness", "slice": "all", "min": 1.0}, {"metric": "load_p95_ms", "max": 300}]
    changed = contract(policy={"rules": [*kept, *dropped]}) | {"load": {"rate": 5}}
    suite = yaml.safe_load(str(files()["suite/suite.yaml"]))
    suite["cases"][1]["slices"] = ["all"]
    commit(repository, files() | {"penstock.yaml": text(changed), "suite/suite.yaml": text(suite)}, "with a load")
    git(repository, "tag", GOOD)
    ended = judge(order(repository, tmp_path / "out", GOOD, slice="smoke"))
    bundle = Bundle(tmp_path / "out" / "v1-0-0" / "bundle")
    assert [(rule.metric, rule.slice) for rule in ended.judged.rules] == [
        ("duration_error", None),
        ("sharpness", "smoke"),
    ]
    assert {call.case for call in bundle.invocations()} == {"one"}
    assert ended.cpu_seconds > 0


def test_what_is_asked_is_changed_as_the_table_says(tmp_path: Path) -> None:
    repository = new_repository(tmp_path / "tiny")
    http = {"argv": ["python", "model.py", "{port}"], "path": "/", "response": "video/mp4", "files": {"image": "image"}}
    served = contract(call={"http": http | {"ready_timeout_s": 1.0}, "warmup": 0}, checks=[]) | {"load": {"rate": 5}}
    commit(repository, files() | {"penstock.yaml": text(served)}, "a service")
    git(repository, "tag", GOOD)
    changes = {"load": {"seconds": 2}, "page": {"timeout_s": 5}}
    judge(order(repository, tmp_path / "out", GOOD, sections=["load"], changes=changes))
    used = load_contract(tmp_path / "out" / "v1-0-0" / "source")
    assert used.load is not None
    assert (used.load.rate, used.load.seconds) == ([5.0], 2)
    assert used.page is None
