"""The step build, where nothing is built: what runs is named by the tree's digest. Images: tests/unit/images."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.pipeline.image_programs import REGISTRY, ImagePrograms
from tests.pipeline.pipeline_runs import contract, text
from tests.unit.environment.image_server import image_server
from tests.unit.environment.layers import layer
from tests.unit.tasks.step_folders import TREE, StepFolders

from penstock.bundle.environment_record import environment_record
from penstock.bundle.models import BuiltElsewhere, Image
from penstock.bundle.sbom_file import SBOM, read_sbom

NOT_MOUNTED = {"weights-mount": "", "weights-folder": "suite"}
NOT_BUILT = {"CHAINS-GIT_URL": "", "CHAINS-GIT_COMMIT": ""}


@pytest.fixture
def cloned(folders: StepFolders) -> StepFolders:
    folders.write_repository()
    folders.cloned(built=False)
    return folders


def test_without_a_registry_the_tree_is_what_runs(cloned: StepFolders) -> None:
    answer = cloned.call("build")
    assert answer.code == 0
    assert answer.results == {"IMAGE_URL": "", "IMAGE_DIGEST": f"sha256:{TREE}"} | NOT_BUILT | NOT_MOUNTED
    image = cloned.bundle.run().image
    assert image == Image(kind="process", digest=f"sha256:{TREE}")
    (record,) = cloned.bundle.run().steps
    assert (record.name, record.inputs, record.note) == ("build", f"sha256:{TREE}", "process")


def test_what_the_recipe_says_is_in_the_bundle_and_in_the_log(cloned: StepFolders) -> None:
    (cloned.source / "Containerfile").write_text(
        "FROM nvidia/cuda:11.8.0-cudnn8-runtime-ubuntu22.04\nRUN pip install onnxruntime-gpu==1.23.2\nUSER 1\n"
    )
    answer = cloned.call("build")
    assert answer.code == 0
    record = environment_record(cloned.bundle)
    assert record is not None
    assert [found.kind for found in record.errors] == ["cuda", "cuda"]
    bill = read_sbom(cloned.bundle)
    assert [part["type"] for part in bill["components"]] == ["machine-learning-model", "library"]
    assert bill["components"][1]["purl"] == "pkg:pypi/onnxruntime-gpu@1.23.2"
    said = [line for line in answer.lines if line["event"] == "environment" and line["severity"] == "error"]
    assert "needs CUDA 12" in said[0]["what"]


def test_image_without_a_registry_is_refused(cloned: StepFolders) -> None:
    assert cloned.call("build", "--mode=image").code == 4
    assert cloned.bundle.run().image is None


def test_mode_that_there_is_not_is_refused(cloned: StepFolders) -> None:
    answer = cloned.call("build", "--mode=kaniko")
    assert answer.code == 2
    assert "kaniko" in answer.error
    assert cloned.bundle.run().steps == []


def test_what_was_not_cloned_is_not_built(folders: StepFolders) -> None:
    folders.write_repository()
    assert folders.call("build").code == 2


def test_run_that_is_judged_again_keeps_the_image_that_made_its_outputs(cloned: StepFolders) -> None:
    earlier = Image(kind="image", url="registry:5000/tiny", digest="sha256:" + "b" * 64)
    cloned.cloned(image=earlier, regated_from="run-1")
    answer = cloned.call("build")
    assert answer.results == {"IMAGE_URL": earlier.url, "IMAGE_DIGEST": earlier.digest} | NOT_BUILT | NOT_MOUNTED
    assert cloned.bundle.run().image == earlier
    assert not (cloned.bundle.path / SBOM).exists()  # the earlier run had none


def test_a_bill_that_was_taken_over_has_the_version_of_this_run(cloned: StepFolders) -> None:
    cloned.cloned(version="0.0.0+cccccccccccc", built=False)
    assert cloned.call("build").code == 0
    before = read_sbom(cloned.bundle)
    cloned.cloned(version="1.1.0", regated_from="run-1")
    assert cloned.call("build").code == 0
    after = read_sbom(cloned.bundle)
    assert (before["metadata"]["component"]["version"], after["metadata"]["component"]["version"]) == (
        "0.0.0+cccccccccccc",
        "1.1.0",
    )
    assert before["serialNumber"] != after["serialNumber"]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImagePrograms:
    made = ImagePrograms(tmp_path / "bin")
    made.write()
    monkeypatch.setenv("PATH", f"{made.folder}{os.pathsep}{os.environ['PATH']}")
    return made


@pytest.mark.slow
def test_weights_are_mounted_beside_the_image_below_its_working_directory(
    folders: StepFolders, programs: ImagePrograms
) -> None:
    weights = [{"path": "weights/model.dat", "sha256": "a" * 64, "source": "lfs"}]
    folders.write_repository(penstock_yaml=text(contract(weights=weights)))
    folders.cloned(built=False)
    answer = folders.call("build", f"--registry={REGISTRY}")
    assert answer.code == 0, answer.error
    assert (answer.results["weights-mount"], answer.results["weights-folder"]) == ("/model/weights", "weights")
    image = folders.bundle.run().image
    assert image is not None
    assert (image.directory, image.built_from, len(image.key)) == ("/model", "c" * 40, 64)
    assert not {"penstock.yaml", "weights/model.dat"} & set(programs.seen()[0])
    # what the program in skopeo's place gives is no image: the step goes on, and the record says why
    record = environment_record(folders.bundle)
    assert record is not None
    assert (record.read, record.unreadable) == ("image", "the registry's answer is no image")
    bill = read_sbom(folders.bundle)
    assert [part["type"] for part in bill["components"]] == ["container", "machine-learning-model"]
    assert bill["properties"] == [{"name": "penstock:read", "value": "nothing"}]
    # the same files, in another run of another commit
    folders.begin_again()
    folders.cloned(built=False)
    again = folders.call("build", f"--registry={REGISTRY}")
    assert again.results == answer.results
    (record,) = folders.bundle.run().steps
    assert (record.status, record.note) == ("unchanged", "image, used again: built from the same files at cccccccccccc")
    assert any(line["event"] == "unchanged" for line in again.lines)
    assert len(programs.seen()) == 1
    assert folders.call("build", f"--registry={REGISTRY}", "--reuse=false").code == 0
    assert folders.bundle.run().steps[0].status == "done"


GIVEN = "registry:5000/tiny@sha256:" + "e" * 64
LABELS = {"org.opencontainers.image.revision": "c" * 40}


def write_recipe(folders: StepFolders) -> None:
    """One that copies the model's program, and weights that are mounted."""
    weights = [{"path": "weights/model.dat", "sha256": "a" * 64, "source": "lfs"}]
    folders.write_repository(
        penstock_yaml=text(contract(weights=weights)),
        Containerfile="FROM python:3.11\nWORKDIR /model\nCOPY . .\n",
        **{".dockerignore": "suite\n"},
    )


