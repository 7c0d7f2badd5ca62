"""The OpenAPI document of the current release, as archived: what a candidate's is compared with."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from penstock.bundle.directory import Bundle
from penstock.bundle.interface_record import DOCUMENT, INTERFACE_FOLDER, ReleasedDocument, write_released_document
from penstock.foundation.errors import WorldError
from penstock.foundation.files import disk_errors, read_regular
from penstock.foundation.strict_json import JsonError, read_json
from penstock.releases.baseline import baseline
from penstock.store.archive import fetch
from penstock.store.store import Store

MAX_BYTES = 64 << 20
"""A document of 4 MiB is larger where it is written out, with indents."""


def bring_document(store: Store, model: str, bundle: Bundle) -> ReleasedDocument | None:
    """Bring the document of the current release into a bundle; ``None`` before the first release.

    Args:
        store: where releases are kept.
        model: the model's name.
        bundle: of the candidate; it gets ``interface/released.json``.

    Raises:
        WorldError: it cannot be had. The candidate cannot be judged, by no fault of its own.
    """
    pointer = baseline(store, model)
    if pointer is None:
        return None
    name = f"{INTERFACE_FOLDER}/{DOCUMENT}"
    with disk_errors(bundle.path), tempfile.TemporaryDirectory(prefix="penstock-released-") as folder:
        archived = fetch(
            store, model, pointer.run_id, Path(folder), only=(name,), manifest_sha256=pointer.manifest_sha256
        )
        released = ReleasedDocument(run_id=pointer.run_id, document=_document(archived.path / name))
        (bundle.path / INTERFACE_FOLDER).mkdir(parents=True, exist_ok=True)
        write_released_document(bundle, released)
    return released


def _document(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    try:
        value = read_json(read_regular(path, max_bytes=MAX_BYTES, where=str(path)))
    except JsonError as error:
        raise WorldError(f"the released OpenAPI document is damaged: {error}", where=str(path)) from None
    return value if isinstance(value, dict) else None
