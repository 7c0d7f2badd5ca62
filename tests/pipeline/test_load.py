"""A service under load: released while it holds; each way of not holding is stopped by its own rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from penstock_tasks.load import drive
from tests.pipeline.loaded_service import ALONE, LOAD, RULES, loaded_files
from tests.pipeline.pipeline_runs import run_release
from tests.unit.sources.source_servers import commit, git, new_repository
from tests.unit.tasks.step_folders import StepFolders

from penstock.bundle.load_record import load_parts
from penstock.bundle.models import Measurement


def test_one_that_holds_is_released(tmp_path: Path) -> None:
    repository = new_repository(tmp_path / "speaker")
    commit(repository, loaded_files(LOAD | {"concurrency": 4, "rate": [40.0, 20.0]}, {"logs": "rotated"}), "good")
    git(repository, "tag", "v1.0.0")
    code, bundle = run_release(repository, tmp_path, "v1.0.0")
    assert (code, [rule.reason for rule in bundle.verdict().rules if rule.verdict != "pass"]) == (0, [])
    values = {found.metric: found.value or 0.0 for found in bundle.measurements() if found.case == "*"}
    assert [values[name] for name in ("load_errors", "load_dropped", "early_ready", "overload")] == [0, 0, 0, 0]
    assert (values["stop_lost"], values["recovered"], values["oom_recovered"]) == (0, 1, 1)
    assert (values["mixed_answers"], values["load_errors_at_20"]) == (0, 0)
    assert 5 <= values["load_p95_ms_at_20"] < 300
    assert 5 <= values["saturated_p50_ms"] <= values["saturated_p99_ms"]
    assert "gpu_memory_growth" not in values, "no machine of ours has a card"
    assert 5 <= values["load_p50_ms"] <= values["load_p95_ms"] <= values["load_p99_ms"]
    assert 0.2 <= values["startup_s"] < 20
    assert values["throughput"] > 20
    p95 = next(rule for rule in bundle.verdict().rules if rule.metric == "load_p95_ms")
    assert "and with 95 % confidence at most" in p95.reason
    assert p95.limit == "≤ 300 ms with 95 % confidence"
    (part,) = load_parts(bundle)
    assert part.requests is not None
    assert len(part.requests.due_s) == 108, "8 of the warm-up"
    assert part.memory is not None
    assert len(part.memory.mib) > 100
    assert part.files is not None
    assert 0.5 < max(part.files.mib) < 1, "three files of its log, however much is written"
    assert part.start is not None
    assert part.start.not_ready_statuses == [503]
    assert "load/1-of-1.json" in bundle.verify().files


BAD: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, str]]] = [
    (
        "slow at every 15th request",
        ALONE,
        {"slow_s": 0.6},
        {"load_p95_ms": "P95 under load is 6"},
    ),
    (
        "leaks a quarter of a mebibyte each time",
        ALONE | {"seconds": 5.0},
        {"leaks": True},
        {"memory_growth": "memory growth is 2"},
    ),
    (
        "keeps a log that nobody rotates",
        ALONE,
        {"logs": "for ever"},
        {"file_growth": "growth of files is 6"},
    ),
    (
        "says that it is ready before it is",
        ALONE,
        {"lies": True, "loads_s": 1.0},
        {"early_ready": "ready too early is 1, above the maximum of 0: it said that it was ready after "},
    ),
    (
        "does not finish what is under way when it is stopped",
        ALONE | {"stop": True},
        {"drops": True, "answers_s": 0.2},
        {"stop_lost": "requests lost at the stop is "},
    ),
    (
        "does not start on what a killed one has left",
        ALONE | {"recover": True},
        {"lock": True},
        {"recovered": "recovery after a kill is 0, below the minimum of 1: before it was ready, the service exited"},
    ),
    (
        "answers what it should not when two come at the same time",
        ALONE | {"together": True},
        {"mixes": True, "answers_s": 0.05},
        {"mixed_answers": "wrong answers at the same time is "},
    ),
    (
        "does not start on what it left when memory ran out",
        ALONE | {"oom": True},
        {"lock": True},
        {"oom_recovered": "recovery from out of memory is 0, below the minimum of 1: before it was ready, the service"},
    ),
]


@pytest.mark.parametrize(("load", "how", "said"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_each_fault_is_stopped_by_its_own_rule(
    load: dict[str, Any],
    how: dict[str, Any],
    said: dict[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # what takes time, and how much memory is looked at meanwhile, is the machine's fault as well when it is busy
    of_the_machine = {"load_p95_ms", "memory_growth", "file_growth"} - said.keys()
    rules = [rule for rule in RULES if rule["metric"] not in of_the_machine]
    found = judged(load, how, tmp_path, capsys, policy={"rules": rules})
    assert found.keys() == said.keys(), found
    for metric, words in said.items():
        assert found[metric].startswith(words), found


def test_one_that_dies_under_load_has_one_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = judged({}, {"dies_at": 60}, tmp_path, capsys)
    why = "under load the service exited with code 3; the end of its log: out of handles"
    assert why in found["load_errors"]
    assert all(why in found[metric] for metric in ("overload", "stop_lost", "recovered"))
    assert not found.keys() & {"early_ready", "load_dropped"}


def judged(
    load: dict[str, Any], how: dict[str, Any], folder: Path, capsys: pytest.CaptureFixture[str], **changes: Any
) -> dict[str, str]:
    """Metric → the reason of each rule that fails, after the steps load and gate."""
    folders = StepFolders(folder, capsys)
    for name, content in loaded_files(LOAD | load, how, **changes).items():
        path = folders.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    folders.cloned(model="speaker")
    folders.bundle.write_invocations([])
    folders.bundle.write_measurements([Measurement(case="one", metric="duration_error", value=0.0)])
    runtime = folder / "workspace" / "runtime"
    runtime.mkdir(parents=True)
    named = {"part": "1/1", "image": "none", "runtime-id": "x", "runtime": runtime}
    places = {"source": folders.source, "bundle": folders.bundle.path}
    assert drive.main([f"--{name}={value}" for name, value in {**named, **places}.items()]) == 0
    assert folders.call("load", "--part=1/1").code == 0
    assert folders.call("gate", f"--store={folders.store}").code == 0
    return {rule.metric: rule.reason for rule in folders.bundle.verdict().rules if rule.verdict != "pass"}
