"""Bringing a suite from elsewhere: git at a commit, an OCI artifact, a prefix on S3, or a folder that a run binds."""

from __future__ import annotations

import hashlib
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from penstock.contract.load import SUITE_FILE
from penstock.contract.suite_sources import SuiteSource
from penstock.foundation.errors import UsageError, WorldError
from penstock.foundation.files import disk_errors, inside, regular_files, sha256_file
from penstock.sources.fetch import copy_with_digest
from penstock.sources.git import clone
from penstock.sources.git_url import parse_url
from penstock.sources.image import failed, is_absent, registry_environment
from penstock.sources.image_registry import registry_access
from penstock.sources.program import run
from penstock.store.open import open_store
from penstock.suites.suite_files import MAX_BYTES, MAX_SUMS_BYTES, SUMS, digest_of, listed, parse
from penstock.suites.suite_layers import Unpacked, layers_of

log = logging.getLogger(__name__)
AT_ONCE = 8
"""Files of a prefix that are fetched at the same time."""
TIMEOUT_S = 1800.0


@dataclass(frozen=True)
class SuiteAccess:
    """What may be used to bring a suite: credentials, and how strictly servers are held."""

    repository: str = ""
    """Address of the model's repository: its user name and password are offered to its host only."""
    basic_auth: Path | None = None
    """As of :func:`penstock.sources.git.clone`."""
    ssh: Path | None = None
    allow_http: bool = False
    """Accept ``git+http://``."""
    store_credentials: Path | None = None
    """For S3, see :func:`penstock.store.s3_client.s3_client`."""
    authfile: Path | None = None
    """Credentials of registries."""
    tls_verify: bool = True
    """Of registries."""
    bound: Path | None = None
    """What the run binds to the workspace ``suite``."""
    skopeo: str = "skopeo"


def bring(source: SuiteSource, into: Path, workshop: Path, access: SuiteAccess) -> dict[str, str]:
    """Fill an empty folder with a suite, and compare it with the digest that it is named by.

    Args:
        source: where it comes from.
        into: the folder, on the same file system as ``workshop``.
        workshop: an empty folder for what lies about meanwhile.
        access: credentials and limits.

    Returns:
        Path → SHA-256 of every file.

    Raises:
        UsageError: the suite is not what its digest says, or holds what a suite may not hold.
        WorldError: a server cannot be reached, refuses, or does not have it.
    """
    into.mkdir()
    if source.kind == "git":
        _from_git(source, into, workshop, access)
    elif source.kind == "oci":
        _from_registry(source, into, workshop, access)
    elif source.kind == "s3":
        return _from_s3(source, into, access)
    else:
        _from_workspace(into, access.bound)
    files = listed(into)
    if sum((into / path).stat().st_size for path in files) > MAX_BYTES:
        raise _too_large(source.text)
    if source.kind == "workspace" and digest_of(files) != source.digest:
        raise UsageError(
            f"its digest is {digest_of(files)}, the contract says {source.digest}",
            where="the workspace 'suite'",
            todo="Bind the suite that the contract names, or name this one in penstock.yaml.",
        )
    return files


def _from_git(source: SuiteSource, into: Path, workshop: Path, access: SuiteAccess) -> None:
    place = workshop / "clone"
    found = clone(
        source.place,
        source.digest,
        place,
        submodules=False,
        credentials=_offered(source, access),
        ssh=access.ssh,
        allow_http=access.allow_http,
    )
    if found.commit != source.digest:  # a server may have a branch or tag of that name
        raise UsageError("the server has a branch or tag that is named as the commit", where=source.text)
    folder = inside(place, source.folder or ".", where=source.text)
    if not folder.is_dir():
        raise UsageError(
            f"the commit has no folder '{source.folder}'", where=source.text, todo="Correct what is after '#'."
        )
    prefix = f"{source.folder}/" if source.folder else ""
    if pointers := [path for path in found.pointers if path.startswith(prefix)]:
        todo = "Install git-lfs where the clone runs."
        raise WorldError(
            f"the content of '{pointers[0]}' is in Git LFS and was not brought", where=source.text, todo=todo
        )
    for path in sorted(folder.iterdir()):
        if path.name != ".git":
            path.rename(into / path.name)


