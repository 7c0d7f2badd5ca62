from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.unit.store.stored_bundle import accepted_bundle

from penstock.book.workbench import Workbench
from penstock.bundle.directory import Bundle, append_line
from penstock.bundle.failures import remember_failure
from penstock.bundle.models import Invocation
from penstock.bundle.shards import Shard
from penstock.foundation.errors import UsageError


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """Of a run whose model has answered two cases of two shards, and failed at one."""
    made = accepted_bundle(tmp_path / "runs" / "run-1" / "bundle")
    made.verdict_file.unlink()
    first, second = Shard(1, 2).bundle(made), Shard(2, 2).bundle(made)
    calls = [
        (first, Invocation(case="quick", status="ok", latency_s=0.2, output="outputs/quick/output.mp4")),
        (first, Invocation(case="slow", status="ok", latency_s=2.0, output="outputs/slow/output.wav")),
        (second, Invocation(case="broken", status="failed", error="no\nface")),
    ]
    for shard, call in calls:
        shard.path.mkdir(parents=True, exist_ok=True)
        shard.append_invocation(call)
        if call.output:
            (shard.path / call.output).parent.mkdir(parents=True)
            (shard.path / call.output).write_bytes(call.case.encode())
    return made


@pytest.fixture
def bench(bundle: Bundle, tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)


def test_the_worst_case_so_far_comes_first(bench: Workbench) -> None:
    found = bench.run("run-1")
    assert found is not None
    assert [case.name for case in found.cases] == ["broken", "slow", "quick"]
    assert found.failed == 1
    assert found.cases[0].error == "no face"
    assert found.cases[2].files == [("shards/1-of-2/outputs/quick/output.mp4", "video")]
    assert found.card.model == "sonic-lite"
    assert found.card.version == "1.0.0"


def test_merged_calls_count_once(bench: Workbench, bundle: Bundle) -> None:
    bundle.write_invocations([Invocation(case="slow", status="ok", latency_s=2.0, output="outputs/slow/output.wav")])
    found = bench.run("run-1")
    assert found is not None
    assert sorted(case.name for case in found.cases) == ["broken", "quick", "slow"]
    assert found.cases[1].files == [("outputs/slow/output.wav", "audio")]


def test_a_line_that_is_not_whole_is_passed_over(bench: Workbench, bundle: Bundle) -> None:
    with Shard(1, 2).bundle(bundle).invocations_file.open("ab") as file:
        file.write(b'{"case": "half')
    found = bench.run("run-1")
    assert found is not None
    assert len(found.cases) == 3


def test_what_broke(bench: Workbench, bundle: Bundle) -> None:
    remember_failure(bundle, "measure", "no space left")
    found = bench.run("run-1")
    assert found is not None
    assert [(failure.step, failure.error) for failure in found.failures] == [("measure", "no space left")]


def test_files_of_cases(bench: Workbench) -> None:
    file = bench.open("run-1", "shards/1-of-2/outputs/quick/output.mp4")
    assert file is not None
    with file:
        assert file.read() == b"quick"


@pytest.mark.parametrize(
    "path",
    [
        "run.json",
        "outputs/größe/../../run.json",
        "shards/1-of-2/invocations.jsonl",
        "outputs/größe/link.mp4",
        "outputs/aside/output.mp4",
        "outputs/größe/page.html",
        "outputs/größe/pipe.mp4",
        "outputs/größe/none.mp4",
        "/etc/passwd.png",
        "outputs/\0/x.mp4",
    ],
)
def test_nothing_else_is_handed_out(bench: Workbench, bundle: Bundle, tmp_path: Path, path: str) -> None:
    (tmp_path / "secret.mp4").write_bytes(b"of another run")
    (bundle.outputs / "größe" / "link.mp4").symlink_to(tmp_path / "secret.mp4")
    (bundle.outputs / "aside").symlink_to(tmp_path / "runs" / "run-1" / "bundle" / "outputs" / "größe")
    (bundle.outputs / "größe" / "page.html").write_bytes(b"<script>")
    os.mkfifo(bundle.outputs / "größe" / "pipe.mp4")
    assert bench.open("run-1", path) is None


@pytest.mark.parametrize("name", ["run-2", "..", ".", "", "run-1/bundle", "\0", "a" * 5000])
def test_no_such_run(bench: Workbench, name: str) -> None:
    assert bench.run(name) is None
    assert bench.open(name, "outputs/größe/output.mp4") is None


def test_a_run_in_another_runs_name(bench: Workbench, bundle: Bundle, tmp_path: Path) -> None:
    """A bundle may be written to by its model, and says whose it is: only its own folder counts."""
    bundle.update_run(bundle.run().model_copy(update={"run_id": "run-7"}))
    assert bench.run("run-1") is None
    assert bench.runs() == []


