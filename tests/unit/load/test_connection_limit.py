"""Each connection is an open file, of which a process may have so many."""

from __future__ import annotations

import resource

import pytest
from tests.unit.load.services import OK, answering, put_load, service

from penstock.foundation.errors import UsageError
from penstock.load.connection_limit import allow_connections, default_connections
from penstock.load.timeline import RequestEnding


def test_more_connections_than_a_process_may_have_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (512, 1024))
    with pytest.raises(UsageError) as caught:
        allow_connections(1000)
    assert str(caught.value).startswith(
        "--connections: a process may have 1024 files open here; 1000 connections and up to 64 other files are 1064."
    )
    assert "at most 960 connections" in caught.value.todo


def test_as_many_connections_as_are_asked_for_are_allowed() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        with service(answering(OK)) as at:
            timeline = put_load(at.url, connections=500)
        assert set(timeline.ending) == {RequestEnding.GOOD}
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= 500
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize(
    ("hard", "expected"), [(1024, 960), (1064, 1000), (1 << 20, 1000), (resource.RLIM_INFINITY, 1000), (10, 1)]
)
def test_the_default_is_what_the_limit_allows(monkeypatch: pytest.MonkeyPatch, hard: int, expected: int) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (5, hard))
    assert default_connections() == expected
