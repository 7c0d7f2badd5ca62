"""Which bundles that exist may stand for a run, from real directories and a real store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.bisect.histories import measurements, values, write_bundle
from tests.unit.bisect.test_fixed_suite import lay

from penstock.bisect.fixed_suite import Reference, load_reference
from penstock.bisect.library import Library
from penstock.bundle.directory import Bundle
from penstock.bundle.machine import this_machine
from penstock.store.archive import archive
from penstock.store.local import LocalStore

COMMIT = "c" * 40
LINES = measurements("sharpness", values(100.0))


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return load_reference(lay(tmp_path_factory.mktemp("reference") / "bad"))


def library(
    tmp_path: Path, reference: Reference, metric: str = "sharpness", store: LocalStore | None = None
) -> Library:
    made = Library(reference, metric, runs=tmp_path / "runs", store=store, folder=tmp_path / "kept", image=False)
    made.look()
    return made


def bundle(tmp_path: Path, reference: Reference, name: str = "release-1", **more: Any) -> Path:
    path = tmp_path / "runs" / name / "bundle"
    given = {"suite": next(iter(reference.suite_digests)), "run_id": name} | more
    return write_bundle(path, COMMIT, LINES, **given).path


def test_a_run_of_the_same_commit_is_found(tmp_path: Path, reference: Reference) -> None:
    path = bundle(tmp_path, reference)
    found = library(tmp_path, reference).find(COMMIT)
    assert found is not None
    assert (found.bundle.path, found.origin) == (path, "run release-1")
    assert library(tmp_path, reference).find("d" * 40) is None


OTHER = this_machine().model_copy(update={"processor": "another", "cores": 1})


@pytest.mark.parametrize(
    ("changes", "metric", "why"),
    [
        ({"suite": "0" * 64}, "sharpness", "another suite"),
        ({"extractors": {"lipsync": "s@sha256:" + "1" * 64}}, "sharpness", "other extractors"),
        ({"version": "0.0.9"}, "sharpness", "Penstock 0.0.9"),
        ({"machine": this_machine().model_copy(update={"gpu": "NVIDIA X, 1.0"})}, "sharpness", "another GPU"),
        ({"machine": OTHER}, "latency", "another machine"),
        ({"machine": OTHER}, "sharpness", ""),
        ({"kind": "image"}, "sharpness", "an image"),
        ({"steps": ("clone", "infer")}, "sharpness", "not measured"),
    ],
)
def test_a_run_that_came_about_otherwise_is_none(
    tmp_path: Path, reference: Reference, changes: dict[str, Any], metric: str, why: str
) -> None:
    path = bundle(tmp_path, reference, **changes)
    shelf = library(tmp_path, reference, metric)
    assert why in shelf.unlike(Bundle(path).run())
    assert shelf.has(COMMIT) == (not why)


@pytest.mark.parametrize("fault", ["cut", "sealed-and-edited", "no-json", "gone"])
def test_a_damaged_run_is_passed_over(tmp_path: Path, reference: Reference, fault: str) -> None:
    path = bundle(tmp_path, reference)
    lines = path / "measurements.jsonl"
    shelf = library(tmp_path, reference)
    if fault == "cut":
        lines.write_bytes(lines.read_bytes()[:-20])
    elif fault == "sealed-and-edited":
        Bundle(path).seal()
        lines.write_text(lines.read_text(encoding="utf-8").replace("100.0", "500.0"), encoding="utf-8")
    elif fault == "no-json":
        (path / "run.json").write_text("{", encoding="utf-8")
    else:
        lines.unlink()
    assert shelf.find(COMMIT) is None
    assert not shelf.has(COMMIT)


def test_an_archived_run_is_brought_and_held_against_its_manifest(tmp_path: Path, reference: Reference) -> None:
    store = LocalStore(tmp_path / "store")
    for name in ("first", "second"):
        made = write_bundle(tmp_path / name, COMMIT, LINES, suite=next(iter(reference.suite_digests)), run_id=name)
        (made.outputs / "one").mkdir(parents=True)
        (made.outputs / "one" / "output.mp4").write_bytes(b"large")
        archive(made, store, model="tiny", run_id=name)
    damaged = tmp_path / "store" / "runs" / "tiny" / "first" / "measurements.jsonl"
    damaged.chmod(0o644)
    damaged.write_text("", encoding="utf-8")
    found = library(tmp_path, reference, store=store).find(COMMIT)
    assert found is not None
    assert found.origin == "archived run second"
    assert found.bundle.measurements() == LINES
    assert not found.bundle.outputs.exists()


def test_a_run_that_was_not_archived_to_its_end_does_not_count(tmp_path: Path, reference: Reference) -> None:
    store = LocalStore(tmp_path / "store")
    made = write_bundle(tmp_path / "a", COMMIT, LINES, suite=next(iter(reference.suite_digests)))
    archive(made, store, model="tiny", run_id="a")
    (tmp_path / "store" / "runs" / "tiny" / "a" / "manifest.json").unlink()
    assert not library(tmp_path, reference, store=store).has(COMMIT)