def test_records_that_are_links(bench: Workbench, bundle: Bundle, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.json"
    bundle.run_file.rename(elsewhere)
    bundle.run_file.symlink_to(elsewhere)
    assert bench.run("run-1") is None


def test_runs_the_newest_first(bench: Workbench, tmp_path: Path) -> None:
    accepted_bundle(tmp_path / "runs" / "run-2" / "bundle", run_id="run-2")
    (tmp_path / "runs" / "not-a-run").mkdir()
    assert [card.run_id for card in bench.runs()] == ["run-2", "run-1"]


def test_a_flood_of_lines_is_cut(bench: Workbench, bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.book.workbench.MAX_LINES_BYTES", 1000)
    shard = Shard(1, 2).bundle(bundle)
    for number in range(50):
        append_line(shard.invocations_file, Invocation(case=f"more-{number}", status="ok"))
    found = bench.run("run-1")
    assert found is not None
    assert len(found.cases) < 20


def test_limits_are_those_of_a_page_not_of_a_file(
    bench: Workbench, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = bench.run("run-1")
    assert whole is not None
    assert not whole.more
    monkeypatch.setattr("penstock.book.workbench.MAX_CALLS", 2)
    by_lines = bench.run("run-1")
    assert by_lines is not None
    assert (sorted(case.name for case in by_lines.cases), by_lines.more) == (["quick", "slow"], True)
    monkeypatch.setattr("penstock.book.workbench.MAX_CALLS", 3)
    monkeypatch.setattr(
        "penstock.book.workbench.MAX_LINES_BYTES", Shard(1, 2).bundle(bundle).invocations_file.stat().st_size
    )
    by_bytes = bench.run("run-1")
    assert by_bytes is not None
    assert (sorted(case.name for case in by_bytes.cases), by_bytes.more) == (["quick", "slow"], True)


def test_exactly_as_many_calls_as_are_read(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.book.workbench.MAX_CALLS", 3)
    found = bench.run("run-1")
    assert found is not None
    assert (len(found.cases), found.more) == (3, False)


def test_a_case_that_was_tried_again_is_what_came_last(bench: Workbench, bundle: Bundle) -> None:
    Shard(2, 2).bundle(bundle).append_invocation(Invocation(case="broken", status="ok", latency_s=0.1))
    found = bench.run("run-1")
    assert found is not None
    assert found.failed == 0


def test_calls_that_are_merged_are_read_first(
    bench: Workbench, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flood in a shard hides nothing that was checked."""
    monkeypatch.setattr("penstock.book.workbench.MAX_CALLS", 1)
    bundle.write_invocations([Invocation(case="merged", status="ok")])
    found = bench.run("run-1")
    assert found is not None
    assert ([case.name for case in found.cases], found.more) == (["merged"], True)


def test_what_a_failure_says_is_cut(bench: Workbench, bundle: Bundle) -> None:
    remember_failure(bundle, "measure", "no space left")
    record = next((bundle.path / "failures").iterdir())
    record.write_text(record.read_text().replace('"measure"', f'"{"m" * 9999}"').replace("no space", "x" * 9999))
    found = bench.run("run-1")
    assert found is not None
    assert [(len(failure.step), len(failure.error)) for failure in found.failures] == [(500, 500)]


def test_a_shards_name_that_is_no_text(bench: Workbench, bundle: Bundle) -> None:
    """No address can hold it: a page that links to its files would be an error."""
    hostile = os.fsencode(bundle.path / "shards") + b"/\xff"
    os.mkdir(hostile)  # noqa: PTH102 (a path of bytes)
    line = Invocation(case="odd", status="ok", output="outputs/odd/output.mp4").model_dump_json()
    Path(os.fsdecode(hostile), "invocations.jsonl").write_text(line + "\n")
    found = bench.run("run-1")
    assert found is not None
    assert "odd" not in [case.name for case in found.cases]


def test_of_many_runs_the_newest_are_looked_at(
    bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.book.workbench.MAX_RUNS", 1)
    accepted_bundle(tmp_path / "runs" / "a-new-one" / "bundle", run_id="a-new-one")
    os.utime(tmp_path / "runs" / "run-1", (1, 1))
    looked_at: list[str] = []
    monkeypatch.setattr(bench, "_card", lambda name: looked_at.append(name) or [])
    assert bench.runs() == []
    assert looked_at == ["a-new-one"]


def test_a_fresh_claim_waits_for_its_first_run(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    assert bench.runs() == []
    assert bench.run("run-1") is None
    accepted_bundle(tmp_path / "runs" / "run-1" / "bundle", run_id="run-1")
    assert [card.run_id for card in bench.runs()] == ["run-1"]


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        Workbench(tmp_path / "misspelt")
