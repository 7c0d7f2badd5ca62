"""Events of the forges: a push to main verifies, a tag releases, anything unsigned or odd starts nothing."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from tests.e2e.events import Event, Listener
from tests.e2e.repositories import Repository
from tests.e2e.run import Run
from tests.e2e.session import GOOD, Session

COMMITS_OF = {"github": ("github-push-main", "push"), "gitlab": ("gitlab-push-main", "Push Hook")}
TAGS_OF = {"github": ("github-push-tag", "push"), "gitlab": ("gitlab-tag-push", "Tag Push Hook")}
SHELL_REFS = (
    "refs/heads/main;touch$IFS/workspace/pwned",
    "refs/heads/release/$(touch /workspace/pwned)",
    "refs/heads/release/`touch /workspace/pwned`",
    'refs/tags/v1.0.0"; touch /workspace/pwned #',
    "refs/tags/v$(params.store)",
    "refs/tags/v1.0.0\n--upload-pack=touch /workspace/pwned",
)


@dataclass(frozen=True)
class Delivery:
    """One event that must start nothing, and its id."""

    what: str
    event_id: str


@pytest.fixture(scope="module")
def listener(session: Session) -> Listener:
    return Listener.find(session.cluster)


@pytest.fixture(scope="module")
def harmless(session: Session, listener: Listener, sonic_lite: Repository) -> list[Delivery]:
    """Everything that must start nothing, delivered."""
    commit = sonic_lite.commits[GOOD]
    secrets = session.installed.webhooks
    sent = []

    def send(what: str, event: Event, secret: str | None) -> None:
        sent.append(Delivery(f"{event.forge}: {what}", listener.send(event, secret)))

    for forge, other in (("github", "gitlab"), ("gitlab", "github")):
        push = Event.load(*COMMITS_OF[forge], sonic_lite, commit)
        tag = Event.load(*TAGS_OF[forge], sonic_lite, commit)
        for what, event in (("push", push), ("tag", tag)):
            send(f"{what} without a signature", event, None)
            send(f"{what} signed with another secret", event, secrets[other])
        for ref in SHELL_REFS:
            send(f"the ref {ref!r}", (tag if "tags" in ref else push).of_ref(ref), secrets[forge])
    plain = [
        ("github-push-tag-deleted", "push"),
        ("github-push-branch", "push"),
        ("github-create-tag", "create"),
        ("github-ping", "ping"),
        ("github-pull-request-fork", "pull_request"),
        ("gitlab-tag-push-deleted", "Tag Push Hook"),
        ("gitlab-push-branch-deleted", "Push Hook"),
        ("gitlab-push-branch", "Push Hook"),
        ("gitlab-merge-request-fork", "Merge Request Hook"),
    ]
    for name, kind in plain:
        event = Event.load(name, kind, sonic_lite, commit)
        send(name, event, secrets[event.forge])
    unlisted = Repository("sonic-lite", "http://198.51.100.80:8443/sonic-lite.git", sonic_lite.path, sonic_lite.commits)
    event = Event.load(*COMMITS_OF["github"], unlisted, commit)
    send("a repository that is not listed", event, secrets["github"])
    return sent


@pytest.fixture(scope="module")
def releases(session: Session, listener: Listener, sonic_lite: Repository, harmless: list[Delivery]) -> dict[str, Run]:
    """Forge → the release that its tag started; seen to be started, then cancelled, for lack of time."""
    return _start_and_cancel(session, listener, sonic_lite, TAGS_OF)


@pytest.fixture(scope="module")
def verifications(
    session: Session, listener: Listener, sonic_lite: Repository, harmless: list[Delivery]
) -> dict[str, Run]:
    """Forge → the verification that its push started; likewise. One that goes on to its end is ``verified``."""
    return _start_and_cancel(session, listener, sonic_lite, COMMITS_OF)


def _start_and_cancel(
    session: Session, listener: Listener, repository: Repository, events: dict[str, tuple[str, str]]
) -> dict[str, Run]:
    runs = {}
    for forge, (name, kind) in events.items():
        event = Event.load(name, kind, repository, repository.commits[GOOD])
        found = listener.wait_started(listener.send(event, session.installed.webhooks[forge]))
        runs[forge] = Run(session.cluster, found["metadata"]["name"], repository.model, found)
        runs[forge].wait_for_task("clone", timeout_s=300)
        runs[forge].cancel()
    return runs


@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_a_tag_starts_a_release(forge: str, releases: dict[str, Run], session: Session, sonic_lite: Repository) -> None:
    spec = releases[forge].manifest["spec"]
    assert spec["pipelineRef"]["name"] == "release"
    params = {item["name"]: item["value"] for item in spec["params"]}
    assert (params["url"], params["revision"]) == (sonic_lite.url, f"refs/tags/{GOOD}")
    assert (params["store"], params["registry"]) == (session.place.store, session.place.registry)
    assert params["by"] == "mona"  # whom the payload names


@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_a_push_to_main_starts_a_verification(
    forge: str, verifications: dict[str, Run], sonic_lite: Repository
) -> None:
    spec = verifications[forge].manifest["spec"]
    assert spec["pipelineRef"]["name"] == "verify"
    params = {item["name"]: item["value"] for item in spec["params"]}
    assert (params["url"], params["revision"]) == (sonic_lite.url, sonic_lite.commits[GOOD])


def test_a_verification_that_an_event_started_goes_through(verified: Run, sonic_lite: Repository) -> None:
    verified.must_be_green()
    assert verified.manifest["spec"]["pipelineRef"]["name"] == "verify"
    (clone,) = verified.task_runs("clone")
    results = {item["name"]: item["value"] for item in clone["status"]["results"]}
    assert results["commit"] == sonic_lite.commits[GOOD]


@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_a_started_run_has_no_token_and_no_rights(forge: str, releases: dict[str, Run]) -> None:
    template = releases[forge].manifest["spec"]["taskRunTemplate"]
    assert template["serviceAccountName"] == "penstock"
    assert template["podTemplate"]["automountServiceAccountToken"] is False


def test_what_is_not_signed_or_not_plain_starts_nothing(
    listener: Listener, harmless: list[Delivery], releases: dict[str, Run], verifications: dict[str, Run]
) -> None:
    """Looked at when four events that came later have started their runs."""
    started = {item.what: [run["metadata"]["name"] for run in listener.started(item.event_id)] for item in harmless}
    assert {what: runs for what, runs in started.items() if runs} == {}
    assert len(started) == len(harmless) == 30
