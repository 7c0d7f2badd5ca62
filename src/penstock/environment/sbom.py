"""The bill of materials of a release: the image, what is installed in it, the model and its weights.

CycloneDX 1.6 (ECMA-424), JSON: https://cyclonedx.org/docs/1.6/json/. The same run gives the same bytes: there is no
clock and no chance in it, and components are sorted.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote

from penstock import __version__
from penstock.bundle.models import Image, Run, Source, WeightsFile
from penstock.contract.models import Contract
from penstock.environment.facts import EnvironmentFacts
from penstock.environment.licences import stated_licences
from penstock.environment.purls import deb_purl, oci_purl, pypi_purl
from penstock.environment.wheels import Wheel
from penstock.foundation.errors import UsageError, one_line
from penstock.foundation.files import sha256_json
from penstock.sources.git_url import mask

SPEC_VERSION = "1.6"
SCHEMA = "http://cyclonedx.org/schema/bom-1.6.schema.json"
RELEASE, IMAGE, SYSTEM, MODEL = "release", "image", "system", "model"
"""``bom-ref`` of what there is once; a package's is its package URL, a file's is ``model/`` and its path."""
MAX_WHEELS = 2_000
"""Distributions of Python that are listed; large images have 500. How many there are more is said."""
MAX_FOLDERS = 5
MAX_TEXT = 200
"""With these bounds the document stays below what a record may have, whatever an image says."""
NAMESPACE = uuid.UUID("3a4f7d1e-6c57-5b0e-9f5e-0d6a1c0b7e52")
"""Of the serial numbers; made up once."""
_FETCHED = ("https://", "s3://", "hf://")
_URL_CHARACTERS = "%/:?#[]@!$&'()*+,;=-._~"


def bill_of_materials(run: Run, contract: Contract, facts: EnvironmentFacts | None) -> dict[str, Any]:
    """The document.

    Args:
        run: cloned, its weights verified, its image built.
        contract: names the weights' licences.
        facts: what was read of the image, or of its recipe where none is built; ``None``: it could not be read.

    Raises:
        UsageError: the run was not cloned, or nothing is built.
    """
    source, image = run.source, run.image
    if source is None or image is None:
        raise UsageError("the run has no source or no image yet", todo="Run the steps clone and build first.")
    packages = list(_packages(facts)) if facts is not None else []
    built = [_image(image)] if image.kind == "image" else []
    system = list(_system(facts)) if facts is not None else []
    holds = sorted(part["bom-ref"] for part in [*system, *packages])
    own = [part["bom-ref"] for part in built]
    # where no image is built, what its recipe names belongs to the release itself
    depends = {RELEASE: [*own, MODEL, *(() if own else holds)], **({IMAGE: holds} if own else {})}
    return _numbered(
        {
            "$schema": SCHEMA,
            "bomFormat": "CycloneDX",
            "specVersion": SPEC_VERSION,
            "serialNumber": "",
            "version": 1,
            "metadata": _metadata(run, source),
            "components": [*built, _model(run, contract, source.version), *system, *packages],
            "dependencies": [{"ref": ref, "dependsOn": parts} for ref, parts in depends.items()],
            "compositions": _completeness(own, facts),
            "properties": _properties(facts),
        }
    )


def renamed(document: dict[str, Any], run: Run) -> dict[str, Any]:
    """The document under the version of another run of the same commit, weights and image."""
    source = run.source
    if source is None:
        return document
    components = [
        {**part, "version": source.version} if part.get("bom-ref") == MODEL else part for part in document["components"]
    ]
    return _numbered({**document, "metadata": _metadata(run, source), "components": components})


def _numbered(document: dict[str, Any]) -> dict[str, Any]:
    """With a serial number that is the same for the same content."""
    content = {key: value for key, value in document.items() if key != "serialNumber"}
    return {**document, "serialNumber": uuid.uuid5(NAMESPACE, sha256_json(content)).urn}


def _metadata(run: Run, source: Source) -> dict[str, Any]:
    time, url = _time(source.committer_date), repository_url(source.url)
    return {
        **({"timestamp": time} if time else {}),
        "tools": {"components": [{"type": "application", "name": "penstock", "version": __version__}]},
        "component": {
            "type": "application",
            "bom-ref": RELEASE,
            "name": run.model,
            "version": source.version,
            "pedigree": {"commits": [{"uid": source.commit, "url": url}]},
            "externalReferences": [{"type": "vcs", "url": url, "comment": f"commit {source.commit}"}],
        },
    }


def _time(committed: str) -> str:
    """The commit's time in UTC; empty: it is not known."""
    try:
        found = datetime.fromisoformat(committed)
    except ValueError:
        return ""
    return found.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if found.tzinfo is not None else ""


