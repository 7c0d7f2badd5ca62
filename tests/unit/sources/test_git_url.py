"""Addresses: what is accepted, what is refused, and that no password is shown."""

from pathlib import Path

import pytest

from penstock.foundation.errors import UsageError
from penstock.sources.git_url import RepositoryUrl, mask, parse_url, submodule_url


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c touch% /tmp/x",
        "fd::17/foo",
        "-uhttps://x/y",
        "--upload-pack=touch x",
        "file:///etc",
        "file:///tmp#evil",
        "/etc",
        "./model",
        "git://example.org/x",
        "ftp://example.org/x",
        "http://example.org/x",
        "https://",
        "https:///path",
        "https://-oProxyCommand=x/y",
        "ssh://-oProxyCommand=x/y",
        "-oProxyCommand=x:y",
        "git@-host:y",
        "https://example.org/a\nb",
        "https://example.org/a%0ab",
        "https://example.org:bad/x",
        "https://example.org/x?token=1",
        "ssh://a:b@example.org/x",
        "git@example.org:-x",
        "",
        " https://example.org/x",
        "https://example.org/" + "x" * 3000,
    ],
)
def test_refused(url: str) -> None:
    with pytest.raises(UsageError):
        parse_url(url)


@pytest.mark.parametrize(
    ("url", "scheme", "text"),
    [
        ("https://example.org/a/b.git", "https", "https://example.org/a/b.git"),
        ("https://user:secret@example.org:8443/a", "https", "https://example.org:8443/a"),
        ("ssh://git@example.org:22/a", "ssh", "ssh://git@example.org:22/a"),
        ("git@example.org:a/b.git", "ssh", "git@example.org:a/b.git"),
        ("https://[::1]:8443/a", "https", "https://[::1]:8443/a"),
    ],
)
def test_accepted(url: str, scheme: str, text: str) -> None:
    parsed = parse_url(url)
    assert (parsed.scheme, parsed.text) == (scheme, text)
    assert "secret" not in repr(parsed)


def test_local_and_http_only_where_allowed(tmp_path: Path) -> None:
    assert parse_url(str(tmp_path), allow_local=True).scheme == "local"
    assert parse_url(f"file://{tmp_path}", allow_local=True).text == str(tmp_path)
    assert parse_url("http://example.org/x", allow_http=True).scheme == "http"
    with pytest.raises(UsageError, match="no git repository"):
        parse_url(str(tmp_path / "absent"), allow_local=True)


def test_mask() -> None:
    text = "fatal: unable to access 'https://user:p%40ss@example.org/x?token=abc#f': no"
    assert mask(text) == "fatal: unable to access 'https://***@example.org/x?***': no"


HTTPS = parse_url("https://u:p@example.org/team/model.git")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("../other.git", "https://example.org/team/other.git"),
        ("../../any/other.git", "https://example.org/any/other.git"),
        ("./sub.git", "https://example.org/team/model.git/sub.git"),
        ("https://else.example/x", "https://else.example/x"),
    ],
)
def test_submodule_accepted(url: str, expected: str) -> None:
    assert submodule_url(HTTPS, url, name="sub").text == expected


def test_relative_submodule_keeps_credentials_but_another_host_gets_none() -> None:
    assert submodule_url(HTTPS, "../x", name="sub").password == "p"
    assert submodule_url(HTTPS, "https://else.example/x", name="sub").password == ""


@pytest.mark.parametrize(
    "url",
    ["../../../x", "../..", "file:///etc", "/etc", "ext::sh -c id", "-x", "http://example.org/x", "", "..\n/x"],
)
def test_submodule_refused(url: str) -> None:
    with pytest.raises(UsageError, match="sub"):
        submodule_url(HTTPS, url, name="sub")


def test_submodule_of_a_local_repository_stays_among_its_siblings(tmp_path: Path) -> None:
    for name in ("team/model", "team/other", "outside", "team/deep/er"):
        (tmp_path / name).mkdir(parents=True)
    parent = RepositoryUrl("local", str(tmp_path / "team" / "model"))
    assert submodule_url(parent, "../other", name="s").text == str(tmp_path / "team" / "other")
    (tmp_path / "team" / "link").symlink_to(tmp_path / "outside")
    for url in ("../../outside", "..", "../deep/er", "../link", str(tmp_path / "team" / "other")):
        with pytest.raises(UsageError, match="points outside"):
            submodule_url(parent, url, name="s")


def test_submodule_of_scp_like() -> None:
    parent = parse_url("git@example.org:team/model.git")
    assert submodule_url(parent, "../other.git", name="s").text == "git@example.org:team/other.git"
