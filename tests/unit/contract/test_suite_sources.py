"""Addresses of suites: by what they hold, never by what can be moved."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.contract.suite_sources import FOLDER, suite_folder, suite_source
from penstock.foundation.errors import UsageError

COMMIT, DIGEST = "0123456789abcdef" * 2 + "01234567", "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "kind", "place", "digest", "folder"),
    [
        (f"git+https://git.example.org/a/b.git@{COMMIT}", "git", "https://git.example.org/a/b.git", COMMIT, ""),
        (f"git+https://h:8443/a@{DIGEST}#x/y", "git", "https://h:8443/a", DIGEST, "x/y"),
        (f"git+ssh://git@h/a.git@{COMMIT}", "git", "ssh://git@h/a.git", COMMIT, ""),
        (f"oci://h:5000/a/b-c@sha256:{DIGEST}", "oci", "h:5000/a/b-c", DIGEST, ""),
        (f"s3://bucket/a/b/#sha256={DIGEST}", "s3", "s3://bucket/a/b", DIGEST, ""),
        (f"workspace://suite#sha256={DIGEST}", "workspace", "workspace://suite", DIGEST, ""),
    ],
)
def test_what_an_address_names(text: str, kind: str, place: str, digest: str, folder: str) -> None:
    source = suite_source(text)
    assert source is not None
    assert (source.text, source.kind, source.place, source.digest, source.folder) == (text, kind, place, digest, folder)
    assert suite_folder(text) == FOLDER


@pytest.mark.parametrize("text", ["suite", "a/b/", "a:b", "user@host", "./suite"])
def test_anything_else_is_a_folder(text: str) -> None:
    assert suite_source(text) is None
    assert suite_folder(text) == text


@pytest.mark.parametrize(
    ("text", "what", "todo"),
    [
        ("git+https://h/a@main", "'main' is not a whole commit: a branch or a tag can", "ls-remote https://h/a main"),
        ("git+https://h/a@v1.0.0#x", "'v1.0.0' is not a whole commit", "git ls-remote https://h/a v1.0.0"),
        (f"git+https://h/a@{COMMIT[:12]}", "is not a whole commit", "40 hexadecimal digits"),
        ("git+https://h/a", "it names no commit", "git ls-remote https://h/a HEAD"),
        ("git+ssh://git@h/a.git", "it names no commit", "git ls-remote ssh://git@h/a.git HEAD"),
        (f"git+https://u:hunter2@h/a@{COMMIT}", "the address holds credentials", "basic-auth"),
        (f"git+https://token@h/a@{COMMIT}", "the address holds credentials", "basic-auth"),
        (f"git+https://h/a@{COMMIT}#../x", "is not a folder of that repository", "without"),
        (f"git+https://h/a@{COMMIT}#", "is not a folder of that repository", ""),
        (f"git+ext://h/a@{COMMIT}", "begins with git+https:// or git+ssh://", ""),
        (f"git+https:///a@{COMMIT}", "this is not of the form", ""),
        ("oci://h/a:latest", "it names no digest: a tag can be moved", "skopeo inspect --raw docker://h/a:latest |"),
        (f"oci://h/a:v1@sha256:{DIGEST}", "this is not of the form oci://", ""),
        (f"oci://h/a@sha512:{DIGEST}", "it names no digest", ""),
        (f"oci://h@sha256:{DIGEST}", "this is not of the form oci://", ""),
        ("s3://bucket/a", "it names no digest: what lies there can be changed", "penstock suite digest"),
        (f"s3://bucket/#sha256={DIGEST}", "this is not of the form s3://", ""),
        (f"s3://bucket/a/../b#sha256={DIGEST}", "this is not of the form s3://", ""),
        (f"s3://bucket/a#sha256={DIGEST[:20]}", "it names no digest", ""),
        ("workspace://suite", "it names no digest", "penstock suite digest"),
        (f"workspace://other#sha256={DIGEST}", "a suite is not fetched from 'workspace://'", ""),
        ("https://h/suite.zip", "a suite is not fetched from 'https://'", "Write a folder of the repository"),
        (f"s3://bucket/a b#sha256={DIGEST}", "a space", ""),
        (f"git+https://h/a?token=hunter2@{COMMIT}", "a query", ""),
    ],
)  # fmt: skip
def test_refused_with_what_to_write(text: str, what: str, todo: str) -> None:
    with pytest.raises(UsageError) as caught:
        suite_source(text)
    assert what in caught.value.what
    assert todo in caught.value.todo
    assert "hunter2" not in str(caught.value)


@given(
    st.text(max_size=60).map(lambda rest: f"git+https://{rest}")
    | st.text(max_size=60).map(lambda rest: f"oci://{rest}")
)
def test_no_text_gets_through_without_a_digest(text: str) -> None:
    try:
        source = suite_source(text)
    except UsageError:
        return
    assert source is None or len(source.digest) in (40, 64)
