"""Events of GitHub and Gitea."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from tests.unit.pulls.payloads import HEAD, hub_comment, hub_pull, recorded

from penstock.pulls.happenings import CommentEvent, OddEventError, PullEvent
from penstock.pulls.hub_events import hub_event

PULL, COMMENT = {"x-github-event": "pull_request"}, {"x-github-event": "issue_comment"}


@pytest.mark.parametrize("action", ["opened", "synchronize", "synchronized", "reopened", "edited", "closed"])
def test_a_pull_request(action: str) -> None:
    assert hub_event(PULL, hub_pull(action)) == PullEvent(path="acme/sonic-lite", number=7, head=HEAD)


def test_the_recorded_one_of_a_fork() -> None:
    found = hub_event(PULL, recorded("github-pull-request-fork"))
    assert isinstance(found, PullEvent)
    assert found.path == "acme/sonic-lite", "the base repository's, never the fork's"
    assert "touch" not in found.model_dump_json()


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (PULL, hub_pull("labeled")),
        (COMMENT, hub_comment("/penstock retest", action="edited")),
        (COMMENT, hub_comment("/penstock retest", action="deleted")),
        (COMMENT, hub_comment("/penstock retest") | {"issue": {"number": 7}}),
        ({"x-github-event": "push"}, recorded("github-push-main")),
        ({"x-github-event": "ping"}, recorded("github-ping")),
        ({}, {}),
        (PULL, {}),
        (PULL, []),
    ],
)
def test_what_is_nothing_to_us(headers: dict[str, str], body: Any) -> None:
    assert isinstance(hub_event(headers, body), str)


def test_a_comment() -> None:
    found = hub_event(COMMENT, hub_comment("/penstock retest"))
    assert isinstance(found, CommentEvent)
    assert (found.number, found.comment, found.person, found.text) == (7, 41, "ann", "/penstock retest")
    assert found.written == datetime.datetime(2026, 11, 27, 12, tzinfo=datetime.UTC)


def test_gitea_says_that_an_issue_is_a_pull_request() -> None:
    body = hub_comment("/penstock retest") | {"issue": {"number": 7, "pull_request": None}, "is_pull": True}
    assert isinstance(
        hub_event({"x-gitea-event": "issue_comment", "x-github-event": "issue_comment"}, body), CommentEvent
    )
    assert isinstance(hub_event({"x-gitea-event": "pull_request_comment"}, body), CommentEvent)
    assert isinstance(hub_event({"x-gitea-event": "pull_request_sync"}, hub_pull("synchronized")), PullEvent)


@pytest.mark.parametrize(
    "body",
    [
        hub_pull(number="7"),
        hub_pull(number=0),
        hub_pull(number=True),
        hub_pull(head="main"),
        hub_pull(head=HEAD.upper()),
        hub_pull(path="acme"),
        hub_pull(path="../../x y"),
        hub_pull() | {"repository": None},
        hub_pull() | {"pull_request": []},
    ],
)
def test_an_odd_pull_request(body: Any) -> None:
    with pytest.raises(OddEventError):
        hub_event(PULL, body)


@pytest.mark.parametrize(
    "body",
    [
        hub_comment(None),
        hub_comment("/penstock retest", comment="41"),
        hub_comment("/penstock retest", person="ann; rm"),
        hub_comment("/penstock retest", written="yesterday"),
        hub_comment("/penstock retest", written="2026-11-27T12:00:00"),
    ],
)
def test_an_odd_comment(body: Any) -> None:
    with pytest.raises(OddEventError):
        hub_event(COMMENT, body)
