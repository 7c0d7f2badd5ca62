"""Where a contract's suite lies in the repository's files, also one from elsewhere, and whether it is there."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from penstock.contract.models import CONTRACT_FILE
from penstock.contract.suite_sources import FOLDER, PLACE, SuiteSource, suite_source
from penstock.foundation.errors import UsageError
from penstock.foundation.files import inside, read_regular
from penstock.foundation.strict_json import JsonError, read_json
from penstock.foundation.yaml_text import read_yaml

RECORD: Final = f"{PLACE}/suite.json"
"""Says of which address the files in :data:`~penstock.contract.suite_sources.FOLDER` are: ``{"address", "digest"}``."""
MAX_RECORD_BYTES: Final = 64 << 10
BRING: Final = "`penstock suite fetch` brings it."


def placed_folder(directory: Path, suite: str) -> str:
    """The directory of the suite below the repository.

    Args:
        directory: the checked-out model repository.
        suite: the contract's field of that name.

    Raises:
        UsageError: the suite is from elsewhere and is not here, or another one is; or the address is not valid.
    """
    source = suite_source(suite)
    if source is None:
        return suite
    file = inside(directory, RECORD, where="suite")
    if not file.is_file():
        raise UsageError("the suite lies elsewhere and is not here yet", where="suite", todo=BRING)
    try:
        record = read_json(read_regular(file, max_bytes=MAX_RECORD_BYTES, where=RECORD))
    except JsonError:
        record = None
    if not isinstance(record, dict) or record.get("address") != source.text:
        raise UsageError("the suite that is here is another one than the contract names", where="suite", todo=BRING)
    return FOLDER


def suite_from_elsewhere(directory: Path) -> SuiteSource | None:
    """The source that ``penstock.yaml`` names for the suite; ``None``: none, or the contract has a fault.

    What is wrong with the contract is for ``penstock check`` to say, with every other fault.
    """
    try:
        value = read_yaml(inside(directory, CONTRACT_FILE, where=CONTRACT_FILE), name=CONTRACT_FILE).value
        suite = value.get("suite") if isinstance(value, dict) else None
        return suite_source(suite) if isinstance(suite, str) else None
    except UsageError:
        return None
