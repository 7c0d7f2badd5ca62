"""``penstock comment`` against a server that speaks the forges' API, and the step *notify* that does it in a run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from penstock_tasks.notify.entrypoint import main as notify
from tests.unit.notices.forge_server import TOKEN, Answer, Server, forge_server
from tests.unit.report.verdicts import ALL, RUN

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Source
from penstock.bundle.steps import begin
from penstock.cli.app import main

PULL = "/repos/example/sonic/issues/12/comments"
NOTES = "/projects/group/sonic/merge_requests/12/notes"
MARK = "<!-- penstock: sonic release -->"


@pytest.fixture
def server() -> Iterator[Server]:
    with forge_server() as state:
        state.comments |= {PULL: [], NOTES: []}
        yield state


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    for name in ("PENSTOCK_FORGE_TOKEN", "GITHUB_TOKEN", "GITLAB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    found = Bundle(tmp_path / "bundle")
    begin(found, run_id="release-7", track="release")
    found.update_run(RUN)
    found.write_verdict(ALL)
    return found


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
    for path in (PULL, NOTES):
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
        ([], "give one of --github and --gitlab"),
        (["--github", "a/b#1", "--gitlab", "a/b!1"], "give one of --github and --gitlab"),
        (["--github", "a/b#1"], "there is no token. Set PENSTOCK_FORGE_TOKEN or GITHUB_TOKEN, or give --token-file."),
        (["--gitlab", "b!1"], "not an address on a forge"),
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


# the step


@pytest.fixture
def secret(server: Server, tmp_path: Path) -> Path:
    """As Kubernetes mounts one; the repository lies on the same host."""
    folder = tmp_path / "forge"
    folder.mkdir()
    (folder / "token").write_text(f"{TOKEN}\n")
    (folder / "kind").write_text("gitlab\n")
    (folder / "url").write_text(f"{server.url}/api/v4\n")
    return folder


def on_forge(bundle: Bundle, url: str = "http://127.0.0.1/group/sonic.git") -> None:
    source = Source(url=url, revision="v1", commit="c" * 40, committer_date="", version="1.1.0", tree="")
    bundle.update_run(RUN.model_copy(update={"source": source}))


def step(bundle: Bundle, *more: str, status: str = "Completed") -> int:
    return notify([f"--bundle={bundle.path}", f"--status={status}", *more])


def test_a_run_keeps_its_comment_up_to_date(
    server: Server, bundle: Bundle, secret: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    on_forge(bundle)
    server.pulls["c" * 40] = [{"iid": 12, "state": "opened"}]
    assert step(bundle, f"--forge={secret}") == 0
    assert step(bundle, f"--forge={secret}", "--pull-request=12", status="Failed") == 0
    (entry,) = server.comments[NOTES]
    assert entry["body"].startswith(f"{MARK}\n## sonic release run release-7 broke")
    told = capsys.readouterr().out
    assert [json.loads(line).get("action") for line in told.splitlines() if '"commented"' in line] == [
        "created",
        "updated",
    ]
    assert TOKEN not in told


def test_a_run_without_a_forge_or_a_commit_comments_nowhere(server: Server, bundle: Bundle, secret: Path) -> None:
    assert step(bundle) == 0
    assert step(bundle, "--forge=") == 0
    bundle.run_file.unlink()
    assert step(bundle, f"--forge={secret}", status="Failed") == 0
    assert server.requests == []


def test_the_token_is_not_shown_to_the_host_that_a_run_names(
    server: Server, bundle: Bundle, secret: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    on_forge(bundle, "https://evil.example/group/sonic.git")
    assert step(bundle, f"--forge={secret}") == 2
    assert "lies on 'evil.example'" in capsys.readouterr().out
    assert server.requests == []


@pytest.mark.parametrize(
    ("name", "content", "wanted"),
    [
        ("token", None, "forge: token: the file is missing"),
        ("token", b"\xff\xfe", "forge: token: not UTF-8 text"),
        ("kind", b"bitbucket", "forge: kind: not a kind of forge. Write github or gitlab."),
        ("url", b"http://127.0.0.2:1/api/v4", "lies on '127.0.0.1', the forge is '127.0.0.2'"),
    ],
)
def test_a_secret_that_is_not_right(
    bundle: Bundle, secret: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes | None, wanted: str
) -> None:
    on_forge(bundle)
    if content is None:
        (secret / name).unlink()
    else:
        (secret / name).write_bytes(content)
    assert step(bundle, f"--forge={secret}") == 2
    assert wanted in capsys.readouterr().out


def test_receivers_that_cannot_be_reached_do_not_keep_the_comment_back(
    server: Server, bundle: Bundle, secret: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    on_forge(bundle)
    receivers = tmp_path / "receivers"
    receivers.mkdir()
    (receivers / "urls").write_text("json://127.0.0.1:1\n")
    arguments = (f"--forge={secret}", f"--receivers={receivers}", "--pull-request=12")
    assert step(bundle, *arguments) == 4
    assert len(server.comments[NOTES]) == 1
    server.failures.append(("notes", Answer(404, {"message": "404 Not found"})))
    assert step(bundle, *arguments) == 4
    told = capsys.readouterr().out
    assert "1 of 1 notifications were not sent" in told
    assert "answered 404 (404 Not found)" in told
