"""Everything that can be said about a model repository without running anything: what ``penstock check`` reports."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from penstock.contract.engine_rules import with_engine_rules
from penstock.contract.export_faults import export_faults
from penstock.contract.family_faults import family_faults, family_of, suite_family_faults
from penstock.contract.faults import Fault, fault_at, fault_of
from penstock.contract.interface_faults import interface_faults
from penstock.contract.load import (
    SUITE_FILE,
    contract_path_faults,
    read_contract_text,
    read_suite_text,
    suite_path_faults,
    validated,
)
from penstock.contract.load_faults import load_faults
from penstock.contract.model_log_faults import model_log_faults
from penstock.contract.model_version import ModelVersion, agreement_faults, read_model_version
from penstock.contract.models import CONTRACT_FILE, Contract, Suite, Weights, suite_model
from penstock.contract.mounted_weights import weights_folder
from penstock.contract.page_faults import page_faults
from penstock.contract.placed_suite import placed_folder
from penstock.contract.policy import Direction, policy_faults
from penstock.contract.suite import call_faults, output_faults, suite_file_faults
from penstock.contract.suite_sources import suite_folder
from penstock.contract.weight_sources import source_kind
from penstock.families.engine_metrics import (
    ENVIRONMENT_METRIC,
    ENVIRONMENT_WARNINGS,
    EXPORT_METRIC,
    INTERFACE_METRICS,
    LOAD_METRICS,
    LOG_METRIC,
    PAGE_METRIC,
    REFUSAL_METRIC,
    base_metric,
)
from penstock.foundation.errors import MissingFileError, UsageError
from penstock.foundation.files import inside, open_regular, sha256_file
from penstock.foundation.media_kinds import LFS_POINTER
from penstock.foundation.yaml_text import Document, KeyPath

MAX_HASHED_BYTES = 64 << 20
"""Larger files of weights are left to the ``weights`` step, so that a check stays instant."""
PLACEHOLDER_SHA256 = "0" * 64


@dataclass
class Report:
    """What is wrong, and what was looked at."""

    faults: list[Fault] = field(default_factory=list)
    contract: Contract | None = None
    suite: Suite | None = None
    document: Document | None = None
    """What the contract was read from."""
    suite_document: Document | None = None
    """What the suite was read from."""
    version: ModelVersion | None = None
    """``model_version.txt``, if there is one."""

    def sort(self) -> None:
        """Bring the faults into the order of files and lines, the contract's first."""
        self.faults.sort(key=lambda fault: (fault.file != CONTRACT_FILE, fault.file, fault.line, fault.column))

    @property
    def ok(self) -> bool:
        """Whether there is nothing but warnings."""
        return all(fault.warning for fault in self.faults)


def check_repository(directory: Path, *, metrics: Mapping[str, Direction | None]) -> Report:
    """Check ``penstock.yaml``, the suite, and the files that they name.

    As much is checked as can be: a fault in the contract does not hide those of the suite. Nothing is fetched, decoded
    or run.

    Args:
        directory: the checked-out model repository.
        metrics: name of each known metric → which way is better.
    """
    report = Report()
    contract_document = _document(report, lambda: read_contract_text(directory), CONTRACT_FILE)
    if contract_document is None:
        return report
    report.document = contract_document
    report.contract, faults = validated(contract_document, Contract)
    report.faults += faults
    folder = contract_document.value.get("suite") if isinstance(contract_document.value, dict) else None
    named = contract_document.value.get("family") if isinstance(contract_document.value, dict) else None
    suite_document = _suite(report, directory, folder, named, contract_document) if isinstance(folder, str) else None
    report.suite_document = suite_document
    report.version = read_model_version(directory)
    if report.version is not None:
        report.faults += report.version.faults
    if report.contract is not None:
        report.faults += family_faults(report.contract, contract_document)
        report.faults += contract_path_faults(directory, report.contract, contract_document)
        report.faults += contract_file_faults(directory, report.contract, contract_document)
        report.faults += output_faults(report.contract, contract_document)
        if report.version is not None:
            report.faults += agreement_faults(report.version, report.contract, contract_document)
        report.faults += _policy_faults(directory, report.contract, report.suite, metrics, contract_document)
        if report.suite is not None and suite_document is not None:
            report.faults += suite_family_faults(report.contract, report.suite, suite_document)
            report.faults += call_faults(report.contract, report.suite, contract_document, suite_document)
        report.faults += page_faults(report.contract, report.suite, contract_document)
        report.faults += export_faults(report.contract, report.suite, contract_document)
        report.faults += model_log_faults(report.contract, contract_document)
        report.faults += load_faults(report.contract, report.suite, contract_document)
        report.faults += interface_faults(report.contract, directory, contract_document)
    report.sort()
    return report


