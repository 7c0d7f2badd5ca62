"""A real Gitea: its own webhooks start what a push and a tag start with the other forges."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import pytest
from tests.e2e.api import TEKTON, Object
from tests.e2e.events import Listener
from tests.e2e.facts import Facts
from tests.e2e.gitea import Gitea, Hosted
from tests.e2e.repositories import Repository
from tests.e2e.run import Run
from tests.e2e.session import GOOD, Session

MOVED = "v1.0.5"
"""Another release of the model, whose commit a tag is moved to."""


@pytest.fixture(scope="module")
def hosted(facts: Facts, session: Session, sonic_lite: Repository) -> Hosted:
    """A repository of somebody there, empty, whose webhook is the listener."""
    mona = Gitea.find(facts).person(f"mona-{secrets.token_hex(3)}")
    made = mona.repository("sonic-lite", sonic_lite)
    made.hook(Listener.find(session.cluster).url, session.installed.webhooks["gitea"], "push", "create", "delete")
    return made


@pytest.fixture(scope="module")
def started(session: Session, hosted: Hosted) -> dict[str, Run]:
    """Pipeline → the run that a push to ``main``, then an annotated tag, started; cancelled, for lack of time."""
    hosted.fill(f"{GOOD}^{{commit}}:refs/heads/main")
    runs = {"verify": _wait(session, hosted, lambda run: run["spec"]["pipelineRef"]["name"] == "verify")}
    hosted.fill(f"refs/tags/{GOOD}")
    runs["release"] = _wait(session, hosted, lambda run: run["spec"]["pipelineRef"]["name"] == "release")
    return runs


def _wait(session: Session, hosted: Hosted, wanted: Callable[[Object], bool]) -> Run:
    api = session.cluster.api
    found = api.wait(
        api.collection("pipelineruns", TEKTON),
        lambda run: run if _is_of(run, hosted) and wanted(run) else None,
        f"a run of {hosted.address}",
        timeout_s=300,
    )
    run = Run(session.cluster, found["metadata"]["name"], hosted.model.model, found)
    run.cancel()
    return run


def _is_of(run: Object, hosted: Hosted) -> bool:
    return bool(run["metadata"].get("annotations", {}).get("penstock.dev/url") == hosted.address)


def params_of(run: Run) -> dict[str, str]:
    return {item["name"]: item["value"] for item in run.manifest["spec"]["params"]}


def test_a_push_to_main_starts_a_verification_of_its_commit(started: dict[str, Run], hosted: Hosted) -> None:
    params = params_of(started["verify"])
    assert (params["url"], params["revision"]) == (hosted.address, hosted.model.commits[GOOD])


def test_a_tag_starts_a_release_by_whom_gitea_names(started: dict[str, Run], hosted: Hosted, session: Session) -> None:
    params = params_of(started["release"])
    assert (params["url"], params["revision"]) == (hosted.address, f"refs/tags/{GOOD}")
    assert (params["store"], params["by"]) == (session.place.store, hosted.owner.name)
    # an annotated tag is an object of its own: what is released is its commit
    assert started["release"].manifest["metadata"]["labels"]["penstock.dev/commit"] == hosted.model.commits[GOOD]


def test_other_branches_and_deleted_tags_start_nothing(
    session: Session, started: dict[str, Run], hosted: Hosted
) -> None:
    """A push to ``main`` that comes last tells that the others have been judged."""
    hosted.push(hosted.model.path, f"{MOVED}^{{commit}}:refs/heads/feature", f"{MOVED}^{{commit}}:refs/tags/other")
    hosted.push(hosted.model.path, f":refs/tags/{GOOD}")
    last = hosted.model.commits[MOVED]
    hosted.push(hosted.model.path, f"{last}:refs/heads/main")
    _wait(session, hosted, lambda run: run["metadata"]["labels"]["penstock.dev/commit"] == last)
    api = session.cluster.api
    there = [run for run in api.list(api.collection("pipelineruns", TEKTON)) if _is_of(run, hosted)]
    assert sorted(run["spec"]["pipelineRef"]["name"] for run in there) == ["release", "verify", "verify"]
