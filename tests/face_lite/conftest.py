"""The model of test-assets/models/face-lite: importable here, and running as a service."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
for place in (ROOT, ROOT / "test-assets", ROOT / "test-assets" / "models" / "face-lite" / "base"):
    sys.path.insert(0, str(place))

from tests.face_lite.face_service import BASE, Serving  # noqa: E402
from training import make_face_lite_suite as maker  # noqa: E402


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    running = Serving(BASE, tmp_path_factory.mktemp("service"))
    yield running.url
    running.stop()


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six people, and two of each odd kind."""
    out = tmp_path_factory.mktemp("suite")
    maker.make(out, maker.images(people=6, odd_each=2, large=1))
    return out


@pytest.fixture(scope="session")
def photo(suite: Path) -> bytes:
    return (suite / "photos" / "person-02-1.jpg").read_bytes()
