"""What a pull request is now, asked of a real HTTP server."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import pytest
from tests.unit.pulls.forge_api import ForgeApi, forge_api, gitlab_answer, hub_answer
from tests.unit.pulls.payloads import HEAD, recorded
from tests.unit.pulls.places import TOKEN

from penstock.foundation.errors import WorldError
from penstock.notices.forge_places import Forge, Kind
from penstock.pulls.pull_lookup import OddPullError, PullNow, look_up, recently_open

HUB, LAB = "/repos/acme/sonic-lite/pulls/7", "/projects/acme%2Fsonic-lite/merge_requests/7"
HOUR_AGO = datetime.datetime(2026, 11, 27, 11, tzinfo=datetime.UTC)


@pytest.fixture(scope="module")
def module_server() -> Iterator[ForgeApi]:
    with forge_api() as there:
        yield there


@pytest.fixture
def server(module_server: ForgeApi) -> ForgeApi:
    module_server.answers, module_server.status, module_server.requests = {}, 200, []
    return module_server


def asked(server: ForgeApi, answer: Any, kind: Kind = "github") -> PullNow:
    server.answers = {HUB: answer, LAB: answer}
    return look_up(Forge(kind, server.url, TOKEN), "acme/sonic-lite", 7)


@pytest.mark.parametrize("kind", ["github", "gitea"])
def test_a_pull_request(server: ForgeApi, kind: Kind) -> None:
    assert asked(server, hub_answer(HEAD), kind) == PullNow(7, open=True, head=HEAD, base="main", fork=False)
    assert not asked(server, hub_answer(HEAD, state="closed"), kind).open
    assert asked(server, hub_answer(HEAD, base="release/1.x"), kind).base == "release/1.x"


def test_a_fork_and_one_that_is_gone(server: ForgeApi) -> None:
    assert asked(server, hub_answer(HEAD, fork_id=2)).fork
    assert asked(server, hub_answer(HEAD, gone=True)).fork
    assert asked(server, gitlab_answer(HEAD, source=2), "gitlab").fork
    assert asked(server, gitlab_answer(HEAD, source=None), "gitlab").fork
    answer = hub_answer(HEAD)
    answer["base"]["repo"] = answer["head"]["repo"] = None
    assert asked(server, answer).fork, "what is not known to be ours is not trusted"


def test_commits_that_came_by_no_branch_are_a_forks(server: ForgeApi) -> None:
    """Gitea's AGit: ``git push origin HEAD:refs/for/main`` by anybody who may read."""
    agit = {"label": "", "ref": "refs/pull/7/head", "sha": HEAD, "repo_id": 1, "repo": {"id": 1}}
    assert asked(server, hub_answer(HEAD) | {"head": agit}, "gitea").fork
    for more in ({"label": "change"}, {"ref": "change"}, {"label": "change", "ref": ""}, {"label": None, "ref": None}):
        assert asked(server, hub_answer(HEAD) | {"head": agit | more}, "gitea").fork, more


@pytest.mark.parametrize(("name", "fork"), [("opened", False), ("synchronized", False), ("fork", True)])
def test_what_a_real_gitea_says(server: ForgeApi, name: str, fork: bool) -> None:
    """Its webhooks hold what its API answers."""
    assert asked(server, recorded(f"gitea-pull-request-{name}")["pull_request"], "gitea").fork is fork


def test_a_merge_request(server: ForgeApi) -> None:
    found = asked(server, gitlab_answer(HEAD), "gitlab")
    assert found == PullNow(7, open=True, head=HEAD, base="main", fork=False)
    assert not asked(server, gitlab_answer(HEAD, state="merged"), "gitlab").open


@pytest.mark.parametrize("base", ["$(touch x)", "-x", "a..b", "a b", "a\nb", "", None, 7])
def test_a_branch_whose_name_is_not_plain(server: ForgeApi, base: Any) -> None:
    with pytest.raises(OddPullError, match="not plain"):
        asked(server, hub_answer(HEAD, base=base))


@pytest.mark.parametrize("answer", [{}, {"head": "x"}, hub_answer("main"), hub_answer(HEAD.upper()), [], "text"])
def test_an_answer_that_is_none(server: ForgeApi, answer: Any) -> None:
    with pytest.raises(WorldError) as caught:
        asked(server, answer)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_a_forge_that_refuses(server: ForgeApi, status: int) -> None:
    server.status = status
    with pytest.raises(WorldError, match=str(status)):
        asked(server, hub_answer(HEAD))
    assert len(server.requests) == 1, "it is asked again later, and others meanwhile"


def test_what_has_changed_lately(server: ForgeApi) -> None:
    entries = [
        {"number": 9, "iid": 9, "updated_at": "2026-11-27T12:00:00Z"},
        {"number": 8, "iid": 8, "updated_at": "2026-11-27T12:30:00+01:00"},
        {"number": 7, "iid": 7, "updated_at": "2026-11-26T12:00:00Z"},
        {"number": "6", "iid": "6", "updated_at": "2026-11-27T12:00:00Z"},
        {"number": 5, "iid": 5, "updated_at": "today"},
    ]
    server.answers = {
        "/repos/acme/sonic-lite/pulls?state=open&sort=updated&direction=desc&per_page=100": entries,
        "/repos/acme/sonic-lite/pulls?state=open&sort=recentupdate&per_page=100": entries,
        "/projects/acme%2Fsonic-lite/merge_requests?state=opened&order_by=updated_at&per_page=100": entries,
    }
    kinds: tuple[Kind, ...] = ("github", "gitlab", "gitea")
    for kind in kinds:
        assert recently_open(Forge(kind, server.url, TOKEN), "acme/sonic-lite", since=HOUR_AGO) == [9, 8]
