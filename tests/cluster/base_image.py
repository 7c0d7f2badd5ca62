"""A stand-in for ``docker.io/library/python:3.11-slim``, made of Debian packages: Docker's registry is not asked.

It has the official image's layout: Python below ``/usr/local`` with pip and ``site-packages``, none below ``/usr``. It
carries what this machine trusts beside Debian's certificates, so that builds reach the world as the machine does.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from tests.cluster.oci import Image, Layer, Registry, write_layer
from tests.cluster.settings import Settings

from penstock.foundation.errors import UsageError, WorldError
from penstock.foundation.files import sha256_file

REPOSITORY = "library/python"
TAG = "3.11-slim"
RECIPE = 1
"""Raise it when :func:`arrange` changes: images of an older one are made anew."""
SUITE = "bookworm"
PYTHON = "python3.11"
PACKAGES = (
    "ca-certificates",
    "netbase",
    "tzdata",
    "python3-minimal",
    "libpython3.11",
    "python3-distutils",
    "python3.11-venv",
)
UNNEEDED = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/info",
    "usr/share/locale",
    "var/cache/apt",
    "var/lib/apt/lists",
    "var/log",
)
"""What the official image lacks, too; the directories themselves stay."""
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
TIMEOUT_S = 900
SITE = """\
import os, site, sys
site.addsitedir(os.path.join(sys.prefix, "lib", "python3.11", "site-packages"))
"""


def provide(settings: Settings) -> str:
    """Make the image unless the cache has it, and push it unless the registry has it; returns its digest."""
    folder = settings.cache / "cluster" / f"base-image-{recipe()[:12]}"
    if not (folder / "layer.json").is_file():
        print("cluster: making the Python base image", flush=True)  # noqa: T201
        make(folder)
    stored = json.loads((folder / "layer.json").read_text())
    layer = Layer(**{**stored, "path": folder / "layer.tar.gz"})
    image = Image(
        layers=(layer,),
        command=("python3",),
        environment={
            "PATH": "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
        },
    )
    registry = Registry(settings.registry)
    wanted = f"sha256:{hashlib.sha256(image.manifest()).hexdigest()}"
    if registry.digest(REPOSITORY, TAG) != wanted:
        registry.push(REPOSITORY, TAG, image)
    return wanted


def recipe() -> str:
    """SHA-256 of what decides the image: how it is made, and what the machine trusts."""
    return hashlib.sha256(
        json.dumps([RECIPE, SUITE, PACKAGES, UNNEEDED, SITE, sha256_file(trusted())]).encode()
    ).hexdigest()


def trusted() -> Path:
    """The machine's bundle of certificates."""
    return Path(os.environ.get("SSL_CERT_FILE") or f"/{CERTIFICATES}")


