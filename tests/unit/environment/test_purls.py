"""Package URLs, read back by the reference implementation."""

from __future__ import annotations

import pytest
from packageurl import PackageURL

from penstock.environment.debian import DebianPackage, Distribution
from penstock.environment.purls import deb_purl, oci_purl, pypi_purl

DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("purl", "parts"),
    [
        (pypi_purl("torch", "2.6.0+cu124"), ("pypi", None, "torch", "2.6.0+cu124", {})),
        (pypi_purl("x", "1!2.0"), ("pypi", None, "x", "1!2.0", {})),
        (
            deb_purl(DebianPackage("libstdc++6", "1:2.3~rc1+b1", "amd64"), Distribution("debian", "12")),
            ("deb", "debian", "libstdc++6", "1:2.3~rc1+b1", {"arch": "amd64", "distro": "debian-12"}),
        ),
        (
            deb_purl(DebianPackage("tzdata", "1", "all"), None),
            ("deb", "debian", "tzdata", "1", {"arch": "all"}),
        ),
        (
            oci_purl("registry:5000/models/Sonic", DIGEST),
            ("oci", None, "sonic", DIGEST, {"repository_url": "registry:5000/models/Sonic"}),
        ),
    ],
)
def test_they_say_what_was_meant_in_the_canonical_form(purl: str, parts: tuple[object, ...]) -> None:
    read = PackageURL.from_string(purl)
    assert (read.type, read.namespace, read.name, read.version, read.qualifiers) == parts
    assert read.to_string() == purl
