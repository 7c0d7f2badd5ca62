"""Which event starts which run."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.manifests.installed import objects
from tests.unit.manifests.trigger_events import (
    ALL,
    COMMIT,
    GITEA,
    GITHUB,
    GITLAB,
    HOSTILE,
    PAYLOADS,
    Body,
    header_of,
    payload,
    run_of,
    started,
)


@pytest.mark.parametrize(
    ("name", "runs"),
    [
        ("github-push-main", {"verify": run_of(GITHUB, COMMIT)}),
        ("github-push-release-branch", {"release": run_of(GITHUB, COMMIT)}),
        ("github-push-tag", {"release": run_of(GITHUB, "refs/tags/v1.0.0")}),
        ("github-push-branch", {}),
        ("github-push-tag-deleted", {}),
        ("github-create-tag", {}),
        ("github-ping", {}),
        ("github-pull-request-fork", {}),
        ("gitea-push-main", {"verify": run_of(GITEA, COMMIT)}),
        ("gitea-push-release-branch", {"release": run_of(GITEA, COMMIT)}),
        ("gitea-push-tag", {"release": run_of(GITEA, "refs/tags/v1.0.0")}),
        ("gitea-push-branch", {}),
        ("gitea-push-tag-deleted", {}),
        ("gitea-create-tag", {}),
        ("gitea-delete-tag", {}),
        ("gitea-pull-request-opened", {}),
        ("gitea-pull-request-synchronized", {}),
        ("gitea-pull-request-closed", {}),
        ("gitea-pull-request-fork", {}),
        ("gitea-issue-comment", {}),
        ("gitlab-push-main", {"verify": run_of(GITLAB, COMMIT)}),
        ("gitlab-push-release-branch", {"release": run_of(GITLAB, COMMIT)}),
        ("gitlab-tag-push", {"release": run_of(GITLAB, "refs/tags/v1.0.0")}),
        ("gitlab-push-branch", {}),
        ("gitlab-push-branch-deleted", {}),
        ("gitlab-tag-push-deleted", {}),
        ("gitlab-merge-request-fork", {}),
    ],
)
def test_an_event_starts_what_it_should(name: str, runs: dict[str, dict[str, str]]) -> None:
    assert started(header_of(name), payload(name)) == runs


def test_every_payload_is_tried() -> None:
    (parametrized,) = [mark for mark in test_an_event_starts_what_it_should.pytestmark if mark.name == "parametrize"]  # type: ignore[attr-defined]
    assert {case[0] for case in parametrized.args[1]} == {path.stem for path in PAYLOADS.glob("*.json")}


@pytest.mark.parametrize("name", ALL)
def test_nothing_starts_until_a_repository_is_listed(name: str) -> None:
    assert started(header_of(name), payload(name), listed=[]) == {}


@pytest.mark.parametrize("evil", HOSTILE)
def test_a_hostile_name_starts_nothing(evil: str) -> None:
    """Also where the forge lets such a branch be the default one."""
    for name in ALL:
        for before in ("refs/tags/", "refs/tags/v", "refs/heads/", "refs/heads/release/", ""):
            body = payload(name) | {"ref": before + evil}
            body["project" if "project" in body else "repository"]["default_branch"] = evil
            assert started(header_of(name), body) == {}, body["ref"]


def github(change: Callable[[Body], None]) -> Body:
    body = payload("github-push-tag")
    change(body)
    return body


def gitlab(change: Callable[[Body], None]) -> Body:
    body = payload("gitlab-tag-push")
    change(body)
    return body


@pytest.mark.parametrize("evil", [*HOSTILE, "main", "", "59b20b8", "0" * 41, "--upload-pack=x", None, 7])
def test_a_commit_that_is_none_starts_nothing(evil: Any) -> None:
    names = ("push-tag", "push-main", "push-release-branch")
    for name in (f"{forge}-{event}" for forge in ("gitea", "github") for event in names):
        body = payload(name)
        body["after"], body["head_commit"]["id"] = evil, evil
        assert started("push", body) == {}
    for name, event in (("gitlab-tag-push", "Tag Push Hook"), ("gitlab-push-main", "Push Hook")):
        assert started(event, payload(name) | {"checkout_sha": evil}) == {}


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/acme-too/sonic-lite.git",
        "https://github.com.evil.example/acme/sonic-lite.git",
        "https://evil.example/https://github.com/acme/sonic-lite.git",
        "https://github.com/acme/../eve/sonic-lite.git",
        "https://github.com/acme/./x",
        "https://github.com/acme//x",
        "https://github.com/acme/",
        "https://user:password@github.com/acme/x.git",
        "https://github.com/acme/x.git?y=z",
        "https://github.com/acme/%2e%2e/eve/x.git",
        "https://github.com/acme/x.git\n",
        "https://github.com/acme/$(params.store)",
        "https://github.com/acme/-x",
        "http://github.com/acme/sonic-lite.git",
        "ext::sh -c id",
        "file:///etc",
        "/etc",
        "",
        None,
    ],
)
def test_another_address_starts_nothing(url: Any) -> None:
    def change(body: Body) -> None:
        body["repository"]["clone_url"] = url

    assert started("push", github(change)) == {}


@pytest.mark.parametrize(
    ("listed", "url"),
    [
        (["https://github.com/acme/"], GITHUB),
        ([GITHUB], GITHUB),
        (["git@github.com:acme/"], "git@github.com:acme/sonic-lite.git"),
        (["https://github.com/other/", "git@github.com:acme/sonic-lite.git"], "git@github.com:acme/sonic-lite.git"),
        (["https://github.com/acme"], None),
        (["https://github.com/acme/sonic"], None),
        (["git@github.com:acme"], None),
    ],
)
def test_the_address_that_the_list_names_is_cloned(listed: list[str], url: str | None) -> None:
    runs = started("push", payload("github-push-tag"), listed)
    assert [given["url"] for given in runs.values()] == ([url] if url else [])


def test_the_default_branch_is_the_repositorys_own() -> None:
    parts = {"gitea-push-main": "repository", "github-push-main": "repository", "gitlab-push-main": "project"}
    for name, part in parts.items():
        body = payload(name)
        body[part]["default_branch"] = "trunk"
        assert started(header_of(name), body) == {}
        assert list(started(header_of(name), body | {"ref": "refs/heads/trunk"})) == ["verify"]
        del body[part]["default_branch"]
        assert list(started(header_of(name), body)) == ["verify"], "an old forge that does not say: main"


def test_a_tag_that_was_moved_starts_nothing() -> None:
    """A release's name stands for one commit."""
    assert started("push", github(lambda body: body.update(created=False, forced=True, before="1" * 40))) == {}
    assert started("Tag Push Hook", gitlab(lambda body: body.update(before="1" * 40))) == {}


