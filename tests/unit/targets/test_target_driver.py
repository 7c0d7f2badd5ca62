"""A target driver is a protocol: what every kind has."""

from __future__ import annotations

from penstock.targets.gitops import GitopsTarget
from penstock.targets.host import HostTarget
from penstock.targets.target_driver import TargetDriver
from penstock.targets.webhook import WebhookTarget


def test_a_kind_has_all_of_it() -> None:
    wanted = {name for name in vars(TargetDriver) if not name.startswith("_")}
    assert wanted == {"longest_s", "check", "state", "deploy", "restore"}
    for kind in (WebhookTarget, GitopsTarget, HostTarget):
        assert wanted <= set(vars(kind))