def _document(report: Report, read: Callable[[], Document], name: str) -> Document | None:
    try:
        return read()
    except UsageError as error:
        report.faults.append(fault_of(error, file=name))
        return None


def _suite(report: Report, directory: Path, suite: str, family: object, contract_document: Document) -> Document | None:
    """Read and check the suite. One that lies outside the repository is left alone: the contract's fault says so."""
    folder = _suite_folder(report, directory, suite, contract_document)
    if folder is None:
        return None
    document = _document(report, lambda: read_suite_text(directory, suite), f"{folder.rstrip('/')}/{SUITE_FILE}")
    if document is None:
        return None
    # as what it is read, the contract says; a contract with faults may still say that
    report.suite, faults = validated(document, _suite_model(family))
    report.faults += faults
    if report.suite is not None:
        report.faults += suite_path_faults(directory, folder, report.suite, document)
        report.faults += suite_file_faults(directory, folder, report.suite, document)
    return document


def _suite_folder(report: Report, directory: Path, suite: str, document: Document) -> str | None:
    """The folder of the suite; one from elsewhere that is not here is a fault, as nothing is fetched by a check."""
    try:
        inside(directory, suite_folder(suite), where="")
    except UsageError:
        return None  # the contract's fault says so
    try:
        return placed_folder(directory, suite)
    except UsageError as error:
        report.faults.append(fault_at(document, ("suite",), error.what, todo=error.todo))
        return None


def _suite_model(family: object) -> type[Suite]:
    try:
        return suite_model(family) if isinstance(family, str) else Suite
    except UsageError:
        return Suite  # a family that cannot be loaded: the contract's fault says so


def contract_file_faults(directory: Path, contract: Contract, document: Document) -> Iterator[Fault]:
    """Files that the contract names and that are not there, and sources that no step could fetch."""
    build = contract.build
    if (recipe := _inside(directory, build.containerfile)) is not None and not recipe.is_file():
        # where no image is built (a run on one machine, build-mode=process) none is needed
        todo = "A run that builds an image needs one: write it, or name yours in build.containerfile."
        what = f"there is no file '{build.containerfile}'"
        yield fault_at(document, ("build", "containerfile"), what, todo=todo, warning=True)
    if (context := _inside(directory, build.context)) is not None and not context.is_dir():
        yield fault_at(document, ("build", "context"), f"there is no directory '{build.context}'")
    if contract.weights and recipe is not None and recipe.is_file() and not weights_folder(contract.weights):
        what = "these weights have no folder that could be mounted into the image: the image itself has to hold them"
        todo = "Give them a folder of their own, such as weights/: then they change without a build."
        yield fault_at(document, ("weights", 0, "path"), what, todo=todo, warning=True)
    for index, weights in enumerate(contract.weights):
        yield from _weights_faults(directory, weights, document, ("weights", index))
    for role, extractor in contract.extractor_files.items():
        yield from _weights_faults(directory, extractor, document, ("extractors", role))


def _weights_faults(directory: Path, weights: Weights, document: Document, path: KeyPath) -> Iterator[Fault]:
    try:
        kind = source_kind(weights.source)
        local = weights.path if kind == "lfs" else weights.source
        file = inside(directory, local, where="") if kind in ("lfs", "path") else None
    except UsageError as error:
        yield fault_at(document, (*path, "source"), error.what, todo=error.todo)
        return
    if weights.sha256 == PLACEHOLDER_SHA256:
        yield fault_at(
            document,
            (*path, "sha256"),
            "this is a placeholder, not a SHA-256",
            todo=f"Write what `sha256sum {weights.path}` prints.",
        )
    if file is None:
        return
    place = (*path, "path") if kind == "lfs" else (*path, "source")
    try:
        with open_regular(file, where="") as opened:
            head = opened.read(1024)
            size = opened.seek(0, 2)
    except UsageError as error:
        todo = (
            "Add it to the repository, or name the place to fetch it from in 'source'."
            if isinstance(error, MissingFileError)
            else error.todo
        )
        yield fault_at(document, place, f"{local}: {error.what}", todo=todo)
        return
    if weights.sha256 == PLACEHOLDER_SHA256:
        return
    if head.startswith(LFS_POINTER):
        pointer = re.search(rb"^oid sha256:([0-9a-f]{64})$", head, re.MULTILINE)
        digest = pointer[1].decode() if pointer else ""
        if kind != "lfs":
            yield fault_at(document, place, f"{local}: this is a Git LFS pointer", todo="Write 'source: lfs'.")
            return
    elif size > MAX_HASHED_BYTES:
        return
    else:
        digest = sha256_file(file)
    if digest != weights.sha256:
        what = f"{local} has another SHA-256: {digest}" if digest else f"{local}: a broken Git LFS pointer"
        yield fault_at(document, (*path, "sha256"), what, todo="Is it the right file? Then correct the contract.")


