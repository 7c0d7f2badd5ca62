"""What steps in the model's own image share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Image
from penstock.evaluation.local_python import Named
from penstock.foundation.errors import UsageError
from penstock.steps.entrypoint import param, parse_arguments
from penstock.steps.in_the_models_image import InTheModelsImage

DIGEST = f"sha256:{'a' * 64}"
BUILT = Image(kind="image", url="registry.example.org/sonic", digest=DIGEST)


@dataclass(frozen=True)
class Arguments(InTheModelsImage):
    """A step of the test."""

    part: str = param("which part")


def parsed(folder: Path, *more: str) -> Arguments:
    places = [f"--{name}={folder / name}" for name in ("source", "bundle", "runtime")]
    image = f"--image={BUILT.url}@{DIGEST}"
    arguments, _ = parse_arguments("trial", Arguments, [image, "--runtime-id=r", "--part=1/2", *places, *more])
    return arguments


def test_a_step_has_these_arguments_and_its_own(tmp_path: Path) -> None:
    found = parsed(tmp_path, "--python=3.12", "--python-found=/venv")
    assert (found.part, found.source, found.weights) == ("1/2", tmp_path / "source", None)
    assert found.named == Named("3.12", "/venv")
    with pytest.raises(UsageError, match="--runtime"):
        parse_arguments("trial", Arguments, ["--part=1/2"])


def test_on_one_machine_there_is_no_image(tmp_path: Path) -> None:
    found = parsed(tmp_path)
    image = found.image_files(BUILT, found.source, Bundle(found.bundle))
    assert image is None
    assert found.temporary(image) is None


def test_in_an_image_temporary_files_go_to_the_runtimes_volume(tmp_path: Path) -> None:
    found = parsed(tmp_path, "--model-dir=/app")
    for name in ("source", "bundle", "runtime"):
        (tmp_path / name).mkdir()
    image = found.image_files(BUILT, found.source, Bundle(found.bundle))
    assert image is not None
    assert image.directory == Path("/app")
    assert found.temporary(image) == tmp_path
    other = BUILT.model_copy(update={"digest": f"sha256:{'b' * 64}"})
    with pytest.raises(UsageError, match="image"):
        found.image_files(other, found.source, Bundle(found.bundle))
