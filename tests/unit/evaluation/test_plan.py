"""What is found out before any model runs: broken inputs, outputs that hold, how the suite is split."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.unit.bundle.test_export_record import RECORD

from penstock.bundle.directory import Bundle
from penstock.bundle.export_record import export_record, write_export_record
from penstock.bundle.models import Image, Inference, Invocation, SuiteRecord
from penstock.bundle.shards import MAX_SHARDS, Shard, shards_folder
from penstock.bundle.steps import Products, begin
from penstock.contract.export import Export
from penstock.contract.policy import LEVELS
from penstock.evaluation import plan as planning
from penstock.evaluation.measure_cache import suite_digest
from penstock.evaluation.plan import plan
from penstock.foundation.errors import UsageError
from penstock.invocation.isolation import best_level, is_below


@pytest.fixture
def planned_for(bundle: Bundle) -> Bundle:
    begin(bundle, run_id="r", track="release")
    return bundle


@pytest.mark.parametrize("count", [0, -1, MAX_SHARDS + 1])
def test_as_many_shards_cannot_be(repository, planned_for: Bundle, count: int) -> None:
    with pytest.raises(UsageError, match=f"{count} shards cannot be"):
        plan(repository.contract(), repository.suite("a"), repository.path, planned_for, cache=None, shards=count)


@pytest.mark.slow
def test_plan_is_written_down(repository, planned_for: Bundle, tmp_path: Path) -> None:
    suite = repository.suite("a", "b", "a")
    made = plan(repository.contract(), suite, repository.path, planned_for, cache=tmp_path / "cache", shards=2)
    assert (made.unchanged, [str(shard) for shard in made.shards]) == (False, ["1/2", "2/2"])
    run = planned_for.run()
    assert run.suite is not None
    assert run.inference is not None
    assert (run.suite.digest, run.suite.cases) == (made.suite_digest, 3)
    assert (run.inference.parts, len(run.inference.products)) == (["1/2", "2/2"], 64)
    without = plan(repository.contract(), suite, repository.path, planned_for, cache=None)
    assert without.suite_digest == made.suite_digest
    assert planned_for.run().inference == Inference(unchanged=False, parts=["1/1"], isolation=best_level())


def test_a_part_of_a_suite_says_which_it_is_of(repository, planned_for: Bundle) -> None:
    whole, contract = repository.suite("a", "b"), repository.contract()
    part = whole.model_copy(update={"cases": whole.cases[:1]})
    plan(contract, part, repository.path, planned_for, cache=None, whole=whole)
    record = planned_for.run().suite
    assert record is not None
    assert record.whole == suite_digest(repository.path, contract, whole)
    assert record.whole != record.digest
    broken = whole.model_copy(update={"reference": "nowhere"})
    plan(contract, part, repository.path, planned_for, cache=None, whole=broken)
    record = planned_for.run().suite
    assert record is not None
    assert record.whole == "", "what is wrong with what is not run stops nothing"


@pytest.mark.slow
def test_what_decides_whether_outputs_hold(repository, planned_for: Bundle, tmp_path: Path) -> None:
    def products(suite: tuple[str, ...] = ("a",), **change: object) -> str:
        run = planned_for.run()
        planned_for.update_run(run.model_copy(update=change))
        plan(repository.contract(), repository.suite(*suite), repository.path, planned_for, cache=tmp_path / "cache")
        inference = planned_for.run().inference
        assert inference is not None
        planned_for.update_run(run)
        return inference.products

    machine = planned_for.run().machine
    assert machine is not None
    first = products()
    assert products() == first
    (repository.path / "README").write_text("not a part of the suite", encoding="utf-8")
    assert products() == first
    others = {
        products(("b",)),
        products(image=Image(kind="image", url="r/m", digest="sha256:1")),
        products(machine=machine.model_copy(update={"gpu": "another card"})),
    }
    soundfile.write(repository.path / "suite" / "speech.wav", np.ones(16_000, np.int16), 16_000)
    others.add(products())
    assert len(others - {first}) == 4


@pytest.mark.slow
def test_second_attempt_keeps_what_the_first_has_done_and_another_plan_does_not(
    repository, planned_for: Bundle, tmp_path: Path
) -> None:
    def again(*orders: str, shards: int = 1) -> None:
        plan(
            repository.contract(),
            repository.suite(*orders),
            repository.path,
            planned_for,
            cache=tmp_path / "cache",
            shards=shards,
        )

    def left_by_a_killed_run() -> Path:
        shard = Shard(1, 2).bundle(planned_for)
        shard.write_invocations([Invocation(case="case-0", status="failed")])
        (planned_for.outputs / "case-9").mkdir(parents=True, exist_ok=True)
        return shard.invocations_file

    again("a", "b", shards=2)
    kept = left_by_a_killed_run()
    again("a", "b", shards=2)
    assert kept.exists()
    again("a", "b")
    assert list(shards_folder(planned_for).iterdir()) == list(planned_for.outputs.iterdir()) == []
    again("a", "b", shards=2)
    left_by_a_killed_run()
    again("b", "a", shards=2)
    assert not kept.exists()


@pytest.mark.slow
def test_outputs_hold_only_with_what_the_model_was_told(repository, planned_for: Bundle, tmp_path: Path) -> None:
    """Kept by *collect* with what was found out about the model's export; another plan forgets it."""
    export = Export(argv=["x", "{output}"], weights="net.onnx")
    exported = repository.contract().model_copy(update={"export": export})

    def planned(count: int = 1) -> bool:
        suite = repository.suite(*["a"] * count)
        return plan(exported, suite, repository.path, planned_for, cache=tmp_path / "cache").unchanged

    planned()
    inference = planned_for.run().inference
    assert inference is not None
    planned_for.write_invocations([])
    without = Products(tmp_path / "cache", planning.INFER, inference.products)
    without.keep(planned_for, [Path("invocations.jsonl")])
    assert not planned(), "nothing says what the model was told"
    shutil.rmtree(without.folder)
    (planned_for.path / "export").mkdir()
    planned_for.write_invocations([])
    write_export_record(planned_for, RECORD)
    without.keep(planned_for, [Path("invocations.jsonl"), Path("export")])
    assert not planned(count=2)
    assert (export_record(planned_for), planned_for.run().use_onnx) == (None, None)
    assert planned()
    assert (export_record(planned_for), planned_for.run().use_onnx) == (RECORD, False)