@pytest.mark.slow
def test_an_image_that_was_built_elsewhere_is_taken_and_looked_into(folders: StepFolders) -> None:
    write_recipe(folders)
    folders.cloned(built=False)
    files = {
        f"model/{path.relative_to(folders.source).as_posix()}": path.read_bytes()
        for path in folders.source.rglob("*")
        if path.is_file() and "suite" not in path.parts
    }
    with image_server() as server:
        labels = LABELS | {"org.opencontainers.image.source": "https://GIT.example.org/tiny.git"}
        digest = server.hold(layer({"usr/bin/python3.11": ""}), layer(files), labels=labels)
        options = (f"--registry={server.registry}", f"--image={server.url}@{digest}", "--tls-verify=false")
        answer = folders.call("build", *options)
        assert answer.code == 0, answer.error
        assert answer.results == {
            "IMAGE_URL": server.url,
            "IMAGE_DIGEST": digest,
            **NOT_BUILT,
            "weights-mount": "/model/weights",
            "weights-folder": "weights",
        }
        image = folders.bundle.run().image
        assert image is not None
        assert image.elsewhere is not None
        assert image.elsewhere.compared > 2
        (record,) = folders.bundle.run().steps
        assert (record.status, record.inputs) == ("done", digest)
        assert record.note == "image, built elsewhere: its label and files are the commit's"
        found = environment_record(folders.bundle)
        assert found is not None
        assert (found.read, found.image, found.unreadable) == ("image", digest, None)
        # of another repository, and of another commit
        other = server.hold(layer(files), labels=LABELS | {"org.opencontainers.image.source": "https://x.org/fork"})
        answer = folders.call("build", options[0], f"--image={server.url}@{other}", options[2])
        assert (answer.code, "is of the repository https://x.org/fork" in answer.error) == (2, True)
        (folders.source / "Containerfile").write_text("FROM python:3.11\nWORKDIR /model\nCOPY . ./\n")
        answer = folders.call("build", *options)
        assert (answer.code, "'Containerfile' in it is not the commit's" in answer.error) == (2, True)


