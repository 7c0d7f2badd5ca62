"""``model_version.txt``: which weights a commit is about, for people and other tools. It agrees with the contract."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from penstock.contract.faults import MEANT, Fault
from penstock.contract.models import CONTRACT_FILE, Contract
from penstock.foundation.errors import UsageError, printable
from penstock.foundation.files import inside, read_regular
from penstock.foundation.yaml_text import Document

MODEL_VERSION_FILE = "model_version.txt"
MAX_BYTES = 64 << 10
MAX_NOTES = 4000
NAME, DIGEST, NOTES = "MODEL_NAME", "WEIGHT_SHA256", "RELEASE_NOTES"
FIELDS = (NAME, DIGEST, NOTES)
REQUIRED = (NAME, DIGEST)


@dataclass
class ModelVersion:
    """What the file says, as far as it can be read."""

    values: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    """Field → its line, from 1."""
    faults: list[Fault] = field(default_factory=list)

    @property
    def notes(self) -> str:
        """The release notes; empty if there are none."""
        return self.values.get(NOTES, "")

    def fault(self, name: str, what: str, todo: str = "") -> None:
        """Something is wrong with a field."""
        self.faults.append(Fault(MODEL_VERSION_FILE, self.lines.get(name, 1), 1, name, what, todo))


def read_model_version(directory: Path) -> ModelVersion | None:
    """Read ``model_version.txt`` in the root of a repository; ``None`` if there is none.

    It is UTF-8, at most 64 KiB, a line ``NAME=VALUE`` each; empty lines and lines that begin with ``#`` do not count.
    Spaces around name and value do not count, nor does one pair of quotes around the value. ``MODEL_NAME`` and
    ``WEIGHT_SHA256`` are required, ``RELEASE_NOTES`` (at most 4000 characters) is not; there are no other fields, and
    none twice.
    """
    found = ModelVersion()
    try:
        path = inside(directory, MODEL_VERSION_FILE, where=MODEL_VERSION_FILE)
        if not path.exists():
            return None
        text = read_regular(path, max_bytes=MAX_BYTES, where=MODEL_VERSION_FILE).decode("utf-8-sig")
    except UsageError as error:
        found.fault("", error.what, error.todo)
        return found
    except UnicodeDecodeError:
        found.fault("", "the file is not UTF-8")
        return found
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        _read_line(found, number, line)
    for name in REQUIRED:
        if name not in found.lines:
            found.fault(name, "the field is missing", f"Write a line {name}=….")
    if len(found.notes) > MAX_NOTES:
        found.fault(NOTES, f"the notes have {len(found.notes)} characters, more than {MAX_NOTES}")
    return found


def _read_line(found: ModelVersion, number: int, line: str) -> None:
    stripped = line.strip()
    if not stripped or stripped.startswith("#"):
        return
    name, equals, value = (part.strip() for part in stripped.partition("="))
    if not equals:
        found.faults.append(Fault(MODEL_VERSION_FILE, number, 1, "", f"'{printable(stripped[:80])}' is not NAME=VALUE"))
        return
    if name not in FIELDS:
        close = difflib.get_close_matches(name, FIELDS, n=1)
        todo = f"{MEANT} '{close[0]}'?" if close else f"Fields: {', '.join(FIELDS)}."
        what = f"there is no field '{printable(name[:80])}'"
        found.faults.append(Fault(MODEL_VERSION_FILE, number, 1, "", what, todo))
        return
    if name in found.lines:
        what = f"'{name}' is there twice, first in line {found.lines[name]}"
        found.faults.append(Fault(MODEL_VERSION_FILE, number, 1, name, what))
        return
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1]
    found.lines[name] = number
    found.values[name] = value


def agreement_faults(version: ModelVersion, contract: Contract, document: Document) -> Iterator[Fault]:
    """Where the file and the contract disagree.

    ``WEIGHT_SHA256`` is the digest of the contract's weights; of several files, of the first. ``MODEL_NAME`` is the
    contract's name, written as people write it: in lower case, with a hyphen for everything but letters and digits, it
    is the same.

    Args:
        version: read from the repository.
        contract: ``penstock.yaml``.
        document: what the contract was read from.
    """

    def fault(name: str, what: str, todo: str) -> Fault:
        return Fault(MODEL_VERSION_FILE, version.lines[name], 1, name, what, todo)

    if name := version.values.get(NAME):
        if _as_contract_name(name) != contract.name:
            place = f"{CONTRACT_FILE}:{document.locate(('name',)).line}: name"
            what = f"'{printable(name[:80])}' is not the model that the contract names: '{contract.name}' ({place})"
            yield fault(NAME, what, "Correct one of the two.")
    elif NAME in version.lines:
        yield fault(NAME, "the value is empty", "Write the model's name.")
    if DIGEST not in version.lines:
        return
    digest = version.values[DIGEST].lower()
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        yield fault(DIGEST, "must be 64 hexadecimal digits", "Write what sha256sum prints for the weights.")
    elif not contract.weights:
        yield fault(DIGEST, "the contract names no weights", f"Name the file in 'weights' of {CONTRACT_FILE}.")
    elif contract.weights[0].sha256 != digest:
        place = f"{CONTRACT_FILE}:{document.locate(('weights', 0, 'sha256')).line}: weights[0].sha256"
        what = f"the digest is {digest}, and the contract says {contract.weights[0].sha256} ({place})"
        yield fault(DIGEST, what, "A change of weights changes both files: correct the one that is behind.")


def _as_contract_name(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
