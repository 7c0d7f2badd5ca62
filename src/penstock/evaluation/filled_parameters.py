"""Parameters that a case need not give, because one of its inputs says them: as long as its audio is.

Which these are, the family says (:class:`penstock.families.family.Filled`). The step *plan* has the decoders and finds
the values; the step *infer* has none and takes them from ``run.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from penstock.contract.load import SUITE_FILE, input_path
from penstock.contract.models import Case, Contract, Suite
from penstock.contract.request import parameters, wanted_names
from penstock.families.family import Filled
from penstock.families.registry import family
from penstock.foundation.errors import UsageError
from penstock.foundation.references import load

Values = dict[str, float]
"""Parameter → value."""


def filled_parameters(contract: Contract, suite: Suite, source_dir: Path) -> dict[str, Values]:
    """Case → the parameters that its inputs say, of those that the call wants and the case does not give.

    Args:
        contract: says what the call wants, and defaults.
        suite: the cases.
        source_dir: the repository that holds the suite.

    Raises:
        UsageError: such an input is missing or cannot be decoded; ``where`` names file and case.
    """
    filled = {name: how for name, how in family(contract.family).filled.items() if name in wanted_names(contract)}
    known: dict[tuple[str, str], float] = {}
    found: dict[str, Values] = {}
    for case in suite.cases:
        given = parameters(contract, case)
        for name, how in filled.items():
            if name in given or how.input not in case.inputs:
                continue
            key = (name, case.inputs[how.input])
            if key not in known:
                known[key] = _value(contract, case, source_dir, how)
            found.setdefault(case.name, {})[name] = known[key]
    return found


def with_parameters(suite: Suite, filled: Mapping[str, Values]) -> Suite:
    """The suite with these values among its cases' parameters."""

    def whole(case: Case) -> Case:
        if case.name not in filled:
            return case
        return case.model_copy(update={"parameters": {**case.parameters, **filled[case.name]}})

    return suite.model_copy(update={"cases": [whole(case) for case in suite.cases]})


def _value(contract: Contract, case: Case, source_dir: Path, how: Filled) -> float:
    file = case.inputs[how.input]
    folder = contract.suite_folder
    where = f"{folder}/{file} (input '{how.input}' of case '{case.name}' in {folder}/{SUITE_FILE})"
    try:
        return float(load(how.finder)(input_path(source_dir, contract, file)))
    except UsageError as error:
        raise UsageError(error.what, where=where, todo=error.todo) from error
