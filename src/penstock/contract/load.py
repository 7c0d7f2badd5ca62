"""Reading ``penstock.yaml``, the suite and the policy: typed, or refused with file, line and field."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from penstock.contract.family_faults import family_faults, suite_family_faults
from penstock.contract.faults import Fault, fault_at, model_faults, raise_first
from penstock.contract.models import CONTRACT_FILE, Case, Contract, Suite, suite_model
from penstock.contract.placed_suite import placed_folder
from penstock.contract.policy import Direction, Policy, policy_faults
from penstock.foundation.errors import UsageError
from penstock.foundation.files import inside
from penstock.foundation.yaml_text import Document, KeyPath, read_yaml

SUITE_FILE = "suite.yaml"
MAX_SUITE_BYTES = 4 << 20
Model = TypeVar("Model", bound=BaseModel)


def load_contract(directory: Path) -> Contract:
    """The contract of the model repository in ``directory``, with its preset filled in.

    Every path in it is checked to stay inside the repository; whether the files exist is for ``penstock check`` and for
    the steps that read them.

    Raises:
        UsageError: ``where`` is ``penstock.yaml:LINE: field.path``.
    """
    document = read_contract_text(directory)
    contract, faults = validated(document, Contract)
    if contract is not None:
        faults = [*family_faults(contract, document), *contract_path_faults(directory, contract, document)]
    return accepted(contract, faults)


def load_suite(directory: Path, contract: Contract) -> Suite:
    """The suite of the model repository in ``directory``.

    Raises:
        UsageError: ``where`` is ``suite/suite.yaml:LINE: field.path``.
    """
    document = read_suite_text(directory, contract.suite)
    suite, faults = validated(document, suite_model(contract.family))
    if suite is not None:
        faults = [
            *suite_family_faults(contract, suite, document),
            *suite_path_faults(directory, contract.suite_folder, suite, document),
        ]
    return accepted(suite, faults)


def load_file(path: Path, model: type[Model]) -> Model:
    """What a YAML file of the platform's holds: a floor, targets, the policy of a watch.

    Raises:
        UsageError: ``where`` is ``FILE:LINE: field.path``.
    """
    value, faults = validated(read_yaml(path, name=str(path)), model)
    return accepted(value, faults)


def load_policy(path: Path) -> Policy:
    """The policy in ``path``: a file of its own with ``level`` and ``rules``, or the ``policy`` section of a contract.

    Raises:
        UsageError: ``where`` is ``FILE:LINE: field.path``.
    """
    document, section = _policy_text(path)
    policy, faults = validated(document, Policy, section)
    return accepted(policy, faults)


def read_policy(path: Path, metrics: Mapping[str, Direction | None]) -> tuple[Policy, list[Fault]]:
    """The policy in ``path``, see :func:`load_policy`, compared with the known metrics, and what is likely wrong in it.

    Args:
        path: the file.
        metrics: name of each known metric → which way is better.

    Raises:
        UsageError: ``where`` is ``FILE:LINE: field.path``.
    """
    document, section = _policy_text(path)
    policy, faults = validated(document, Policy, section)
    if policy is not None:
        faults += [
            fault_at(document, (*section, *fault.path), fault.what, todo=fault.todo, warning=fault.warning)
            for fault in policy_faults(policy, known=metrics)
        ]
    return accepted(policy, faults), [fault for fault in faults if fault.warning]


def _policy_text(path: Path) -> tuple[Document, KeyPath]:
    """The file, and where in it the policy stands."""
    if path.is_dir():
        path = path / CONTRACT_FILE
    document = read_yaml(path, name=str(path))
    within = isinstance(document.value, dict) and "policy" in document.value and "rules" not in document.value
    return document, ("policy",) if within else ()


def suite_directory(directory: Path, contract: Contract) -> Path:
    """The directory of ``suite.yaml``, checked to be inside the repository."""
    return inside(directory, contract.suite_folder, where=f"{CONTRACT_FILE}: suite")


def input_path(directory: Path, contract: Contract, file: str) -> Path:
    """The path of a case's input or of the reference (both relative to the suite), checked to be in the repository."""
    return inside(directory, below(contract.suite_folder, file), where=f"{contract.suite_folder}/{SUITE_FILE}")


