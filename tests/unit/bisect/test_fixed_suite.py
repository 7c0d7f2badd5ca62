"""One suite and one set of extractors under every commit, in real files."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.pipeline.pipeline_runs import contract, files, text

from penstock.bisect.fixed_suite import PLACE, Reference, load_reference, put_reference
from penstock.bisect.same_suite import Arguments, step
from penstock.bundle.directory import Bundle
from penstock.bundle.models import Run, Source, SuiteRecord
from penstock.bundle.steps import begin
from penstock.contract.load import load_contract, load_suite
from penstock.contract.models import Weights
from penstock.evaluation.measure_cache import suite_digest
from penstock.foundation.errors import UsageError
from penstock.foundation.files import sha256_file
from penstock.sources.tree import tree_digest

EXTRACTOR = Path(__file__).parents[3] / "test-assets" / "extractors" / "syncnet-compact.onnx"


def lay(directory: Path, changes: dict[str, str | bytes] | None = None) -> Path:
    """A checked-out commit."""
    for name, content in (files() | (changes or {})).items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return directory


def suite_with(*names: str, **more: Any) -> str:
    inputs = {"image": "肖像.png", "audio": "stimme.wav"}
    cases = [{"name": name, "inputs": inputs, "slices": ["smoke"] if name == "new" else []} for name in names]
    return text({"version": 1, "family": "talking-head", "cases": cases} | more)


@pytest.fixture
def reference(tmp_path: Path) -> Reference:
    """The bad commit: another case in its suite, and an extractor."""
    source = "judges/syncnet.onnx"
    weights = {"path": "used/syncnet.onnx", "sha256": sha256_file(EXTRACTOR), "source": source}
    changes: dict[str, str | bytes] = {
        source: EXTRACTOR.read_bytes(),
        "suite/suite.yaml": suite_with("one", "two", "new", reference="still"),
        "suite/still/a.png": files()["suite/肖像.png"],
        "penstock.yaml": text(contract(extractors={"lipsync": weights})),
    }
    return load_reference(lay(tmp_path / "bad", changes))


def digest(source: Path) -> str:
    contract = load_contract(source)
    return suite_digest(source, contract, load_suite(source, contract))


def test_the_same_suite_leaves_every_file_as_it_is(tmp_path: Path) -> None:
    reference = load_reference(lay(tmp_path / "bad", {"model.py": "another"}))
    source = lay(tmp_path / "commit", {"README.md": "new"})
    before = tree_digest(source)
    assert put_reference(source, reference) == []
    assert tree_digest(source) == before


def test_another_suite_and_extractor_are_replaced_and_the_model_is_not(tmp_path: Path, reference: Reference) -> None:
    source = lay(tmp_path / "commit")
    own = {path: path.read_bytes() for path in source.rglob("*") if path.is_file() and path.name != "penstock.yaml"}
    assert put_reference(source, reference) == ["suite", "extractors"]
    assert digest(source) in reference.suite_digests
    after = load_contract(source)
    assert isinstance(after.extractors["lipsync"], Weights)
    assert after.extractors["lipsync"].source == "lfs"
    assert sha256_file(source / after.extractors["lipsync"].path) == after.extractors["lipsync"].sha256
    assert {path: path.read_bytes() for path in own} == own
    assert after.model_copy(
        update={"suite": "suite", "extractors": load_contract(lay(tmp_path / "as-was")).extractors}
    ) == (load_contract(tmp_path / "as-was"))
    once = tree_digest(source)
    assert put_reference(source, reference) == ["suite", "extractors"]
    assert tree_digest(source) == once


def test_a_suite_that_is_the_whole_repository_does_not_bring_the_other_model(tmp_path: Path) -> None:
    whole: dict[str, str | bytes] = {
        "penstock.yaml": text(contract(suite=".")),
        "suite.yaml": suite_with("one", "new"),
        "肖像.png": files()["suite/肖像.png"],
        "stimme.wav": files()["suite/stimme.wav"],
        "model.py": "the bad model",
    }
    reference = load_reference(lay(tmp_path / "bad", whole))
    source = lay(tmp_path / "commit")
    assert put_reference(source, reference) == ["suite"]
    assert not (source / PLACE / "suite" / "model.py").exists()
    assert (source / "model.py").read_text(encoding="utf-8") == files()["model.py"]


@pytest.mark.parametrize("broken", ["missing", "no-yaml", "file-gone"])
def test_a_commit_whose_own_suite_is_broken_can_still_be_measured(
    tmp_path: Path, reference: Reference, broken: str
) -> None:
    source = lay(tmp_path / "commit")
    if broken == "missing":
        shutil.rmtree(source / "suite")
    elif broken == "no-yaml":
        (source / "suite" / "suite.yaml").write_text("version: [", encoding="utf-8")
    else:
        (source / "suite" / "stimme.wav").unlink()
    assert put_reference(source, reference) == ["suite", "extractors"]
    assert digest(source) in reference.suite_digests


def test_a_link_in_the_way_is_not_followed(tmp_path: Path, reference: Reference) -> None:
    source, outside = lay(tmp_path / "commit"), tmp_path / "outside"
    (outside / "suite").mkdir(parents=True)
    (outside / "suite" / "precious").write_text("1", encoding="utf-8")
    (source / PLACE).symlink_to(outside)
    put_reference(source, reference)
    assert [path.name for path in outside.rglob("*")] == ["suite", "precious"]
    assert digest(source) in reference.suite_digests


def test_a_commit_without_a_contract_is_refused(tmp_path: Path, reference: Reference) -> None:
    source = lay(tmp_path / "commit")
    (source / "penstock.yaml").unlink()
    with pytest.raises(UsageError, match="missing"):
        put_reference(source, reference)


def test_the_step_says_what_it_did_and_that_the_files_are_others(tmp_path: Path, reference: Reference) -> None:
    source, bundle = lay(tmp_path / "commit"), Bundle(tmp_path / "bundle")
    tree = tree_digest(source)
    run = begin(bundle, run_id="r", track="bisect")
    where = Source(url="x", revision="c", commit="c", committer_date="", version="0", tree=tree)
    bundle.update_run(run.model_copy(update={"source": where}))
    for _ in range(2):  # the second time over what the first one left
        step(Arguments(source, bundle.path, reference.directory))
        recorded = bundle.run()
        assert recorded.source is not None
        assert recorded.source.tree == tree_digest(source) != tree
        assert recorded.steps[-1].note == "suite and extractors of the bad commit"


def test_slices(tmp_path: Path, reference: Reference) -> None:
    sliced = load_reference(reference.directory, "smoke")
    assert len(sliced.suite_digests) == 2
    assert reference.suite_digests < sliced.suite_digests
    with pytest.raises(UsageError, match="no case carries the slice 'absent'"):
        load_reference(reference.directory, "absent")


def test_the_contract_that_is_written_is_plain_yaml(tmp_path: Path, reference: Reference) -> None:
    source = lay(tmp_path / "commit", {"penstock.yaml": text(contract(description="größe: [1] # no"))})
    put_reference(source, reference)
    written = yaml.safe_load((source / "penstock.yaml").read_text(encoding="utf-8"))
    assert written["description"] == "größe: [1] # no"


def test_a_stand_in_is_named_in_the_commit_too(tmp_path: Path) -> None:
    named: dict[str, str | bytes] = {"penstock.yaml": text(contract(extractors={"lipsync": "syncnet-compact"}))}
    reference = load_reference(lay(tmp_path / "bad", named))
    assert reference.extractors == {"lipsync": sha256_file(EXTRACTOR)}
    source = lay(tmp_path / "commit")
    assert put_reference(source, reference) == ["extractors"]
    assert put_reference(source, reference) == ["extractors"]
    assert load_contract(source).extractors["lipsync"] == "syncnet-compact"
    assert put_reference(lay(tmp_path / "same", named), reference) == []


def test_a_run_in_another_arithmetic_than_bisection_measures_in_is_not_used(tmp_path: Path) -> None:
    named: dict[str, str | bytes] = {"penstock.yaml": text(contract(extractors={"lipsync": "syncnet-compact"}))}
    reference = load_reference(lay(tmp_path / "reference", named))
    label = f"syncnet-compact@sha256:{sha256_file(EXTRACTOR)}"
    suite = SuiteRecord(digest=next(iter(reference.suite_digests)), cases=1)

    def why(extractor: str) -> str:
        return reference.differs(Run(penstock="1", run_id="r", suite=suite, extractors={"lipsync": extractor}))

    assert why(label) == ""
    assert why(f"{label}+bf16-openvino") == "its networks were computed in bf16-openvino"
