"""Which cases of a suite repeat each other, and which are known from the training data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from penstock.contract.models import Case
from penstock.suites.fingerprints import Fingerprint
from penstock.suites.picture_hash import near_pairs


@dataclass(frozen=True)
class Alike:
    """Two cases that ask the same of the model.

    Attributes:
        first, second: their places in the suite.
        exact: whether all files are the very same; else pictures and videos only look it.
    """

    first: int
    second: int
    exact: bool


@dataclass(frozen=True)
class Leak:
    """An input of the suite that the model was trained on.

    Attributes:
        file: of the suite, as the suite names it.
        training: the file of the training data.
        exact: whether it is the very same; else it only looks it.
    """

    file: str
    training: str
    exact: bool


def alike_cases(cases: Sequence[Case], known: Mapping[str, Fingerprint]) -> list[Alike]:
    """Pairs of cases whose inputs are all the same, or look it, with the same parameters.

    One portrait with another recording is another case, and so is a pair with another second picture. Of each case only
    the first is named that it repeats.

    Args:
        cases: of the suite.
        known: file, as the suite names it → its fingerprint.
    """
    found: dict[int, Alike] = {}
    first_with: dict[object, int] = {}
    users: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, case in enumerate(cases):
        asked = (*sorted((name, known[file].sha256) for name, file in case.inputs.items()), _parameters(case))
        if (first := first_with.setdefault(asked, place)) != place:
            found[place] = Alike(first, place, exact=True)
            continue
        for name, file in case.inputs.items():
            users[name, file].append(place)
    near = {pair for pair in _near(known, known) if known[pair[0]].sha256 != known[pair[1]].sha256}
    for one, other in sorted(near):
        for name in {name for name, file in users if file == one}:
            for first, second in product(users[name, one], users.get((name, other), ())):
                if first < second and second not in found and _look_alike(cases[first], cases[second], known, near):
                    found[second] = Alike(first, second, exact=False)
    return [found[second] for second in sorted(found)]


def _look_alike(first: Case, second: Case, known: Mapping[str, Fingerprint], near: Collection[tuple[str, str]]) -> bool:
    return (
        first.inputs.keys() == second.inputs.keys()
        and _parameters(first) == _parameters(second)
        and all(
            known[file].sha256 == known[second.inputs[name]].sha256 or (file, second.inputs[name]) in near
            for name, file in first.inputs.items()
        )
    )


def _parameters(case: Case) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, repr(value)) for name, value in case.parameters.items()))


def leaks(suite: Mapping[str, Fingerprint], training: Mapping[str, Fingerprint]) -> list[Leak]:
    """Inputs of the suite that are in the training data, or look like something there.

    Args:
        suite: file → fingerprint, of the files that the model gets.
        training: the same of the training data; one without hashes is known by its SHA-256 alone.
    """
    by_digest = {found.sha256: name for name, found in sorted(training.items(), reverse=True)}
    exact = {file: by_digest[found.sha256] for file, found in suite.items() if found.sha256 in by_digest}
    near: dict[str, str] = {}
    for file, other in _near(suite, training):
        if file not in exact:
            near.setdefault(file, other)
    return [Leak(file, (exact | near)[file], file in exact) for file in sorted({*exact, *near})]


def _near(ours: Mapping[str, Fingerprint], theirs: Mapping[str, Fingerprint]) -> Iterator[tuple[str, str]]:
    """Pairs of files that look the same: of a video all moments."""
    for moments in {len(found.hashes) for found in ours.values()} - {0}:
        first = [name for name, found in ours.items() if len(found.hashes) == moments]
        second = [name for name, found in theirs.items() if len(found.hashes) == moments]
        pairs = (
            set(near_pairs([ours[n].hashes[at] for n in first], [theirs[n].hashes[at] for n in second]))
            for at in range(moments)
        )
        for row, column in sorted(set.intersection(*pairs)):
            yield first[row], second[column]