def withheld_paths(directory: Path, contract: Contract, case: Case) -> dict[str, tuple[Path, ...]]:
    """Field → the files that it names and that the model does not get, checked to be in the repository."""
    found: dict[str, tuple[Path, ...]] = {}
    for withheld in case.withheld_files:
        path = input_path(directory, contract, withheld.file)
        found[withheld.field] = (*found.get(withheld.field, ()), path)
    return found


def read_contract_text(directory: Path) -> Document:
    """``penstock.yaml`` as a document with positions."""
    path = directory / CONTRACT_FILE
    if not directory.is_dir():
        raise UsageError(
            "this is not a directory", where=str(directory), todo="Give the directory of a model's repository."
        )
    if not path.exists() and not path.is_symlink():
        raise UsageError("the file is missing", where=CONTRACT_FILE, todo="`penstock init` writes one to start from.")
    inside(directory, CONTRACT_FILE, where=CONTRACT_FILE)
    return read_yaml(path, name=CONTRACT_FILE)


def read_suite_text(directory: Path, suite: str) -> Document:
    """``suite.yaml`` as a document with positions; ``suite`` is the contract's field of that name.

    Raises:
        UsageError: it is not there or not valid; the suite is from elsewhere, and is not here or is another one.
    """
    try:
        folder = placed_folder(directory, suite)
    except UsageError as error:
        raise UsageError(error.what, where=f"{CONTRACT_FILE}: suite", todo=error.todo) from None
    name = f"{folder.rstrip('/')}/{SUITE_FILE}"
    path = inside(directory, name, where=f"{CONTRACT_FILE}: suite")
    return read_yaml(path, name=name, max_bytes=MAX_SUITE_BYTES)


def validated(document: Document, model: type[Model], section: KeyPath = ()) -> tuple[Model | None, list[Fault]]:
    """The value of ``document`` (or of one section) as a model, or every fault in it."""
    value = document.value
    for part in section:
        value = value[part]
    if not isinstance(value, dict):
        return None, [fault_at(document, section, "must be a mapping (name: value)")]
    try:
        return model.model_validate(value), []
    except ValidationError as error:
        return None, model_faults(error, document, model, section)


def accepted(value: Model | None, faults: list[Fault]) -> Model:
    """The value, if there is no fault; else the first fault is raised."""
    raise_first(faults)
    if value is None:
        raise AssertionError("there is neither a value nor a fault")
    return value


def contract_paths(contract: Contract) -> list[tuple[KeyPath, str]]:
    """Every path of the contract with the field that holds it."""
    paths: list[tuple[KeyPath, str]] = [
        (("weights", index, "path"), weights.path) for index, weights in enumerate(contract.weights)
    ]
    paths += [
        (("build", "containerfile"), contract.build.containerfile),
        (("build", "context"), contract.build.context),
        (("suite",), contract.suite_folder),
    ]
    paths += [(("extractors", role, "path"), weights.path) for role, weights in contract.extractor_files.items()]
    return paths


def contract_path_faults(directory: Path, contract: Contract, document: Document) -> list[Fault]:
    """Paths of the contract that leave the repository."""
    return [
        fault
        for path, text in contract_paths(contract)
        if (fault := path_fault(directory, text, document, path)) is not None
    ]


def suite_path_faults(directory: Path, folder: str, suite: Suite, document: Document) -> list[Fault]:
    """Paths of the suite that leave the repository."""
    paths: list[tuple[KeyPath, str]] = [(("reference",), suite.reference)] if suite.reference is not None else []
    paths += [
        (("cases", index, "inputs", name), file)
        for index, case in enumerate(suite.cases)
        for name, file in case.inputs.items()
    ]
    paths += [
        (("cases", index, *found.place), found.file)
        for index, case in enumerate(suite.cases)
        for found in case.withheld_files
    ]
    return [
        fault
        for path, text in paths
        if (fault := path_fault(directory, text, document, path, folder=folder)) is not None
    ]


def path_fault(directory: Path, text: str, document: Document, path: KeyPath, *, folder: str = "") -> Fault | None:
    """The fault of a path that leaves the repository; ``folder`` is what it is relative to."""
    whole = below(folder, text)
    try:
        inside(directory, whole, where="")
    except UsageError as error:
        return fault_at(document, path, error.what.replace(whole, text), todo=error.todo)
    return None


def below(folder: str, text: str) -> str:
    """``text`` below ``folder``; an absolute path stays one, so that it is refused."""
    return f"{folder}/{text}" if folder and text and not Path(text).is_absolute() else text
