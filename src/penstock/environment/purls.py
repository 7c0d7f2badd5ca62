"""Package URLs: the names by which scanners know components.

Specification: https://github.com/package-url/purl-spec
"""

from __future__ import annotations

from urllib.parse import quote

from penstock.environment.debian import DebianPackage, Distribution

_PLAIN = "-._~:"


def pypi_purl(name: str, version: str) -> str:
    """``pkg:pypi/torch@2.6.0%2Bcu124``; the name as an index has it."""
    return f"pkg:pypi/{quote(name, safe=_PLAIN)}@{quote(version, safe=_PLAIN)}"


def deb_purl(package: DebianPackage, distribution: Distribution | None) -> str:
    """``pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12``."""
    vendor = distribution.name if distribution is not None else "debian"
    distro = f"&distro={vendor}-{distribution.version}" if distribution is not None and distribution.version else ""
    name, version = (quote(text, safe=_PLAIN) for text in (package.name, package.version))
    return f"pkg:deb/{quote(vendor, safe=_PLAIN)}/{name}@{version}?arch={package.architecture}{distro}"


def oci_purl(address: str, digest: str) -> str:
    """``pkg:oci/model@sha256:…?repository_url=registry.example.org/models/model``.

    Args:
        address: of the image, without tag and digest.
        digest: ``sha256:…``.
    """
    name = address.rpartition("/")[2].lower()
    repository = quote(address, safe=f"{_PLAIN}/")
    return f"pkg:oci/{quote(name, safe=_PLAIN)}@{quote(digest, safe=_PLAIN)}?repository_url={repository}"
