"""The kinds of targets: which module serves which."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from penstock.targets.argo_rollout import RolloutTarget
from penstock.targets.deployment import DeploymentTarget
from penstock.targets.git_rollout import GitRolloutTarget
from penstock.targets.gitops import GitopsTarget
from penstock.targets.host import HostTarget
from penstock.targets.secret_files import read_secret
from penstock.targets.target_driver import TargetDriver
from penstock.targets.targets_file import (
    DeploymentSettings,
    GitopsSettings,
    OneTarget,
    RolloutSettings,
    WebhookSettings,
)
from penstock.targets.webhook import LEAST_SECRET_BYTES, WebhookTarget


def open_target(
    name: str,
    settings: OneTarget,
    secrets: Path | None,
    *,
    model: str,
    token: str,
    ask: Callable[[str], None] = lambda _: None,
) -> TargetDriver:
    """A target, ready for one change.

    Args:
        name: of the target.
        settings: what the platform says of it.
        secrets: the directory of secrets.
        model: whose release is served.
        token: of this change alone.
        ask: tells people, in the middle of the change, that it waits for them: why.

    Raises:
        UsageError: a secret is missing or is none.
    """
    if isinstance(settings, WebhookSettings):
        secret = read_secret(secrets, settings.secret, least=LEAST_SECRET_BYTES)
        return WebhookTarget(name, settings, secret, token, model=model)
    if isinstance(settings, GitopsSettings):
        return GitopsTarget(name, settings, secrets)
    if isinstance(settings, RolloutSettings):
        if settings.git is not None:
            return GitRolloutTarget(name, settings, secrets, ask, git=settings.git)
        return RolloutTarget(name, settings, secrets, ask)
    if isinstance(settings, DeploymentSettings):
        return DeploymentTarget(name, settings, secrets)
    return HostTarget(name, settings, read_secret(secrets, settings.key), model=model)
