"""Runs by name: listing, opening, comparing, cleaning up."""

from __future__ import annotations

import fcntl
import json
import re
import webbrowser
from pathlib import Path

import pytest
from tests.unit.cli.made_runs import archived, made_run, stopped_run

from penstock.cli.app import main
from penstock.foundation.errors import UsageError
from penstock.local_run.run_folder import begin, mark_refused
from penstock.local_run.run_names import find_bundle, made_up_name, version_of
from penstock.releases.release import publish
from penstock.store.store import open_store


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """An accepted, archived run and a newer rejected one."""
    out = tmp_path / "runs"
    archived(out, made_run(out, "sonic-1.0.0-a", "1.0.0", days=40))
    made_run(out, "sonic-1.1.0-b", "1.1.0", verdict="fail", days=2, value=5.0)
    return out


def test_a_run_lies_where_the_documents_say_and_git_does_not_see_it(out: Path) -> None:
    assert (out / "sonic-1.0.0-a" / "bundle" / "run.json").is_file()
    assert (out / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_a_directory_with_other_things_in_it_is_not_hidden(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").touch()
    made_run(tmp_path, "a", "1")
    assert not (tmp_path / ".gitignore").exists()


def test_runs_are_listed_the_newest_first(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stopped_run(out, "broken")
    assert main(["runs", "--out", str(out)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["run", "track", "model", "version", "verdict", "age", "size"]
    assert [line[:5] for line in lines[1:]] == [
        ["broken", "release", "–", "–", "stopped"],
        ["sonic-1.1.0-b", "release", "sonic", "1.1.0", "rejected"],
        ["sonic-1.0.0-a", "release", "sonic", "1.0.0", "accepted"],
    ]
    assert lines[3][5:7] == ["40", "d"]


def test_runs_as_json(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "--out", str(out), "--json"]) == 0
    newest, oldest = json.loads(capsys.readouterr().out)
    assert (oldest["name"], oldest["model"], oldest["version"]) == ("sonic-1.0.0-a", "sonic", "1.0.0")
    assert newest["verdict"] == "rejected"
    assert newest["bytes"] > 100
    assert (Path(newest["bundle"]) / "run.json").is_file()


def test_no_runs_is_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "--out", str(tmp_path / "none")]) == 0
    assert "There are no runs in" in capsys.readouterr().out
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("text", ["sonic-1.1.0-b", "1.1.0", "v1.1.0", "sonic-1.1.0", "sonic-v1.1.0"])
def test_a_run_is_found_by_name_version_and_tag(out: Path, text: str) -> None:
    assert find_bundle(text, out=out) == out / "runs" / "sonic-1.1.0-b" / "bundle"


def test_a_run_is_found_by_its_paths(out: Path) -> None:
    folder = out / "sonic-1.1.0-b"
    assert find_bundle(str(folder), out=Path("nowhere")) == folder / "bundle"
    assert find_bundle(str(folder / "bundle"), out=Path("nowhere")) == folder / "bundle"


def test_what_may_be_several_runs_is_listed(out: Path) -> None:
    made_run(out, "sonic-1.1.0-c", "1.1.0")
    with pytest.raises(UsageError, match=r"may be any of 2 runs: sonic-1\.1\.0-[bc], sonic-1\.1\.0-[bc]"):
        find_bundle("1.1.0", out=out)


def test_a_version_is_the_run_that_was_published_under_it(out: Path) -> None:
    first = made_run(out, "sonic-2.0.0-a", "2.0.0")
    run = first.run()
    image = {"kind": "process", "digest": "sha256:0"}
    first.update_run(run.model_validate(run.model_dump() | {"image": image}))
    made_run(out, "sonic-2.0.0-b", "2.0.0")
    archived(out, first)
    store = open_store(out / "store")
    publish(store, first)
    assert find_bundle("2.0.0", out=out) == first.path
    # from another directory it is brought from the store
    brought = find_bundle("v2.0.0", out=out.parent / "other", store=str(out / "store"))
    assert brought.is_relative_to(out.parent / "other" / "cache")
    assert (brought / "report" / "index.html").is_file()
    by_name = find_bundle("sonic-1.0.0-a", out=out.parent / "other", store=str(out / "store"))
    assert (by_name / "run.json").is_file()


def test_a_name_that_comes_near_is_offered(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["open", "1.1.2", "--out", str(out)]) == 2
    assert "there is no file, run or version '1.1.2'. Did you mean '1.1.0'?" in capsys.readouterr().err


def test_open_shows_the_report_where_there_is_a_display(
    out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(webbrowser, "open", shown.append)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    assert main(["open", "1.1.0", "--out", str(out)]) == 0
    page = out / "runs" / "sonic-1.1.0-b" / "bundle" / "report" / "index.html"
    assert capsys.readouterr().out.strip() == str(page)
    assert shown == []
    monkeypatch.setenv("DISPLAY", ":0")
    assert main(["open", "1.1.0", "--out", str(out)]) == 0
    assert shown == [page.as_uri()]


def test_compare_and_gate_take_versions(out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "1.0.0", "v1.1.0", "--runs", str(out), "--json"]) == 0
    compared = json.loads(capsys.readouterr().out)
    assert compared["metrics"][0]["change"] == -4.0
    policy = tmp_path / "policy.yaml"
    policy.write_text("rules: [{metric: sharpness, min: 8}]", encoding="utf-8")
    assert main(["gate", "--candidate", "1.1.0", "--policy", str(policy), "--runs", str(out)]) == 1
    assert main(["comment", "--bundle", "1.1.0", "--dry-run", "--runs", str(out)]) == 0
    assert "sonic 1.1.0: rejected" in capsys.readouterr().out


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


def test_a_name_is_used_up_by_a_run_and_not_by_a_refusal(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "first"
    begin(folder, {"what": "release", "params": {"revision": "v1"}, "workspaces": {}})
    with pytest.raises(UsageError, match="exists already"):
        begin(folder, {"what": "release", "params": {}, "workspaces": {}})
    (folder / "bundle").mkdir()
    mark_refused(folder)
    begin(folder, {"what": "release", "params": {"revision": "v2"}, "workspaces": {}})
    assert json.loads((folder / "request.json").read_text(encoding="utf-8"))["params"] == {"revision": "v2"}
    assert not (folder / "bundle").exists()
    with pytest.raises(UsageError, match="exists already"):
        begin(folder, {"what": "release", "params": {}, "workspaces": {}})


@pytest.mark.parametrize("name", ["store", "cache", "runs", "bisect"])
def test_names_of_what_lies_beside_the_runs_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="a run cannot be called"):
        begin(tmp_path / "runs" / name, {})


@pytest.mark.parametrize(
    ("revision", "version"),
    [("v1.1.0", "1.1.0"), ("main", "main"), ("refs/tags/v2", "2"), ("a" * 40, "a" * 12), ("vocals", "vocals")],
)
def test_the_version_of_a_revision(revision: str, version: str) -> None:
    assert version_of(revision) == version


@pytest.mark.parametrize(
    ("what", "repo", "revision", "stem"),
    [
        ("release", "https://git.example.org/models/Sonic_2.git", "v1.1.0", "sonic-2-1.1.0"),
        ("release", "git@git.example.org:sonic.git", "feature/lips", "sonic-feature-lips"),
        ("verify", "https://git.example.org/sonic", "main", "verify-sonic-main"),
        ("build.yaml", "", "", "build"),
        ("release", "https://git.example.org/" + "x" * 90, "v1", "x" * 40),
    ],
)
def test_made_up_names_show_model_and_version(what: str, repo: str, revision: str, stem: str) -> None:
    name = made_up_name(what, repo, revision)
    assert re.fullmatch(re.escape(stem) + r"-\d{8}-\d{6}-[0-9a-f]{4}", name)
    assert len(name) <= 63
