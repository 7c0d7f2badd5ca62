"""A change of weights alone: the image stays, and what is released is a pair."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.pipeline.image_programs import REGISTRY, ImagePrograms
from tests.pipeline.pipeline_runs import (
    MODEL,
    PENSTOCK,
    Ended,
    Penstock,
    contract,
    environment,
    files,
    one_message,
    published,
    text,
)
from tests.unit.sources.source_servers import commit, git, new_repository

WEIGHTS = "weights/model.dat"
ON_REGISTRY = ("--param", f"registry={REGISTRY}")


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def with_weights(content: bytes, *, notes: str, told: bytes | None = None, **changes: Any) -> dict[str, str | bytes]:
    """The three files that a change of weights touches; ``told``: what model_version.txt has the digest of."""
    weights = [{"path": WEIGHTS, "sha256": digest(content), "source": "lfs"}]
    version = f"MODEL_NAME=Tiny\nWEIGHT_SHA256={digest(content if told is None else told)}\nRELEASE_NOTES={notes}\n"
    return {
        WEIGHTS: content,
        "penstock.yaml": text(contract(weights=weights, **changes)),
        "model_version.txt": version,
    }


def weights_repository(directory: Path) -> Path:
    """v1.0.0, a change of weights alone, a change of code, and one whose files disagree; the branch `rerun` too."""
    repository = new_repository(directory)
    model = MODEL + f"print('weights:', open({WEIGHTS!r}).read())\n"
    first = files() | {"model.py": model} | with_weights(b"first weights", notes="The first")
    commit(repository, first, "first")
    git(repository, "tag", "v1.0.0")
    commit(repository, with_weights(b"second weights", notes="Softer *hair*"), "weights alone")
    git(repository, "tag", "v1.0.1")
    commit(repository, {"model.py": model + "# told better\n"}, "code")
    git(repository, "tag", "v1.1.0")
    policy = contract()["policy"] | {"baseline": "rerun"}
    commit(repository, with_weights(b"second weights", notes="Beside the released one", policy=policy), "rerun")
    git(repository, "tag", "v1.2.0")
    commit(repository, with_weights(b"third weights", notes="No", told=b"second weights"), "disagree")
    git(repository, "tag", "v1.3.0")
    return repository


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> ImagePrograms:
    made = ImagePrograms(tmp_path_factory.mktemp("programs") / "bin")
    made.write()
    return made


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory, programs: ImagePrograms) -> Penstock:
    """v1.0.0 is released, with an image. Each test goes on from there, whichever others did before."""
    folder = tmp_path_factory.mktemp("pairs")
    path = f"{programs.folder}{os.pathsep}{os.environ['PATH']}"
    penstock = Penstock(weights_repository(folder / "model"), folder / "out", environment() | {"PATH": path})
    ended = penstock.run("v1.0.0", "first", *ON_REGISTRY)
    assert ended.code == 0, ended.stderr
    return penstock


def record(penstock: Penstock, version: str) -> dict[str, Any]:
    file = penstock.out / "store" / "published" / "tiny" / f"{version}.json"
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content


def said_weights(ended: Ended) -> str:
    return (ended.bundle.path / "logs" / "model.log").read_text(encoding="utf-8")


def printed(penstock: Penstock, *arguments: str) -> str:
    done = subprocess.run(
        [PENSTOCK, *arguments], env=penstock.environment, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def test_a_commit_of_weights_alone_is_released_with_the_image_that_there_is(
    released: Penstock, programs: ImagePrograms
) -> None:
    ended = released.run("v1.0.1", "second", *ON_REGISTRY)
    assert ended.code == 0, ended.stderr
    first, second = record(released, "1.0.0"), record(released, "1.0.1")
    assert first["image"]["kind"] == "image"
    assert second["image"]["digest"] == first["image"]["digest"]
    assert [pair["weights"][0]["sha256"] for pair in (first, second)] == [
        digest(b"first weights"),
        digest(b"second weights"),
    ]
    assert (first["notes"], second["notes"]) == ("The first", "Softer *hair*")
    # the build says so, and no build saw what may change without one
    assert ended.step_status()["build"] == "unchanged"
    (build,) = (step for step in ended.bundle.run().steps if step.name == "build")
    assert build.note == f"image, used again: built from the same files at {first['commit'][:12]}"
    (saw,) = programs.seen()
    assert not {WEIGHTS, "penstock.yaml", "model_version.txt"} & set(saw)
    assert {"model.py", "answer.mp4"} <= set(saw)
    # the model ran with the new weights, and both versions are tags of the one image
    assert "weights: second weights" in said_weights(ended)
    tags = {reference.rpartition(":")[2]: digest for reference, digest in programs.state("tags").items()}
    assert tags == dict.fromkeys(("1.0.0", "1.0.1"), first["image"]["digest"])
    # people are told
    for name in ("summary.md", "pull-request.md"):
        assert "Release notes: Softer \\*hair\\*" in (ended.bundle.report / name).read_text(encoding="utf-8")
    assert "Softer *hair*</bdi>" in (ended.bundle.report / "index.html").read_text(encoding="utf-8")
    listed = {run["name"]: run for run in json.loads(printed(released, "runs", "--out", str(released.out), "--json"))}
    assert listed["second"]["image"] == listed["first"]["image"] == f"{REGISTRY}/tiny@{first['image']['digest']}"
    assert listed["second"]["weights"] == {WEIGHTS: f"sha256:{digest(b'second weights')}"}
    compared = printed(released, "compare", "1.0.0", "1.0.1", "--runs", str(released.out))
    short = first["image"]["digest"][:19]
    assert f"second: image {short} with weights sha256:{digest(b'second weights')[:12]}" in compared


def test_given_weights_are_released_as_a_version_of_their_own_and_run_again(released: Penstock, tmp_path: Path) -> None:
    file = tmp_path / "neue gewichte.dat"
    file.write_bytes(b"given weights")
    ended = released.run("v1.0.1", "given", *ON_REGISTRY, "--weights", str(file))
    assert ended.code == 0, ended.stderr
    version = f"1.0.1+w{digest(b'given weights')[:8]}"
    assert version in published(released.out)
    pair = record(released, version)
    assert pair["image"]["digest"] == record(released, "1.0.0")["image"]["digest"]
    assert (pair["weights"][0]["sha256"], pair["weights"][0]["source"]) == (digest(b"given weights"), file.as_uri())
    # the commit's notes are not about these weights
    assert pair["notes"] == ""
    run = ended.bundle.run()
    assert run.given_weights is not None
    assert run.given_weights.replaces == digest(b"second weights")
    assert "weights: given weights" in said_weights(ended)
    page = (ended.bundle.report / "index.html").read_text(encoding="utf-8")
    assert f"in place of sha256:{digest(b'second weights')}" in page
    assert f"--weights &#39;{WEIGHTS}={file.as_uri()}#sha256={digest(b'given weights')}&#39;" in page
    assert "Weights given: " in (ended.bundle.report / "summary.md").read_text(encoding="utf-8")
    # it runs again beside its successor, although the file is gone: from the cache, by the weights' digest
    file.unlink()
    beside = released.run("v1.2.0", "beside", *ON_REGISTRY, "--param", "build-mode=process")
    assert beside.code == 0, beside.stderr
    log = beside.folder / "baseline" / "logs" / "model.log"
    assert "weights: given weights" in log.read_text(encoding="utf-8")
    assert "weights: second weights" in said_weights(beside)


def test_a_change_of_code_is_built(released: Penstock) -> None:
    ended = released.run("v1.1.0", "code", *ON_REGISTRY, track="verify")
    assert ended.code == 0, ended.stderr
    assert ended.step_status()["build"] == "done"
    image = ended.bundle.run().image
    assert image is not None
    assert image.digest != record(released, "1.0.0")["image"]["digest"]


def test_files_that_disagree_are_refused_by_check_and_by_the_run(released: Penstock) -> None:
    ended = released.run("v1.3.0", "disagree", *ON_REGISTRY)
    assert ended.code == 2
    said = one_message(ended)
    assert "model_version.txt:2: WEIGHT_SHA256: the digest is " in said
    assert "weights[0].sha256" in said
    git(released.repository, "checkout", "-q", "v1.3.0")
    done = subprocess.run([PENSTOCK, "check", str(released.repository)], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "model_version.txt:2: WEIGHT_SHA256: the digest is " in done.stdout


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ("absent.dat", "there is no such file"),
        ("https://example.org/w.dat", "#sha256="),
        (f"hf://acme/tiny@main/w.dat#sha256={'0' * 64}", "is not a commit"),
    ],
)
def test_weights_that_cannot_be_are_refused_before_anything_runs(released: Penstock, weights: str, said: str) -> None:
    ended = released.run("v1.0.1", "refused", "--weights", weights)
    assert ended.code == 2
    assert said in one_message(ended)
    assert not ended.folder.exists()
