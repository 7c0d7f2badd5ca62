"""Which of a case's outputs are its answers: all but the array that shows what a network gets."""

from __future__ import annotations

from penstock.bundle.models import Invocation
from penstock.contract.http_call import PREPROCESS


def answers_of(call: Invocation) -> dict[str, str]:
    """Name of a call → path of its answer, relative to the bundle.

    An answer that an array of preprocessing stood beside counts as the case's one answer, which has no name.
    """
    outputs = call.outputs_by_call
    answers = {name: path for name, path in outputs.items() if name != PREPROCESS}
    if PREPROCESS in outputs and len(answers) == 1:
        return dict.fromkeys(("",), *answers.values())
    return answers
