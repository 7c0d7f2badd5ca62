"""Installed wheels: what they say, and whether a Python can import them."""

from __future__ import annotations

import pytest

from penstock.environment.wheels import (
    Version,
    allows,
    normal_name,
    read_requirement,
    read_wheel,
    release_of,
    unfit_tag,
)

METADATA = """\
Metadata-Version: 2.1
Name: Onnxruntime_GPU
Version: 1.23.2
Requires-Python: >=3.10
Requires-Dist: numpy>=1.21.6
Requires-Dist: nvidia-cuda-runtime-cu12~=12.0; extra == "cuda"
Requires-Dist: nvidia-cudnn-cu12 (==8.9.2.26) ; platform_system == "Linux"

Name: not a header any more
"""


def test_the_headers_of_a_wheel() -> None:
    wheel = read_wheel(METADATA, "Wheel-Version: 1.0\nTag: cp311-cp311-linux_x86_64\nTag: py3-none-any\n", "site")
    assert wheel is not None
    assert (wheel.name, wheel.version, wheel.requires_python) == ("onnxruntime-gpu", "1.23.2", ">=3.10")
    assert wheel.tags == ("cp311-cp311-linux_x86_64", "py3-none-any")
    assert [(each.name, each.version, each.extra) for each in wheel.requires] == [
        ("numpy", "1.21.6", False),
        ("nvidia-cuda-runtime-cu12", "12.0", True),
        ("nvidia-cudnn-cu12", "8.9.2.26", False),
    ]


@pytest.mark.parametrize(
    ("headers", "expression", "names"),
    [
        ("License-Expression: MIT OR Apache-2.0", "MIT OR Apache-2.0", ()),
        ("License: MIT\nClassifier: License :: OSI Approved :: MIT License", "", ("MIT",)),
        ("License: see LICENSE\nClassifier: License :: OSI Approved :: BSD License", "", ("BSD License",)),
        ("License: NVIDIA Proprietary Software", "", ("NVIDIA Proprietary Software",)),
        ("License: UNKNOWN\nClassifier: License :: OSI Approved", "", ()),
        ("License: Of my own\x1b[2J", "", (r"Of my own\x1b[2J",)),
        ("License: " + "x" * 9_000, "", ("x" * 200,)),
        ("", "", ()),
    ],
)
def test_the_licence_that_a_wheel_states(headers: str, expression: str, names: tuple[str, ...]) -> None:
    wheel = read_wheel(f"Name: a\nVersion: 1\n{headers}\n", "", "site")
    assert wheel is not None
    assert (wheel.licence_expression, wheel.licence_names) == (expression, names)


def test_a_licence_of_many_lines_does_not_end_the_headers() -> None:
    text = "Name: a\nVersion: 1\nLicense: First line\n        \n        Requires-Dist: no\nRequires-Dist: numpy\n"
    wheel = read_wheel(text, "", "site")
    assert wheel is not None
    assert (wheel.licence_names, [each.name for each in wheel.requires]) == (("First line",), ["numpy"])


@pytest.mark.parametrize(
    "metadata", ["", "Name: x", "Name: x\nVersion: none", "Name: ../x\nVersion: 1", "\nName: x\nVersion: 1"]
)
def test_what_is_no_wheel(metadata: str) -> None:
    assert read_wheel(metadata, "", "site") is None


def test_names_and_versions() -> None:
    assert normal_name("Nvidia_Cuda.Runtime--cu12") == "nvidia-cuda-runtime-cu12"
    assert release_of("2.6.0+cu124") == (2, 6, 0)
    assert release_of("1!2.0rc1") == (2, 0)
    assert release_of("latest") == ()
    assert read_requirement("; python_version > '3'") is None


@pytest.mark.parametrize(
    ("asked", "python", "fits"),
    [
        ("", (3, 11), True),
        (">=3.11", (3, 11), True),
        (">=3.12", (3, 11), False),
        (">=3.8,<3.12", (3, 12), False),
        ("<3.12.0,>=3.8.1", (3, 11), True),
        ("<4.0", (3, 13), True),
        ("~=3.8", (3, 11), True),
        ("~=3.8.1", (3, 9), False),
        ("==3.10.*", (3, 11), False),
        ("==3.11.*", (3, 11), True),
        ("!=3.9.*,>=3.8", (3, 9), False),
        ("!=3.9.7,>=3.8", (3, 9), True),
        (">3.10", (3, 11), True),
        ("<=3.10", (3, 11), False),
        ("nonsense", (3, 11), True),
    ],
)
def test_requires_python(asked: str, python: Version, fits: bool) -> None:
    assert allows(asked, python) is fits


@pytest.mark.parametrize(
    ("tag", "fits"),
    [
        ("py3-none-any", True),
        ("py2.py3-none-any", True),
        ("cp311-cp311-manylinux_2_28_x86_64", True),
        ("cp311-cp311-manylinux1_x86_64", True),
        ("cp311-cp311-linux_x86_64", True),
        ("cp38-abi3-manylinux2014_x86_64", True),
        ("py39-none-manylinux_2_17_x86_64", True),
        ("py312-none-any", False),
        ("py2-none-any", False),
        ("cp312-cp312-manylinux_2_28_x86_64", False),
        ("cp310-cp310-manylinux_2_28_x86_64", False),
        ("cp312-abi3-manylinux_2_28_x86_64", False),
        ("cp311-cp311-manylinux_2_28_aarch64", False),
        ("cp311-cp311-musllinux_1_2_x86_64", False),
        ("cp311-cp311-win_amd64", False),
        ("nonsense", False),
    ],
)
def test_tags(tag: str, fits: bool) -> None:
    assert (unfit_tag([tag], (3, 11), "x86_64", musl=False) is None) is fits


def test_one_tag_that_fits_will_do_and_none_says_nothing() -> None:
    assert unfit_tag(["cp310-cp310-any", "py3-none-any"], (3, 11), "x86_64", musl=None) is None
    assert unfit_tag([], (3, 11), "x86_64", musl=None) is None
    assert unfit_tag(["cp311-cp311-manylinux_2_17_x86_64"], (3, 11), "", musl=True) == (
        "it needs the GNU C library, and the image has musl"
    )
