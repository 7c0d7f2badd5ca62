"""Pull requests on a real Gitea: its webhooks have them tried, and it is told; nobody else's comment does anything.

The pull requests are opened once for all tests. The first gets a second commit while its first is tried, is judged and
merged. One is a fork's. One makes the model worse than its release (``worse.py``).
"""

from __future__ import annotations

import io
import json
import os
import re
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image
from tests.e2e.evidence import current_elsewhere, evidence_served
from tests.e2e.facts import Facts
from tests.e2e.first_link import book_of, look, wait_until_open
from tests.e2e.gitea import Gitea, written_down
from tests.e2e.install import apply, secret
from tests.e2e.joined import Joined
from tests.e2e.pull_requests import Changed, Forked, People, Site
from tests.e2e.pulls import CONTEXT, RECEIVERS, address_of_store, desk, note, reports, until
from tests.e2e.repositories import Repository, git
from tests.e2e.run import Run
from tests.e2e.session import GOOD, Session, write_result
from tests.e2e.suite_places import move_out_suite
from tests.e2e.worse import ODD, Scene, Waived, Worse, loaded, pictures_in, videos_in

from penstock.releases.baseline import Baseline
from penstock.store.pull_key import pull_key
from penstock.suites.suite_files import digest_of, listed

MAX_RECORD_BYTES = 1 << 20
SCOPES = ("write:repository", "write:issue", "read:user")
"""As docs/pulls.md says."""
PENDING = "PipelineRunPending"


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
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """The model's first release is on ``main``, and ``change`` leaves from it; then ``main`` has gone on."""
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
        book_of(session, address_of_store(session)) as book,
        desk(session, hosted, people.bot, [people.mona.name], book.url) as ready,
        written_down(here) as (url, sent),
    ):
        wait_until_open(session)
        hosted.hook(url, ready.word)
        made = Site(ready, hosted, people, clone, sent, book)
        git(clone, "branch", "change")
        hosted.push(clone, f"{made.commit('main', 'MAIN')}:refs/heads/main")
        yield made


@pytest.fixture(scope="module", autouse=True)
def released(
    request: pytest.FixtureRequest, site: Site, joined: Joined | None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Baseline]:
    """What its runs are compared with; and their evidence can be read over HTTP, as comments link to it."""
    if joined is None:  # beside other tests it has been released by now
        request.getfixturevalue("first").must_be_green()
    session, kept = site.desk.session, site.desk.kept
    folder, here = tmp_path_factory.mktemp("released"), str(urlsplit(site.hosted.address).hostname)
    with evidence_served(kept, here) as evidence:
        links = f"report {reports(session)}{{evidence}}/report.html\nfiles {evidence}/{{evidence}}\n"
        apply(session.cluster.facts, [secret(RECEIVERS, {"urls": "", "links": links})])
        yield current_elsewhere(session.cluster.store, "sonic-lite", kept, folder, address=site.hosted.address)


@pytest.fixture(scope="module")
def changed(site: Site) -> Changed:
    git(site.clone, "checkout", "--quiet", "change")
    suite = move_out_suite(site.clone, site.hosted.address)
    one = site.commit("change", "ONE")
    site.hosted.push(site.clone, "change")
    number = site.hosted.pull(site.people.mona, "change", "A change")
    first = site.desk.wait_run(number, "of its first commit", lambda run: note(run, "revision") == one)
    site.desk.wait_status(one, "pending", "is being tried")
    refused = until(lambda: _answered(site.hosted.merge(number)), "an answer to a merge", timeout_s=60)
    two = site.commit("change", "TWO")
    began = time.monotonic()
    site.hosted.push(site.clone, "change")
    looked = ThreadPoolExecutor(1).submit(look, site.desk.session, site.hosted, site.book, two, began)
    second = site.desk.wait_run(number, "of its second commit", lambda run: note(run, "revision") == two)
    site.desk.wait_status(one, "error", "a newer commit")
    told = [status["status"] for status in site.hosted.statuses(one, CONTEXT)]
    return Changed(number, (one, two), first.wait(), second, told, refused, looked, suite)


