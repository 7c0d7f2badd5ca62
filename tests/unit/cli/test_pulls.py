"""``penstock pulls serve``."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.cli.app import main


def test_the_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pulls", "serve", "--help"]) == 0
    assert "Example: penstock pulls serve --config pulls.yaml" in capsys.readouterr().out


def test_outside_of_a_cluster(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    code = main(["pulls", "serve", "--config", str(tmp_path / "pulls.yaml"), "--secrets", str(tmp_path)])
    assert code == 2
    said = capsys.readouterr().err
    assert "there is no cluster around" in said
    assert "tekton/services/pulls.yaml" in said
