"""Whether an event comes from its forge."""

from __future__ import annotations

import pytest

from penstock.notices.forge_places import Kind
from penstock.pulls.signatures import is_signed

SECRET = b"It's a Secret to Everybody"
BODY = b"Hello, World!"
# the example of GitHub's documentation
SIGNED = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


@pytest.mark.parametrize("kind", ["github", "gitea"])
def test_the_documented_example(kind: Kind) -> None:
    assert is_signed(kind, SECRET, {"x-hub-signature-256": SIGNED}, BODY)


@pytest.mark.parametrize(
    "given", ["", SIGNED.upper(), SIGNED[:-1], SIGNED.removeprefix("sha256="), "sha256=", "\udce9é"]
)
def test_others_are_none(given: str) -> None:
    assert not is_signed("github", SECRET, {"x-hub-signature-256": given}, BODY)


def test_another_body_or_no_header() -> None:
    assert not is_signed("github", SECRET, {"x-hub-signature-256": SIGNED}, BODY + b"!")
    assert not is_signed("github", SECRET, {}, BODY)
    assert not is_signed("github", SECRET, {"x-gitlab-token": SECRET.decode()}, BODY)


def test_gitlab_sends_the_secret() -> None:
    assert is_signed("gitlab", SECRET, {"x-gitlab-token": SECRET.decode()}, BODY)
    assert not is_signed("gitlab", SECRET, {"x-gitlab-token": ""}, BODY)
    assert not is_signed("gitlab", SECRET, {"x-hub-signature-256": SIGNED}, BODY)
