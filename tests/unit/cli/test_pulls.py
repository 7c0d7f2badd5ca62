"""``penstock pulls serve``."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.pulls.places import told, write, write_secrets

from penstock.cli.app import main


def test_the_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pulls", "serve", "--help"]) == 0
    assert "Example: penstock pulls serve --config pulls.yaml" in capsys.readouterr().out


def test_outside_of_a_cluster_what_is_wrong_with_the_file_is_said_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)

    def said() -> str:
        assert main(["pulls", "serve", "--config", str(file), "--secrets", str(tmp_path)]) == 2
        return capsys.readouterr().err

    file = tmp_path / "pulls.yaml"
    file.write_text("version: 1\n", encoding="utf-8")
    assert "forges" in said()
    write(tmp_path, told())
    assert "the directory of the secrets has no such file" in said()
    write_secrets(tmp_path)
    last = said()
    assert "there is no cluster around" in last
    assert "tekton/services/pulls.yaml" in last