def test_image_by_a_tag_or_with_the_mode_process_is_refused(cloned: StepFolders) -> None:
    answer = cloned.call("build", "--image=registry:5000/tiny:v1", "--registry=registry:5000")
    assert (answer.code, "a tag can be moved" in answer.error) == (2, True)
    answer = cloned.call("build", f"--image={GIVEN}")
    assert (answer.code, "no registry is named" in answer.error) == (2, True)
    answer = cloned.call("build", f"--image={GIVEN}", "--registry=registry:5000", "--mode=process")
    assert (answer.code, "no mode 'process'" in answer.error) == (2, True)
    assert cloned.bundle.run().image is None


def test_run_that_is_judged_again_is_of_the_image_that_it_was_given(cloned: StepFolders) -> None:
    elsewhere = BuiltElsewhere(given=GIVEN, compared=3)
    earlier = Image(kind="image", url="registry:5000/tiny", digest="sha256:" + "e" * 64, elsewhere=elsewhere)
    cloned.cloned(image=earlier, regated_from="run-1")
    assert cloned.call("build", f"--image={GIVEN}").code == 0
    assert cloned.call("build").code == 0
    answer = cloned.call("build", f"--image={GIVEN[:-1]}0")
    assert (answer.code, "were not made by this image" in answer.error) == (2, True)


@pytest.mark.slow
def test_the_image_of_a_release_that_is_run_again_is_taken_or_told_to_be_gone(folders: StepFolders) -> None:
    folders.write_repository()
    with image_server() as server:
        digest = server.hold(layer({"usr/bin/python3.11": ""}), labels=LABELS)
        image = Image(kind="image", url=server.url, digest=digest, directory="/model")
        folders.cloned(image=image, track="watch")
        answer = folders.call("build", "--tls-verify=false")
        assert (answer.code, answer.results["IMAGE_DIGEST"]) == (0, digest), answer.error
        folders.cloned(image=image.model_copy(update={"digest": f"sha256:{'0' * 64}"}))
        answer = folders.call("build", "--tls-verify=false")
        assert answer.code == 4
        assert "the registry has the image of the release no more" in answer.error


@pytest.mark.slow
def test_a_forks_image_is_built_without_a_secret_and_pushed_where_nothing_is_built(
    folders: StepFolders, programs: ImagePrograms
) -> None:
    folders.write_repository()
    folders.cloned(built=False)
    layers = folders.folder / "layers"
    secret = folders.folder / "secret"
    secret.mkdir()
    (secret / "config.json").write_text("{}")
    common = (f"--registry={REGISTRY}", "--fork=true")

    built = folders.call("build", *common, f"--unprivileged={folders.source}")
    assert built.code == 0, built.error
    assert folders.bundle.run().steps == []
    assert [name.startswith("oci:") for name in programs.state("pushed")] == [True]

    answer = folders.call("build", *common, f"--registry-credentials={secret}")
    assert answer.code == 0, answer.error
    assert answer.results["IMAGE_URL"] == f"{REGISTRY}/forks/tiny"
    assert len(programs.seen()) == 1, "the container with the secret builds nothing"
    image = folders.bundle.run().image
    assert image is not None
    assert (image.url, image.digest) == (answer.results["IMAGE_URL"], answer.results["IMAGE_DIGEST"])
    assert not list(layers.glob("image*")), "what was pushed is not kept"
    assert not any(folders.cache.rglob("*.json")), "and no other run takes it from the cache"


def test_the_container_without_a_secret_builds_nothing_of_others(folders: StepFolders, programs: ImagePrograms) -> None:
    folders.write_repository()
    folders.cloned(built=False)
    answer = folders.call("build", f"--registry={REGISTRY}", f"--unprivileged={folders.source}")
    assert answer.code == 0
    assert not (programs.folder / "state.json").exists()
    assert folders.bundle.run().image is None


@pytest.mark.parametrize("content", ["{", "{}", '{"image": {"kind": "process", "digest": "sha256:0"}}'])
def test_what_a_fork_has_left_in_place_of_an_image_is_refused(cloned: StepFolders, content: str) -> None:
    (cloned.folder / "layers" / "image.json").write_text(content)
    assert cloned.call("build", f"--registry={REGISTRY}", "--fork=true").code == 2
    assert cloned.bundle.run().image is None


def test_a_fork_without_a_registry_runs_as_a_process(cloned: StepFolders) -> None:
    answer = cloned.call("build", "--fork=true")
    assert answer.code == 0, answer.lines
    assert answer.results["IMAGE_DIGEST"] == f"sha256:{TREE}"
