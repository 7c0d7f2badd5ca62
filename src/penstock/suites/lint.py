"""What is weak about a suite: cases that repeat each other, leaks, slices out of balance, files without a licence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from penstock.contract.faults import Fault, fault_at
from penstock.contract.load import below
from penstock.contract.models import Contract, Licence, Suite
from penstock.environment.licences import spdx_expression
from penstock.foundation.files import inside
from penstock.foundation.media_kinds import set_files
from penstock.foundation.yaml_text import Document
from penstock.gating.evidence import BOOTSTRAP_CASES
from penstock.suites.alike import alike_cases, leaks
from penstock.suites.fingerprints import Fingerprint

UNEVEN = 10
"""So many times as many cases in one slice as in another, and a mean over all of them is that of the larger."""
NAMED = 5
"""Files that a fault names, of many with the same."""


@dataclass(frozen=True)
class CheckedSuite:
    """A suite that can be read, with what it belongs to.

    Attributes:
        directory: the repository.
        document: ``suite.yaml`` with the lines of everything.
    """

    directory: Path
    contract: Contract
    suite: Suite
    document: Document

    def files(self) -> dict[str, Path]:
        """The files that the model gets, as the suite names them → where they are.

        Raises:
            UsageError: a path leaves the repository.
        """
        names = {file for case in self.suite.cases for file in case.inputs.values()}
        return {
            name: inside(self.directory, below(self.contract.suite_folder, name), where=name) for name in sorted(names)
        }

    def all_files(self) -> list[str]:
        """These, those that the model does not get, and the reference."""
        files = {file for case in self.suite.cases for file in case.files}
        if (reference := self.suite.reference) is not None:
            folder = inside(self.directory, below(self.contract.suite_folder, reference), where=reference)
            if folder.is_dir():
                files |= {f"{reference}/{file.name}" for file in set_files(folder)}
        return sorted(files)


def lint(checked: CheckedSuite, known: Mapping[str, Fingerprint], training: Mapping[str, Fingerprint]) -> list[Fault]:
    """Everything that is weak about a suite, in the order of its file.

    Args:
        checked: the suite.
        known: fingerprints of :meth:`CheckedSuite.files`.
        training: fingerprints of what the model was trained on; may be empty.
    """
    suite, document = checked.suite, checked.document
    found = [
        *_repeated(suite, document, known),
        *_leaked(suite, document, known, training),
        *_uneven(suite, document),
        *_licence_faults(checked.all_files(), suite.licences, document),
    ]
    return sorted(found, key=lambda fault: (fault.line, fault.column))


def _repeated(suite: Suite, document: Document, known: Mapping[str, Fingerprint]) -> Iterator[Fault]:
    for pair in alike_cases(suite.cases, known):
        first, second = suite.cases[pair.first].name, suite.cases[pair.second].name
        how = "is the same as" if pair.exact else "looks the same as"
        yield fault_at(
            document,
            ("cases", pair.second),
            f"the case '{second}' {how} '{first}': an interval counts both as if they were independent",
            todo="Leave one out, unless it is asked twice on purpose.",
            warning=True,
        )


def _leaked(
    suite: Suite, document: Document, known: Mapping[str, Fingerprint], training: Mapping[str, Fingerprint]
) -> Iterator[Fault]:
    first_use = {
        file: (case, name)
        for case in reversed(range(len(suite.cases)))
        for name, file in suite.cases[case].inputs.items()
    }
    for leak in leaks(known, training):
        case, name = first_use[leak.file]
        how = "is in the training data" if leak.exact else "looks like a file of the training data"
        yield fault_at(
            document,
            ("cases", case, "inputs", name),
            f"{leak.file} {how}, {leak.training}: the model may know it by heart",
            todo="Take another file." if leak.exact else "Look at both, and take another file if they show the same.",
            warning=not leak.exact,
        )


def _uneven(suite: Suite, document: Document) -> Iterator[Fault]:
    counts = Counter(name for case in suite.cases for name in dict.fromkeys(case.slices))
    if not counts:
        return
    largest = max(counts, key=lambda name: (counts[name], name))
    for name, count in sorted(counts.items()):
        case = next(place for place, case in enumerate(suite.cases) if name in case.slices)
        todo = f"Take {BOOTSTRAP_CASES} cases or more of what matters." if count < BOOTSTRAP_CASES else ""
        if count * UNEVEN <= counts[largest]:
            what = f"the slice '{name}' has {_cases(count)} and '{largest}' {counts[largest]}: a mean over all hides it"
        elif count < BOOTSTRAP_CASES:
            what = f"the slice '{name}' has {_cases(count)}: below {BOOTSTRAP_CASES}, a margin of it only warns"
        else:
            continue
        yield fault_at(document, ("cases", case, "slices"), what, todo=todo, warning=True)
    if aside := [case.name for case in suite.cases if not case.slices]:
        what = f"{_cases(len(aside))} in no slice: {_listed(aside)}"
        place = next(place for place, case in enumerate(suite.cases) if not case.slices)
        yield fault_at(document, ("cases", place), what, todo="Say of what kind they are.", warning=True)


def _licence_faults(files: Sequence[str], licences: Mapping[str, Licence], document: Document) -> Iterator[Fault]:
    if without := [file for file in files if licence_of(file, licences) is None]:
        yield fault_at(
            document,
            ("licences",),
            f"{len(without)} of {len(files)} files without a licence: {_listed(without)}",
            todo="Write 'licences: {\"PATTERN\": {licence: CC0-1.0, origin: where it is from}}'.",
            warning=True,
        )
    for pattern, stated in licences.items():
        place = ("licences", pattern)
        if not any(fnmatchcase(file, pattern) for file in files):
            what = f"no file of the suite is named like '{pattern}'"
            yield fault_at(document, place, what, todo="Correct the name, or leave it out.", warning=True)
        if spdx_expression(stated.licence) is None:
            what = f"'{stated.licence}' is no SPDX expression: whether the files may be used is for a person to say"
            yield fault_at(document, (*place, "licence"), what, todo="Write CC-BY-4.0, or the like.", warning=True)


def licence_of(file: str, licences: Mapping[str, Licence]) -> Licence | None:
    """What a suite says of a file: the first pattern that it is named like."""
    return next((stated for pattern, stated in licences.items() if fnmatchcase(file, pattern)), None)


def _cases(count: int) -> str:
    return f"{count} case{'' if count == 1 else 's'}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
