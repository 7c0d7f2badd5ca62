"""Pull requests on a real Gitea: its webhooks have them tried, and it is told; nobody else's comment does anything.

The pull requests are opened once for all tests. The first gets another commit, by force, while its first is tried, is
judged and merged. One is a fork's. One makes the model worse than its release: it is opened while the desk is away,
stopped, tried again and cancelled by comments, and let through by a waiver.
"""

from __future__ import annotations

import io
import json
import os
import re
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image
from tests.e2e.facts import Facts
from tests.e2e.gitea import Gitea, written_down
from tests.e2e.joined import Joined
from tests.e2e.pulls import CONTEXT, People, Site, by_command, desk, loaded, note, until
from tests.e2e.repositories import Repository, git
from tests.e2e.run import Run
from tests.e2e.session import GOOD, Session

from penstock.store.pull_key import pull_key

MAX_RECORD_BYTES = 1 << 20
SCOPES = ("write:repository", "write:issue", "read:user")
"""As docs/pulls.md says."""
PENDING = "PipelineRunPending"
NO_COMMAND = "/penstock hello"
BAD, RULE = "v1.0.2-duration", "duration_error"
"""A release that makes videos of another length, and the one rule that it breaks."""
ODD = "odd/$(touch${IFS}x);`id`_<b>_&|'\"!x(y)#7"
"""The name of its branch."""


@pytest.fixture(scope="module")
def people(facts: Facts) -> People:
    forge, several = Gitea.find(facts), secrets.token_hex(3)
    mona, eve = (forge.person(f"{name}-{several}") for name in ("mona", "eve"))
    return People(mona, eve, forge.person(f"bot-{several}", *SCOPES))


