"""The step build, where nothing is built: what runs is named by the tree's digest. Images: tests/unit/images."""

from __future__ import annotations

import pytest
from tests.unit.tasks.step_folders import TREE, StepFolders

from penstock.bundle.models import Image


@pytest.fixture
def cloned(folders: StepFolders) -> StepFolders:
    folders.write_repository()
    folders.cloned(built=False)
    return folders


def test_without_a_registry_the_tree_is_what_runs(cloned: StepFolders) -> None:
    answer = cloned.call("build")
    assert answer.code == 0
    assert answer.results == {"IMAGE_URL": "", "IMAGE_DIGEST": f"sha256:{TREE}"}
    image = cloned.bundle.run().image
    assert image == Image(kind="process", digest=f"sha256:{TREE}")
    (record,) = cloned.bundle.run().steps
    assert (record.name, record.inputs, record.note) == ("build", f"sha256:{TREE}", "process")


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
    assert answer.results == {"IMAGE_URL": earlier.url, "IMAGE_DIGEST": earlier.digest}
    assert cloned.bundle.run().image == earlier
