"""What the Hugging Face hub says when it is asked for a file: which commit, how large, which digest, or why not.

The hub answers ``/ORG/REPO/resolve/COMMIT/FILE`` itself, or redirects to where large files are kept (those of Git LFS):
then ``X-Linked-ETag`` and ``X-Linked-Size`` are the file's SHA-256 and size. Why it refuses stands in ``X-Error-Code``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from penstock.contract.weight_sources import HUB, HubFile
from penstock.foundation.errors import UsageError, WorldError

_DIGEST = re.compile(r'(?:W/)?"?([0-9a-f]{64})"?')
TOKEN_TODO = "Bind the workspace weights-credentials: a file huggingface.co that holds a token with read access."  # noqa: S105


def hub_refusal(status: int, headers: Mapping[str, str], wanted: HubFile, *, token: bool) -> WorldError | None:
    """Why the hub gives a file not out; ``None`` if it does, or for a reason that has nothing to do with the hub.

    Args:
        status: of its answer.
        headers: of its answer.
        wanted: the file.
        token: whether a token was sent.
    """
    code, name = headers.get("X-Error-Code", ""), wanted.repository
    where = f"hf://{name}@{wanted.revision}/{wanted.file}"
    if code == "GatedRepo":
        todo = f"Accept its terms at {HUB}/{name} with the account of the token."
        return WorldError("the model is gated", where=where, todo=todo if token else f"{todo} {TOKEN_TODO}")
    if code == "RevisionNotFound":
        return WorldError("the model has no such commit", where=where, todo=f"See {HUB}/{name}/commits/main.")
    if code == "EntryNotFound":
        todo = f"See {HUB}/{name}/tree/{wanted.revision}."
        return WorldError("the model has no such file at this commit", where=where, todo=todo)
    if status in (401, 403) or code == "RepoNotFound":
        # the hub does not say whether a private model exists
        what = "the token may not read the model" if token else "there is no such model, or it is private"
        return WorldError(f"{what}, or it does not exist" if token else what, where=where, todo=TOKEN_TODO)
    return None


def check_hub_answer(headers: Mapping[str, str], wanted: HubFile, sha256: str, max_bytes: int) -> None:
    """Compare what the hub says of a file before it is fetched: a wrong digest is known without its gigabytes.

    Raises:
        WorldError: the answer is for another commit.
        UsageError: the file has another SHA-256 than ``sha256``, or is larger than ``max_bytes``.
    """
    where = f"hf://{wanted.repository}@{wanted.revision}/{wanted.file}"
    commit = headers.get("X-Repo-Commit", wanted.revision)
    if commit != wanted.revision:
        raise WorldError(f"the server answered for the commit {commit[:80]}", where=where, todo="Try again.")
    digest = _DIGEST.fullmatch(headers.get("X-Linked-ETag", ""))
    if digest is not None and digest[1] != sha256:
        raise UsageError(
            f"the file's SHA-256 is {digest[1]}, the contract says {sha256}",
            where=where,
            todo="Correct the digest, or the commit.",
        )
    size = headers.get("X-Linked-Size", "")
    if size.isdigit() and int(size) > max_bytes:
        raise UsageError(f"the file is larger than {max_bytes} bytes", where=where)