@pytest.fixture(scope="module")
def site(
    facts: Facts,
    session: Session,
    sonic_lite: Repository,
    people: People,
    request: pytest.FixtureRequest,
    joined: Joined | None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """The model's first release is on ``main``, and ``change`` leaves from it; then ``main`` has gone on."""
    if joined is None:  # beside other tests it has been released by now
        request.getfixturevalue("first").must_be_green()
    hosted = people.mona.repository("sonic-lite", sonic_lite)
    hosted.fill(f"{GOOD}^{{commit}}:refs/heads/main")
    hosted.let(people.bot)
    hosted.protect(CONTEXT)
    clone = tmp_path_factory.mktemp("clone") / "sonic-lite"
    plain = os.environ | {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(["git", "clone", "--quiet", "--branch=main", hosted.address, clone], env=plain, check=True)
    for name, value in (("user.name", "Mona"), ("user.email", "mona@example.org")):
        git(clone, "config", name, value)
    here = str(urlsplit(facts.gitea).hostname)
    with (
        desk(session, hosted, people.bot, [people.mona.name], host=here) as ready,
        written_down(here) as (url, sent),
    ):
        ready.compare_with_release(tmp_path_factory.mktemp("release"))
        hosted.hook(url, ready.word)
        made = Site(ready, hosted, people, clone, sent)
        git(clone, "branch", "change")
        hosted.push(clone, f"{made.commit('main', 'MAIN')}:refs/heads/main")
        yield made


@dataclass(frozen=True)
class Changed:
    """The pull request that got a second commit while its first was tried."""

    number: int
    heads: tuple[str, str]
    first: Run
    second: Run
    told: list[str]
    """States of the first commit, one after the other."""
    refused: httpx.Response
    """What was answered when somebody tried to merge it then."""


@pytest.fixture(scope="module")
def changed(site: Site) -> Changed:
    one = site.commit("change", "ONE")
    site.hosted.push(site.clone, "change")
    number = site.hosted.pull(site.people.mona, "change", "A change")
    first = site.desk.wait_run(number, "of its first commit", lambda run: note(run, "revision") == one)
    site.desk.wait_status(one, "pending", "is being tried")
    refused = site.merge(number)
    git(site.clone, "reset", "--quiet", "--hard", "change~1")
    two = site.commit("change", "TWO")
    site.hosted.push(site.clone, "+change")
    second = site.desk.wait_run(number, "of its second commit", lambda run: note(run, "revision") == two)
    site.desk.wait_status(one, "error", "a newer commit")
    told = [status["status"] for status in site.hosted.statuses(one, CONTEXT)]
    return Changed(number, (one, two), first.wait(), second, told, refused)


@pytest.fixture(scope="module")
def conflicting(site: Site, changed: Changed) -> tuple[int, str]:
    """A pull request that adds what ``main`` has otherwise, tried beside the second commit: its number and commit."""
    git(site.clone, "branch", "conflict", "main~1")
    head = site.commit("conflict", "MAIN", "otherwise")
    site.hosted.push(site.clone, "conflict")
    return site.hosted.pull(site.people.mona, "conflict", "A conflict"), head


@dataclass(frozen=True)
class Forked:
    """The pull request of a fork."""

    number: int
    held: dict[str, Any]
    """The run as it waited, when its owner had said that it may go."""
    run: Run
    reopened: Run
    """Of the same commit, when the pull request was opened again and somebody had let it run once more."""


@pytest.fixture(scope="module")
def forked(site: Site, changed: Changed, conflicting: tuple[int, str]) -> Forked:
    """Its owner lets it run, in vain; somebody who may does; when it runs it is closed, and opened once more."""
    fork = site.hosted.fork(site.people.eve)
    git(site.clone, "branch", "theirs", "main")
    head = site.commit("theirs", "THEIRS")
    site.hosted.push(site.clone, "theirs", by=site.people.eve, to=fork)
    number = site.hosted.pull(site.people.eve, f"{site.people.eve.name}:theirs", "Theirs")
    run = site.desk.wait_run(number, "held", lambda run: note(run, "held") == "true")
    site.desk.wait_status(head, "pending", "ok-to-test")
    site.hosted.comment(site.people.eve, number, f"/penstock ok-to-test {head}")
    until(lambda: site.sent_of(number, "issue_comment") or None, "Eve's comment on its way", timeout_s=60)
    (held,) = site.desk.runs(number)
    site.hosted.comment(site.people.mona, number, f"/penstock ok-to-test {head}")
    site.desk.wait_run(number, "let go", lambda run: run["spec"].get("status", "") == "")
    site.hosted.set_state(number, "closed")
    run.wait(timeout_s=300)
    site.hosted.set_state(number, "open")
    site.desk.wait_run(
        number, "held anew", lambda one: one["metadata"]["name"] != run.name and note(one, "held") == "true"
    )
    site.hosted.comment(site.people.mona, number, f"/penstock ok-to-test {head}")
    reopened = site.desk.wait_run(number, "let go anew", lambda run: run["spec"].get("status", "") == "")
    return Forked(number, held, run, reopened)


@dataclass(frozen=True)
class Worse:
    """The pull request that makes the model worse."""

    number: int
    head: str
    first: Run


@pytest.fixture(scope="module")
def worse(site: Site, sonic_lite: Repository, changed: Changed, forked: Forked) -> Worse:
    """It is opened while two others are tried and no desk is there: of that event nobody knows."""
    git(site.clone, "fetch", "--quiet", str(sonic_lite.path), f"refs/tags/{BAD}")
    head = git(site.clone, "rev-parse", "FETCH_HEAD^{commit}")
    with site.desk.away():
        site.hosted.push(site.clone, f"{head}:refs/heads/{ODD}")
        number = site.hosted.pull(site.people.mona, ODD, "A change for the worse: `$(id)` <b>")
        until(lambda: site.sent_of(number, "pull_request") or None, "its event on its way", timeout_s=60)
    return Worse(number, head, site.desk.wait_run(number, "of what nobody was told", lambda _: True))


@pytest.fixture(scope="module")
def judged(changed: Changed, worse: Worse) -> Run:
    return changed.second.wait()


@dataclass(frozen=True)
class Waived:
    """The pull request that makes the model worse, and what comments did to it."""

    status: dict[str, Any]
    """Of its commit, when it was judged."""
    refused: httpx.Response
    """What was answered when somebody tried to merge it then."""
    before: list[dict[str, Any]]
    after: list[dict[str, Any]]
    """The comments of the bot."""
    cancelled: Run
    orphan: Run
    """Of the fork, which was deleted while it went."""
    run: Run
    names: tuple[list[str], list[str]]
    """The runs, before all of its events were sent once more, the last first, and after that."""


@pytest.fixture(scope="module")
def waived(site: Site, worse: Worse, forked: Forked, judged: Run) -> Waived:
    """Comments that do nothing come first: when a later one has done something, they have not."""
    number, mona, desk = worse.number, site.people.mona, site.desk
    worse.first.wait()
    status = desk.wait_status(worse.head, "failure")
    refused = site.merge(number)
    before = of_bot(site, number)
    waive = f"/penstock waive {RULE} as agreed until {datetime.now(UTC).date() + timedelta(days=30)}"
    site.hosted.comment(site.people.eve, number, waive)
    site.hosted.change_comment(mona, number, "To be tried?", "/penstock verify full")
    site.hosted.comment(mona, number, "/penstock retest")
    cancelled = desk.wait_run(number, "tried again", by_command("retest"))
    desk.wait_run(number, "let go", lambda run: by_command("retest")(run) and run["spec"].get("status", "") == "")
    site.hosted.comment(mona, number, "/penstock cancel")
    cancelled.wait()
    desk.wait_status(worse.head, "error", f"cancelled by {mona.name}")
    site.hosted.comment(mona, number, waive)
    run = desk.wait_run(number, "with a waiver", by_command("waive"))
    site.hosted.comment(mona, forked.number, "/penstock retest")
    orphan = desk.wait_run(
        forked.number, "let go", lambda run: by_command("retest")(run) and run["spec"].get("status", "") == ""
    )
    site.people.eve.do("DELETE", f"repos/{site.people.eve.name}/sonic-lite")
    orphan.wait()
    run.wait()
    after, names = of_bot(site, number), site.names(number)
    again = site.sent_of(number, "pull_request", "issue_comment")[::-1]
    assert [one.again(desk.url).status_code for one in again] == [202] * len(again)
    # one event after the other: this one is answered when those are done
    site.hosted.comment(mona, number, NO_COMMAND)
    until(
        lambda: next((one for one in of_bot(site, number) if "no command" in one["body"]), None),
        "the answer to a comment that is no command",
        timeout_s=60,
    )
    return Waived(status, refused, before, after, cancelled, orphan, run, (names, site.names(number)))


def of_bot(site: Site, number: int) -> list[dict[str, Any]]:
    return [one for one in site.hosted.comments(number) if one["user"]["login"] == site.people.bot.name]


def test_it_is_tried_as_merged_into_its_base(site: Site, changed: Changed, judged: Run) -> None:
    judged.must_be_green()
    params = {item["name"]: item["value"] for item in judged.manifest["spec"]["params"]}
    assert (params["revision"], params["ref"]) == (changed.heads[1], f"refs/pull/{changed.number}/head")
    assert (params["base"], params["fork"], params["slice"]) == ("refs/heads/main", "false", "smoke")
    kept = pull_key("sonic-lite", judged.name, number=str(changed.number))
    source = json.loads(site.desk.kept.read(f"{kept}/run.json", MAX_RECORD_BYTES))["source"]
    assert (source["commit"], source["base"]) == (changed.heads[1], git(site.clone, "rev-parse", "main"))


def test_the_status_goes_from_pending_to_the_verdict_with_a_link(site: Site, changed: Changed, judged: Run) -> None:
    said = site.desk.wait_status(changed.heads[1], "success")
    assert said["target_url"].startswith(f"{site.desk.evidence}/pulls/sonic-lite/{changed.number}/")
    states = [status["status"] for status in site.hosted.statuses(changed.heads[1], CONTEXT)]
    assert states[0] == "pending"
    assert "<html" in loaded(said["target_url"]).text


def test_a_newer_commit_ends_the_run_of_the_older(changed: Changed) -> None:
    assert changed.first.message.startswith("Cancelled")
    assert changed.told[0] == "pending"
    assert changed.told[-1] == "error"


def test_nothing_is_merged_until_the_status_is_green(site: Site, changed: Changed, judged: Run) -> None:
    assert changed.refused.status_code == 405
    assert "status" in changed.refused.text
    judged.must_be_green()
    site.desk.wait_status(changed.heads[1], "success")
    # a forge works out anew what can be merged, when a commit's status has changed
    until(
        lambda: True if site.hosted.merge(changed.number).is_success else None, "the pull request merged", timeout_s=60
    )


def test_what_makes_the_model_worse_is_stopped(site: Site, worse: Worse, waived: Waived) -> None:
    assert RULE in waived.status["description"]
    assert waived.refused.status_code == 405
    (comment,) = waived.before
    assert comment["body"].startswith("<!-- penstock: verify -->")
    assert RULE in comment["body"]
    assert worse.first.name in comment["body"]
    assert ODD not in comment["body"]


def test_the_comment_shows_the_worst_case_before_and_after(site: Site, waived: Waived) -> None:
    (body,) = [one["body"] for one in waived.before]
    release = site.desk.release()
    assert f"baseline {release.run_id}" in body
    (number,) = re.findall(r"^Worst case: \*\*.+\*\*: .+$", body, re.MULTILINE)
    assert re.search(r"released \d", number), number
    (picture,) = re.findall(r"!\[[^\]]*\]\(<([^>]+)>\)", body)
    with Image.open(io.BytesIO(loaded(picture).content)) as shown:
        assert shown.format == "PNG"
        assert 600 <= shown.width <= 1000
    page = site.people.mona.ask("POST", "markdown", Text=body, Mode="gfm").text
    assert f'src="{picture}"' in page, "as people see it"
    videos = re.findall(r"(?<!!)\[[^\]]*\.mp4\]\(<([^>]+)>\)", body)
    assert videos
    assert all(loaded(video).content[4:8] == b"ftyp" for video in videos)


def test_a_waiver_lets_it_through_and_is_told(site: Site, worse: Worse, waived: Waived) -> None:
    waived.run.must_be_green()
    site.desk.wait_status(worse.head, "success")
    (before,), (after,) = waived.before, waived.after
    assert before["id"] == after["id"], "edited in place"
    assert waived.run.name in after["body"]
    assert "as agreed" in after["body"]
    assert site.people.mona.name in after["body"]


def test_a_run_is_cancelled_by_a_comment(waived: Waived) -> None:
    assert waived.cancelled.message.startswith("Cancelled")


def test_nobody_else_and_no_edited_comment_does_anything(site: Site, worse: Worse, waived: Waived) -> None:
    runs = site.desk.runs(worse.number)
    mona = site.people.mona.name
    assert [(note(run, "asked-by"), note(run, "slice")) for run in runs] == [
        *(("", "smoke"), (mona, "smoke"), (mona, "smoke"))
    ]


def test_a_desk_that_comes_back_has_lost_nothing_and_does_nothing_twice(
    site: Site, changed: Changed, forked: Forked, worse: Worse, waived: Waived
) -> None:
    assert note(worse.first.manifest, "cause") == "push"
    assert site.names(changed.number) == [changed.first.name, changed.second.name]
    assert site.names(forked.number) == [forked.run.name, forked.reopened.name, waived.orphan.name]


def test_a_fork_that_is_deleted_ends_its_run(site: Site, forked: Forked, waived: Waived) -> None:
    assert waived.orphan.message.startswith("Cancelled")
    assert note(waived.orphan.manifest, "ended") == "closed"


def test_a_fork_waits_until_somebody_who_may_lets_it_run(site: Site, forked: Forked) -> None:
    assert forked.held["spec"]["status"] == PENDING
    assert "startTime" not in forked.held.get("status", {})
    assert note(forked.held, "approved-by") == ""
    assert note(forked.run.manifest, "approved-by") == site.people.mona.name
    params = {item["name"]: item["value"] for item in forked.run.manifest["spec"]["params"]}
    assert params["fork"] == "true"
    assert params["url"] == site.hosted.address


def test_a_fork_is_judged_with_image_and_evidence_apart(site: Site, forked: Forked) -> None:
    run = forked.reopened.wait().must_be_green()
    store = site.desk.kept
    record = json.loads(
        store.read(
            f"{pull_key('sonic-lite', run.name, number=str(forked.number), fork=True)}/run.json", MAX_RECORD_BYTES
        )
    )
    assert record["image"]["url"].startswith(f"{site.desk.session.place.registry}/forks/")


def test_what_cannot_be_merged_is_told_with_its_files(site: Site, conflicting: tuple[int, str]) -> None:
    number, head = conflicting
    said = site.desk.wait_status(head, "error", "conflicts in MAIN")
    assert said["description"].startswith("clone: it cannot be merged into 'main'")
    assert len(site.desk.runs(number)) == 1


def test_a_pull_request_that_is_closed_ends_its_run(site: Site, forked: Forked) -> None:
    assert forked.run.message.startswith("Cancelled")
    assert note(forked.run.manifest, "ended") == "closed"


def test_events_that_come_twice_and_the_last_first_do_nothing(waived: Waived) -> None:
    before, after = waived.names
    assert len(before) == 3
    assert after == before