@pytest.mark.parametrize("tag", ["v1.0.0", "v2", "v1.0.0-rc.1", "v1.0.0+cu128", "vnext"])
def test_tags_that_start_a_release(tag: str) -> None:
    runs = started("push", github(lambda body: body.update(ref=f"refs/tags/{tag}")))
    assert runs == {"release": run_of(GITHUB, f"refs/tags/{tag}")}
    runs = started("Tag Push Hook", gitlab(lambda body: body.update(ref=f"refs/tags/{tag}")))
    assert runs == {"release": run_of(GITLAB, f"refs/tags/{tag}")}


@pytest.mark.parametrize("tag", ["1.0.0", "latest", "xv1", "release/1", "v1/../x"])
def test_tags_that_do_not(tag: str) -> None:
    assert started("push", github(lambda body: body.update(ref=f"refs/tags/{tag}"))) == {}
    assert started("Tag Push Hook", gitlab(lambda body: body.update(ref=f"refs/tags/{tag}"))) == {}


def test_a_commit_of_a_sha256_repository_fits_the_label() -> None:
    body = payload("github-push-main") | {"after": "a" * 64}
    assert started("push", body)["verify"] == {"url": GITHUB, "revision": "a" * 64, "commit": "a" * 40}


def test_half_a_payload_starts_nothing() -> None:
    """Whatever is missing: an expression that fails stops the event."""
    tags = ("gitea-push-tag", "github-push-tag", "gitlab-tag-push")
    whole = {name: started(header_of(name), payload(name)) for name in tags}
    for name in whole:
        for key in payload(name):
            body = copy.deepcopy(payload(name))
            del body[key]
            assert started(header_of(name), body) in ({}, whole[name]), key
    for body in ({}, {"ref": "refs/tags/v1"}, {"ref": None}, {"repository": []}):
        assert started("push", body) == {}
        assert started("Push Hook", body) == {}


def test_every_trigger_checks_a_signature_first() -> None:
    for name, trigger in objects("Trigger").items():
        forge = name.partition("-")[0]
        first = trigger["spec"]["interceptors"][0]
        assert first["ref"] == {"name": "gitlab" if forge == "gitlab" else "github"}, "Gitea signs as GitHub does"
        params = {entry["name"]: entry["value"] for entry in first["params"]}
        assert params["secretRef"] == {"secretName": f"penstock-{forge}", "secretKey": "token"}
        # an overlay replaces the list by this path: docs/triggers.md
        assert trigger["spec"]["interceptors"][1]["params"][0]["value"] == [
            {"key": "repositories", "expression": "[]"},
        ]


def test_one_secret_for_two_forges_starts_one_run() -> None:
    """Gitea names its events in GitHub's header, too: neither forge's triggers take what the other sends."""
    for name, forge in (("gitea-push-tag", "gitea"), ("github-push-tag", "github")):
        assert list(started("push", payload(name), forge=forge)) == ["release"]
        assert started("push", payload(name), forge="github" if forge == "gitea" else "gitea") == {}


def test_the_listener_knows_every_trigger() -> None:
    (listener,) = objects("EventListener").values()
    assert {entry["triggerRef"] for entry in listener["spec"]["triggers"]} == set(objects("Trigger"))
