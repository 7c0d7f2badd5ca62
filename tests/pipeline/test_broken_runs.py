"""Runs that end without a verdict: one clear message, the documented exit code, and never the code of a rejection."""

from __future__ import annotations

import dataclasses
import socket
from pathlib import Path

import pytest
from tests.invocation.orphans import Orphans
from tests.pipeline.pipeline_runs import Ended, Penstock, one_message, published
from tests.unit.sources.source_servers import new_repository


def said_once(ended: Ended, code: int, *words: str) -> None:
    """The run ended with ``code``, its one message holds ``words``, and nothing was published."""
    assert ended.code == code, ended.stderr
    message = one_message(ended)
    for word in words:
        assert word in message
    assert published(ended.out) == []
    assert not ended.bundle.verdict_file.exists()


@pytest.mark.parametrize(
    ("tag", "code", "words"),
    [
        ("no-such-tag", 2, ("no-such-tag",)),
        ("contract-missing", 2, ("penstock.yaml",)),
        ("contract-broken", 2, ("penstock.yaml:",)),
        ("contract-unknown-field", 2, ("penstock.yaml:", "colour")),
        ("weights-changed", 2, ("weights.bin",)),
        ("link-out", 2, ("suite/stimme.wav",)),
        ("exits-at-once", 4, ("exited with code 1", "no card")),
        ("never-ready", 4, ("ready", "1 s")),
    ],
)
def test_broken_repository(penstock: Penstock, broken: Path, orphans: Orphans, tag: str, code: int, words: str) -> None:
    ended = dataclasses.replace(penstock, repository=broken).run(tag, "r")
    said_once(ended, code, *words)
    assert orphans.left() == []
    # what was put in wrong stays wrong: only the world may be kinder the next time
    assert ("--resume r" in ended.stdout) == (code == 4)
    assert ("tried again" in ended.stderr) == (code == 4)


def test_unreachable_repository(penstock: Penstock) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/m.git"
        arguments = penstock.arguments("v1.0.0", "r", "--param", "allow-http=true")
        arguments[arguments.index("--repo") + 1] = url
        said_once(penstock.ended(arguments, "r"), 4, url)


def test_empty_repository(penstock: Penstock, tmp_path: Path) -> None:
    empty = new_repository(tmp_path / "empty")
    said_once(dataclasses.replace(penstock, repository=empty).run("main", "r"), 2, "empty")


def test_revision_that_looks_like_an_option(penstock: Penstock) -> None:
    arguments = penstock.arguments("REVISION", "r")
    where = arguments.index("--revision")
    arguments[where : where + 2] = ["--revision=--upload-pack=touch x"]
    said_once(penstock.ended(arguments, "r"), 2, "--upload-pack")


@pytest.mark.parametrize("url", ["ext::sh -c touch% x", "http://127.0.0.1:1/m.git", "ftp://127.0.0.1/m.git"])
def test_refused_address(penstock: Penstock, url: str) -> None:
    arguments = penstock.arguments("v1.0.0", "r")
    arguments[arguments.index("--repo") + 1] = url
    said_once(penstock.ended(arguments, "r"), 2, url.split(":")[0])


def test_check_that_fails(penstock: Penstock, broken: Path) -> None:
    ended = dataclasses.replace(penstock, repository=broken).run("check-fails", "r", track="verify")
    said_once(ended, 2, "check 'lint'", "line too long")
    assert "line too long" in (ended.bundle.path / "logs" / "check-lint.log").read_text(encoding="utf-8")


def test_errors_are_shown_when_progress_is_not(penstock: Penstock) -> None:
    ended = penstock.run("no-such-tag", "r", "--quiet")
    said_once(ended, 2, "no-such-tag")
    assert "started" not in ended.stderr