def _answered(answer: httpx.Response) -> httpx.Response | None:
    """``None``: Gitea still works out whether it could be merged."""
    return None if "try again later" in answer.text.lower() else answer


@pytest.fixture(scope="module")
def conflicting(site: Site, changed: Changed) -> tuple[int, str]:
    """A pull request that adds what ``main`` has otherwise, tried beside the second commit: its number and commit."""
    git(site.clone, "branch", "conflict", "main~1")
    head = site.commit("conflict", "MAIN", "otherwise")
    site.hosted.push(site.clone, "conflict")
    return site.hosted.pull(site.people.mona, "conflict", "A conflict"), head


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
    until(
        lambda: next((one for one in site.sent if one.kind == "issue_comment" and one.number == number), None),
        "Eve's comment on its way",
        timeout_s=60,
    )
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


@pytest.fixture(scope="module")
def scene(site: Site) -> Scene:
    people = site.people
    return Scene(site.desk, people.mona, people.eve, people.bot, site.clone, site.sent)


@pytest.fixture(scope="module")
def worse(scene: Scene, sonic_lite: Repository, changed: Changed, forked: Forked) -> Worse:
    """It is opened while two others are tried."""
    return scene.open_worse(sonic_lite)


@pytest.fixture(scope="module")
def judged(changed: Changed, worse: Worse) -> Run:
    return changed.second.wait()


@pytest.fixture(scope="module")
def waived(scene: Scene, worse: Worse, judged: Run) -> Waived:
    return scene.comment_on(worse)


@pytest.fixture(scope="module")
def orphan(scene: Scene, forked: Forked, waived: Waived) -> Run:
    """The fork's, which is deleted while it goes."""
    forked.reopened.wait()
    return scene.delete_fork(forked.number)


def test_it_is_tried_as_merged_into_its_base(site: Site, changed: Changed, judged: Run) -> None:
    judged.must_be_green()
    params = {item["name"]: item["value"] for item in judged.manifest["spec"]["params"]}
    assert (params["revision"], params["ref"]) == (changed.heads[1], f"refs/pull/{changed.number}/head")
    assert (params["base"], params["fork"], params["slice"]) == ("refs/heads/main", "false", "smoke")
    kept = pull_key("sonic-lite", judged.name, number=str(changed.number))
    source = json.loads(site.desk.kept.read(f"{kept}/run.json", MAX_RECORD_BYTES))["source"]
    assert (source["commit"], source["base"]) == (changed.heads[1], git(site.clone, "rev-parse", "main"))


def test_its_suite_came_from_another_commit(site: Site, changed: Changed, judged: Run) -> None:
    kept = pull_key("sonic-lite", judged.name, number=str(changed.number))
    record = json.loads(site.desk.kept.read(f"{kept}/run.json", MAX_RECORD_BYTES))
    git(site.clone, "checkout", "--quiet", "main")
    assert record["suite_from"] == {"address": changed.suite, "files": digest_of(listed(site.clone / "suite"))}
    assert record["suite"]["digest"]
    assert changed.suite in site.desk.kept.read(f"{kept}/report/index.html", MAX_RECORD_BYTES << 4).decode()


def test_the_status_goes_from_pending_to_the_verdict_with_a_link(site: Site, changed: Changed, judged: Run) -> None:
    said = site.desk.wait_status(changed.heads[1], "success")
    assert said["target_url"].startswith(f"{reports(site.desk.session)}pulls/sonic-lite/{changed.number}/")
    states = [status["status"] for status in site.hosted.statuses(changed.heads[1], CONTEXT)]
    assert states[0] == "pending"


