"""What is installed in an image: Debian's packages and Python's, each with its version, kept with the image."""

from __future__ import annotations

import json
from typing import Any

from penstock.foundation.errors import WorldError
from penstock.sources.program import run

LABEL = "dev.penstock.packages"
"""Holds the list as JSON: ``{"deb": {NAME: VERSION}, "python": ["NAME==VERSION"]}``."""
TIMEOUT_S = 600.0
SCRIPT = r"""
import json, os, re
deb = {}
try:
    with open("/var/lib/dpkg/status", encoding="utf-8", errors="replace") as file:
        for block in file.read().split("\n\n"):
            fields = dict(re.findall(r"^(Package|Version|Status): (.*)$", block, re.M))
            if fields.get("Status", "").endswith(" installed") and "Version" in fields:
                deb[fields["Package"]] = fields["Version"]
except FileNotFoundError:
    pass
python = set()
for top in ("/usr/local/lib", "/usr/lib", "/opt"):
    for folder, folders, _ in os.walk(top):
        for name in folders:
            found = re.fullmatch(r"(.+?)-([^-]+)\.dist-info", name)
            if found and "_vendor" not in folder:
                python.add(f"{found[1].lower().replace('_', '-')}=={found[2]}")
print(json.dumps({"deb": dict(sorted(deb.items())), "python": sorted(python)}))
"""
"""Run in the image by its own Python, with nothing of ours beside it."""


def label_packages(image: str) -> dict[str, Any]:
    """Look into an image that was just built, and give it the list as a label, under the same name.

    Raises:
        WorldError: it cannot be started, or what it says is no such list.
    """
    container = _buildah("from", "--quiet", "--pull-never", image)
    try:
        said = _buildah("run", "--isolation=chroot", "--user=0:0", container, "--", "python3", "-I", "-c", SCRIPT)
        packages = parse(said, where=image)
        text = json.dumps(packages, separators=(",", ":"))
        _buildah("config", f"--label={LABEL}={text}", container)
        _buildah("commit", "--quiet", "--format=oci", container, image)
        return packages
    finally:
        run(["buildah", "rm", container], timeout_s=TIMEOUT_S)


def pushed_packages(reference: str, *, tls_verify: bool) -> dict[str, Any]:
    """The list of an image in a registry; empty if it has none.

    Raises:
        WorldError: the registry fails, or the label is no such list.
    """
    verify = f"--tls-verify={str(tls_verify).lower()}"
    asked = run(["skopeo", "inspect", "--no-tags", verify, f"docker://{reference}"], timeout_s=TIMEOUT_S)
    if asked.code:
        raise WorldError(f"the registry cannot be asked for the image: {asked.tail[-300:]}", where=reference)
    labels = json.loads(asked.output).get("Labels") or {}
    return parse(labels[LABEL], where=reference) if LABEL in labels else {}


def parse(text: str, *, where: str) -> dict[str, Any]:
    """Read the list.

    Raises:
        WorldError: it is none.
    """
    try:
        content = json.loads(text)
        versions, names = content["deb"], content["python"]
        if not all(isinstance(word, str) for word in [*versions, *versions.values(), *names]):
            raise TypeError("not text")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WorldError(f"the image does not say what is installed in it: {error}", where=where) from None
    return {"deb": versions, "python": names}


def _buildah(*arguments: str) -> str:
    done = run(["buildah", *arguments], timeout_s=TIMEOUT_S)
    if done.code:
        raise WorldError(f"buildah {arguments[0]} failed: {done.tail[-300:]}", where=arguments[-1][:200])
    return done.output.decode("utf-8", "replace").strip()
