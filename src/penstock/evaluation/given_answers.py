"""Answers that are there already, in a folder: taken into a bundle as if a model had just given them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation
from penstock.bundle.steps import recorded
from penstock.evaluation.infer import OUTPUT_NAME
from penstock.evaluation.photo_suite import PhotoSuite
from penstock.foundation.files import disk_errors, open_regular

STEP = "answers"


def take_answers(of: PhotoSuite, answers: str, bundle: Bundle) -> list[Invocation]:
    """Copy the answer to each case into the bundle, and write the records; how long they took is not known.

    Args:
        of: the suite.
        answers: whose, as :attr:`penstock.evaluation.photo_suite.PhotoFolders.answers` names them.
        bundle: begun.

    Raises:
        UsageError: an answer is not a plain file.
        WorldError: the disk is full.
    """
    calls = []
    with recorded(bundle, STEP) as note:
        for case in of.suite.cases:
            path = of.matched[case.name].files[answers]
            suffix = path.suffix.lower() if re.fullmatch(r"\.[A-Za-z0-9]{1,8}", path.suffix) else ".bin"
            output = bundle.outputs / case.name / f"{OUTPUT_NAME}{suffix}"
            _copy(path, output)
            relative = output.relative_to(bundle.path).as_posix()
            calls.append(Invocation(case=case.name, status="ok", output=relative))
        bundle.write_invocations(calls)
        note.note = f"{len(calls)} answers that were there already"
    return calls


def _copy(path: Path, target: Path) -> None:
    with open_regular(path, where=str(path)) as source, disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as out:
            shutil.copyfileobj(source, out, 1 << 20)