def _offered(source: SuiteSource, access: SuiteAccess) -> Path | None:
    """The basic-auth directory, unless its password is that of another host, or would be sent without TLS where the
    repository's is not: ``penstock.yaml`` may name any address.
    """
    folder = access.basic_auth
    if folder is None or not (folder / "password").is_file():
        return folder
    if not access.repository or access.repository.startswith(("/", ".", "file:")):
        return None
    own, other = (parse_url(address, allow_http=True) for address in (access.repository, source.place))
    weaker = other.scheme == "http" and own.scheme != "http"
    return folder if own.host == other.host and not weaker else None


def _from_registry(source: SuiteSource, into: Path, workshop: Path, access: SuiteAccess) -> None:
    reference = f"docker://{source.place}@sha256:{source.digest}"
    options = registry_access(access.tls_verify, access.authfile)
    asked = run([access.skopeo, "inspect", "--raw", *options, reference], env=registry_environment(), timeout_s=120.0)
    if asked.code and is_absent(asked):
        todo = "Push the suite there, or correct the digest."
        raise WorldError("the registry has no artifact of that digest", where=source.text, todo=todo)
    if asked.code:
        raise failed("the registry cannot be asked for the suite", asked, source.text)
    if hashlib.sha256(asked.output).hexdigest() != source.digest:
        raise WorldError("the registry sent another manifest than it was asked for", where=source.text)
    layers = layers_of(asked.output, where=source.text)
    options = [word.replace("--tls-verify", "--src-tls-verify") for word in options]
    argv = [access.skopeo, "copy", "--quiet", "--preserve-digests", *options, reference, f"oci:{workshop}:suite"]
    with disk_errors(workshop):
        copied = run(argv, env=registry_environment(), timeout_s=TIMEOUT_S)
    if copied.code:
        raise failed("the suite cannot be fetched from the registry", copied, source.text)
    unpacked = Unpacked(into, source.text)
    for layer in layers:
        blob = workshop / "blobs" / "sha256" / layer.digest
        if not blob.is_file() or blob.stat().st_size != layer.size or sha256_file(blob) != layer.digest:
            raise WorldError("a layer is not what the manifest says", where=source.text, todo="Push the suite again.")
        unpacked.add(layer, blob)
    _without_its_folder(into, workshop)


def _without_its_folder(into: Path, workshop: Path) -> None:
    """Of a folder that was packed with its own name (``oras push … suite``), what lies in it."""
    entries = list(into.iterdir())
    if len(entries) == 1 and entries[0].is_dir() and (entries[0] / SUITE_FILE).is_file():
        own = entries[0].rename(workshop / "unpacked")
        for path in sorted(own.iterdir()):
            path.rename(into / path.name)
        own.rmdir()


def _from_s3(source: SuiteSource, into: Path, access: SuiteAccess) -> dict[str, str]:
    """The list of the files, which the digest is of, and then each file, by the digest that the list has."""
    store = open_store(source.place, access.store_credentials)
    content = store.read(SUMS, MAX_SUMS_BYTES)
    if (found := hashlib.sha256(content).hexdigest()) != source.digest:
        todo = "Correct the contract: `penstock suite push` prints the address of a suite."
        raise UsageError(
            f"the list's SHA-256 is {found}, the contract says {source.digest}", where=store.location(SUMS), todo=todo
        )
    files = parse(content, where=store.location(SUMS))

    def fetch(path: str) -> None:
        store.get_file(path, into / path, files[path])

    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            if sum(size or 0 for size in pool.map(store.size, files)) > MAX_BYTES:
                raise _too_large(source.text)
            for _ in pool.map(fetch, files):
                pass
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return files


def _from_workspace(into: Path, bound: Path | None) -> None:
    if bound is None or not bound.is_dir():
        raise UsageError(
            "the run binds no suite, and the contract asks for one",
            where="the workspace 'suite'",
            todo="Bind a ConfigMap or a volume to it; on one machine, --workspace suite=DIR.",
        )
    folder = bound
    if (data := bound / "..data").is_symlink():
        # a mounted ConfigMap: every name in it is a link into the folder that this one leads to
        folder = data.resolve()
        if folder.parent != bound.resolve():
            raise UsageError("'..data' leads out of it", where="the workspace 'suite'")
    size = 0
    for path in regular_files(folder):
        size += (folder / path).stat().st_size
        if size > MAX_BYTES:
            raise _too_large("the workspace 'suite'")
        copy_with_digest(folder / path, into / path)


def _too_large(where: str) -> UsageError:
    return UsageError(
        f"the suite is larger than {MAX_BYTES >> 30} GiB",
        where=where,
        todo="Split it, or leave out what no case names.",
    )
