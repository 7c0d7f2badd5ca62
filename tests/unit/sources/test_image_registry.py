"""Credentials of a registry, under either name that Kubernetes mounts them with."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.foundation.errors import UsageError
from penstock.sources.image_registry import authfile


def test_either_name(tmp_path: Path) -> None:
    assert authfile(None) is None
    with pytest.raises(UsageError):
        authfile(tmp_path)
    (tmp_path / ".dockerconfigjson").write_text("{}")
    assert authfile(tmp_path) == tmp_path / ".dockerconfigjson"
    (tmp_path / "config.json").write_text("{}")
    assert authfile(tmp_path) == tmp_path / "config.json"
