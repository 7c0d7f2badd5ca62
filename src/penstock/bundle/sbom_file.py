"""``sbom.cdx.json``: the bill of materials of image and model, as CycloneDX 1.6 has it.

The document is CycloneDX's, not ours: what writes it is :mod:`penstock.environment.sbom`; here it is a file.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import Field, ValidationError

from penstock.bundle.directory import MAX_RECORD_BYTES, Bundle, explain
from penstock.bundle.record import Record
from penstock.foundation.errors import UsageError
from penstock.foundation.files import read_regular, sha256_file, write_text
from penstock.foundation.strict_json import JsonError, read_json

SBOM = "sbom.cdx.json"


class StatedLicence(Record):
    """An entry of ``licenses``: an SPDX expression, or a licence by its name."""

    expression: str = ""
    license: dict[str, Any] = Field(default_factory=dict)

    def __str__(self) -> str:
        return self.expression or str(self.license.get("id") or self.license.get("name") or "")


class SbomComponent(Record):
    """A component, as far as it is shown."""

    type: str
    name: str
    version: str = ""
    licenses: list[StatedLicence] = Field(default_factory=list)
    components: list[SbomComponent] = Field(default_factory=list)


class SbomShown(Record):
    """A bill of materials, as far as it is shown."""

    format: str = Field(alias="bomFormat", pattern="^CycloneDX$")
    components: list[SbomComponent]


def write_sbom(bundle: Bundle, document: dict[str, Any]) -> None:
    """Write it; the same document is the same bytes."""
    write_text(bundle.path / SBOM, sbom_text(document))


def sbom_text(document: dict[str, Any]) -> str:
    """The file's content."""
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def sbom_sha256(bundle: Bundle) -> str | None:
    """SHA-256 of the file; ``None``: the run has none, as those of older versions."""
    path = bundle.path / SBOM
    return sha256_file(path) if path.is_file() else None


def read_sbom(bundle: Bundle) -> dict[str, Any]:
    """The document.

    Raises:
        UsageError: the run has none, or it is no CycloneDX.
    """
    path = bundle.path / SBOM
    if not path.is_file():
        todo = "Runs of Penstock before the bill of materials, and runs that did not come as far as build, have none."
        raise UsageError("this run has no bill of materials", where=str(bundle.path), todo=todo)
    try:
        document: dict[str, Any] = read_json(read_regular(path, max_bytes=MAX_RECORD_BYTES, where=str(path)))
        SbomShown.model_validate(document)
    except JsonError as error:
        raise UsageError(f"not a bill of materials: {error}", where=str(path)) from None
    except ValidationError as error:
        raise UsageError(f"not a bill of materials: {explain(error)}", where=str(path)) from None
    return document