def test_parameter_that_nothing_fills(repository, planned_for: Bundle) -> None:
    with pytest.raises(UsageError, match=r"the case 'case-0' has nothing that fills '\{order\}'"):
        plan(repository.contract(), repository.suite("a", parameters={}), repository.path, planned_for, cache=None)


def test_a_policy_demands_a_level_before_anything_runs(
    repository, planned_for: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def planned(demanded: str, level: str) -> None:
        monkeypatch.setattr(planning, "best_level", lambda: level)
        plan(repository.contract(), repository.suite("a"), repository.path, planned_for, cache=None, demanded=demanded)

    for demanded, level in (("none", "none"), ("landlock", "namespaces"), ("namespaces", "namespaces")):
        planned(demanded, level)
        inference = planned_for.run().inference
        assert inference is not None
        assert inference.isolation == level
    for demanded, level in (("landlock", "none"), ("namespaces", "landlock")):
        with pytest.raises(
            UsageError, match=f"demands that the model is confined by '{demanded}', and here .* '{level}'"
        ):
            planned(demanded, level)
    assert [is_below("landlock", level) for level in LEVELS] == [False, False, True]


def test_outputs_that_are_judged_again_were_made_at_the_level_that_is_demanded(repository, planned_for: Bundle) -> None:
    suite = repository.suite("a")
    digest = plan(repository.contract(), suite, repository.path, planned_for, cache=None).suite_digest

    def taken_over(made_at: str | None) -> None:
        inference = Inference(unchanged=True, parts=["1/1"], isolation=made_at)
        known = {"inference": inference, "regated_from": "earlier", "suite": SuiteRecord(digest=digest, cases=1)}
        planned_for.update_run(planned_for.run().model_copy(update=known))
        plan(repository.contract(), suite, repository.path, planned_for, cache=None, demanded="landlock")

    taken_over("landlock")
    for made_at in ("none", None):
        with pytest.raises(UsageError, match="'landlock', and its outputs were made at 'none'"):
            taken_over(made_at)


def test_outputs_of_another_level_or_python_are_not_taken_over(
    repository, planned_for: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def products(level: str, python: str = "") -> str:
        monkeypatch.setattr(planning, "best_level", lambda: level)
        suite = repository.suite("a")
        plan(repository.contract(), suite, repository.path, planned_for, cache=tmp_path / "cache", python=python)
        inference = planned_for.run().inference
        assert inference is not None
        return inference.products

    assert len({products("landlock"), products("namespaces"), products("namespaces", "torch 2.5")}) == 3
    assert products("landlock") == products("landlock")
