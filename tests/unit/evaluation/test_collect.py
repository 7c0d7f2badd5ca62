"""However many shards a suite is run in, the bundle is the same; what is missing or doubled is found."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from tests.unit.evaluation.conftest import Repository

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation, Measurement, ShardRecord, Use
from penstock.bundle.shards import Shard, shards_folder, write_shard_record
from penstock.bundle.steps import begin, utc_now
from penstock.contract.models import Contract, Suite
from penstock.evaluation.collect import collect
from penstock.evaluation.infer import infer
from penstock.evaluation.measure import measure
from penstock.evaluation.plan import plan
from penstock.foundation.errors import UsageError, WorldError
from penstock.foundation.files import sha256_tree

pytestmark = pytest.mark.usefixtures("one_worker")
TIMED = ("latency", "real_time_factor", "peak_memory")


class Work:
    """The three steps over the tiny repository, each shard as on a machine of its own."""

    def __init__(self, repository, folder: Path, contract: Contract, suite: Suite) -> None:
        self.source = repository.path
        self.bundle = Bundle(folder / "bundle")
        self.cache = folder.parent / "cache"
        self.contract = contract
        self.suite = suite

    def plan(self, shards: int = 1, *, cache: Path | None = None) -> tuple[Shard, ...]:
        begin(self.bundle, run_id="r", track="release")
        return plan(self.contract, self.suite, self.source, self.bundle, cache=cache, shards=shards).shards

    def infer(self, part: Shard) -> list[Invocation]:
        shard = part.bundle(self.bundle)
        cases = part.of_all(self.suite.cases)
        record = ShardRecord(shard=str(part), cases=len(cases), started=utc_now("milliseconds"))
        uses: list[Use] = []
        suite = self.suite.model_copy(update={"cases": cases})
        calls = infer(self.contract, suite, self.source, shard, on_use=uses.append)
        done = record.model_copy(update={"ended": utc_now("milliseconds"), "uses": uses[-1:]})
        write_shard_record(shard, done)
        return calls

    def collect(self, *, cache: Path | None = None) -> list[Invocation]:
        return collect(self.suite, self.bundle, cache=cache)

    def measured(self) -> list[Measurement]:
        found = measure(self.contract, self.suite, self.bundle, self.source)
        return [item for item in found if item.metric not in TIMED]


@pytest.fixture
def answers(repository, make_video) -> None:
    """Each order has an answer of its own."""
    for index, order in enumerate("abcde"):
        (repository.path / f"answer-{order}.mp4").write_bytes(make_video(20 + index))


def cut_in(repository, folder: Path, shards: int) -> tuple[Work, list[Invocation]]:
    work = Work(repository, folder, repository.contract(extractors=True), repository.suite("a", "b", "500", "c", "d"))
    for part in work.plan(shards):
        work.infer(part)
    return work, work.collect()


def timeless(calls: list[Invocation]) -> list[dict[str, object]]:
    # a model that has answered nothing but the one case on which it fails was never warm, and its record says so
    timed = {"latency_s", "peak_memory_mib", "started"}
    return [call.model_dump(exclude=timed if call.status == "ok" else timed | {"warm"}) for call in calls]


@pytest.mark.slow
@pytest.mark.usefixtures("answers")
def test_shards_make_the_same_bundle_as_one_run(repository, tmp_path: Path) -> None:
    (one, calls), *others = [cut_in(repository, tmp_path / str(shards), shards) for shards in (1, 2, 9)]
    assert [call.case for call in calls] == [f"case-{index}" for index in range(5)]
    assert [call.status for call in calls] == ["ok", "ok", "failed", "ok", "ok"]
    assert all(call.warm for call in calls)
    outputs = sha256_tree(one.bundle.outputs)
    measured = one.measured()
    assert len({path.read_bytes() for path in one.bundle.outputs.glob("*/output.mp4")}) == 4
    for other, its_calls in others:
        assert timeless(its_calls) == timeless(calls)
        assert sha256_tree(other.bundle.outputs) == outputs
        assert other.measured() == measured
        assert not shards_folder(other.bundle).exists()
    logs = [sorted(path.name for path in (work.bundle.path / "logs").iterdir()) for work, _ in others]
    assert logs[0] == ["model-1-of-2.log", "model-2-of-2.log"]
    assert len(logs[1]) == 5  # one a case: more shards than cases there cannot be
    assert [path.name for path in (one.bundle.path / "logs").iterdir()] == ["model.log"]


@pytest.mark.slow
def test_times_are_in_the_record(repository, tmp_path: Path) -> None:
    work, _ = cut_in(repository, tmp_path / "w", 2)
    run = work.bundle.run()
    assert run.inference is not None
    assert [(shard.shard, shard.cases) for shard in run.inference.shards] == [("1/2", 3), ("2/2", 2)]
    assert all(shard.used_s > 0 and shard.started < shard.uses[0].started for shard in run.inference.shards)
    assert run.inference.used_s == pytest.approx(sum(shard.used_s for shard in run.inference.shards))
    (step,) = (step for step in run.steps if step.name == "infer")
    assert (step.status, step.note) == ("done", "4 of 5 calls ok")
    assert step.seconds >= max(shard.used_s for shard in run.inference.shards)


@pytest.fixture(scope="session")
def inferred(tmp_path_factory: pytest.TempPathFactory) -> Work:
    """Two shards that were put to the model. Tests only read it."""
    folder = tmp_path_factory.mktemp("inferred")
    repository = Repository(folder / "source")
    work = Work(repository, folder / "w", repository.contract(), repository.suite("a", "b"))
    for part in work.plan(2, cache=work.cache):
        work.infer(part)
    return work


@pytest.fixture
def work(repository, inferred: Work, tmp_path: Path) -> Work:
    """A copy of it, not collected yet."""
    shutil.copytree(inferred.bundle.path, tmp_path / "w" / "bundle")
    return Work(repository, tmp_path / "w", repository.contract(), repository.suite("a", "b"))


@pytest.mark.slow
def test_outputs_are_kept_for_the_next_run(repository, work: Work, tmp_path: Path) -> None:
    calls = work.collect(cache=work.cache)
    second = Work(repository, tmp_path / "second", repository.contract(), repository.suite("a", "b"))
    begin(second.bundle, run_id="r", track="release")
    assert plan(second.contract, second.suite, second.source, second.bundle, cache=work.cache).unchanged
    assert second.collect(cache=work.cache) == calls
    assert sha256_tree(second.bundle.outputs) == sha256_tree(work.bundle.outputs)
    run = second.bundle.run()
    assert run.inference is not None
    assert (run.inference.unchanged, run.inference.shards, run.inference.used_s) == (True, [], 0.0)
    (step,) = (step for step in run.steps if step.name == "infer")
    assert (step.status, step.note) == ("unchanged", "unchanged: outputs of an earlier run")


@pytest.mark.slow
def test_outputs_with_a_failed_case_are_not_kept(repository, tmp_path: Path) -> None:
    work = Work(repository, tmp_path / "w", repository.contract(), repository.suite("a", "500"))
    (part,) = work.plan(cache=work.cache)
    work.infer(part)
    work.collect(cache=work.cache)
    assert not list(work.cache.rglob("*.mp4"))
    assert not plan(work.contract, work.suite, work.source, work.bundle, cache=work.cache).unchanged


@pytest.mark.slow
@pytest.mark.parametrize("broken_off", ["shards are there", "a case was moved", "half of the shards are gone"])
def test_collect_that_was_killed_begins_again(work: Work, broken_off: str) -> None:
    wanted = sha256_tree(Shard(1, 2).bundle(work.bundle).outputs / "case-0")
    if broken_off == "a case was moved":
        shard = Shard(1, 2).bundle(work.bundle)
        (shard.outputs / "case-0").rename(work.bundle.outputs / "case-0")
        (shard.path / "logs" / "model.log").rename(work.bundle.path / "logs" / "model-1-of-2.log")
    calls = work.collect(cache=work.cache)
    if broken_off == "half of the shards are gone":
        Shard(2, 2).bundle(work.bundle).path.mkdir(parents=True)
    assert work.collect(cache=work.cache) == calls == work.bundle.invocations()
    assert sha256_tree(work.bundle.outputs / "case-0") == wanted
    assert not shards_folder(work.bundle).exists()


@pytest.mark.parametrize("kind", ["link", "folder-link", "hard-link", "pipe", "folder"])
def test_what_is_no_file_of_the_models_own_is_that_cases_failure(work: Work, tmp_path: Path, kind: str) -> None:
    """Where the kernel confines nothing, a model can write where its driver does."""
    released = tmp_path / "released" / "case-0"
    released.mkdir(parents=True)
    (released / "output.mp4").write_bytes(b"RELEASED")
    folder = Shard(1, 2).bundle(work.bundle).outputs / "case-0"
    output = folder / "output.mp4"
    output.unlink()
    if kind == "link":
        output.symlink_to(released / "output.mp4")
    elif kind == "folder-link":
        folder.rmdir()
        folder.symlink_to(released)
    elif kind == "hard-link":
        output.hardlink_to(released / "output.mp4")
    elif kind == "pipe":
        os.mkfifo(output)
    else:
        output.mkdir()
    first, second = work.collect(cache=work.cache)
    assert (first.status, first.output, second.status) == ("failed", None, "ok")
    assert first.error is not None
    assert first.error.startswith("the model's output: ")
    assert work.bundle.invocations() == [first, second]
    assert not (work.bundle.outputs / "case-0" / "output.mp4").exists()
    assert (released / "output.mp4").read_bytes() == b"RELEASED"
    work.bundle.seal()


def no_plan(work: Work) -> None:
    work.bundle.update_run(work.bundle.run().model_copy(update={"inference": None}))


def not_started(work: Work) -> None:
    (Shard(2, 2).bundle(work.bundle).path / "shard.json").unlink()


def not_ended(work: Work) -> None:
    write_shard_record(
        Shard(2, 2).bundle(work.bundle), ShardRecord(shard="2/2", cases=1, started=utc_now("milliseconds"))
    )


def lost_case(work: Work) -> None:
    Shard(2, 2).bundle(work.bundle).invocations_file.write_text("", encoding="utf-8")


def doubled_case(work: Work) -> None:
    lines = Shard(1, 2).bundle(work.bundle).invocations_file.read_text(encoding="utf-8")
    Shard(2, 2).bundle(work.bundle).invocations_file.write_text(lines, encoding="utf-8")


def foreign_case(work: Work) -> None:
    file = Shard(2, 2).bundle(work.bundle).invocations_file
    line = json.loads(file.read_text(encoding="utf-8"))
    more = json.dumps(line | {"case": "../../logs"})
    file.write_text(f"{json.dumps(line)}\n{more}\n", encoding="utf-8")


def lost_output(work: Work) -> None:
    (Shard(2, 2).bundle(work.bundle).outputs / "case-1" / "output.mp4").unlink()


@pytest.mark.parametrize(
    ("harm", "words", "error"),
    [
        (no_plan, "there is no plan", UsageError),
        (not_started, "the shard 2/2 has not run to its end", WorldError),
        (not_ended, "the shard 2/2 has not run to its end", WorldError),
        (lost_case, "the case 'case-1' was not put to the model", WorldError),
        (doubled_case, "the case 'case-0' is in two shards", WorldError),
        (foreign_case, "the case '../../logs' is not in the suite", WorldError),
        (lost_output, "the output of the case 'case-1' is gone", WorldError),
    ],
)
def test_what_does_not_fit_the_plan(work: Work, harm, words: str, error: type[Exception]) -> None:
    harm(work)
    with pytest.raises(error, match=words):
        work.collect(cache=work.cache)
    assert (work.bundle.path / "logs").is_dir()
    assert not list(work.cache.rglob("*.mp4"))
