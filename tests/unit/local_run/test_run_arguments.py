"""Options that the commands which run pipelines share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from penstock.foundation.errors import UsageError
from penstock.local_run.run_arguments import (
    free_params,
    is_local,
    pairs,
    repository_params,
    workspace_directories,
)


def test_values_keep_their_equals_signs() -> None:
    assert pairs(("a=b=c", "d="), "--param") == {"a": "b=c", "d": ""}
    with pytest.raises(UsageError, match="twice"):
        pairs(("a=1", "a=2"), "--param")
    with pytest.raises(UsageError, match="is not NAME=VALUE"):
        pairs(("=1",), "--param")


@pytest.mark.parametrize("url", ["https://h/x.git", "git@h:x.git", "ssh://h/x", "ext::sh -c x", "file:///x"])
def test_a_url_is_left_as_it_is(url: str) -> None:
    assert not is_local(url)
    params = repository_params(url)
    assert params["url"] == url
    assert "allow-local" not in params


def test_a_path_is_absolute_and_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    params = repository_params("model", sys.prefix)
    assert (params["url"], params["allow-local"]) == (str(tmp_path / "model"), "true")
    assert params["python"] == sys.prefix


def test_what_a_command_sets_is_not_set_again(tmp_path: Path) -> None:
    assert free_params(("shards=2",), ours=("url",), by="the bisection") == {"shards": "2"}
    with pytest.raises(UsageError, match="'url' is set by the bisection"):
        free_params(("url=x",), ours=("url",), by="the bisection")
    with pytest.raises(UsageError, match="'work' is set by --out"):
        workspace_directories((f"work={tmp_path}",), ours=("work",), by="--out")


def test_workspaces_are_directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "auth").mkdir()
    monkeypatch.chdir(tmp_path)
    assert workspace_directories(("basic-auth=auth",)) == {"basic-auth": tmp_path / "auth"}
    with pytest.raises(UsageError, match="is not a directory"):
        workspace_directories(("basic-auth=nowhere",))
