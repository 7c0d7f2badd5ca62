"""Which module serves which kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.foundation.errors import UsageError
from penstock.targets.kinds import open_target
from penstock.targets.targets_file import WebhookSettings
from penstock.targets.webhook import WebhookTarget


def test_a_webhook_has_its_secret(tmp_path: Path) -> None:
    settings = WebhookSettings(kind="webhook", models=["m"], url="https://deploy.example.org/x", secret="hook")
    with pytest.raises(UsageError, match="no such file"):
        open_target("studio", settings, tmp_path, token="t")
    (tmp_path / "hook").write_bytes(b"short")
    with pytest.raises(UsageError, match="shorter than 16 bytes"):
        open_target("studio", settings, tmp_path, token="t")
    (tmp_path / "hook").write_bytes(b"long enough as a key")
    assert isinstance(open_target("studio", settings, tmp_path, token="t"), WebhookTarget)
