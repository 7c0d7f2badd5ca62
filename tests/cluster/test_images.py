"""Images that the cluster makes without a builder, pushed into a real registry and read by tools that are not ours."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
from pathlib import Path

import pytest
from tests.cluster import base_image, registry, tekton_images
from tests.cluster.oci import Image, Registry, write_layer
from tests.cluster.settings import Settings

from penstock.foundation.errors import WorldError


def skopeo(*arguments: str) -> str:
    done = subprocess.run(["skopeo", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("compress", [False, True])
def test_push(settings: Settings, server: Registry, tmp_path: Path, compress: bool) -> None:
    program, link = tmp_path / "program", tmp_path / "link"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    link.symlink_to("program")
    files = [("ko-app/deep/program", program), ("ko-app/deep/link", link)]
    layer = write_layer(tmp_path / "layer", files, compress=compress)
    image = Image((layer,), entrypoint=("/ko-app/deep/program",), environment={"A": "b"}, user="65532:65532")

    assert server.digest("some/image", "1") is None
    digest = server.push("some/image", "1", image)
    assert server.digest("some/image", "1") == digest
    assert server.push("some/image", "1", image) == digest  # again: nothing to bring

    skopeo("copy", "--src-tls-verify=false", f"docker://{settings.registry}/some/image@{digest}", f"dir:{tmp_path}/got")
    config = json.loads(
        skopeo("inspect", "--config", "--tls-verify=false", f"docker://{settings.registry}/some/image:1")
    )
    assert config["config"] == {
        "Entrypoint": ["/ko-app/deep/program"], "Env": ["A=b"], "User": "65532:65532", "WorkingDir": "/"
    }  # fmt: skip
    with tarfile.open(tmp_path / "got" / layer.digest.removeprefix("sha256:")) as tar:
        members = {member.name: member for member in tar}
    assert list(members) == ["ko-app", "ko-app/deep", "ko-app/deep/program", "ko-app/deep/link"]
    assert members["ko-app/deep/program"].mode == 0o755
    assert members["ko-app/deep/link"].linkname == "program"


def test_same_files_make_the_same_layer(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("content")
    first = write_layer(tmp_path / "1", [("a/file", file)], compress=True)
    os.utime(file, (0, 0))
    assert write_layer(tmp_path / "2", [("a/file", file)], compress=True).digest == first.digest


def test_registry_that_is_away(settings: Settings) -> None:
    with pytest.raises(WorldError, match="cannot be reached"):
        Registry(settings.registry).digest("some/image", "1")


def test_deletes_are_allowed(settings: Settings, server: Registry, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("content")
    digest = server.push("some/image", "1", Image((write_layer(tmp_path / "layer", [("file", file)]),)))
    skopeo("delete", "--tls-verify=false", f"docker://{settings.registry}/some/image@{digest}")
    assert server.digest("some/image", "1") is None


def test_mirrors(settings: Settings, server: Registry, tmp_path: Path) -> None:
    """A builder on the host finds the official names in our registry."""
    registry.write_mirrors(settings)
    file = tmp_path / "file"
    file.write_text("content")
    server.push(base_image.REPOSITORY, base_image.TAG, Image((write_layer(tmp_path / "layer", [("file", file)]),)))
    mirrors = str(registry.mirrors(settings))
    found = skopeo("--registries-conf", mirrors, "inspect", "--no-tags", "docker://docker.io/library/python:3.11-slim")
    assert json.loads(found)["Architecture"] == "amd64"


def test_git_files_run_alone(tmp_path: Path) -> None:
    """Git, tini and their libraries are all that the resolvers' image has."""
    with tarfile.open(write_layer(tmp_path / "layer", tekton_images.git_files()).path) as tar:
        tar.extractall(tmp_path / "root", filter="data")
    root = tmp_path / "root"
    loader = next(root.rglob("ld-linux-x86-64.so.2"))
    libraries = ":".join(sorted({str(path.parent) for path in root.rglob("*.so*")}))
    for program in ("usr/bin/git", "usr/lib/git-core/git-remote-https"):
        listed = subprocess.run(
            [loader, "--inhibit-cache", "--library-path", libraries, "--list", root / program],
            capture_output=True,
            text=True,
            check=False,
        )
        assert listed.returncode == 0, listed.stdout + listed.stderr
        outside = [line for line in listed.stdout.splitlines() if "=> /" in line and str(root) not in line]
        assert outside == []


def test_tags_follow_the_files(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tekton_images.shell()
    assert tekton_images.shell().tag == before.tag
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "busybox").write_bytes(b"another one")
    (folder / "busybox").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    assert tekton_images.shell().tag != before.tag


def test_standard_library_of_the_base_image_is_upstreams(tmp_path: Path) -> None:
    library = tmp_path / "python3.11"
    library.mkdir()
    (library / "EXTERNALLY-MANAGED").touch()
    (library / "sysconfig.py").write_text("prefix_scheme = 'posix_local'\n")
    (library / "sitecustomize.py").symlink_to("/etc/python3.11/sitecustomize.py")
    base_image.upstream_layout(library)
    assert not (library / "EXTERNALLY-MANAGED").exists()
    assert "posix_prefix" in (library / "sysconfig.py").read_text()
    assert "site-packages" in (library / "sitecustomize.py").read_text()
    with pytest.raises(WorldError, match="has changed"):
        base_image.upstream_layout(library)  # nothing to replace any more
