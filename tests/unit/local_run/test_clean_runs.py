"""Which runs may go."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.cli.made_runs import archived, made_run

from penstock.cli.app import main


def test_clean_keeps_the_newest_and_the_young(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archived(out, made_run(out, "sonic-1.2.0-c", "1.2.0", days=10))
    archived(out, made_run(out, "other-1.0.0-d", "1.0.0", days=50, model="other"))
    capsys.readouterr()

    def removed(*more: str) -> list[str]:
        assert main(["clean", "--out", str(out), "--dry-run", "--json", *more]) == 0
        return sorted(entry["name"] for entry in json.loads(capsys.readouterr().out)["removed"])

    assert removed() == ["other-1.0.0-d", "sonic-1.0.0-a", "sonic-1.2.0-c"]
    assert removed("--older-than", "30d") == ["other-1.0.0-d", "sonic-1.0.0-a"]
    assert removed("--keep", "1") == ["sonic-1.0.0-a", "sonic-1.2.0-c"]  # the rejected one is sonic's newest
    assert removed("--keep", "2", "--older-than", "12h") == ["sonic-1.0.0-a"]
    assert main(["clean", "--out", str(out), "--older-than", "soon"]) == 2


def test_clean_believes_only_the_store_s_manifest_and_files(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored = out / "store" / "runs" / "sonic" / "sonic-1.0.0-a"
    (stored / "measurements.jsonl").unlink()
    assert main(["clean", "--out", str(out)]) == 0
    assert "kept sonic-1.0.0-a: the store lacks measurements.jsonl" in capsys.readouterr().out
    (stored / "manifest.json").unlink()
    assert main(["clean", "--out", str(out)]) == 0
    assert "kept sonic-1.0.0-a: its manifest is not in the store" in capsys.readouterr().out
    assert (out / "runs" / "sonic-1.0.0-a" / "bundle" / "run.json").is_file()