def repository_url(address: str) -> str:
    """A repository's address as a URL, without a password: ``git@HOST:PATH`` is ``ssh://git@HOST/PATH``."""
    if "://" not in address:
        host, colon, path = address.partition(":")
        local = not colon or "/" in host
        address = Path(address).absolute().as_uri() if local else f"ssh://{host}/{path.lstrip('/')}"
    # the account of an ssh address is no secret, and without it the address is another
    named = re.fullmatch(r"ssh://[^:/@]+@[^@]+", address)
    return quote(address if named else mask(address), safe=_URL_CHARACTERS)


def _image(image: Image) -> dict[str, Any]:
    return {
        "type": "container",
        "bom-ref": IMAGE,
        "name": image.url,
        "version": image.digest,
        "hashes": [{"alg": "SHA-256", "content": image.digest.partition(":")[2]}],
        "purl": oci_purl(image.url, image.digest),
    }


def _model(run: Run, contract: Contract, version: str) -> dict[str, Any]:
    # weights that the run was given in place of the contract's have no licence that is known
    licences = {(item.path, item.sha256): item.licence for item in contract.weights}
    files = [_weights(file, licences.get((file.path, file.sha256))) for file in run.weights]
    return {
        "type": "machine-learning-model",
        "bom-ref": MODEL,
        "name": run.model,
        "version": version,
        **({"components": sorted(files, key=_ref)} if files else {}),
    }


def _weights(file: WeightsFile, licence: str | None) -> dict[str, Any]:
    licences = stated_licences(licence or "")
    fetched = file.source.startswith(_FETCHED)
    return {
        "type": "file",
        "bom-ref": f"{MODEL}/{file.path}",
        "name": file.path,
        "hashes": [{"alg": "SHA-256", "content": file.sha256}],
        **({"licenses": licences} if licences else {}),
        **(
            {"externalReferences": [{"type": "distribution", "url": quote(file.source, safe=_URL_CHARACTERS)}]}
            if fetched
            else {}
        ),
        "properties": [
            {"name": "penstock:bytes", "value": str(file.bytes)},
            {"name": "penstock:source", "value": file.source},
        ],
    }


def _system(facts: EnvironmentFacts) -> Iterator[dict[str, Any]]:
    if (found := facts.distribution) is not None:
        version = {"version": found.version} if found.version else {}
        yield {"type": "operating-system", "bom-ref": SYSTEM, "name": found.name, **version}


def _packages(facts: EnvironmentFacts) -> Iterator[dict[str, Any]]:
    """Python's, then Debian's, each in the order of their package URLs."""
    wheels = sorted(facts.wheels, key=lambda wheel: (wheel.name, wheel.version, wheel.folder))
    same = (list(group) for _, group in groupby(wheels, key=lambda wheel: (wheel.name, wheel.version)))
    yield from sorted(map(_wheel, same), key=_ref)[:MAX_WHEELS]
    debian = (
        {
            "type": "library",
            "bom-ref": purl,
            "name": package.name,
            "version": package.version,
            "purl": purl,
        }
        for package in facts.system_packages
        for purl in [deb_purl(package, facts.distribution)]
    )
    yield from sorted(debian, key=_ref)


def _wheel(copies: list[Wheel]) -> dict[str, Any]:
    """A distribution, wherever in the image it is installed."""
    wheel = copies[0]
    purl = pypi_purl(wheel.name, wheel.version)
    licences = stated_licences(wheel.licence_expression, wheel.licence_names)
    folders = sorted({one_line(copy.folder)[:MAX_TEXT] for copy in copies if copy.folder})[:MAX_FOLDERS]
    return {
        "type": "library",
        "bom-ref": purl,
        "name": wheel.name,
        "version": wheel.version,
        **({"licenses": licences} if licences else {}),
        "purl": purl,
        **({"evidence": {"occurrences": [{"location": folder} for folder in folders]}} if folders else {}),
    }


def _completeness(image: Iterable[str], facts: EnvironmentFacts | None) -> list[dict[str, Any]]:
    """The weights are all that there are; of an image, what no package manager knows is not seen."""
    read = "unknown" if facts is None else "incomplete"
    return [
        {"aggregate": "complete", "assemblies": [MODEL]},
        {"aggregate": read, "assemblies": [*image] or [RELEASE]},
    ]


def _properties(facts: EnvironmentFacts | None) -> list[dict[str, str]]:
    """``penstock:read``: the image, its recipe, or nothing; and how many packages are left out, if any."""
    found = [{"name": "penstock:read", "value": facts.read if facts is not None else "nothing"}]
    if facts is not None and (more := len({(wheel.name, wheel.version) for wheel in facts.wheels}) - MAX_WHEELS) > 0:
        found.append({"name": "penstock:left-out", "value": str(more)})
    return found


def _ref(component: dict[str, Any]) -> str:
    return str(component["bom-ref"])
