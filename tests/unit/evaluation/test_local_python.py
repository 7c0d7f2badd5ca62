"""Which Python a model gets that has no image."""

from __future__ import annotations

import venv
from pathlib import Path

import pytest

from penstock.bundle.models import Run, Source
from penstock.evaluation import local_python
from penstock.evaluation.local_python import Named, local_environment
from penstock.foundation.errors import UsageError
from penstock.invocation.sandbox import ImageFiles

NOTHING = Named("", "")


def environment(folder: Path) -> Path:
    """A virtual environment of its own."""
    venv.create(folder, symlinks=True, with_pip=False)
    return folder


def run(url: str) -> Run:
    source = Source(url=url, revision="v1", commit="c" * 40, committer_date="", version="1", tree="")
    return Run(penstock="0", run_id="a", source=source)


def test_in_an_image_or_a_pod_the_model_has_its_own(
    repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = repository.contract(python="no/such/environment")
    image = ImageFiles(tmp_path)
    assert local_environment(contract, run("https://x"), tmp_path, NOTHING, image) is None
    monkeypatch.setattr(local_python, "in_pod", lambda: True)
    assert local_environment(contract, run("https://x"), tmp_path, NOTHING) is None


def test_contracts_environment_lies_in_the_repository_not_in_its_clone(repository, tmp_path: Path) -> None:
    wanted = environment(tmp_path / "repository" / ".venv")
    contract = repository.contract(python=".venv")
    found = local_environment(contract, run(str(tmp_path / "repository")), tmp_path / "clone", NOTHING)
    assert str(wanted) in str(found)
    with pytest.raises(UsageError):
        local_environment(contract, run("https://x"), tmp_path / "clone", NOTHING)


def test_what_the_user_names_goes_first_and_a_mistake_is_told(repository, tmp_path: Path) -> None:
    named = environment(tmp_path / "named")
    found = local_environment(repository.contract(), run("https://x"), tmp_path, Named(str(named), ""))
    assert str(named) in str(found)
    with pytest.raises(UsageError):
        local_environment(repository.contract(), run("https://x"), tmp_path, Named(str(tmp_path / "gone"), ""))
