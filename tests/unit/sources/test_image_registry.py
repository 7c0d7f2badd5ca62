"""Credentials of a registry, under either name that Kubernetes mounts them with."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.foundation.errors import UsageError
from penstock.sources.image_registry import authfile, registry_access


def test_either_name(tmp_path: Path) -> None:
    assert authfile(None) is None
    with pytest.raises(UsageError):
        authfile(tmp_path)
    (tmp_path / ".dockerconfigjson").write_text("{}")
    assert authfile(tmp_path) == tmp_path / ".dockerconfigjson"
    (tmp_path / "config.json").write_text("{}")
    assert authfile(tmp_path) == tmp_path / "config.json"


def test_options_of_the_programs(tmp_path: Path) -> None:
    assert registry_access(True, None) == ["--tls-verify=true"]
    assert registry_access(False, tmp_path / "a") == ["--tls-verify=false", f"--authfile={tmp_path / 'a'}"]