def make(folder: Path) -> None:
    """Make the image's layer in ``folder``, which is there whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    for stale in folder.parent.glob(".base-image-*"):  # of a run that was killed
        shutil.rmtree(stale)
    work = Path(tempfile.mkdtemp(prefix=".base-image-", dir=folder.parent))
    try:
        root, result = work / "root", work / "result"
        _run("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, str(root))
        arrange(root)
        result.mkdir()
        layer = write_layer(result / "layer.tar.gz", tree(root), compress=True)
        (result / "layer.json").write_text(json.dumps({**asdict(layer), "path": ""}))
        for older in folder.parent.glob("base-image-*"):
            shutil.rmtree(older)
        result.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def arrange(root: Path) -> None:
    """Turn a fresh Debian with its own Python into what the official image looks like."""
    local = root / "usr/local"
    library = local / "lib" / PYTHON
    shutil.copytree(root / "usr/lib" / PYTHON, library, symlinks=True, dirs_exist_ok=True)
    shutil.rmtree(library / "dist-packages", ignore_errors=True)
    shutil.copy2(root / "usr/bin" / PYTHON, local / "bin" / PYTHON)
    for link in ("python3", "python"):
        (local / "bin" / link).symlink_to(PYTHON)
    shared = next((root / "usr/lib/x86_64-linux-gnu").glob("libpython3.11.so.1.0"))
    shutil.copy2(shared, local / "lib" / shared.name)
    upstream_layout(library)
    trust(root)
    wheels = ["--no-index", "--find-links", "/usr/share/python-wheels", "--no-cache-dir", "--root-user-action=ignore"]
    pip = next((root / "usr/share/python-wheels").glob("pip-*.whl"))
    _chroot(
        root,
        "/usr/local/bin/python3",
        f"/usr/share/python-wheels/{pip.name}/pip",
        "install",
        *wheels,
        "pip",
        "setuptools",
    )
    _chroot(root, "dpkg", "--purge", "--force-depends", *_debian_python(root))
    (root / "etc/pip.conf").write_text(f"[global]\ncert = /{CERTIFICATES}\n")
    _chroot(root, "ldconfig")
    for unneeded in UNNEEDED:
        for path in (root / unneeded).glob("*"):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    for compiled in root.rglob("__pycache__"):
        shutil.rmtree(compiled)


def upstream_layout(library: Path) -> None:
    """Undo, in a copy of Debian's standard library, what makes it install elsewhere than Python's own does."""
    (library / "EXTERNALLY-MANAGED").unlink(missing_ok=True)
    _replace(library / "sysconfig.py", "prefix_scheme = 'posix_local'", "prefix_scheme = 'posix_prefix'")
    (library / "site-packages").mkdir(exist_ok=True)
    # the module "site" is frozen into the interpreter, with Debian's directories
    (library / "sitecustomize.py").unlink(missing_ok=True)  # a link out of the library
    (library / "sitecustomize.py").write_text(SITE)


def trust(root: Path) -> None:
    """Add the certificates that this machine trusts and Debian does not, where ``update-ca-certificates`` looks."""
    known = set(_certificates(root / CERTIFICATES))
    added = [certificate for certificate in _certificates(trusted()) if certificate not in known]
    for number, certificate in enumerate(added):
        (root / f"usr/local/share/ca-certificates/machine-{number}.crt").write_text(certificate)
    _chroot(root, "update-ca-certificates")


def _certificates(bundle: Path) -> Iterator[str]:
    end = "-----END CERTIFICATE-----"
    for piece in bundle.read_text(encoding="utf-8").split(end)[:-1]:
        yield piece[piece.index("-----BEGIN") :] + end + "\n"


def _debian_python(root: Path) -> list[str]:
    status = (root / "var/lib/dpkg/status").read_text(encoding="utf-8")
    names = [line.removeprefix("Package: ") for line in status.splitlines() if line.startswith("Package: ")]
    # but not the wheels of pip and setuptools: "python3 -m venv" takes them from there
    return [name for name in names if name.startswith(("python3", "libpython3")) and not name.endswith("-whl")]


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    if old not in text:
        raise WorldError(
            f"Debian's Python has changed: no {old.strip()!r}", where=path.name, todo="Adapt base_image.py."
        )
    path.write_text(text.replace(old, new), encoding="utf-8")


def tree(root: Path) -> Iterator[tuple[str, Path]]:
    """Everything below ``root``, parents first, as :func:`write_layer` wants it."""
    for path in sorted(root.rglob("*")):
        yield str(path.relative_to(root)), path


def _chroot(root: Path, *command: str) -> None:
    _run("chroot", str(root), *command)


def _run(*command: str) -> None:
    # in a mount namespace of its own: whatever is mounted goes with it, also if this is killed
    environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
    proxies = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    argv = ["unshare", "--mount", "--propagation=private", *command]
    try:
        done = subprocess.run(
            argv, env={**environment, **proxies}, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except FileNotFoundError:
        raise UsageError("there is no 'unshare'", where="cluster-up", todo="Install util-linux.") from None
    except subprocess.TimeoutExpired:
        raise WorldError(f"{command[0]} took longer than {TIMEOUT_S} s", where="the base image") from None
    if done.returncode != 0:
        tail = "\n".join(f"  | {line}" for line in (done.stdout + done.stderr).splitlines()[-20:])
        raise WorldError(
            f"'{' '.join(command[:3])}' failed with status {done.returncode}:\n{tail}", where="the base image"
        )
