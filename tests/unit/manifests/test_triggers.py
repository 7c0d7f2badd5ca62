"""Which event starts which run, with the forges' real payloads put to the triggers' own expressions.

The cluster's own interceptors judge the same payloads in ``tests/e2e``; here a CEL evaluator does it, quickly enough to
try every hostile name.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cel
import pytest
import yaml
from tests.unit.manifests.installed import ROOT, objects

PAYLOADS = ROOT / "tests" / "e2e" / "payloads"
GITHUB, GITLAB = "https://github.com/acme/sonic-lite.git", "https://gitlab.example.org/acme/sonic-lite.git"
GITEA = "https://gitea.example.org/acme/sonic-lite.git"
LISTED = ["https://github.com/acme/", GITLAB, GITEA]
COMMIT = "59b20b8d5c6ff8d09518454d4dd8b7b30f095ab5"
Body = dict[str, Any]

HEADERS = {
    "github-push": "push",
    "github-create": "create",
    "github-ping": "ping",
    "github-pull": "pull_request",
    "gitea-push": "push",
    "gitea-create": "create",
    "gitea-delete": "delete",
    "gitea-pull": "pull_request",
    "gitea-issue": "issue_comment",
    "gitlab-push": "Push Hook",
    "gitlab-tag": "Tag Push Hook",
    "gitlab-merge": "Merge Request Hook",
}
HOSTILE = [
    "$(touch /tmp/x)",
    "`id`",
    "v1;id",
    "v1|id",
    "v1&&id",
    "v1'\"",
    "v1 x",
    "v1\nv2",
    "v1\n",
    "v1\0",
    "v1\\",
    "$(params.store)",
    "$(context.pipelineRun.name)",
    "$(tt.params.store)",
    "$(body.sender.login)",
    '","param":"',
    "v1{}",
    "v1é",
    "v1\u202e",
    "v1*",
    "v1~1",
    "v1:x",
]


ALL = [
    *("gitea-push-main", "gitea-push-tag"),
    *("github-push-main", "github-push-tag"),
    *("gitlab-push-main", "gitlab-tag-push"),
]
"""A push to the default branch and a new tag, of each forge."""


def payload(name: str) -> Body:
    """A payload as the forge sends it."""
    body: Body = json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))
    return body


def header_of(name: str) -> str:
    return HEADERS["-".join(name.split("-")[:2])]


def is_of_gitea(body: Body) -> bool:
    """Its payloads are known by what only they have: they stand for the header that it sends with them."""
    repository = body.get("repository")
    return isinstance(repository, dict) and "open_pr_counter" in repository


def intercepted(trigger: Body, event: str, body: Body, listed: list[str]) -> dict[str, Any] | None:
    """What a trigger's interceptors make of an event whose signature is right; None if they stop it."""
    header = {"X-Gitea-Event": event} if is_of_gitea(body) else {}
    extensions: dict[str, Any] = {}
    for interceptor in trigger["spec"]["interceptors"]:
        params = {entry["name"]: entry["value"] for entry in interceptor["params"]}
        if interceptor["ref"]["name"] != "cel":
            if event not in params["eventTypes"]:
                return None
            continue
        context = cel.Context(
            variables={"body": body, "extensions": extensions, "header": header},
            functions={
                "substring": lambda text, start, end: text[start:end],
                "match": lambda headers, name, value: headers.get(name) == value,
            },
        )
        try:
            if "filter" in params and cel.evaluate(params["filter"], context) is not True:
                return None
            found = {entry["key"]: cel.evaluate(entry["expression"], context) for entry in params.get("overlays", [])}
        except (KeyError, RuntimeError, TypeError, ValueError):
            return None  # as in Triggers: an expression that cannot be evaluated stops the event
        if "repositories" in found:
            found["repositories"] = found["repositories"] + listed
        extensions |= found
    return extensions


def started(event: str, body: Body, listed: list[str] | None = None, forge: str = "") -> dict[str, dict[str, Any]]:
    """Pipeline → what its run is given, for each trigger (of a forge) that an event starts."""
    runs = {}
    for name, trigger in objects("Trigger").items():
        if name.startswith(forge):
            found = intercepted(trigger, event, body, LISTED if listed is None else listed)
            if found is not None:
                assert trigger["spec"]["template"]["ref"] not in runs, "one event, one run of a pipeline"
                runs[trigger["spec"]["template"]["ref"]] = {key: found[key] for key in ("url", "revision", "commit")}
    return runs


