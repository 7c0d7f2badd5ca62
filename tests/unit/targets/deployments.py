"""A deployment repository of real git, and a service that says what serves."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.unit.stub_server import StubAnswer, StubRequest, stub_server

VALUES = f"""\
# the shop's values: by Penstock
image: registry.example.org/sonic:x@sha256:{"0" * 64}   # with its digest
weights:
  sonic: "{"0" * 64}"
version: "1.0.0"
replicas: 2

# further down
note: hello
"""


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=ops", "-c", "user.email=ops@localhost", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def deployment_repository(folder: Path) -> Path:
    """A bare one, with ``apps/sonic.yaml`` on ``main``; ``folder/ops`` is somebody's clone."""
    bare, ops = folder / "deploy.git", folder / "ops"
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "--bare", str(bare))
    git(folder, "clone", "--quiet", str(bare), str(ops))
    (ops / "apps").mkdir()
    (ops / "apps" / "sonic.yaml").write_text(VALUES)
    git(ops, "add", ".")
    git(ops, "commit", "--quiet", "-m", "the shop")
    git(ops, "push", "--quiet", "origin", "HEAD:refs/heads/main")
    return bare


def push_of_others(folder: Path, old: str, new: str) -> None:
    """Somebody else changes the file meanwhile."""
    ops = folder / "ops"
    git(ops, "pull", "--quiet", "--rebase", "origin", "main")
    file = ops / "apps" / "sonic.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    git(ops, "commit", "--quiet", "-am", "by hand")
    git(ops, "push", "--quiet", "origin", "HEAD:refs/heads/main")


def file_of(bare: Path) -> str:
    return git(bare, "show", "main:apps/sonic.yaml") + "\n"


@contextmanager
def service(says: Callable[[], str]) -> Iterator[str]:
    """A service's ``/version``."""

    def answer(_: StubRequest) -> StubAnswer:
        content = says().encode()
        return StubAnswer(200 if content else 503, content)

    with stub_server(answer) as url:
        yield f"{url}/version"
