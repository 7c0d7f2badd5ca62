"""The callers for GitHub Actions and GitLab CI: their own lines, over a real repository, with a forge's comments."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.pipeline.ci_job import INTEGRATIONS, document, github_steps, gitlab_scripts
from tests.pipeline.conftest import Once
from tests.unit.notices.forge_server import TOKEN, Server, forge_server
from tests.unit.sources.conftest import serve_git
from tests.unit.sources.source_servers import GitServer, git

__all__ = ["serve_git"]

Serve = Callable[..., GitServer]

CHECKOUT = Path(__file__).parents[2]
ALWAYS = "${{ !cancelled() }}"
OWN = "${{ !cancelled() && github.event.pull_request.head.repo.full_name == github.repository }}"
ON_GITHUB = "/repos/acme/tiny/issues/7/comments"
ON_GITLAB = "/projects/acme/tiny/merge_requests/7/notes"


@pytest.fixture
def forge() -> Iterator[Server]:
    with forge_server() as running:
        running.comments |= {ON_GITHUB: [], ON_GITLAB: []}
        yield running


@pytest.fixture(scope="session")
def runner_python(once: Once) -> Path:
    """The runner's Python: an environment that has what Penstock needs, but not Penstock."""

    def make(folder: Path) -> None:
        venv.create(folder, with_pip=False)
        (packages,) = folder.glob("lib/python*/site-packages")
        (ours,) = Path(sys.prefix).glob("lib/python*/site-packages")
        (packages / "needs.pth").write_text(f"{ours}\n", encoding="utf-8")

    return once("runner", make) / "bin"


