"""The platform's targets: what is one, and what is refused, with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.targets.targets_files import deployment, gitops, host, webhook, write_targets

from penstock.foundation.errors import UsageError
from penstock.targets.deployment_repository import LONGEST_GIT_S
from penstock.targets.go_duration import seconds_of
from penstock.targets.targets_file import RolloutSettings, load_targets, settings_of, targets_in
from penstock.watch.watch_policy import WatchPolicy


def test_all_kinds(tmp_path: Path) -> None:
    found = load_targets(write_targets(tmp_path, studio=webhook(), shop=gitops(), booth=host()))
    assert [settings_of(found, name, "sonic-lite", where="t").kind for name in ("studio", "shop", "booth")] == [
        "webhook",
        "gitops",
        "host",
    ]
    with pytest.raises(UsageError, match=r"no target 'stage'\. .*one of: booth, shop, studio"):
        settings_of(found, "stage", "sonic-lite", where="t")
    with pytest.raises(UsageError, match="'studio' is not open to the model 'other'"):
        settings_of(found, "studio", "other", where="t")
    assert targets_in(tmp_path) == tmp_path / "targets.yaml"


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (webhook(models=[]), r"targets\.a\.models: must have at least 1 entry"),
        (webhook(url="http://deploy.example.org/x"), "'url' is unencrypted"),
        (webhook(url="https://ann:secret@deploy.example.org/"), "without a name, a password"),
        (webhook(url="file:///etc/passwd"), "must be an address such as"),
        (webhook(url="https://[::1/x"), "must be an address such as"),
        (webhook(secret="../hook"), "must be at most 100 letters"),
        (webhook(secert="hook"), "unknown field 'secert'"),
        (webhook(kind="pigeon"), "pigeon"),
        (webhook(timeout_s=float("inf")), "not a finite number"),
        (webhook(timeout_s=True), "timeout_s"),
        (gitops(branch="--upload-pack=x"), "must be the name of a branch"),
        (gitops(repository="ext::sh -c id"), "repository"),
        (gitops(repository="https://a:b@git.example.org/x.git"), "without a name and a password"),
        (gitops(repository="git@git.example.org:x/y.git"), "needs 'key' and 'host_keys'"),
        (gitops(fields=[{"at": ["version"], "value": "version"}]), "must write the image's digest"),
        (gitops(fields=[{"at": ["a"], "value": "image"}, {"at": ["a"], "value": "version"}]), "the same place"),
        (gitops(models=["a", "b"]), "'file' serves one model"),
        (gitops(fields=[{"at": ["a"], "value": "weights"}]), "says which weights"),
        (gitops(ready={"url": "https://a.example.org", "says": []}), "says"),
        (deployment(models=["a", "b"]), "'container' serves one model"),
        (deployment(init_container="model"), "it is another one"),
        (deployment(namespace="Studio"), "namespace: must be lower-case"),
        (deployment(name="../sonic"), "name: must be lower-case"),
        (host(address="-oProxyCommand=x"), "must be a host"),
        (host(address="a b@c"), "must be a host"),
        (host(host_keys=[]), "host_keys"),
        (host(host_keys=["ssh-ed25519 ÄÄÄÄ"]), "must be a host's public key"),
        (host(host_keys=["booth.example.org ssh-rsa AAAA"]), "must be a host's public key"),
        (host(port=0), "port"),
        (host(pull=[]), "pull"),
        (host(pull=["pull", "{imgae}"]), r"nothing fills '\{imgae\}' in 'pull \{imgae\}'; known here: model"),
        (host(state=["x", "{state}"]), "known here: model"),
    ],
)
def test_what_is_no_target(tmp_path: Path, target: dict[str, Any], said: str) -> None:
    file = write_targets(tmp_path, a=target)
    with pytest.raises(UsageError, match=said) as caught:
        load_targets(file)
    assert caught.value.where.startswith(f"{file}:"), "with its line"
    assert "secret@" not in str(caught.value)


def test_a_file_under_a_wrong_name(tmp_path: Path) -> None:
    (tmp_path / "target.yaml").touch()
    with pytest.raises(UsageError, match=r"no targets\.yaml\. It holds target\.yaml"):
        targets_in(tmp_path)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.one_of(st.binary(max_size=60), st.text(max_size=60).map(str.encode)))
def test_whatever_stands_there_has_one_message(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "targets.yaml"
    file.write_bytes(b"version: 1\ntargets: " + content)
    with pytest.raises(UsageError):
        load_targets(file)


def test_a_canary_may_take_a_day(tmp_path: Path) -> None:
    rollout = {**deployment(), "kind": "rollout"}
    found = load_targets(write_targets(tmp_path, a=rollout | {"canary_s": 86400.0})).targets["a"]
    assert isinstance(found, RolloutSettings)
    assert found.canary_s == 86400.0
    for wrong in ({"canary_s": 0.0}, {"canary_s": 90000.0}, {"init_container": "model"}, {"models": ["a", "b"]}):
        with pytest.raises(UsageError):
            load_targets(write_targets(tmp_path, a=rollout | wrong))


def test_limits_by_default_cut_off_no_watch_that_may_still_decide() -> None:
    """Its own two hours, an hour for a person and a watch again fit into the canary; that fits into Task and run."""
    tekton = Path(__file__).parents[3] / "tekton"
    pipeline = yaml.safe_load((tekton / "pipelines" / "promote.yaml").read_text())
    run = yaml.safe_load((tekton / "runs" / "promote.yaml").read_text())
    watch = WatchPolicy.model_fields["timeout_s"].default
    canary = RolloutSettings.model_fields["canary_s"].default
    assert canary >= 2 * watch + 3600
    longest = canary + 2 * RolloutSettings.model_fields["timeout_s"].default + 3 * LONGEST_GIT_S + 600
    task = seconds_of(pipeline["spec"]["tasks"][0]["timeout"])
    assert longest < task < seconds_of(run["spec"]["timeouts"]["pipeline"])


def test_a_repository_that_holds_a_rollout_is_held_to_the_same_as_gitops(tmp_path: Path) -> None:
    fields = [{"at": ["image"], "value": "image"}]
    git = {"repository": "https://git.example.org/deploy.git", "file": "sonic.yaml", "fields": fields}
    with pytest.raises(
        UsageError, match=r"targets\.a: 'git\.fields' must write the version: add .*penstock\.dev/version"
    ):
        load_targets(write_targets(tmp_path, a=deployment(kind="rollout", git=git)))
    git["fields"] = [*fields, {"at": ["v"], "value": "version"}]
    rollout = deployment(kind="rollout", git=git)
    found = load_targets(write_targets(tmp_path, a=rollout)).targets["a"]
    assert isinstance(found, RolloutSettings)
    assert found.git is not None
    for wrong in ({"repository": "http://git.example.org/deploy.git"}, {"fields": []}, {"ready": {}}):
        with pytest.raises(UsageError, match=r"targets\.a"):
            load_targets(write_targets(tmp_path, a=rollout | {"git": git | wrong}))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"store": "releases"}, "must be s3://bucket/prefix"),
        ({"store": "s3:///prefix"}, "must be s3://bucket/prefix"),
        ({"store": "https://store.example.org"}, "must be s3://bucket/prefix"),
        ({"store": ""}, "store"),
        ({"provenance_keys": ["builder.pub"]}, "'provenance_keys' needs 'verdict_keys'"),
        ({"verdict_keys": ["p.pub"], "provenance_keys": ["../builder.pub"]}, "provenance_keys"),
        ({"registry": {"credentials": "../config"}}, "credentials"),
        ({"registry": {"tls_verify": "maybe"}}, "tls_verify"),
    ],
)
def test_what_the_platform_says_of_all_targets(tmp_path: Path, more: dict[str, Any], said: str) -> None:
    path = write_targets(tmp_path, a=webhook())
    content = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump(content | more))
    with pytest.raises(UsageError, match=said):
        load_targets(path)
    right = {"store": "s3://releases/penstock", "verdict_keys": ["p.pub"], "provenance_keys": ["b.pub"]}
    path.write_text(yaml.safe_dump(content | right | {"registry": {"credentials": "registry", "tls_verify": False}}))
    found = load_targets(path)
    assert (found.store, found.provenance_keys, found.registry.tls_verify) == (right["store"], ["b.pub"], False)


def test_a_control_group_is_of_one_rollout(tmp_path: Path) -> None:
    """Another's would be replaced in the middle of its canary, or a Deployment that serves be ended."""
    with_control = deployment(kind="rollout", control="beside")
    assert load_targets(write_targets(tmp_path, a=with_control, b=with_control)), "the same Rollout, for another model"
    assert load_targets(write_targets(tmp_path, a=with_control, b={**with_control, "name": "x", "namespace": "other"}))
    for other in ({**with_control, "name": "x"}, deployment(name="beside")):
        with pytest.raises(UsageError, match="'a' and 'b' change the same Deployment 'beside'"):
            load_targets(write_targets(tmp_path, a=with_control, b=other))
