"""Which module serves which kind."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.targets.targets_files import deployment, gitops, host

from penstock.foundation.errors import UsageError
from penstock.targets.gitops import GitopsTarget
from penstock.targets.host import HostTarget
from penstock.targets.kinds import open_target
from penstock.targets.targets_file import DeploymentSettings, GitopsSettings, HostSettings, WebhookSettings
from penstock.targets.webhook import WebhookTarget


def test_a_webhook_has_its_secret(tmp_path: Path) -> None:
    settings = WebhookSettings(kind="webhook", models=["m"], url="https://deploy.example.org/x", secret="hook")
    with pytest.raises(UsageError, match="no such file"):
        open_target("studio", settings, tmp_path, model="m", token="t")
    (tmp_path / "hook").write_bytes(b"short")
    with pytest.raises(UsageError, match="shorter than 16 bytes"):
        open_target("studio", settings, tmp_path, model="m", token="t")
    (tmp_path / "hook").write_bytes(b"long enough as a key")
    assert isinstance(open_target("studio", settings, tmp_path, model="m", token="t"), WebhookTarget)


def test_the_others_have_theirs(tmp_path: Path) -> None:
    (tmp_path / "ssh").write_bytes(b"a key")
    assert isinstance(
        open_target("booth", HostSettings.model_validate(host()), tmp_path, model="m", token="t"), HostTarget
    )
    settings = GitopsSettings.model_validate(gitops(credentials="login"))
    with pytest.raises(UsageError, match="secret 'login'"):
        open_target("shop", settings, tmp_path, model="m", token="t")
    (tmp_path / "login").write_bytes(b"ann:secret")
    assert isinstance(open_target("shop", settings, tmp_path, model="m", token="t"), GitopsTarget)


@pytest.mark.slow  # to import the client takes a second
def test_a_deployment_has_its_kubeconfig(tmp_path: Path) -> None:
    settings = DeploymentSettings.model_validate(deployment(kubeconfig="config"))
    with pytest.raises(UsageError, match="secret 'config'"):
        open_target("cluster", settings, tmp_path, model="m", token="t")
