"""Many write one key of a store at once, each something else: one of them wins, and the others are told."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from penstock.foundation.errors import WorldError
from penstock.store.store import Store

WRITERS = 8


def contest(store: Store, folder: Path) -> None:
    """Whoever wins, what is stored is what one of them wrote, and only that one was told so."""

    def put(number: int) -> str:
        path = folder / f"written-by-{number}"
        path.write_bytes(bytes([number]) * 1000)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        try:
            store.put_file("contested", path, digest)
        except WorldError:
            return ""
        return digest

    with ThreadPoolExecutor(WRITERS) as pool:
        winners = [digest for digest in pool.map(put, range(WRITERS)) if digest]
    assert winners == [store.digest("contested")]
