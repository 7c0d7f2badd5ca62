"""The model of test-assets/models/recognition-lite: importable here, and running as a service."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
for place in (ROOT, ROOT / "test-assets", ROOT / "test-assets" / "models" / "recognition-lite" / "base"):
    sys.path.insert(0, str(place))

from tests.recognition_lite.recognition_service import BASE  # noqa: E402
from tests.sonic_lite.talking_head_service import Running  # noqa: E402
from training import make_recognition_lite_suite  # noqa: E402


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(BASE, tmp_path_factory.mktemp("service"))
    try:
        running.wait_ready()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four cases of each kind."""
    out = tmp_path_factory.mktemp("suite")
    make_recognition_lite_suite.make(out, each=4)
    return out


@pytest.fixture(scope="session")
def picture(suite: Path) -> bytes:
    return (suite / "images" / "plain-01.jpg").read_bytes()
