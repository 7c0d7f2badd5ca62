"""Links lead where the operator says, and to public forges; a repository leads nobody anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from tests.unit.notices.hostile import hostile_text
from tests.unit.report.verdicts import RUN

from penstock.foundation.errors import UsageError
from penstock.notices.notice_links import MAX_LINKS, LinkValues, links_of, values_of

COMMIT = "c" * 40
VALUES = LinkValues("sonic", "1.1.0+w1", "run-7", COMMIT, "https://github.com/acme/sonic.git")


def found(values: LinkValues, folder: Path | None = None) -> list[tuple[str, str]]:
    return [(link.label, link.url) for link in links_of(values, folder)]


def test_the_operators_links_come_first(tmp_path: Path) -> None:
    (tmp_path / "links").write_text(
        "# ours\nreport https://reports.example.org/{model}/{run}/index.html\n\nboard  https://x.example/?v={version}&a=1\n"
    )
    assert found(VALUES, tmp_path) == [
        ("report", "https://reports.example.org/sonic/run-7/index.html"),
        ("board", "https://x.example/?v=1.1.0%2Bw1&a=1"),
        ("commit", f"https://github.com/acme/sonic/commit/{COMMIT}"),
    ]
    assert found(LinkValues("sonic", "1.1.0"), tmp_path) == [("board", "https://x.example/?v=1.1.0&a=1")]


def test_a_commit_elsewhere_is_the_operators(tmp_path: Path) -> None:
    (tmp_path / "links").write_text("commit https://git.example.org/m/{commit}\n" * (MAX_LINKS + 1))
    assert found(VALUES, tmp_path) == [("commit", f"https://git.example.org/m/{COMMIT}")] * MAX_LINKS


@pytest.mark.parametrize(
    ("repository", "commit"),
    [
        ("https://git.example.org/acme/sonic", COMMIT),
        ("https://github.com.evil.example/acme/sonic", COMMIT),
        ("https://me:hunter2@github.com/acme/sonic", COMMIT),
        ("http://github.com/acme/sonic", COMMIT),
        ("https://github.com/acme", COMMIT),
        ("https://github.com/acme/so nic", COMMIT),
        ("https://github.com/acme/sonic", "../evil"),
        ("/srv/sonic", COMMIT),
        ("", ""),
    ],
)
def test_no_link_to_a_place_that_the_caller_of_a_run_chose(repository: str, commit: str) -> None:
    assert found(LinkValues("sonic", "1", "r", commit, repository)) == []


def test_gitlab() -> None:
    values = LinkValues(commit=COMMIT, repository="https://gitlab.com/group/sub/sonic")
    assert found(values) == [("commit", f"https://gitlab.com/group/sub/sonic/-/commit/{COMMIT}")]


def test_values_of_a_run() -> None:
    assert values_of(RUN) == LinkValues("sonic", "1.1.0", "release-7", COMMIT, "https://git.example.org/sonic")
    assert values_of(RUN.model_copy(update={"source": None})) == LinkValues("sonic", run="release-7")


@pytest.mark.parametrize(
    "content",
    [
        b"report",
        b"report https://x.example a",
        b"report https://x.example/{secret}",
        b"report ftp://x.example",
        b"re|port https://x.example",
        b"\xff\xfe",
        b"report https://me:pw@x.example/{run}",
    ],
)
def test_a_file_that_is_not_right(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "links").write_bytes(content)
    with pytest.raises(UsageError):
        links_of(VALUES, tmp_path)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(text=hostile_text)
def test_a_hostile_value_stays_within_its_place(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.getbasetemp() / "links-of-hostile"
    folder.mkdir(exist_ok=True)
    (folder / "links").write_text("report https://reports.example.org/{version}/index.html\n")
    for _, url in found(LinkValues(version=text, repository=text, commit=text), folder):
        inner = url.removeprefix("https://reports.example.org/").removesuffix("/index.html")
        assert "/" not in inner
        assert "#" not in inner
        assert "?" not in inner
