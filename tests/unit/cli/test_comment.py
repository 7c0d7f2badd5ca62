"""``penstock comment`` against a server that speaks the forges' API, and the step *notify* that does it in a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.notices.forge_comments import GROUP_NOTES, MARK, PULL
from tests.unit.notices.forge_server import TOKEN, Server

from penstock.bundle.directory import Bundle
from penstock.cli.app import main


def test_by_hand_on_both_forges(
    server: Server, bundle: Bundle, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", f" {TOKEN}\n")
    common = ["comment", "--bundle", str(bundle.path), "--api", server.url]
    assert main([*common, "--github", "example/sonic#12"]) == 0
    assert capsys.readouterr().out == f"created: {server.url}/html/100\n"
    assert main([*common, "--github", "example/sonic#12", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"action": "unchanged", "url": f"{server.url}/html/100"}
    (tmp_path / "token").write_text(TOKEN)
    assert main([*common, "--gitlab", "group/sonic!12", "--token-file", str(tmp_path / "token")]) == 0
    for path in (PULL, GROUP_NOTES):
        (entry,) = server.comments[path]
        assert entry["body"].startswith(f"{MARK}\n## sonic 1.1.0: rejected")
    server.pulls["c" * 40] = [{"number": 12, "state": "open"}]
    assert main([*common, "--github", "example/sonic"]) == 0
    assert capsys.readouterr().out.endswith(f"unchanged: {server.url}/html/100\n")
    server.pulls.clear()
    assert main([*common, "--gitlab", "group/sonic", "--token-file", str(tmp_path / "token")]) == 0
    assert "no open merge request has this commit" in capsys.readouterr().out


def test_dry_run_sends_nothing_and_needs_no_token(
    server: Server, bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["comment", "--bundle", str(bundle.path), "--github", "a/b#1", "--api", server.url, "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith(MARK)
    assert server.requests == []


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ([], "give one of --github, --gitlab and --gitea"),
        (["--github", "a/b#1", "--gitlab", "a/b!1"], "give one of --github, --gitlab and --gitea"),
        (["--github", "a/b#1"], "there is no token. Set PENSTOCK_FORGE_TOKEN or GITHUB_TOKEN, or give --token-file."),
        (["--gitlab", "b!1"], "not an address on a forge"),
        (["--gitea", "a/b#1"], "no server is named. Give --api https://HOST/api/v1 as well."),
        (["--github", "a/b#1", "--token-file", "/nonexistent/token"], "the file is missing"),
    ],
)
def test_bad_usage(bundle: Bundle, capsys: pytest.CaptureFixture[str], arguments: list[str], wanted: str) -> None:
    assert main(["comment", "--bundle", str(bundle.path), *arguments]) == 2
    assert wanted in capsys.readouterr().err


def test_a_refusal_is_the_worlds_and_shows_no_token(
    server: Server, bundle: Bundle, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PENSTOCK_FORGE_TOKEN", "wrong-token")
    argv = ["comment", "--bundle", str(bundle.path), "--api", server.url, "--github", "example/sonic#12", "--debug"]
    assert main(argv) == 4
    told = capsys.readouterr()
    assert "401 (Bad credentials)" in told.err
    assert "wrong-token" not in told.out + told.err


def test_without_a_bundle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["comment", "--bundle", str(tmp_path), "--github", "a/b#1"]) == 2
    assert "run.json: the file is missing" in capsys.readouterr().err
