"""The contract and the suite as the step *check* accepted them: ``contract.json``, which later steps read.

It holds the plain values of ``penstock.yaml`` and ``suite.yaml`` and the digests of both files. A step that finds them
changed, or no such file (a bundle of an older version, the released model's), reads the YAML itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from penstock.bundle.directory import MAX_RECORD_BYTES, Bundle, explain, read_model
from penstock.bundle.models import SCHEMA_VERSION
from penstock.bundle.record import Record
from penstock.contract.load import SUITE_FILE, load_contract, load_suite
from penstock.contract.models import CONTRACT_FILE, Contract, Suite, suite_model
from penstock.contract.suite_sources import suite_folder
from penstock.foundation.errors import UsageError
from penstock.foundation.files import inside, open_inside, sha256_of, write_text

Model = TypeVar("Model", bound=BaseModel)
AGAIN = "Run the step check again."


class CheckedRecord(Record):
    """``contract.json``."""

    schema_version: int = SCHEMA_VERSION
    sources: dict[str, str]
    """Path below the repository → SHA-256 of the file that was read."""
    contract: dict[str, Any]
    suite: dict[str, Any]


@dataclass(frozen=True)
class Checked:
    """A repository's contract and, when it is asked for, its suite."""

    contract: Contract
    suite: Callable[[], Suite]
    """Raises :class:`UsageError` if the suite is not valid."""


def keep_checked(bundle: Bundle, source: Path, contract: dict[str, Any], suite: dict[str, Any]) -> None:
    """Write ``contract.json``. What is too large to be read back is not written: YAML is read then.

    Args:
        bundle: the run's.
        source: the model's repository.
        contract: the plain value of ``penstock.yaml``, which has no fault.
        suite: the plain value of its ``suite.yaml``, which has none either.
    """
    sources = {file: _digest(source, file) for file in _files(contract)}
    record = CheckedRecord(sources=sources, contract=contract, suite=suite)
    text = json.dumps(record.model_dump(mode="json"), ensure_ascii=False, allow_nan=False) + "\n"
    if len(text.encode()) <= MAX_RECORD_BYTES:
        write_text(bundle.contract_file, text)
    else:
        bundle.contract_file.unlink(missing_ok=True)


def read_checked(bundle: Bundle, source: Path) -> Checked:
    """A repository's contract and suite, from ``contract.json`` if that was made from its files, else from the YAML.

    Raises:
        UsageError: ``contract.json`` or the YAML is not valid.
    """
    record = read_model(bundle.contract_file, CheckedRecord) if bundle.contract_file.exists() else None
    if record is None or not _holds(record, source):
        contract = load_contract(source)
        return Checked(contract, lambda: load_suite(source, contract))
    contract = _valid(record.contract, Contract, bundle.contract_file)
    return Checked(contract, lambda: _suite_of(record, contract, bundle.contract_file))


def _holds(record: CheckedRecord, source: Path) -> bool:
    """Whether the repository's files are those that the record was made from."""
    try:
        return record.sources == {file: _digest(source, file) for file in _files(record.contract)}
    except UsageError:
        return False  # who reads the YAML says what is wrong with it


def _files(contract: dict[str, Any]) -> tuple[str, str]:
    return CONTRACT_FILE, f"{suite_folder(str(contract.get('suite', ''))).rstrip('/')}/{SUITE_FILE}"


def _digest(source: Path, file: str) -> str:
    with open_inside(inside(source, file, where=file), where=file) as opened:
        return sha256_of(opened)


def _suite_of(record: CheckedRecord, contract: Contract, where: Path) -> Suite:
    suite = _valid(record.suite, suite_model(contract.family), where)
    if suite.family != contract.family:
        what = f"the suite is of the family '{suite.family}', the contract of '{contract.family}'"
        raise UsageError(what, where=str(where), todo=AGAIN)
    return suite


def _valid(value: dict[str, Any], model: type[Model], where: Path) -> Model:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise UsageError(f"not a valid record: {explain(error)}", where=str(where), todo=AGAIN) from None
