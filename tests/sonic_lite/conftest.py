"""The model of test-assets/models/sonic-lite: importable here, and running as a service."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
for place in (ROOT, ROOT / "test-assets", ROOT / "test-assets" / "models" / "sonic-lite" / "base"):
    sys.path.insert(0, str(place))

from tests.sonic_lite.talking_head_service import ASSETS, BASE, Running  # noqa: E402


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    running = Running(BASE, tmp_path_factory.mktemp("service"))
    try:
        running.wait_ready()
        yield running.url
    finally:
        running.stop()


@pytest.fixture(scope="session")
def portrait() -> bytes:
    return (ASSETS / "portraits" / "drawn-01.png").read_bytes()


@pytest.fixture(scope="session")
def speech() -> bytes:
    return (ASSETS / "speech" / "en-gb-f5-01.flac").read_bytes()
