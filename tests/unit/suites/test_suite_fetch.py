"""Bringing suites from a git server, a registry, S3, and a mounted ConfigMap."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.environment.image_server import ImageServer
from tests.unit.sources.source_servers import GitServer, commit, git, new_repository
from tests.unit.suites.tarred import FILES, TAR, artifact, tarred

from penstock.contract.suite_sources import SuiteSource, suite_source
from penstock.foundation.errors import PenstockError, UsageError, WorldError
from penstock.sources.tree import LFS_POINTER
from penstock.suites import suite_fetch
from penstock.suites.suite_fetch import SuiteAccess, bring
from penstock.suites.suite_files import SUMS, as_text, digest_of
from penstock.suites.suite_layers import TITLE, UNPACK

SUMS_OF_FILES = {path: hashlib.sha256(content).hexdigest() for path, content in FILES.items()}
OUTER = "a"  # as a folder in it
NO_TLS = SuiteAccess(allow_http=True, tls_verify=False)


def source(text: str) -> SuiteSource:
    found = suite_source(text)
    assert found is not None
    return found


class Brought:
    """Where it is brought to."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.tried = 0

    def __call__(self, text: str, access: SuiteAccess = NO_TLS) -> dict[str, str]:
        self.tried += 1
        folder = self.place / str(self.tried)
        (folder / "about").mkdir(parents=True)
        found = bring(source(text), folder / "files", folder / "about", access)
        for path, digest in found.items():
            assert hashlib.sha256((folder / "files" / path).read_bytes()).hexdigest() == digest
        return found


@pytest.fixture
def brought(tmp_path: Path) -> Brought:
    return Brought(tmp_path / "brought")


# git


@pytest.fixture
def suites(tmp_path: Path) -> Path:
    """A repository of suites: one in a folder, another in the root."""
    path = new_repository(tmp_path / "served" / "suites")
    commit(path, {**FILES, "portraits/suite.yaml": "version: 1\n", "portraits/a/c.png": "another"})
    return path


