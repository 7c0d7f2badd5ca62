"""Which of a case's outputs are its answers: all but the array that shows what a network gets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation
from penstock.contract.http_call import PREPROCESS
from penstock.foundation.files import inside, open_regular

Output = TypeVar("Output")


def answers_of(call: Invocation) -> dict[str, str]:
    """Name of a call → path of its answer, relative to the bundle.

    An answer that an array of preprocessing stood beside counts as the case's one answer, which has no name.
    """
    return answers_among(call.outputs_by_call)


def answers_among(outputs: Mapping[str, Output]) -> dict[str, Output]:
    """The same of the outputs of a case, by the name of the call, whatever they are."""
    answers = {name: output for name, output in outputs.items() if name != PREPROCESS}
    if PREPROCESS in outputs and len(answers) == 1:
        return dict.fromkeys(("",), *answers.values())
    return answers


def answer_files(bundle: Bundle, call: Invocation) -> dict[str, Path]:
    """Name of each call → the file that came back; without arrays of preprocessing, which no weights have a part in.

    Raises:
        UsageError: one of them leaves the bundle, is missing or no plain file.
    """
    where = str(bundle.invocations_file)
    paths = {name: inside(bundle.path, path, where=where) for name, path in answers_of(call).items()}
    for path in paths.values():
        open_regular(path, where=str(path)).close()  # where the kernel cannot confine a model, it wrote here
    return paths
