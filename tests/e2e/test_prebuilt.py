"""An image that is in the registry already is released without a build, and refused for another commit.

What the first release pushed stands for another system's image: it has the label that such a system would give it.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.e2e.repositories import Repository
from tests.e2e.run import Run
from tests.e2e.session import GOOD, WORSE, Session

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Image


@pytest.fixture(scope="module")
def pushed(first: Run, bundles: Path) -> Image:
    """The image of the first release."""
    image = first.must_be_green().bundle(bundles / "pushed").run().image
    assert image is not None
    return image


@pytest.fixture(scope="module")
def both(session: Session, sonic_lite: Repository, pushed: Image) -> tuple[Run, Run]:
    """With that image, the commit that it is of, and another one; both ended."""
    given = f"{pushed.url}@{pushed.digest}"
    good, other = (session.release(sonic_lite, tag, image=given) for tag in (GOOD, WORSE))
    return good.wait(), other.wait()


def test_the_commits_own_image_is_taken_as_it_is(both: tuple[Run, Run], pushed: Image, bundles: Path) -> None:
    good, _ = both
    good.must_be_green()
    assert good.results["verdict"] == "pass"
    bundle: Bundle = good.bundle(bundles / "prebuilt")
    run = bundle.run()
    assert run.image is not None
    assert run.image.same_as(pushed)
    assert run.image.directory == pushed.directory == "/model"
    assert run.image.key == pushed.key
    assert run.image.elsewhere is not None
    assert run.image.elsewhere.given == f"{pushed.url}@{pushed.digest}"
    assert run.image.elsewhere.compared > 3
    assert run.image.elsewhere.missing == 0
    (build,) = (step for step in run.steps if step.name == "build")
    assert build.note == "image, built elsewhere: its label and files are the commit's"
    assert "buildah builds" not in good.log("build")
    assert "elsewhere, given as" in (bundle.report / "index.html").read_text(encoding="utf-8")


def test_the_same_image_makes_the_same_outputs(both: tuple[Run, Run]) -> None:
    assert set(both[0].skipped) == {"infer"}


def test_another_commits_image_is_refused_at_build(both: tuple[Run, Run], sonic_lite: Repository) -> None:
    _, other = both
    other.must_be_red()
    assert f"was built from {sonic_lite.commits[GOOD]}" in other.log("build")
    assert other.task_runs("infer") == []
    assert other.task_runs("publish") == []