def test_git_at_a_commit_also_one_that_no_branch_names_any_more(
    brought: Brought, suites: Path, serve_git: Callable[..., GitServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    oid = git(suites, "rev-parse", "HEAD")
    git(suites, "tag", "keep", oid)
    commit(suites, {"suite.yaml": "changed"})
    server = serve_git(suites.parent)
    address = f"git+{server.url}/suites@{oid}"
    assert brought(f"{address}#portraits").keys() == {"suite.yaml", "a/c.png"}
    assert brought(address)["suite.yaml"] == SUMS_OF_FILES["suite.yaml"]
    monkeypatch.setattr(suite_fetch, "MAX_BYTES", 3)
    with pytest.raises(UsageError, match="the suite is larger than"):
        brought(address)
    with pytest.raises(UsageError, match="no folder 'landscapes'"):
        brought(f"{address}#landscapes")
    with pytest.raises(UsageError, match="http is not allowed"):
        brought(address, replace(NO_TLS, allow_http=False))


def test_a_branch_named_as_the_commit_is_not_taken_for_it(
    brought: Brought, suites: Path, serve_git: Callable[..., GitServer]
) -> None:
    git(suites, "branch", "c" * 40)
    with pytest.raises(UsageError, match="named as the commit"):
        brought(f"git+{serve_git(suites.parent).url}/suites@{'c' * 40}")


def test_the_password_goes_to_the_models_own_host_only(
    brought: Brought, suites: Path, serve_git: Callable[..., GitServer], tmp_path: Path
) -> None:
    oid = git(suites, "rev-parse", "HEAD")
    login = tmp_path / "login"
    login.mkdir()
    (login / "username").write_text("ann")
    (login / "password").write_text("hunter2")
    server = serve_git(suites.parent, login="ann:hunter2")
    address = f"git+{server.url}/suites@{oid}"
    own = replace(NO_TLS, basic_auth=login, repository=f"{server.url}/model")
    assert brought(address, own).keys() >= FILES.keys()
    server.seen.clear()
    for elsewhere in ("http://127.0.0.1:1/model", "/a/model", "git@127.0.0.1:model"):
        with pytest.raises(WorldError, match="asks for credentials"):
            brought(address, replace(own, repository=elsewhere))
    assert server.seen == []


@pytest.mark.parametrize("hostile", ["link", "pointer", "case"])
def test_a_git_suite_that_may_not_be_one(
    brought: Brought, suites: Path, serve_git: Callable[..., GitServer], hostile: str
) -> None:
    if hostile == "link":
        (suites / "x.png").symlink_to("/etc/passwd")
    elif hostile == "pointer":
        (suites / "x.png").write_bytes(LFS_POINTER + b"oid sha256:" + b"a" * 64 + b"\nsize 3\n")
    else:
        (suites / "A").mkdir()
        (suites / "A" / "x.png").write_text("x")
    oid = commit(suites, {})
    with pytest.raises(PenstockError, match=r"link|git lfs pull|Git LFS|one file where capitals"):
        brought(f"git+{serve_git(suites.parent).url}/suites@{oid}")


# a registry


@pytest.mark.slow
@pytest.mark.parametrize(
    "layers",
    [
        [(TAR, tarred(FILES), {})],
        [(f"{TAR}+gzip", tarred(FILES, packed=True), {TITLE: "suite", UNPACK: "true"})],
        [(f"{TAR}+gzip", tarred({f"{OUTER}/{path}": text for path, text in FILES.items()}, packed=True), {})],
        [("application/octet-stream", content, {TITLE: path}) for path, content in FILES.items()],
    ],
    ids=["tar", "oras folder", "with its folder's name", "oras files"],
)
def test_an_artifact_of_a_registry(
    brought: Brought, registry: ImageServer, layers: list[tuple[str, bytes, dict[str, str]]]
) -> None:
    assert brought(f"oci://{registry.url}@{artifact(registry, *layers)}") == SUMS_OF_FILES


@pytest.mark.slow
def test_a_registry_without_it_or_that_lies(brought: Brought, registry: ImageServer) -> None:
    with pytest.raises(WorldError, match="no artifact of that digest"):
        brought(f"oci://{registry.url}@sha256:{'7' * 64}")
    digest = artifact(registry, (TAR, tarred(FILES), {}))
    registry.manifests[f"sha256:{'8' * 64}"] = registry.manifests[digest]
    with pytest.raises(WorldError):
        brought(f"oci://{registry.url}@sha256:{'8' * 64}")
    registry.blobs = dict.fromkeys(registry.blobs, b"other")
    with pytest.raises(WorldError):
        brought(f"oci://{registry.url}@{digest}")


# S3


def stored(bucket: Any, files: dict[str, bytes]) -> str:
    for path, content in files.items():
        bucket.put_object(Bucket="weights", Key=f"suites/a/{path}", Body=content)
    sums = {path: hashlib.sha256(content).hexdigest() for path, content in FILES.items()}
    bucket.put_object(Bucket="weights", Key=f"suites/a/{SUMS}", Body=as_text(sums).encode())
    return f"s3://weights/suites/a#sha256={digest_of(sums)}"


@pytest.mark.slow
def test_a_prefix_of_s3(brought: Brought, bucket: Any) -> None:
    address = stored(bucket, FILES)
    assert brought(address) == SUMS_OF_FILES
    bucket.put_object(Bucket="weights", Key="suites/a/a/b.png", Body=b"another")
    with pytest.raises(WorldError, match="SHA-256"):
        brought(address)
    bucket.put_object(Bucket="weights", Key=f"suites/a/{SUMS}", Body=b"another")
    with pytest.raises(UsageError, match="SHA-256"):
        brought(address)
    bucket.delete_object(Bucket="weights", Key=f"suites/a/{SUMS}")
    with pytest.raises(WorldError):
        brought(address)


@pytest.mark.slow
def test_a_list_that_leads_out_is_refused_before_a_file_is_fetched(brought: Brought, bucket: Any) -> None:
    content = as_text({"suite.yaml": "a" * 64, "../../x": "b" * 64}).encode()
    bucket.put_object(Bucket="weights", Key=f"suites/b/{SUMS}", Body=content)
    with pytest.raises(UsageError, match="leaves the suite"):
        brought(f"s3://weights/suites/b#sha256={hashlib.sha256(content).hexdigest()}")


# a workspace


def mounted(place: Path) -> Path:
    """As Kubernetes mounts a ConfigMap."""
    data = place / "..2026_11_27"
    for path, content in FILES.items():
        (data / path).parent.mkdir(parents=True, exist_ok=True)
        (data / path).write_bytes(content)
    (place / "..data").symlink_to("..2026_11_27")
    for name in ("suite.yaml", "a"):
        (place / name).symlink_to(f"..data/{name}")
    return place


def test_a_configmap_or_a_folder_by_its_digest(brought: Brought, tmp_path: Path) -> None:
    address = f"workspace://suite#sha256={digest_of(SUMS_OF_FILES)}"
    place = mounted(tmp_path / "mounted")
    assert brought(address, replace(NO_TLS, bound=place)) == SUMS_OF_FILES
    assert brought(address, replace(NO_TLS, bound=place / "..2026_11_27")) == SUMS_OF_FILES
    (place / "..2026_11_27" / "suite.yaml").write_text("version: 2")
    with pytest.raises(UsageError, match="the contract says") as caught:
        brought(address, replace(NO_TLS, bound=place))
    assert "penstock.yaml" in caught.value.todo
    (place / "..data").unlink()
    (place / "..data").symlink_to("/etc")
    with pytest.raises(UsageError, match="leads out"):
        brought(address, replace(NO_TLS, bound=place))
    with pytest.raises(UsageError, match="binds no suite"):
        brought(address)
