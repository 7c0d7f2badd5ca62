"""How long the video of a case is to be where the case does not say: as long as its audio.

The step *plan* has the decoders and finds the durations; the step *infer* has none and takes them from ``run.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from penstock.contract.load import SUITE_FILE, input_path
from penstock.contract.models import Case, Contract, Suite
from penstock.contract.presets import parameters, wanted_names
from penstock.foundation.errors import UsageError

NAME = "duration"
AUDIO = "audio"
RATE = 16_000
"""Samples a second in which the audio is counted."""


def audio_durations(contract: Contract, suite: Suite, source_dir: Path) -> dict[str, float]:
    """Case → seconds of its audio, of the cases that need a duration and have none.

    Args:
        contract: says whether the call wants ``{duration}``, and its default.
        suite: the cases.
        source_dir: the repository that holds the suite.

    Raises:
        UsageError: the audio of such a case is missing or cannot be decoded; ``where`` names file and case.
    """
    if NAME not in wanted_names(contract):
        return {}
    waiting = [case for case in suite.cases if NAME not in parameters(contract, case) and AUDIO in case.inputs]
    seconds: dict[str, float] = {}
    for case in waiting:
        file = case.inputs[AUDIO]
        if file not in seconds:
            seconds[file] = _seconds(contract, case, source_dir)
    return {case.name: seconds[case.inputs[AUDIO]] for case in waiting}


def with_durations(suite: Suite, durations: Mapping[str, float]) -> Suite:
    """The suite with these durations among its cases' parameters."""

    def timed(case: Case) -> Case:
        if case.name not in durations:
            return case
        return case.model_copy(update={"parameters": {**case.parameters, NAME: durations[case.name]}})

    return suite.model_copy(update={"cases": [timed(case) for case in suite.cases]})


def _seconds(contract: Contract, case: Case, source_dir: Path) -> float:
    from penstock.media import read_audio

    file = case.inputs[AUDIO]
    where = f"{contract.suite}/{file} (input '{AUDIO}' of case '{case.name}' in {contract.suite}/{SUITE_FILE})"
    try:
        samples = read_audio(input_path(source_dir, contract, file), rate=RATE).size
    except UsageError as error:
        raise UsageError(error.what, where=where, todo=error.todo) from error
    if not samples:
        raise UsageError("there is no sound in the file", where=where, todo="Give a recording.")
    return round(samples / RATE, 3)
