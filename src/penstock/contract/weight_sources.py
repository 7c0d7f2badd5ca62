"""Where weights come from: what a contract's ``source`` may be, a file of the hub, and weights that a run names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urlsplit

from penstock.contract.models import Contract, Weights
from penstock.foundation.errors import UsageError

SourceKind = Literal["lfs", "path", "https", "s3", "hf"]
S3_SOURCE = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^\s?#]+")
HUB = "https://huggingface.co"
HUB_SOURCE = re.compile(
    r"hf://(?P<repository>[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95})(@(?P<revision>[^/\s?#]+))?/(?P<file>[^\s?#@]+)",
    re.ASCII,
)
COMMIT = re.compile(r"[0-9a-f]{40}")
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
GIVEN = re.compile(
    r"(?:(?P<path>[^:\s]+?)=)?(?P<source>(?:https|s3|hf|file)://[^\s#]+)#sha256=(?P<sha256>[0-9a-fA-F]{64})"
)
WAYS = "Use 'lfs', a path in the repository, https://…, s3://bucket/key or hf://org/repo@commit/file."


def source_kind(source: str) -> SourceKind:
    """What kind of place weights come from.

    Raises:
        UsageError: Penstock does not fetch from it: only ``lfs``, a path in the repository, ``https://…``,
            ``s3://bucket/key`` and ``hf://org/repo@commit/file``.
    """
    if source == "lfs":
        return "lfs"
    found = SCHEME.match(source)
    scheme = found[1].lower() if found else ""
    if scheme == "https":
        _check_https(source)
        return "https"
    if scheme == "s3":
        if not S3_SOURCE.fullmatch(source):
            raise UsageError("this is not of the form s3://bucket/key", todo=WAYS)
        return "s3"
    if scheme == "hf":
        hub_file(source)
        return "hf"
    if scheme:
        raise UsageError(f"weights are not fetched from '{scheme}:'", todo=WAYS)
    return "path"


def _check_https(source: str) -> None:
    try:
        parts = urlsplit(source)
        host, secret = parts.hostname, parts.username is not None or parts.password is not None
        _ = parts.port
    except ValueError:
        host, secret = None, False
    if secret:
        raise UsageError(
            "the URL holds credentials",
            todo="Take them out; the step weights reads them from the workspace weights-credentials.",
        )
    if not host or re.search(r"[\s\\\x00-\x1f]", source):
        raise UsageError("this is not a valid https URL", todo=WAYS)


@dataclass(frozen=True)
class HubFile:
    """One file of a model on the Hugging Face hub, at a commit."""

    repository: str
    """``org/repo``."""
    revision: str
    """A commit: 40 hexadecimal digits."""
    file: str
    """Path in that repository."""

    def address(self, hub: str = HUB) -> str:
        """Where the hub serves it, by its own ``resolve`` address."""
        return f"{hub}/{self.repository}/resolve/{self.revision}/{quote(self.file)}"


def hub_file(source: str) -> HubFile:
    """The file that ``hf://org/repo@commit/file`` names.

    Raises:
        UsageError: it is not of this form, or the revision is not a commit: a branch or a tag can be moved.
    """
    found = HUB_SOURCE.fullmatch(source)
    if found is None or any(part in ("", ".", "..") for part in found["file"].split("/")):
        raise UsageError("this is not of the form hf://org/repo@commit/file", todo=WAYS)
    repository, revision = found["repository"], found["revision"]
    if revision is None or not COMMIT.fullmatch(revision):
        given = f"the revision '{revision[:80]}' is not a commit" if revision else "it names no commit"
        raise UsageError(
            f"{given}: a branch or a tag can be moved",
            todo=f"Write the commit's 40 hexadecimal digits: the field 'sha' of {HUB}/api/models/{repository}/revision/"
            f"{quote(revision or 'main', safe='')}, or the page {HUB}/{repository}/commits/main.",
        )
    return HubFile(repository, revision, found["file"])


@dataclass(frozen=True)
class GivenWeights:
    """Weights that a run names in place of those of the contract: ``[PATH=]URL#sha256=DIGEST``."""

    path: str
    """Which of the contract's weights; empty: the only one."""
    source: str
    """``https://…``, ``s3://…``, ``hf://…``, or ``file:///…`` for a run on one machine."""
    sha256: str

    def text(self) -> str:
        """As the pipeline's parameter ``weights`` has it."""
        return f"{f'{self.path}=' if self.path else ''}{self.source}#sha256={self.sha256}"


def given_weights(text: str) -> GivenWeights:
    """Read the pipeline's parameter ``weights``.

    Raises:
        UsageError: it is not of the form ``[PATH=]URL#sha256=DIGEST``, or the address is none that is fetched from.
    """
    found = GIVEN.fullmatch(text)
    if found is None:
        raise UsageError(
            f"'{text[:200]}' is not [PATH=]URL#sha256=DIGEST",
            where="weights",
            todo="Write https://, s3:// or hf://, and behind it '#sha256=' with what sha256sum prints for the file.",
        )
    if not found["source"].startswith("file:"):
        try:
            source_kind(found["source"])
        except UsageError as error:
            raise UsageError(error.what, where="weights", todo=error.todo) from None
    return GivenWeights(found["path"] or "", found["source"], found["sha256"].lower())


def in_place_of(contract: Contract, given: GivenWeights) -> Weights:
    """Which of the contract's weights are replaced.

    Raises:
        UsageError: there are none, none with that path, or several and it is not said which.
    """
    paths = ", ".join(weights.path for weights in contract.weights)
    if not contract.weights:
        raise UsageError(
            "the contract names no weights that could be replaced",
            where="weights",
            todo="Name the file in 'weights' of penstock.yaml.",
        )
    if given.path:
        found = next((weights for weights in contract.weights if weights.path == given.path), None)
        if found is None:
            raise UsageError(f"the contract has no weights '{given.path}'", where="weights", todo=f"It has: {paths}.")
        return found
    if len(contract.weights) > 1:
        raise UsageError(
            f"the contract has {len(contract.weights)} files of weights",
            where="weights",
            todo=f"Say which: PATH=URL#sha256=DIGEST, PATH being one of {paths}.",
        )
    return contract.weights[0]