def test_the_first_case_is_seen_by_a_link_while_the_run_goes(
    site: Site, changed: Changed, tell: Callable[[str], None]
) -> None:
    looked = changed.looked.result()
    tell(f"seconds from the push on: {looked.times()}")
    write_result("first_link", looked.times())
    assert looked.link == f"{site.book.url}/live/{changed.second.name}"
    assert looked.first_page.status_code in (200, 404), looked.first_page.text
    assert "this page loads itself again" in looked.first_page.text.lower()
    assert looked.going
    assert "in progress" in looked.page.text
    assert (looked.video.status_code, looked.video.headers["content-type"]) == (200, "video/mp4")
    assert (looked.led.status_code, looked.led.headers["location"]) == (
        303,
        f"/models/sonic-lite/runs/{changed.second.name}",
    )
    assert looked.report.status_code == 200
    assert changed.heads[1][:12] in looked.report.text
    assert looked.told_s <= looked.answered_s <= looked.case_s < looked.led_s


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


def test_what_makes_the_model_worse_is_stopped(worse: Worse, waived: Waived) -> None:
    assert waived.status["description"] == "rejected: LSE-D (stand-in), duration error"
    assert waived.refused.status_code == 405
    (comment,) = waived.before
    assert comment["body"].startswith("<!-- penstock: verify -->")
    assert "duration error" in comment["body"].lower()
    assert worse.first.name in comment["body"]
    assert ODD not in comment["body"]


def test_the_comment_shows_the_worst_case_before_and_after(site: Site, released: Baseline, waived: Waived) -> None:
    (body,) = [one["body"] for one in waived.before]
    assert f"baseline {released.run_id}" in body
    (number,) = re.findall(r"^Worst case: \*\*.+\*\*: .+$", body, re.MULTILINE)
    assert re.search(r"released \d", number), number
    (picture,) = pictures_in(body)
    with Image.open(io.BytesIO(loaded(picture).content)) as shown:
        assert (shown.format, 600 <= shown.width <= 1000) == ("PNG", True)
    page = site.people.mona.ask("POST", "markdown", Text=body, Mode="gfm").text
    assert f'src="{picture}"' in page, "as people see it"
    videos = videos_in(body)
    assert videos
    assert all(loaded(video).content[4:8] == b"ftyp" for video in videos)


def test_a_waiver_lets_it_through_and_is_told(site: Site, waived: Waived) -> None:
    waived.run.must_be_green()
    site.desk.wait_status(waived.head, "success")
    (before,), (after,) = waived.before, waived.after
    assert before["id"] == after["id"], "edited in place"
    assert waived.run.name in after["body"]
    assert "as agreed" in after["body"]
    assert site.people.mona.name in after["body"]


def test_a_push_by_force_and_a_comment_end_runs(scene: Scene, worse: Worse, waived: Waived) -> None:
    assert [note(run.manifest, "ended") for run in (waived.again, waived.cancelled)] == ["superseded", "cancelled"]
    assert waived.again.message.startswith("Cancelled")
    assert waived.cancelled.message.startswith("Cancelled")
    assert scene.states(worse.head)[-1] == "error"


def test_nobody_else_and_no_edited_comment_does_anything(site: Site, worse: Worse, waived: Waived) -> None:
    mona = site.people.mona.name
    runs = [(note(run, "asked-by"), note(run, "slice")) for run in site.desk.runs(worse.number)]
    assert sorted(runs) == [*[("", "smoke")] * 2, *[(mona, "smoke")] * 4], "the last three are one for each waiver"


def test_a_desk_that_comes_back_has_lost_nothing_and_does_nothing_twice(
    scene: Scene, changed: Changed, forked: Forked, orphan: Run, worse: Worse, waived: Waived
) -> None:
    assert note(worse.first.manifest, "cause") == "push"
    assert scene.names(changed.number) == [changed.first.name, changed.second.name]
    assert scene.names(forked.number) == [forked.run.name, forked.reopened.name, orphan.name]


def test_a_fork_that_is_deleted_ends_its_run(orphan: Run) -> None:
    assert orphan.wait().message.startswith("Cancelled")
    assert note(orphan.manifest, "ended") == "closed"


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
    assert len(before) == 6
    assert after == before
