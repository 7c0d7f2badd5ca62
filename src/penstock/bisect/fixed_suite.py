"""The cases and extractors that every commit is measured with: those of the bad commit."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from penstock.bundle.models import Run
from penstock.contract.arithmetic import DEFAULT, arithmetic_in, digest_in
from penstock.contract.load import (
    SUITE_FILE,
    input_path,
    load_contract,
    load_suite,
    read_contract_text,
    suite_directory,
)
from penstock.contract.models import CONTRACT_FILE, Contract, Suite
from penstock.evaluation.measure_cache import suite_digest
from penstock.extractors.shipped import SHIPPED
from penstock.foundation.errors import UsageError
from penstock.foundation.files import disk_errors, inside, regular_files, write_text
from penstock.foundation.handles import discard_tree

PLACE = ".penstock-bisect"
"""Where another commit's suite and extractors are put in a commit's files."""


@dataclass(frozen=True)
class Reference:
    """What all commits are measured with."""

    directory: Path
    """The checked-out files of the commit that it is from."""
    contract: Contract
    suite: Suite
    slice: str
    """Only cases that carry it are put to the models; empty: all."""

    @cached_property
    def suite_digests(self) -> set[str]:
        """Digests that a comparable bundle may have: of the cases that are needed, and of the whole suite."""
        suites = [self.suite, self.suite.only(self.slice)]
        return {suite_digest(self.directory, self.contract, suite) for suite in suites}

    @cached_property
    def extractors(self) -> dict[str, str]:
        """Role → SHA-256."""
        return extractor_digests(self.contract)

    def differs(self, run: Run) -> str:
        """Why a run's values cannot be compared under this reference; empty if they can."""
        if run.suite is None or run.suite.digest not in self.suite_digests:
            return "it was measured with another suite"
        used = {role: digest_in(label) for role, label in run.extractors.items()}
        if used != self.extractors:
            return "it was measured through other extractors"
        computed = {arithmetic_in(label) for label in run.extractors.values()}
        if computed - {self.contract.policy.arithmetic or DEFAULT}:
            return f"its networks were computed in {' and '.join(sorted(computed))}"
        return ""


def load_reference(directory: Path, slice_name: str = "") -> Reference:
    """Read the contract and the suite of the commit that was checked out.

    Raises:
        UsageError: there is a fault in them, or no case carries the slice.
    """
    contract = load_contract(directory)
    suite = load_suite(directory, contract)
    suite.only(slice_name)
    return Reference(directory, contract, suite, slice_name)


def extractor_digests(contract: Contract) -> dict[str, str]:
    """Role → SHA-256 of the extractors that a contract names."""
    return {
        role: SHIPPED[extractor] if isinstance(extractor, str) else extractor.sha256
        for role, extractor in contract.extractors.items()
    }


def put_reference(source: Path, reference: Reference) -> list[str]:
    """Put the reference's suite and extractors into a commit's files, where its own are others.

    Only ``penstock.yaml`` is changed, and what the suite and the extractors need is laid beside it: the commit's own
    suite stays where it is, in case that its model reads from it. Can be done again over what a killed attempt left.

    Args:
        source: the commit's checked-out files.
        reference: what is put there.

    Returns:
        What was another: ``suite``, ``extractors``, both or nothing.

    Raises:
        UsageError: the commit's contract has a fault.
    """
    contract = load_contract(source)
    document = dict(read_contract_text(source).value)
    before = dict(document)
    place = source / PLACE
    with disk_errors(source):
        if not _same_suite(source, contract, reference):
            _clear(place, place / "suite")
            _copy_suite(reference, place / "suite")
            document["suite"] = f"{PLACE}/suite"
        if extractor_digests(contract) != reference.extractors:
            _clear(place, place / "extractors")
            (place / "extractors").mkdir(parents=True)
            document["extractors"] = _copy_extractors(reference, place / "extractors")
    if document != before:
        write_text(source / CONTRACT_FILE, yaml.safe_dump(document, allow_unicode=True, sort_keys=False))
        load_contract(source)
    # said of the files as they are now: a killed attempt may have changed them
    return [name for name in ("suite", "extractors") if (place / name).is_dir()]


def _clear(*places: Path) -> None:
    """Take away what is in the way: what a killed attempt has left, or a link that the commit has there."""
    for path in places:
        if path.is_symlink() or path.is_file():
            path.unlink()
    discard_tree(places[-1])


def _same_suite(source: Path, contract: Contract, reference: Reference) -> bool:
    try:
        suite = load_suite(source, contract)
        return suite_digest(source, contract, suite) == suite_digest(
            reference.directory, reference.contract, reference.suite
        )
    except UsageError:
        return False  # it is broken, which does not matter: it is not used


def _copy_suite(reference: Reference, place: Path) -> None:
    """The suite's own file, and every file that it names."""
    own = suite_directory(reference.directory, reference.contract)
    place.mkdir(parents=True)
    shutil.copyfile(own / SUITE_FILE, place / SUITE_FILE)
    for file in sorted({file for case in reference.suite.cases for file in case.files}):
        _copy(input_path(reference.directory, reference.contract, file), place / file)
    if reference.suite.reference is not None:
        _copy(
            input_path(reference.directory, reference.contract, reference.suite.reference),
            place / reference.suite.reference,
        )


def _copy_extractors(reference: Reference, place: Path) -> dict[str, dict[str, str] | str]:
    """The extractors' section; files that lie in the repository are copied, others are fetched as they always are."""
    section: dict[str, dict[str, str] | str] = {}
    for role, weights in reference.contract.extractors.items():
        if isinstance(weights, str):
            section[role] = weights
            continue
        path, source = f"{PLACE}/extractors/{role}{Path(weights.path).suffix}", weights.source
        if "://" not in source:
            held = weights.path if source == "lfs" else source
            _copy(inside(reference.directory, held, where=f"extractors.{role}"), place / Path(path).name)
            source = "lfs"
        section[role] = {"path": path, "sha256": weights.sha256, "source": source}
    return section


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        for path in regular_files(source):
            _copy(source / path, target / path)
    elif source.is_file():
        shutil.copyfile(source, target, follow_symlinks=False)
    else:
        raise UsageError("the file is missing", where=str(source), todo="The bad commit's suite names it: add it.")