@pytest.fixture(scope="session")
def wheel(once: Once) -> Path:
    """Penstock as pip is given it, made from a copy: setuptools writes into the tree that it builds."""

    def make(folder: Path) -> None:
        tree = folder / "tree"
        for name in ("src", "tasks", "tekton", "test-assets/extractors"):
            shutil.copytree(CHECKOUT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(CHECKOUT / name, tree)
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
        subprocess.run([*command, "--wheel-dir", folder, tree], check=True)

    return next(once("wheel", make).glob("*.whl"))


@dataclass(frozen=True)
class Hosted:
    """The repository on a forge: private, over HTTP, with the commit of a pull request."""

    host: str
    bare: Path

    def commit(self, revision: str) -> str:
        return git(self.bare, "rev-parse", f"{revision}^{{commit}}").strip()


Host = Callable[[str], Hosted]


@pytest.fixture
def host(repository: Path, tmp_path: Path, serve_git: Serve) -> Host:
    """Who may clone has a user name that the forge gives to its jobs."""
    bare = tmp_path / "hosted" / "acme" / "tiny.git"
    bare.parent.mkdir(parents=True)
    subprocess.run(["git", "clone", "--quiet", "--bare", repository, bare], check=True)
    # as the forges have it
    git(bare, "config", "uploadpack.allowAnySHA1InWant", "true")
    return lambda user: Hosted(serve_git(tmp_path / "hosted", login=f"{user}:{TOKEN}").url, bare)


def runner(python: Path, forge: Server, hosted: Hosted, folder: Path) -> dict[str, str]:
    """What the runner sets, and what pip needs to install without the network."""
    folder.mkdir(parents=True)
    path = {"PATH": f"{python}:/usr/local/bin:/usr/bin:/bin", "PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1"}
    return path | {
        "GITHUB_API_URL": forge.url,
        "GITHUB_SERVER_URL": hosted.host,
        "GITHUB_REPOSITORY": "acme/tiny",
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        "RUNNER_TEMP": str(folder),
    }


def contexts(wheel: Path, store: Path | str) -> dict[str, str]:
    """GitHub's, of pull request 7."""
    return {
        "vars.PENSTOCK": str(wheel),
        "vars.PENSTOCK_STORE": str(store),
        "secrets.PENSTOCK_STORE_KEY_ID": "AKIAEXAMPLE",
        "secrets.PENSTOCK_STORE_KEY": "a secret",
        "github.event.pull_request.number": "7",
        "github.run_id": "4711",
        "github.run_attempt": "1",
        "github.token": TOKEN,
    }


def test_a_pull_request_on_github(host: Host, runner_python: Path, wheel: Path, forge: Server, tmp_path: Path) -> None:
    hosted = host("x-access-token")
    given = runner(runner_python, forge, hosted, tmp_path / "temp") | {"GITHUB_SHA": hosted.commit("v1.0.1")}
    lines = github_steps("github/verify.yml", tmp_path, contexts(wheel, ""), given, holds={ALWAYS: True, OWN: True})
    assert [(line.name, line.code) for line in lines] == [
        *(("Install", 0), ("Verify", 0), ("Summary", 0), ("Comment", 0)),
    ], lines
    (comment,) = forge.comments[ON_GITHUB]
    assert "tiny" in comment["body"]
    assert (tmp_path / "runs/pull-7-4711-1/bundle/run.json").is_file()
    told = "".join(line.output for line in lines)
    assert TOKEN not in told
    assert "a secret" not in told


def test_a_fork_has_no_secrets_and_is_not_commented(
    host: Host, runner_python: Path, wheel: Path, forge: Server, tmp_path: Path
) -> None:
    hosted = host("x-access-token")
    given = runner(runner_python, forge, hosted, tmp_path / "temp") | {"GITHUB_SHA": hosted.commit("v1.3.0")}
    fork = contexts(wheel, "s3://releases/penstock") | {
        "secrets.PENSTOCK_STORE_KEY_ID": "",
        "secrets.PENSTOCK_STORE_KEY": "",
    }
    lines = github_steps("github/verify.yml", tmp_path, fork, given, holds={ALWAYS: True, OWN: False})
    assert [line.name for line in lines] == ["Install", "Verify", "Summary"]
    # the model crashes on every case: the job is red
    assert lines[1].code != 0
    assert lines[2].code == 0
    assert forge.wrote() == []


def test_tags_on_github(host: Host, runner_python: Path, wheel: Path, forge: Server, tmp_path: Path) -> None:
    hosted = host("x-access-token")
    store = tmp_path / "store"
    ends, told = {}, {}
    for tag in ("v1.0.0", "v1.1.0"):
        given = runner(runner_python, forge, hosted, tmp_path / tag) | {"GITHUB_REF_NAME": tag}
        run = contexts(wheel, store) | {"github.run_id": tag[1:]}
        lines = github_steps("github/release.yml", tmp_path / tag, run, given, holds={ALWAYS: True})
        ends[tag] = [(line.name, line.code) for line in lines]
        told[tag] = (tmp_path / tag / "summary.md").read_text(encoding="utf-8")
    assert ends == {
        "v1.0.0": [("Install", 0), ("Release", 0), ("Summary", 0)],
        "v1.1.0": [("Install", 0), ("Release", 1), ("Summary", 0)],
    }, lines
    assert "accepted" in told["v1.0.0"]
    assert "rejected" in told["v1.1.0"]
    assert [path.name for path in store.glob("published/tiny/*")] == ["1.0.0.json"]


def test_gitlab(host: Host, runner_python: Path, wheel: Path, forge: Server, tmp_path: Path) -> None:
    hosted = host("gitlab-ci-token")
    given = runner(runner_python, forge, hosted, tmp_path / "temp") | {
        "PENSTOCK": str(wheel),
        "PENSTOCK_STORE": str(tmp_path / "store"),
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "PENSTOCK_FORGE_TOKEN": TOKEN,
        "CI_PIPELINE_ID": "11",
        "CI_JOB_TOKEN": TOKEN,
        "CI_API_V4_URL": f"{forge.url}/api/v4",
        "CI_PROJECT_URL": f"{hosted.host}/acme/tiny",
    }
    tagged = tmp_path / "tagged"
    tagged.mkdir()
    released = gitlab_scripts("penstock-release", tagged, given | {"CI_COMMIT_TAG": "v1.0.0", "CI_JOB_ID": "1"})
    assert [line.code for line in released] == [0], released
    assert list(tagged.glob("runs/ci-11-1/bundle/report/junit.xml"))
    merge_request = {
        "CI_COMMIT_SHA": hosted.commit("v1.0.1"),
        "CI_JOB_ID": "2",
        "CI_MERGE_REQUEST_SOURCE_PROJECT_URL": f"{hosted.host}/acme/tiny",
        "CI_MERGE_REQUEST_PROJECT_PATH": "acme/tiny",
        "CI_MERGE_REQUEST_IID": "7",
    }
    merging = tmp_path / "merging"
    merging.mkdir()
    verified = gitlab_scripts("penstock-verify", merging, given | merge_request)
    assert [line.code for line in verified] == [0, 0], verified
    assert (tmp_path / "store/pulls/tiny/7/ci-11-2/manifest.json").is_file()
    assert len(forge.comments[ON_GITLAB]) == 1


@pytest.mark.parametrize("name", ["github/verify.yml", "github/release.yml"])
def test_no_line_holds_an_expression_and_actions_are_pinned(name: str) -> None:
    """What a forge fills into a script may be somebody else's text: a branch's name, a title."""
    (job,) = document(name)["jobs"].values()
    lines: list[dict[str, Any]] = job["steps"]
    assert not [step for step in lines if "${{" in step.get("run", "")]
    assert all(re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", step["uses"]) for step in lines if "uses" in step)
    assert "timeout-minutes" in job
    assert document(name)["permissions"]["contents"] == "read"


def test_every_caller_is_in_the_readme() -> None:
    told = (INTEGRATIONS / "README.md").read_text(encoding="utf-8")
    files = [str(path.relative_to(INTEGRATIONS)) for path in INTEGRATIONS.rglob("*.yml")]
    assert len(files) == 3
    assert all(f"({name})" in told for name in files)
