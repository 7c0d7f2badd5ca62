"""``penstock clean`` removes what is archived, and nothing else."""

from __future__ import annotations

import fcntl
import json
from pathlib import Path

import pytest
from tests.unit.cli.made_runs import archived, made_run

from penstock.cli.app import main
from penstock.store.archive import archive
from penstock.store.open import open_store
from penstock.store.pull_key import pull_key


def test_clean_removes_what_is_archived_and_nothing_else(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["clean", "--out", str(out), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "would remove sonic-1.0.0-a (" in said
    assert "kept sonic-1.1.0-b: it is not archived" in said
    assert (out / "runs" / "sonic-1.0.0-a").is_dir()
    assert main(["clean", "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [entry["name"] for entry in told["removed"]] == ["sonic-1.0.0-a"]
    assert told["bytes"] == told["removed"][0]["bytes"] > 0
    assert not (out / "runs" / "sonic-1.0.0-a").exists()
    assert not (out / "sonic-1.0.0-a").is_symlink()
    assert (out / "runs" / "sonic-1.1.0-b").is_dir()
    assert (out / "store" / "runs" / "sonic" / "sonic-1.0.0-a" / "manifest.json").is_file()
    assert main(["clean", "--out", str(out), "--unarchived"]) == 0
    assert not (out / "runs" / "sonic-1.1.0-b").exists()


def test_clean_leaves_a_running_run_and_its_cache(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (out / "cache" / "steps").mkdir(parents=True)
    (out / "cache" / "steps" / "x").write_bytes(bytes(2048))
    with (out / "runs" / "sonic-1.0.0-a" / "temporary").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert main(["clean", "--out", str(out)]) == 0
        assert "kept sonic-1.0.0-a: it is running" in capsys.readouterr().out
        assert main(["clean", "--out", str(out), "--cache"]) == 2
        assert "the cache is in use" in capsys.readouterr().err
    assert main(["clean", "--out", str(out), "--cache"]) == 0
    assert "removed cache (2.0 KiB)" in capsys.readouterr().out
    assert not (out / "cache").exists()


def test_clean_removes_folders_that_a_model_closed(out: Path) -> None:
    closed = out / "runs" / "sonic-1.0.0-a" / "source" / "closed"
    (closed / "inner").mkdir(parents=True)
    closed.chmod(0)
    assert main(["clean", "--out", str(out)]) == 0
    assert not (out / "runs" / "sonic-1.0.0-a").exists()


def test_clean_finds_what_was_tried_before_a_merge_where_it_is_archived(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("verify-a", "verify-b"):
        bundle = made_run(out, name, "0.0.0+c0ffee")
        bundle.update_run(bundle.run().model_copy(update={"track": "verify"}))
        if name == "verify-a":
            archive(bundle, open_store(out / "store"), model="sonic", run_id=name, root=pull_key("sonic", name))
        else:
            archived(out, bundle)  # as a release's run: not where a run of this track belongs
    assert main(["clean", "--out", str(out), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "would remove verify-a (" in said
    assert "/store/pulls/sonic/0/verify-a" in said
    assert "kept verify-b: its manifest is not in the store" in said
