"""A stored baseline whose arithmetic this machine, or this run, does not compute in: its outputs are measured again.

The first release is measured in float32 on OpenVINO. A machine without OpenVINO is this one with the package hidden.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.pipeline.conftest import Once
from tests.pipeline.pipeline_runs import (
    Ended,
    Penstock,
    archived,
    contract,
    environment,
    files,
    one_message,
    pointer,
    text,
    video,
)
from tests.unit.sources.source_servers import commit, git, new_repository

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Measurement

NETWORK = {"frechet": "portrait-features"}
RULES = [{"metric": "kid", "max": 10.0, "margin": 5.0}, {"metric": "sharpness", "margin": "10%"}]
HIDDEN = "import sys\nsys.modules['openvino'] = None\n"


def with_policy(**more: object) -> dict[str, str | bytes]:
    policy = {"rules": RULES, **more}
    return {"penstock.yaml": text(contract(extractors=NETWORK, policy=policy))}


@pytest.fixture(scope="session")
def model(once: Once) -> Path:
    """v1.0.0 asks for OpenVINO, v1.0.1 for nothing, v1.1.0 for f32, v1.2.0 answers otherwise, v1.3.0 asks for
    OpenVINO again.
    """

    def make(folder: Path) -> None:
        made = new_repository(folder / "model")
        suite = files()["suite/suite.yaml"]
        assert isinstance(suite, str)
        reference = {"suite/suite.yaml": suite + "reference: reference\n", "suite/reference/spot.mp4": video(14)}
        commit(made, files() | reference | with_policy(arithmetic="f32-openvino"), "good")
        git(made, "tag", "v1.0.0")
        release(made, "v1.0.1", with_policy())
        release(made, "v1.1.0", with_policy(arithmetic="f32"))
        release(made, "v1.2.0", with_policy() | {"answer.mp4": video(6)})
        release(made, "v1.3.0", with_policy(arithmetic="f32-openvino") | {"README.md": "In OpenVINO again.\n"})

    return once("measured-again", make) / "model"


def release(repository: Path, tag: str, changes: dict[str, str | bytes]) -> None:
    git(repository, "checkout", "-q", "--detach", "main")
    commit(repository, changes, tag)
    git(repository, "tag", tag)
    git(repository, "checkout", "-q", "main")


@pytest.fixture(scope="session")
def in_openvino(once: Once, model: Path) -> Path:
    """Where the first release was made."""

    def run(folder: Path) -> None:
        ended = Penstock(model, folder).run("v1.0.0", "first")
        assert ended.code == 0, ended.stderr

    return once("released-in-openvino", run)


@pytest.fixture
def here(in_openvino: Path, model: Path, tmp_path: Path) -> Penstock:
    """The first release is published; this machine has OpenVINO."""
    shutil.copytree(in_openvino, tmp_path / "out")
    return Penstock(model, tmp_path / "out")


@pytest.fixture
def without_openvino(here: Penstock, tmp_path: Path) -> Penstock:
    """The same on a machine that has none."""
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "sitecustomize.py").write_text(HIDDEN, encoding="utf-8")
    return Penstock(here.repository, here.out, environment() | {"PYTHONPATH": str(tmp_path / "hidden")})


def lines(bundle: Bundle, metric: str) -> list[Measurement]:
    return [line for line in bundle.measurements() if line.metric == metric]


def first(penstock: Penstock) -> Bundle:
    return Bundle(penstock.out / "store" / "runs" / "tiny" / "first")


def held(ended: Ended, penstock: Penstock) -> None:
    """It was judged in f32 against the release's outputs measured in f32, and the bundle, page and summary say so."""
    assert ended.code == 0, ended.stderr
    evidence = archived(ended)
    label = evidence.run().extractors["frechet"]
    stored = first(penstock).run().extractors["frechet"]
    assert stored == f"{label}+f32-openvino"
    verdict = evidence.verdict()
    assert (verdict.verdict, verdict.comparison, verdict.baseline) == ("pass", "stored", "first")
    again = verdict.measured_again
    assert again is not None
    assert (again.metrics, again.stored, again.measured) == (["fid", "kid"], {"frechet": stored}, {"frechet": label})
    compared = Bundle(evidence.path / "baseline")
    assert (compared.run().run_id, compared.run().extractors) == ("first", {"frechet": label})
    for metric in ("fid", "kid"):
        (ours,), (theirs,) = lines(evidence, metric), lines(compared, metric)
        assert ours.extractor == theirs.extractor == label
        assert theirs.value is not None
    for metric in ("sharpness", "latency", "duration_error"):
        assert lines(compared, metric) == lines(first(penstock), metric), "what no network gave is as it is stored"
    for name in ("index.html", "summary.md", "pull-request.md"):
        said = (evidence.report / name).read_text(encoding="utf-8").replace("\u200b", "")
        assert "FID and KID of the baseline were measured again" in said, name
        assert "f32-openvino" in said


def test_a_machine_that_cannot_follow_measures_the_release_again(without_openvino: Penstock) -> None:
    ended = without_openvino.run("v1.0.1", "second")
    held(ended, without_openvino)
    kid, sharpness = ended.bundle.verdict().rules
    assert (kid.change, sharpness.change) == (0, 0), "the outputs are the same, and so is all that measured them"
    (measured,) = [step for step in ended.bundle.run().steps if step.name == "measure"]
    assert "OpenVINO is not installed" in measured.note
    told = pointer(without_openvino.out)
    assert told is not None
    assert told["run_id"] == "second"


def test_a_change_of_the_model_is_still_seen(without_openvino: Penstock) -> None:
    ended = without_openvino.run("v1.2.0", "second")
    held(ended, without_openvino)
    kid = ended.bundle.verdict().rules[0]
    assert kid.change is not None
    assert kid.change != 0


@pytest.mark.parametrize(("revision", "more"), [("v1.0.1", ("--param", "precision=f32")), ("v1.1.0", ())], ids=str)
def test_a_persons_word_or_the_policys_measures_it_again(here: Penstock, revision: str, more: tuple[str, ...]) -> None:
    held(here.run(revision, "second", *more), here)


def test_and_back_again(without_openvino: Penstock, here: Penstock) -> None:
    """A release that is stored in f32, and a candidate whose policy asks for OpenVINO."""
    assert without_openvino.run("v1.0.1", "second").code == 0
    back = here.run("v1.3.0", "third")
    assert back.code == 0, back.stderr
    again = back.bundle.verdict().measured_again
    assert again is not None
    assert again.measured["frechet"] == f"{again.stored['frechet']}+f32-openvino"
    assert back.bundle.verdict().rules[0].change == 0


@pytest.mark.parametrize("lost", ["gone", "damaged"])
def test_outputs_that_are_not_there_any_more(without_openvino: Penstock, lost: str) -> None:
    output = first(without_openvino).path / "outputs" / "two" / "output.mp4"
    output.chmod(0o600)
    if lost == "gone":
        output.unlink()
    else:
        output.write_bytes(b"something else")
    ended = without_openvino.run("v1.0.1", "second")
    assert ended.code == 4, ended.stderr
    said = one_message(ended)
    assert said.startswith("outputs-released: error: ")
    assert "the archived outputs of the current release cannot be measured again" in said
    assert "outputs/two/output.mp4" in said
    assert "stored in frechet=f32-openvino, this run's are in frechet=f32" in said
    assert "baseline: rerun" in said
    assert not ended.bundle.verdict_file.exists()
    told = pointer(without_openvino.out)
    assert told is not None
    assert told["run_id"] == "first"
