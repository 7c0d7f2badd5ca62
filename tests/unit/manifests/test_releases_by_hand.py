"""A release that somebody starts has the secrets of one that an event starts: it tells, tracks and signs as well."""

from __future__ import annotations

import re

import pytest
from tests.unit.manifests.installed import ROOT, objects, read
from tests.unit.manifests.test_promotions_by_hand import bound

BY_EVENTS_ALONE = {"forge"}
"""A comment on a pull request is for what a pull request has started."""


def test_the_manifest_binds_what_the_releases_of_events_do() -> None:
    (run,) = read("runs/release.yaml")
    (template,) = objects("TriggerTemplate")["release"]["spec"]["resourcetemplates"]
    here, there = bound(run["spec"]["workspaces"]), bound(template["spec"]["workspaces"])
    assert here.keys() == there.keys() - BY_EVENTS_ALONE
    store = {"secret": {"secretName": "penstock-store"}}
    assert here == {name: there[name] for name in here} | {"store-credentials": store}, "a release needs a store"


@pytest.mark.parametrize(
    ("workspace", "source"),
    [
        ("receivers", "secret=penstock-receivers"),
        ("mlflow", "secret=penstock-mlflow"),
        ("signing-key", "secret=penstock-signing"),
        ("policy-floor", "config=penstock-policy-floor"),
        ("weights-keys", "config=penstock-weights-keys"),
    ],
)
def test_so_does_the_documented_command(workspace: str, source: str) -> None:
    text = (ROOT / "docs" / "install.md").read_text(encoding="utf-8").replace("\\\n", " ")
    (line,) = (line for line in text.splitlines() if line.startswith("tkn pipeline start release --use-param-defaults"))
    assert dict(re.findall(r"--workspace name=([a-z-]+),(\S+)", line))[workspace] == source


def test_the_page_of_kind_says_where_the_others_are() -> None:
    text = (ROOT / "docs" / "kind.md").read_text(encoding="utf-8")
    assert "`receivers`, `mlflow`" in text