def _policy_faults(
    directory: Path,
    contract: Contract,
    suite: Suite | None,
    metrics: Mapping[str, Direction | None],
    document: Document,
) -> Iterator[Fault]:
    slices = {name for case in suite.cases for name in case.slices} if suite is not None else None
    today = datetime.datetime.now(datetime.UTC).date()
    policy = with_engine_rules(contract.policy, contract)
    for fault in policy_faults(policy, known=metrics, slices=slices, today=today):
        yield fault_at(document, ("policy", *fault.path), fault.what, todo=fault.todo, warning=fault.warning)
    record = contract.policy.calibration
    if record is not None and ((file := _inside(directory, record)) is None or not file.is_file()):
        yield fault_at(
            document,
            ("policy", "calibration"),
            f"{record}: there is no such file in the repository",
            todo="Record the noise with penstock calibrate, and commit the file.",
        )
    yield from _network_faults(contract, suite, document)
    yield from _floor_faults(contract, suite, document)
    yield from _one_value_faults(contract, document)
    if suite is not None and all(case.expect is None for case in suite.cases):
        for place, rule in enumerate(contract.policy.rules):
            if rule.metric == REFUSAL_METRIC.name:
                what = f"'{rule.metric}' is measured of cases with 'expect', and the suite has none"
                todo = "Write 'expect: {status: 422}' in the cases that the model must refuse."
                yield fault_at(document, ("policy", "rules", place, "metric"), what, todo=todo)


def _network_faults(contract: Contract, suite: Suite | None, document: Document) -> Iterator[Fault]:
    """Rules whose metric is measured through a network, or against a reference, that nobody names: once for each."""
    family = family_of(contract)
    told: set[str] = set()
    for place, rule in enumerate(contract.policy.rules):
        metric = next((known for known in family.metrics if known.name == rule.metric), None) if family else None
        if family is None or metric is None:
            continue
        path = ("policy", "rules", place, "metric")
        role = metric.role
        if role is not None and role not in contract.extractors and role not in told:
            told.add(role)
            what = f"'{metric.name}' is measured through a network, and extractors.{role} names none"
            todo = f"Name a file, or the stand-in that comes with Penstock: {role}: {family.roles[role].stand_in}."
            yield fault_at(document, path, what, todo=todo, warning=True)
        if metric.needs_reference and suite is not None and suite.reference is None and "reference" not in told:
            told.add("reference")
            what = f"'{metric.name}' compares with a reference, and the suite names none"
            yield fault_at(document, path, what, todo="Write 'reference: DIRECTORY' in suite.yaml.")


def _one_value_faults(contract: Contract, document: Document) -> Iterator[Fault]:
    """Rules for cases of a metric that no case has: page, export, log, environment, interface, and under load."""
    outcomes = (PAGE_METRIC.name, EXPORT_METRIC.name, LOG_METRIC.name)
    counted = tuple(metric.name for metric in (ENVIRONMENT_METRIC, ENVIRONMENT_WARNINGS, *INTERFACE_METRICS))
    under_load = tuple(metric.name for metric in LOAD_METRICS)
    for place, rule in enumerate(contract.policy.rules):
        if base_metric(rule.metric) not in (*outcomes, *counted, *under_load):
            continue
        for name in ("slice", "worst"):
            if getattr(rule, name) is not None:
                what = f"'{rule.metric}' is one value for the whole suite: no case has one"
                least = "max: 0" if rule.metric in counted else "min: 1"
                todo = f"Leave '{name}' out; '{least}' stops the release."
                if base_metric(rule.metric) in under_load:
                    todo = f"Leave '{name}' out" + (
                        "; 'load.slice' says which cases are sent." if name == "slice" else "."
                    )
                yield fault_at(document, ("policy", "rules", place, name), what, todo=todo)


def _floor_faults(contract: Contract, suite: Suite | None, document: Document) -> Iterator[Fault]:
    """Margins that count how far the cases' references lie apart, where no case has several."""
    if suite is None:
        return
    several = [case for case in suite.cases if any(found.index for found in case.withheld_files)]
    for place, rule in enumerate(contract.policy.rules):
        if rule.margin is None or not rule.margin.floor:
            continue
        if not any(rule.slice is None or rule.slice in case.slices for case in several):
            where = f" with the slice '{rule.slice}'" if rule.slice is not None else ""
            what = f"the margin counts how far the references of a case lie apart, and no case{where} has several"
            todo = "Name several in a case, as a list, or write the margin as a number or a share."
            yield fault_at(document, ("policy", "rules", place, "margin"), what, todo=todo)


def _inside(directory: Path, text: str) -> Path | None:
    try:
        return inside(directory, text, where="")
    except UsageError:
        return None
