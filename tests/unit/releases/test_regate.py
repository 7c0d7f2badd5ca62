"""Outputs of an archived run for a new one, and what is proven of a store and a name before a model runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.bundle.test_export_record import RECORD
from tests.unit.store.stored_bundle import accepted_bundle

from penstock.bundle.directory import Bundle
from penstock.bundle.environment_record import EnvironmentRecord, write_environment_record
from penstock.bundle.export_record import export_record
from penstock.bundle.models import Image, Inference, Invocation, Isolation, Machine, ShardRecord, SuiteRecord
from penstock.bundle.sbom_file import SBOM, write_sbom
from penstock.contract.policy import Level
from penstock.foundation.errors import UsageError, WorldError
from penstock.releases.regate import take_over
from penstock.store.archive import archive
from penstock.store.local import LocalStore
from penstock.store.store import Store

MODEL = "sonic-lite"
CARD = Machine(system="Linux", processor="A CPU", cores=2, memory_bytes=1 << 30, gpu="NVIDIA H200, 550", python="3")
IMAGE = Image(kind="image", url="registry.example/sonic-lite", digest=f"sha256:{'e' * 64}")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return LocalStore(tmp_path / "store")


def earlier(folder: Path, store: Store, **changes: object) -> Bundle:
    """An archived run that called a model on a card, in an image."""
    bundle = accepted_bundle(folder / "earlier", run_id="earlier")
    output = "outputs/größe/output.mp4"
    bundle.write_invocations([Invocation(case="größe", status="ok", output=output, latency_s=2.5)])
    (bundle.path / "outputs" / "größe" / "frames.json").write_text("{}")
    (bundle.path / "logs").mkdir()
    (bundle.path / "logs" / "model.log").write_text("hello")
    (bundle.path / "logs" / "build.log").write_text("built")
    write_environment_record(bundle, EnvironmentRecord(read="recipe"))
    write_sbom(bundle, {"bomFormat": "CycloneDX", "components": []})
    shard = ShardRecord(shard="1/1", cases=1, started="2024-01-01T00:00:00+00:00", machine=CARD)
    inference = Inference(unchanged=False, products="1" * 64, parts=["1/1"], shards=[shard], used_s=2.5)
    known = {"image": IMAGE, "suite": SuiteRecord(digest="5" * 64, cases=1), "inference": inference}
    bundle.update_run(bundle.run().model_copy(update=known | changes))
    archive(bundle, store, model=MODEL, run_id="earlier")
    return bundle


def fresh(folder: Path, **changes: object) -> Bundle:
    """A run over the same commit, cloned and with its weights."""
    bundle = Bundle(folder / "fresh")
    run = accepted_bundle(folder / "like", run_id="again").run()
    bundle.update_run(run.model_copy(update={"image": None} | changes))
    return bundle


def test_calls_outputs_and_the_models_log_come_along(tmp_path: Path, store: Store) -> None:
    before, bundle = earlier(tmp_path, store), fresh(tmp_path)
    run = take_over(store, bundle, "earlier")
    assert run == bundle.run()
    assert (run.run_id, run.regated_from, run.image, run.suite) == ("again", "earlier", IMAGE, before.run().suite)
    assert run.inference == Inference(unchanged=True, parts=["1/1"], machine=CARD, isolation="none")
    assert bundle.invocations() == before.invocations()
    there = {path.relative_to(bundle.path).as_posix() for path in bundle.path.rglob("*") if path.is_file()}
    assert there == {
        "run.json",
        "invocations.jsonl",
        "outputs/größe/output.mp4",
        "logs/model.log",
        "environment.json",
        SBOM,
    }
    video = bundle.path / "outputs" / "größe" / "output.mp4"
    assert video.read_bytes() == (before.path / "outputs" / "größe" / "output.mp4").read_bytes()
    video.write_bytes(b"half")
    take_over(store, bundle, "earlier")
    assert video.read_bytes() == b"video" * 1000, "what a killed attempt left half is brought again"


def test_what_was_found_out_about_the_models_export_comes_along(tmp_path: Path, store: Store) -> None:
    folder = tmp_path / "earlier" / "export"
    (folder / "trained" / "logs").mkdir(parents=True)
    (folder / "trained" / "logs" / "model.log").write_text("trained")
    (folder / "export.json").write_text(RECORD.model_dump_json())
    earlier(tmp_path, store, use_onnx=False)
    again = fresh(tmp_path)
    assert take_over(store, again, "earlier").use_onnx is False
    assert export_record(again) == RECORD
    assert (again.path / "export" / "trained" / "logs" / "model.log").read_text() == "trained"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"tree": "9" * 64}, r"it was of commit c{40}, and 'v1\.0\.0' has another content"),
        ({"commit": "d" * 40}, "has another commit now"),
        ({"url": "https://example.org/other"}, r"it was of the repository example\.org/sonic-lite, not"),
    ],
)
def test_another_source(tmp_path: Path, store: Store, changed: dict[str, str], said: str) -> None:
    earlier(tmp_path, store)
    bundle = fresh(tmp_path)
    source = bundle.run().source
    assert source is not None
    bundle.update_run(bundle.run().model_copy(update={"source": source.model_copy(update=changed)}))
    with pytest.raises(UsageError, match=said):
        take_over(store, bundle, "earlier")
    assert not (bundle.path / "outputs").exists()


def test_other_weights_another_penstock_and_a_run_that_came_to_nothing(tmp_path: Path, store: Store) -> None:
    earlier(tmp_path, store)
    with pytest.raises(UsageError, match="its weights were others"):
        take_over(store, fresh(tmp_path, weights=[]), "earlier")
    other = LocalStore(tmp_path / "other")
    earlier(tmp_path / "old", other, penstock="0.0.9")
    with pytest.raises(UsageError, match=r"called by Penstock 0\.0\.9"):
        take_over(other, fresh(tmp_path / "old"), "earlier")
    nothing = LocalStore(tmp_path / "nothing")
    earlier(tmp_path / "early", nothing, inference=None)
    with pytest.raises(UsageError, match="did not come as far as its outputs"):
        take_over(nothing, fresh(tmp_path / "early"), "earlier")
    with pytest.raises(UsageError, match="no run 'never' of sonic-lite is archived"):
        take_over(store, fresh(tmp_path / "never"), "never")


@pytest.mark.parametrize(
    ("levels", "weakest"),
    [(["namespaces", "landlock"], "landlock"), (["namespaces", None], "none"), ([], "namespaces")],
)
def test_the_level_of_the_outputs_is_the_weakest_of_their_shards(
    tmp_path: Path, store: Store, levels: list[Level | None], weakest: Level
) -> None:
    shards = [
        ShardRecord(shard="1/1", cases=1, started="x", isolation=Isolation(level=level) if level else None)
        for level in levels
    ]
    made = Inference(unchanged=not shards, parts=["1/1"], shards=shards, isolation="namespaces")
    earlier(tmp_path, store, inference=made)
    inference = take_over(store, fresh(tmp_path), "earlier").inference
    assert inference is not None
    assert inference.isolation == weakest


def test_what_was_changed_in_the_store_is_not_taken(tmp_path: Path, store: Store) -> None:
    earlier(tmp_path, store)
    video = tmp_path / "store" / "runs" / MODEL / "earlier" / "outputs" / "größe" / "output.mp4"
    video.chmod(0o644)
    video.write_bytes(b"another")
    with pytest.raises(WorldError, match="not what its SHA-256 says"):
        take_over(store, fresh(tmp_path), "earlier")
