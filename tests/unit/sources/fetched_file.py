"""The file that is fetched, and a fetcher that does not wait."""

from __future__ import annotations

import hashlib
import random

from penstock.sources.fetch import Fetcher

DATA = random.Random(1).randbytes(300_000)
SHA = hashlib.sha256(DATA).hexdigest()


def fetcher(**options: object) -> Fetcher:
    return Fetcher(allow_http_loopback=True, timeout_s=5.0, sleep=lambda seconds: None, **options)  # type: ignore[arg-type]
