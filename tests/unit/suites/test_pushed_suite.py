"""What is pushed can be named and fetched; the same files have the same address."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.unit.environment.image_server import ImageServer
from tests.unit.suites.tarred import FILES

from penstock.contract.suite_sources import suite_source
from penstock.foundation.errors import UsageError, WorldError
from penstock.suites.pushed_suite import push_suite
from penstock.suites.suite_fetch import SuiteAccess, bring
from penstock.suites.suite_files import digest_of, listed


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    for path, content in FILES.items():
        (tmp_path / "suite" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "suite" / path).write_bytes(content)
    return tmp_path / "suite"


def brought(address: str, place: Path) -> dict[str, str]:
    source = suite_source(address)
    assert source is not None
    (place / "about").mkdir(parents=True)
    return bring(source, place / "files", place / "about", SuiteAccess(tls_verify=False))


@pytest.mark.slow
def test_to_a_registry_and_back(registry: ImageServer, suite: Path, tmp_path: Path) -> None:
    address = push_suite(suite, f"oci://{registry.url}", tls_verify=False)
    assert brought(address, tmp_path / "brought") == listed(suite)
    shutil.copytree(suite, tmp_path / "copy")
    (tmp_path / "copy" / "suite.yaml").chmod(0o600)
    assert push_suite(tmp_path / "copy", f"oci://{registry.url}", tls_verify=False) == address
    (suite / "more.png").write_text("more")
    assert push_suite(suite, f"oci://{registry.url}", tls_verify=False) != address


@pytest.mark.slow
def test_to_s3_and_back_and_never_over_what_is_there(bucket: Any, suite: Path, tmp_path: Path) -> None:
    (suite / "ä picture?#%.png").write_text("x")
    address = push_suite(suite, "s3://weights/suites")
    digest = digest_of(listed(suite))
    assert address == f"s3://weights/suites/{digest[:16]}#sha256={digest}"
    assert brought(address, tmp_path / "brought") == listed(suite)
    assert push_suite(suite, "s3://weights/suites/") == address
    bucket.put_object(Bucket="weights", Key=f"suites/{digest[:16]}/a/b.png", Body=b"other")
    with pytest.raises(WorldError):
        push_suite(suite, "s3://weights/suites")


def test_what_is_no_suite_or_no_place(suite: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a place for a suite"):
        push_suite(suite, "https://example.org/suites")
    with pytest.raises(UsageError, match="this is not of the form oci"):
        push_suite(suite, "oci://registry.example.org/Suites:latest")
    with pytest.raises(UsageError, match=r"no suite\.yaml"):
        push_suite(tmp_path, "s3://weights/suites")
