"""What would make unit tests slow, and none of them is about."""

from __future__ import annotations

import functools
import os
import ssl
from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(scope="session", autouse=True)
def one_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Trust one authority in place of the hundred and more of certifi: to read those takes each HTTP client 60 ms, and
    no unit test speaks to the world.
    """
    first, end, _ = certifi.contents().partition(ssl.PEM_FOOTER)
    authority: Path = tmp_path_factory.mktemp("authority") / "one.pem"
    authority.write_text(first + end + "\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(authority))
        yield


@pytest.fixture(scope="session", autouse=True)
def no_wait_for_the_disk() -> Iterator[None]:
    """No test takes the power away, so none needs what it wrote to be on the disk itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """NumPy's threads wait for each other on a busy machine, a hundred times longer than such small sums take."""
    with threadpool_limits(1, user_api="blas"):
        yield


@pytest.fixture
def one_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cases of a suite one after the other, in this process.

    To fork it takes longer than to measure a few small cases. That workers find the same is tested where they are.
    """
    monkeypatch.setattr("penstock.evaluation.case_workers.usable_cores", lambda: 1)


@pytest.fixture(scope="session")
def aws_described_once() -> Iterator[None]:
    """botocore's descriptions of the services, a megabyte of JSON, are read once and not for each client."""
    import botocore.session  # not above: most runs of a few tests need none of it

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", functools.cache(botocore.session.create_loader))
        yield
