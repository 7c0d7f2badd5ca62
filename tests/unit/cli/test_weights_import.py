"""``penstock weights import``: it lists the networks that there are, and says what was made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from penstock.cli.app import main
from penstock.cli.weights_import import import_weights
from penstock.extractors import checkpoint_import
from penstock.extractors.checkpoint_import import CHECKPOINT_KINDS, Imported


def test_every_kind_is_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert import_weights.__doc__
    assert main(["weights", "import", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert all(f"{name} ({kind.measures})" in shown for name, kind in CHECKPOINT_KINDS.items())


def test_an_unknown_kind_is_bad_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "import", "syncnte", "a.model", "--out", str(tmp_path / "o.onnx")]) == 2
    assert capsys.readouterr().err == (
        "error: penstock weights import: there is no kind of checkpoint 'syncnte'. Known: syncnet, inception.\n"
    )


@pytest.mark.parametrize("published", [True, False])
def test_what_was_made_is_told_and_a_strange_checkpoint_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], published: bool
) -> None:
    made = Imported("syncnet", "net", published, "5" * 64, "net@sha256:6", "o.onnx")
    monkeypatch.setattr(checkpoint_import, "import_checkpoint", lambda *_: made)
    assert main(["weights", "import", "syncnet", "a.model", "--out", "o.onnx", "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out) == {
        "kind": "syncnet",
        "name": "net",
        "published": published,
        "source_sha256": "5" * 64,
        "extractor": "net@sha256:6",
        "out": "o.onnx",
    }
    assert ("is not the published checkpoint" in told.err) is not published
    assert main(["weights", "import", "syncnet", "a.model", "--out", "o.onnx"]) == 0
    assert f"({'published' if published else 'unpublished'})" in capsys.readouterr().out