def of(url: str, revision: str) -> dict[str, str]:
    return {"url": url, "revision": revision, "commit": COMMIT}


@pytest.mark.parametrize(
    ("name", "runs"),
    [
        ("github-push-main", {"verify": of(GITHUB, COMMIT)}),
        ("github-push-release-branch", {"release": of(GITHUB, COMMIT)}),
        ("github-push-tag", {"release": of(GITHUB, "refs/tags/v1.0.0")}),
        ("github-push-branch", {}),
        ("github-push-tag-deleted", {}),
        ("github-create-tag", {}),
        ("github-ping", {}),
        ("github-pull-request-fork", {}),
        ("gitea-push-main", {"verify": of(GITEA, COMMIT)}),
        ("gitea-push-release-branch", {"release": of(GITEA, COMMIT)}),
        ("gitea-push-tag", {"release": of(GITEA, "refs/tags/v1.0.0")}),
        ("gitea-push-branch", {}),
        ("gitea-push-tag-deleted", {}),
        ("gitea-create-tag", {}),
        ("gitea-delete-tag", {}),
        ("gitea-pull-request-opened", {}),
        ("gitea-pull-request-synchronized", {}),
        ("gitea-pull-request-closed", {}),
        ("gitea-pull-request-fork", {}),
        ("gitea-issue-comment", {}),
        ("gitlab-push-main", {"verify": of(GITLAB, COMMIT)}),
        ("gitlab-push-release-branch", {"release": of(GITLAB, COMMIT)}),
        ("gitlab-tag-push", {"release": of(GITLAB, "refs/tags/v1.0.0")}),
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


SHA256 = "1a2b" * 16
WEIGHTS = f"hf://acme/matte@{'c' * 40}/onnx/model.onnx#sha256={SHA256}"


def dispatched(**client_payload: object) -> Body:
    """A repository_dispatch event, as a training job has GitHub send it."""
    named = {"revision": "v1.0.0", "weights": WEIGHTS} | client_payload
    return {"action": "weights", "client_payload": named, "repository": payload("github-push-tag")["repository"]}


def weights_run(body: Body, listed: list[str] | None = None) -> dict[str, Any] | None:
    trigger = objects("Trigger")["github-weights"]
    found = intercepted(trigger, "repository_dispatch", body, LISTED if listed is None else listed)
    return None if found is None else {key: found[key] for key in ("url", "revision", "commit", "weights")}


def test_weights_of_an_event_start_a_release_of_the_code_that_it_names() -> None:
    tag = {"url": GITHUB, "revision": "refs/tags/v1.0.0", "commit": "", "weights": WEIGHTS}
    assert weights_run(dispatched()) == tag
    assert weights_run(dispatched(revision=COMMIT)) == tag | {"revision": COMMIT, "commit": COMMIT}
    for weights in (f"weights/a.onnx={WEIGHTS}", f"s3://bucket/a+b.pt#sha256={SHA256}", WEIGHTS.replace("hf", "https")):
        assert weights_run(dispatched(weights=weights)) == tag | {"weights": weights}
    # nothing else starts, and none of the others starts this
    assert list(started("repository_dispatch", dispatched())) == ["release"]
    bindings = [entry["ref"] for entry in objects("Trigger")["github-weights"]["spec"]["bindings"]]
    assert bindings == ["event", "event-author", "event-weights", "settings"]


@pytest.mark.parametrize("evil", [*HOSTILE, "", "main", "refs/heads/main", None, 7])
def test_weights_for_no_code_start_nothing(evil: Any) -> None:
    assert weights_run(dispatched(revision=evil)) is None


@pytest.mark.parametrize(
    "weights",
    [
        *(WEIGHTS.replace("model", evil) for evil in HOSTILE if evil not in ("v1~1", "v1:x")),
        *(WEIGHTS + evil for evil in HOSTILE),
        WEIGHTS.partition("#")[0],
        WEIGHTS.replace("hf:", "http:"),
        WEIGHTS.replace("hf:", "file:"),
        WEIGHTS.replace("model", "m" * 1000),
        f"https://x.org/a?token=b#sha256={SHA256}",
        "",
        None,
        7,
    ],
)
def test_weights_that_are_none_start_nothing(weights: Any) -> None:
    assert weights_run(dispatched(weights=weights)) is None


def test_weights_of_another_event_or_repository_start_nothing() -> None:
    assert weights_run(dispatched() | {"action": "deploy"}) is None
    assert weights_run(dispatched(), listed=[]) is None
    for key in ("action", "client_payload", "repository"):
        body = dispatched()
        del body[key]
        assert weights_run(body) is None


def test_a_tag_that_was_moved_starts_nothing() -> None:
    """A release's name stands for one commit."""
    assert started("push", github(lambda body: body.update(created=False, forced=True, before="1" * 40))) == {}
    assert started("Tag Push Hook", gitlab(lambda body: body.update(before="1" * 40))) == {}


@pytest.mark.parametrize("tag", ["v1.0.0", "v2", "v1.0.0-rc.1", "v1.0.0+cu128", "vnext"])
def test_tags_that_start_a_release(tag: str) -> None:
    runs = started("push", github(lambda body: body.update(ref=f"refs/tags/{tag}")))
    assert runs == {"release": of(GITHUB, f"refs/tags/{tag}")}
    runs = started("Tag Push Hook", gitlab(lambda body: body.update(ref=f"refs/tags/{tag}")))
    assert runs == {"release": of(GITLAB, f"refs/tags/{tag}")}


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


@pytest.mark.parametrize("pipeline", ["release", "verify"])
def test_a_template_fits_its_pipeline_and_its_bindings(pipeline: str) -> None:
    template = objects("TriggerTemplate")[pipeline]["spec"]
    bound = {param["name"] for binding in objects("TriggerBinding").values() for param in binding["spec"]["params"]}
    declared = {param["name"] for param in template["params"]}
    assert declared <= bound
    assert set(re.findall(r"\$\(tt\.params\.([a-z-]+)\)", json.dumps(template["resourcetemplates"]))) == declared
    (run,) = template["resourcetemplates"]
    spec = objects("Pipeline")[pipeline]["spec"]
    assert run["spec"]["pipelineRef"] == {"name": pipeline}
    given = {param["name"] for param in run["spec"]["params"]}
    known = {param["name"]: param for param in spec["params"]}
    assert given <= known.keys()
    assert {name for name, param in known.items() if "default" not in param} <= given
    workspaces = {entry["name"]: entry for entry in run["spec"]["workspaces"]}
    assert workspaces.keys() == {entry["name"] for entry in spec["workspaces"]}
    for entry in spec["workspaces"]:
        if entry.get("optional") and entry["name"] not in ("policy-floor", "weights-keys"):
            bound_to = workspaces[entry["name"]]
            source = bound_to["configMap" if entry["name"] == "suite" else "secret"]
            assert source["optional"] is True, "a site need not have it"
    # installed empty, and needed: keys that somebody deletes must not let unsigned weights through in silence
    assert workspaces["weights-keys"] == {"name": "weights-keys", "configMap": {"name": "penstock-weights-keys"}}
    assert objects("ConfigMap")["penstock-weights-keys"]["data"] == {}
    # installed empty, and needed: a floor that somebody deletes must not be passed over in silence
    assert workspaces["policy-floor"] == {"name": "policy-floor", "configMap": {"name": "penstock-policy-floor"}}
    assert objects("ConfigMap")["penstock-policy-floor"]["data"] == {}


def test_runs_of_events_and_of_people_have_the_same_pods() -> None:
    text = (Path(ROOT) / "tekton" / "runs" / "pod-template.yaml").read_text(encoding="utf-8")
    for template in objects("TriggerTemplate").values():
        (run,) = template["spec"]["resourcetemplates"]
        assert run["spec"]["taskRunTemplate"] == {
            "serviceAccountName": "penstock",
            "podTemplate": yaml.safe_load(text),
        }
