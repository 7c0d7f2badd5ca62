"""Images in folders, put to a service that runs already: their vectors, as stored ones are read from a file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from penstock.contract.models import Contract
from penstock.families.face.case import FaceCase
from penstock.families.face.embedding_file import StoredVectors
from penstock.families.face.feature_answer import BadAnswerError, read_feature
from penstock.families.face.image_pairs import ImagePairs
from penstock.foundation.errors import UsageError, WorldError, printable
from penstock.foundation.files import inside, regular_files
from penstock.foundation.media_kinds import is_note, media_fault
from penstock.invocation.driver import reach
from penstock.invocation.model import Model
from penstock.invocation.service_address import read_address
from penstock.metrics.embeddings import MOST_VECTORS

PRESET, CALL = "face-ood", "feature"
_PEOPLE = "Put each person's images into a folder of its own, or say with --pairs which images are compared."
Progress = Callable[[int, int], None]
"""Images done, images in all."""


@dataclass(frozen=True)
class FolderService:
    """Who is asked for the vectors of a folder's images.

    Attributes:
        url: its address, without ``/feature``.
        length: how many values a vector has.
        timeout_s: for one image.
    """

    url: str
    length: int = 512
    timeout_s: float = 60.0


def ask_folder(folder: Path, service: FolderService, pairs: ImagePairs | None, on_progress: Progress) -> StoredVectors:
    """Put each image to the service, one at a time, and keep what it answers.

    An image that gets no vector (no face found, an answer that is none) stays: its comparisons are lost.

    Args:
        folder: of folders, one a person; with ``pairs`` of any form.
        service: it is called as the preset ``face-ood`` says.
        pairs: only the images that these name are asked about, and whose they are does not matter.
        on_progress: told after each image.

    Raises:
        UsageError: there are no images, too many, or something else; an image lies outside the people's folders.
        WorldError: nothing answers at the address, or no image got a vector.
    """
    address = read_address(service.url, where="--url")
    names = _images(folder) if pairs is None else list(pairs.names)
    home = folder.resolve()  # requests open a file by a whole path without links
    for name in names:
        if (fault := _image_fault(home, name)) is not None:
            what, todo = fault
            named = "" if pairs is None else pairs.naming(name)
            raise UsageError(what, where=str(folder / name), todo=f"{todo} {named}".strip())
    found: list[npt.NDArray[np.float32] | str] = []
    contract = Contract.model_validate(_contract(service))
    with tempfile.TemporaryDirectory(prefix="penstock-faces-") as scratch:
        work = Path(scratch)
        with reach(contract, address, work / "log") as model:
            for name in names:
                found.append(_vector(model, home / name, service, work / "answer.json"))
                on_progress(len(found), len(names))
    failures = {name: each for name, each in zip(names, found, strict=True) if isinstance(each, str)}
    if len(failures) == len(names):
        first = next(iter(failures))
        what = (
            f"the service gave no vector of any of the {len(names)} images; of '{printable(first)}': {failures[first]}"
        )
        raise WorldError(what, where=service.url, todo="It is called as the preset face-ood says: POST /feature.")
    lost = np.ones(service.length, np.float32)
    identities = None if pairs is not None else np.array([name.split("/")[0] for name in names], np.str_)
    vectors = np.array([lost if isinstance(each, str) else each for each in found])
    return StoredVectors(folder, vectors, identities, np.array(names, np.str_), failures)


def _image_fault(home: Path, name: str) -> tuple[str, str] | None:
    """Why a file cannot be sent, and what to do about it: a link, or no image."""
    try:
        return media_fault(inside(home, name, where=""), expected=("image",))
    except UsageError as error:
        return error.what, "Put the file itself there."


def _images(folder: Path) -> list[str]:
    """The images of the people's folders, as relative paths."""
    if not folder.is_dir():
        raise UsageError("the folder is missing", where=str(folder))
    names = [path.as_posix() for path in regular_files(folder) if not is_note(path.name)]
    if beside := next((name for name in names if "/" not in name), None):
        raise UsageError(f"'{printable(beside)}' lies in no person's folder", where=str(folder), todo=_PEOPLE)
    if not names:
        raise UsageError("the folder holds no images", where=str(folder), todo=_PEOPLE)
    if len(names) > MOST_VECTORS:
        todo = f"Give at most {MOST_VECTORS:,}: all images of some of the people."
        raise UsageError(f"there are {len(names):,} images", where=str(folder), todo=todo)
    return names


def _contract(service: FolderService) -> dict[str, object]:
    policy = {"rules": [{"metric": "eer", "max": 1}]}  # a contract has one; nothing is judged
    call = {"preset": PRESET, "http": {"argv": ["not-started"]}, "timeout_s": service.timeout_s, "warmup": 0}
    return {"version": 1, "name": "faces", "family": "face", "call": call, "suite": "suite", "policy": policy}


def _vector(model: Model, image: Path, service: FolderService, answer: Path) -> npt.NDArray[np.float32] | str:
    """The vector of one image, or why there is none."""
    case = FaceCase.model_validate({"name": "image", "inputs": {"image": "image"}})
    result = model.call(case, {"image": image}, answer, service.timeout_s, name=CALL)
    if result.status != "ok":
        return result.error or f"the call was {result.status}"
    try:
        return read_feature(answer, length=service.length, unit=False).vector
    except BadAnswerError as error:
        return error.what
