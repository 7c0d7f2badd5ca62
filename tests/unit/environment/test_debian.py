"""Debian packages and the distribution, from files that anybody may have made."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.environment import debian
from penstock.environment.debian import (
    DebianPackage,
    Distribution,
    read_debian_packages,
    read_distribution,
    shortened_status,
)

STATUS = """\
Package: libc6
Status: install ok installed
Multi-Arch: same
Architecture: amd64
Version: 2.36-9+deb12u10
Description: GNU C Library
 Version: this is text
 .
 More of it

Package: removed
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: held
Status: hold ok installed
Architecture: all
Version: 1:2.0~rc1-1
"""


def test_what_is_installed_is_kept() -> None:
    assert shortened_status(STATUS) == "libc6 2.36-9+deb12u10 amd64\nheld 1:2.0~rc1-1 all\n"


def test_images_without_dpkg_have_a_file_a_package() -> None:
    one = shortened_status("Package: tzdata\nVersion: 2026a-0\nArchitecture: all\n")
    contents = {"var/lib/dpkg/status.d/tzdata": one, "var/lib/dpkg/status": "libc6 2 amd64\nlibc6 2 amd64\n"}
    assert read_debian_packages(contents) == [
        DebianPackage("libc6", "2", "amd64"),
        DebianPackage("tzdata", "2026a-0", "all"),
    ]
    assert shortened_status("0123456789abcdef  usr/share/doc/tzdata\n") == ""


@pytest.mark.parametrize(
    "stanza",
    [
        "Package: ../x\nVersion: 1\nArchitecture: all",
        "Package: x y\nVersion: 1\nArchitecture: all",
        "Package: x\nVersion: 1 2\nArchitecture: all",
        "Package: x\nVersion: 1\x1b[2J\nArchitecture: all",
        "Package: x\nArchitecture: all",
        "Package: x\nVersion: 1\nArchitecture: a/b",
        "Package: " + "x" * 101 + "\nVersion: 1\nArchitecture: all",
        "Version: 1",
        ": :\n::\nPackage",
    ],
)
def test_what_debian_would_not_allow_is_passed_over(stanza: str) -> None:
    assert shortened_status(f"{stanza}\n\n{STATUS}").startswith("libc6 ")
    assert shortened_status(stanza) == ""


def test_there_is_a_bound_to_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "MAX_PACKAGES", 3)
    many = "".join(f"Package: p{number}\nVersion: 1\nArchitecture: all\n\n" for number in range(9))
    assert shortened_status(many).splitlines() == ["p0 1 all", "p1 1 all", "p2 1 all"]


@given(st.text(alphabet=st.sampled_from("Package: Version\nArchitecture\t.1+~x"), max_size=200))
def test_whatever_stands_there_comes_back_as_it_was_kept(text: str) -> None:
    kept = shortened_status(text)
    found = read_debian_packages({"var/lib/dpkg/status": kept})
    assert {str(package) for package in found} == set(kept.splitlines())


@pytest.mark.parametrize(
    ("contents", "found"),
    [
        ({"etc/os-release": 'NAME="Debian"\nID=debian\nVERSION_ID="12"\n'}, Distribution("debian", "12")),
        ({"usr/lib/os-release": "ID='ubuntu'\nVERSION_ID=24.04"}, Distribution("ubuntu", "24.04")),
        ({"usr/lib/os-release": "ID=a", "etc/os-release": "ID=b"}, Distribution("b", "")),
        ({"usr/lib/os-release": "ID=a", "etc/os-release": "ID=A B"}, Distribution("a", "")),
        ({"etc/os-release": "ID=debian\nVERSION_ID=1 2"}, Distribution("debian", "")),
        ({"etc/os-release": "MY_ID=x"}, None),
        ({"opt/os-release": "ID=debian"}, None),
        ({}, None),
    ],
)
def test_whose_distribution_it_is(contents: dict[str, str], found: Distribution | None) -> None:
    assert read_distribution(contents) == found
