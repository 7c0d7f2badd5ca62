"""The step notify: the run's end in one line, and the comment on the forge kept up to date."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from penstock_tasks.notify.entrypoint import MAX_SUMMARY_BYTES
from penstock_tasks.notify.entrypoint import main as notify
from tests.unit.notices.forge_comments import GROUP_NOTES, MARK
from tests.unit.notices.forge_server import TOKEN, Answer, Server
from tests.unit.report.verdicts import RUN
from tests.unit.tasks.step_folders import StepFolders

from penstock.bundle.directory import Bundle
from penstock.bundle.failures import first_failure, remember_failure
from penstock.bundle.models import Source
from penstock.bundle.steps import begin
from penstock.bundle.verdict_record import Verdict


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
    (entry,) = server.comments[GROUP_NOTES]
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
        ("kind", b"bitbucket", "forge: kind: not a kind of forge. Write one of github, gitlab, gitea."),
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
    assert len(server.comments[GROUP_NOTES]) == 1
    server.failures.append(("notes", Answer(404, {"message": "404 Not found"})))
    assert step(bundle, *arguments) == 4
    told = capsys.readouterr().out
    assert "1 of 1 notifications were not sent" in told
    assert "answered 404 (404 Not found)" in told


def test_without_receivers_the_summary_is_the_result(folders: StepFolders) -> None:
    folders.cloned()
    folders.measured()
    folders.bundle.write_verdict(Verdict(verdict="pass", level=0.05, rules=[], candidate="run-2"))
    answer = folders.call("notify", "--status=Succeeded")
    assert (answer.code, answer.results["sent"]) == (0, "0")
    assert "tiny" in answer.results["summary"]
    assert len(answer.results["summary"].encode()) <= MAX_SUMMARY_BYTES


def test_run_that_broke_names_the_released_models_step(folders: StepFolders) -> None:
    folders.cloned()
    begin(folders.baseline, run_id="run-1", track="rerun")
    remember_failure(folders.baseline, "infer", "the released model crashed")
    answer = folders.call("notify", "--status=Failed")
    assert answer.code == 0
    assert "the released model crashed" in answer.results["summary"]
    assert first_failure(folders.bundle) is not None


@pytest.mark.parametrize("status", ["", "None"])
def test_nothing_in_the_bundle_is_still_a_sentence(folders: StepFolders, status: str) -> None:
    folders.bundle.run_file.unlink()
    answer = folders.call("notify", f"--status={status}")
    assert answer.code == 0
    assert answer.results["summary"]


# the track verify


def tried(bundle: Bundle) -> None:
    on_forge(bundle)
    bundle.update_run(bundle.run().model_copy(update={"track": "verify"}))


def test_a_verdict_is_the_status_of_its_commit(server: Server, bundle: Bundle, secret: Path, tmp_path: Path) -> None:
    tried(bundle)
    bundle.write_measurements([])
    receivers = tmp_path / "receivers"
    receivers.mkdir()
    (receivers / "urls").write_text("")
    (receivers / "links").write_text("report https://evidence.example/{evidence}/report/index.html\n")
    bundle.seal()
    arguments = (f"--forge={secret}", f"--receivers={receivers}", "--pull-request=12")
    assert step(bundle, *arguments) == 0
    ((where, status),) = server.statuses
    assert where == f"group/sonic@{'c' * 40}"
    assert (status["state"], status["name"]) == ("failed", "penstock/verify")
    assert status["target_url"] == "https://evidence.example/pulls/sonic/12/release-7/report/index.html"
    (entry,) = server.comments[GROUP_NOTES]
    assert entry["body"].startswith("<!-- penstock: verify -->")


def test_a_chat_that_is_away_is_in_the_log_once_the_status_is_set(
    server: Server, bundle: Bundle, secret: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The pull request goes by its status: a failed step would leave it without a word of how the run ended."""
    tried(bundle)
    bundle.write_measurements([])
    receivers = tmp_path / "receivers"
    receivers.mkdir()
    (receivers / "urls").write_text("json://127.0.0.1:1/hook\n")
    assert step(bundle, f"--forge={secret}", f"--receivers={receivers}", "--pull-request=12") == 0
    assert len(server.statuses) == 1
    assert "notifications were not sent" in capsys.readouterr().out


def test_a_release_sets_no_status(server: Server, bundle: Bundle, secret: Path) -> None:
    on_forge(bundle)
    assert step(bundle, f"--forge={secret}", "--pull-request=12") == 0
    assert server.statuses == []


def test_a_conflict_is_told_although_nothing_was_cloned(server: Server, tmp_path: Path, secret: Path) -> None:
    found = Bundle(tmp_path / "begun")
    begin(found, run_id="verify-1", track="verify")
    remember_failure(found, "clone", "it cannot be merged into 'main': conflicts in a.txt")
    named = ("--url=http://127.0.0.1/group/sonic.git", f"--revision={'d' * 40}", "--pull-request=12")
    assert step(found, f"--forge={secret}", *named, status="Failed") == 0
    ((where, status),) = server.statuses
    assert (where, status["state"]) == (f"group/sonic@{'d' * 40}", "failed")
    assert "conflicts in a.txt" in status["description"]
    (entry,) = server.comments[GROUP_NOTES]
    assert "cannot be merged into 'main'" in entry["body"]


def test_a_status_that_may_not_be_set_is_said_after_the_comment(
    server: Server, bundle: Bundle, secret: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tried(bundle)
    bundle.write_measurements([])
    server.failures.append(("statuses", Answer(403, {"message": "forbidden"})))
    assert step(bundle, f"--forge={secret}", "--pull-request=12") == 4
    assert len(server.comments[GROUP_NOTES]) == 1
    assert "the role Developer" in capsys.readouterr().out
