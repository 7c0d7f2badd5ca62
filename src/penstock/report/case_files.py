"""The files of a suite's cases, for views that show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.checked_contract import read_checked
from penstock.bundle.directory import Bundle
from penstock.contract.load import input_path, withheld_paths
from penstock.contract.models import Case, Contract
from penstock.contract.placeholders import Scalar
from penstock.contract.request import parameters
from penstock.foundation.errors import UsageError


@dataclass(frozen=True)
class CaseFiles:
    """What a case was made of."""

    inputs: Mapping[str, Path]
    """Input name → file."""
    withheld: Mapping[str, tuple[Path, ...]]
    """Field of the case → the files that the model did not get."""
    given: Mapping[str, Scalar]
    """The case's parameters, with the contract's defaults."""
    case: Case
    """What it says itself, of the family's own class."""


@dataclass(frozen=True)
class SuiteFiles:
    """Where the files of a suite's cases lie."""

    source_dir: Path
    contract: Contract
    cases: Mapping[str, Case]

    def of(self, name: str) -> CaseFiles | None:
        """The files of a case; ``None`` if the suite has no such case, or a file lies outside the repository."""
        case = self.cases.get(name)
        if case is None:
            return None
        try:
            inputs = {key: input_path(self.source_dir, self.contract, file) for key, file in case.inputs.items()}
            withheld = withheld_paths(self.source_dir, self.contract, case)
        except UsageError:
            return None
        return CaseFiles(inputs, withheld, parameters(self.contract, case), case)


def suite_files(bundle: Bundle, source_dir: Path) -> SuiteFiles:
    """The suite of a model's repository, as the step *check* accepted it.

    Raises:
        UsageError: the contract or the suite is not valid.
    """
    checked = read_checked(bundle, source_dir)
    return SuiteFiles(source_dir, checked.contract, {case.name: case for case in checked.suite().cases})
