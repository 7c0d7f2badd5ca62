"""Events of GitLab."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from tests.unit.pulls.payloads import HEAD, gitlab_merge, gitlab_note, recorded

from penstock.pulls.gitlab_events import gitlab_event
from penstock.pulls.happenings import CommentEvent, OddEventError, PullEvent

MERGE, NOTE = {"x-gitlab-event": "Merge Request Hook"}, {"x-gitlab-event": "Note Hook"}


@pytest.mark.parametrize("action", ["open", "update", "reopen", "close", "merge"])
def test_a_merge_request(action: str) -> None:
    assert gitlab_event(MERGE, gitlab_merge(action)) == PullEvent(path="acme/talk/sonic-lite", number=7, head=HEAD)


def test_the_recorded_one_of_a_fork() -> None:
    found = gitlab_event(MERGE, recorded("gitlab-merge-request-fork"))
    assert isinstance(found, PullEvent)
    assert found.path == "acme/sonic-lite", "the target's, never the fork's"
    assert "touch" not in found.model_dump_json()


@pytest.mark.parametrize("more", [{}, {"action": "create"}])
def test_a_note(more: dict[str, str]) -> None:
    found = gitlab_event(NOTE, gitlab_note("/penstock retest", **more))
    assert isinstance(found, CommentEvent)
    assert (found.number, found.comment, found.person) == (7, 41, "ann")
    assert found.written == datetime.datetime(2026, 11, 27, 12, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (MERGE, gitlab_merge("approved")),
        (NOTE, gitlab_note("/penstock retest", action="update")),
        (NOTE, gitlab_note("/penstock retest", updated="2026-11-27 12:00:09 UTC")),
        (NOTE, gitlab_note("/penstock retest", system=True)),
        (NOTE, gitlab_note("/penstock retest", noteable_type="Commit")),
        ({"x-gitlab-event": "Push Hook"}, recorded("gitlab-push-main")),
        ({}, []),
    ],
)
def test_what_is_nothing_to_us(headers: dict[str, str], body: Any) -> None:
    assert isinstance(gitlab_event(headers, body), str)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (MERGE, gitlab_merge(head="HEAD")),
        (MERGE, gitlab_merge() | {"project": {}}),
        (NOTE, gitlab_note(7)),
        (NOTE, gitlab_note("/penstock retest") | {"merge_request": {"iid": "7"}}),
        (NOTE, gitlab_note("/penstock retest") | {"user": {}}),
    ],
)
def test_odd_ones(headers: dict[str, str], body: Any) -> None:
    with pytest.raises(OddEventError):
        gitlab_event(headers, body)
