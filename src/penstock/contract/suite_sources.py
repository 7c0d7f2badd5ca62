"""Where a suite comes from: a folder of the repository, or a source elsewhere that is named by what it holds.

A source is never named by what can be moved. A branch, a tag and ``latest`` are refused: two runs of one commit would
be held to different cases, and nothing in their evidence would say so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final, Literal
from urllib.parse import urlsplit

from penstock.foundation.errors import UsageError

PLACE: Final = ".penstock"
"""A folder of the repository that Penstock fills: nothing may be committed there."""
FOLDER: Final = f"{PLACE}/suite"
"""Where a suite from elsewhere lies, once it is brought."""
BOUND: Final = "workspace://suite"
MAX_ADDRESS: Final = 2000
SuiteKind = Literal["git", "oci", "s3", "workspace"]
WAYS: Final = (
    "Write a folder of the repository, git+https://HOST/PATH@COMMIT, oci://HOST/PATH@sha256:DIGEST, "
    "s3://BUCKET/PREFIX#sha256=DIGEST or workspace://suite#sha256=DIGEST."
)
_HEX: Final = re.compile(r"[0-9a-f]{64}")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_GIT: Final = re.compile(r"git\+(?:https|http|ssh)://")
_S3: Final = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^#]+")
_OCI: Final = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+)")


@dataclass(frozen=True)
class SuiteSource:
    """A suite that does not lie in the model's repository."""

    text: str
    """As the contract has it; it holds no secret."""
    kind: SuiteKind
    place: str
    """git: the repository's address. oci: ``HOST/PATH``. s3: ``s3://BUCKET/PREFIX``. workspace: ``workspace://suite``.
    """
    digest: str
    """git: the commit. oci: the manifest's SHA-256. s3 and workspace: that of the list of files, see
    :mod:`penstock.sources.suite_files`."""
    folder: str = ""
    """git: a folder of that repository; empty: its root."""


def suite_source(text: str) -> SuiteSource | None:
    """What the contract's field ``suite`` names; ``None``: a folder of the repository.

    Raises:
        UsageError: an address that nothing is fetched from, or one that names what can be moved.
    """
    if "://" not in text:
        return None
    if len(text) > MAX_ADDRESS or not text.isprintable() or re.search(r"[\s\\?]", text):
        raise UsageError("the address has a space, a backslash or a query in it, or is too long", todo=WAYS)
    if text.startswith("git+"):
        return _git(text)
    if text.startswith("oci://"):
        return _oci(text)
    if text.startswith("s3://"):
        place, digest = _with_sha256(text)
        place = place.rstrip("/")
        if not _S3.fullmatch(place) or not _plain(place.split("/", 3)[3]):
            raise UsageError("this is not of the form s3://BUCKET/PREFIX#sha256=DIGEST", todo=WAYS)
        return SuiteSource(text, "s3", place, digest)
    if text.partition("#")[0] == BOUND:
        return SuiteSource(text, "workspace", *_with_sha256(text))
    raise UsageError(f"a suite is not fetched from '{text.partition('://')[0][:40]}://'", todo=WAYS)


def suite_folder(text: str) -> str:
    """The directory below the repository in which the suite lies, also one that is brought from elsewhere.

    Raises:
        UsageError: see :func:`suite_source`.
    """
    return text if suite_source(text) is None else FOLDER


def _git(text: str) -> SuiteSource:
    whole, _, folder = text.partition("#")
    if not _GIT.match(whole):
        raise UsageError("a suite's git address begins with git+https:// or git+ssh://", todo=WAYS)
    address, _, commit = whole.removeprefix("git+").rpartition("@")
    if "/" not in address.partition("://")[2]:  # the last '@' is that of a user
        address, commit = whole.removeprefix("git+"), ""
    try:
        parts = urlsplit(address)
        host, secret = parts.hostname, parts.password is not None
        secret = secret or (parts.username is not None and parts.scheme != "ssh")
    except ValueError:
        host, secret = None, False
    if secret:
        todo = "Take them out: the step clone reads them from the workspace basic-auth."
        raise UsageError("the address holds credentials", todo=todo)
    if not _COMMIT.fullmatch(commit):
        given = f"'{commit[:80]}' is not a whole commit" if commit else "it names no commit"
        shown = address if host else "ADDRESS"
        raise UsageError(
            f"{given}: a branch or a tag can be moved",
            todo=f"Write @ and the commit's 40 hexadecimal digits behind the address; "
            f"`git ls-remote {shown} {commit[:80] or 'HEAD'}` prints them.",
        )
    if not host or not parts.path.strip("/"):
        raise UsageError("this is not of the form git+https://HOST/PATH@COMMIT[#FOLDER]", todo=WAYS)
    if "#" in text and not _plain(folder):
        raise UsageError(f"'{folder[:200]}' is not a folder of that repository", todo="Write it without '..' and '//'.")
    return SuiteSource(text, "git", address, commit, folder)


def _oci(text: str) -> SuiteSource:
    name, _, digest = text.removeprefix("oci://").partition("@")
    algorithm, _, value = digest.partition(":")
    if algorithm != "sha256" or not _HEX.fullmatch(value):
        raise UsageError(
            "it names no digest: a tag can be moved",
            todo="Write @sha256:DIGEST in place of the tag; "
            f"`skopeo inspect --raw docker://{name[:200]} | sha256sum` prints the digest.",
        )
    if not _OCI.fullmatch(name):
        raise UsageError("this is not of the form oci://HOST/PATH@sha256:DIGEST", todo=WAYS)
    return SuiteSource(text, "oci", name, value)


def _with_sha256(text: str) -> tuple[str, str]:
    place, _, digest = text.partition("#")
    value = digest.removeprefix("sha256=")
    if value == digest or not _HEX.fullmatch(value):
        raise UsageError(
            "it names no digest: what lies there can be changed",
            todo="Write #sha256= behind it, and what `penstock suite digest DIR` prints for the suite's folder.",
        )
    return place, value


def _plain(path: str) -> bool:
    """Whether it is a relative path that stays where it is."""
    return (
        bool(path)
        and PurePosixPath(path).as_posix() == path
        and not path.startswith("/")
        and ".." not in path.split("/")
    )
