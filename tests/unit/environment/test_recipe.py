"""A Containerfile, read."""

from __future__ import annotations

import pytest

from penstock.environment.recipe import CopyLine, expanded, installs, read_recipe

STAGES = """\
# syntax=docker/dockerfile:1
ARG VERSION=11.8.0
FROM docker.io/nvidia/cuda:${VERSION}-cudnn8-runtime-ubuntu22.04 AS Base
ENV LANG=C.UTF-8 NAME="a b" \\
    # a comment in between
    OTHER='c d'
ENV OLD the old form
USER 10001

FROM --platform=$BUILDPLATFORM python:3.11 AS builder
USER builder
RUN pip install wrong==1

FROM base
ARG WHO=10002
USER $WHO:${WHO}
HEALTHCHECK --interval=10s \\
  CMD ["true"]
RUN <<EOF
pip install right==2
USER nobody
EOF
CMD ["python"]
"""


def test_the_last_stage_has_what_it_stands_on() -> None:
    stage = read_recipe(STAGES)
    assert stage is not None
    assert stage.base == "docker.io/nvidia/cuda:11.8.0-cudnn8-runtime-ubuntu22.04"
    assert stage.environment == {"LANG": "C.UTF-8", "NAME": "a b", "OTHER": "c d", "OLD": "the old form"}
    assert stage.user == "10002:10002"
    assert stage.healthcheck == '--interval=10s CMD ["true"]'
    assert installs(stage.runs).packages == ["right==2"]


def test_target_and_arguments() -> None:
    stage = read_recipe(STAGES, target="base", args={"VERSION": "12.4.1"})
    assert stage is not None
    assert (stage.base, stage.user) == ("docker.io/nvidia/cuda:12.4.1-cudnn8-runtime-ubuntu22.04", "10001")
    builder = read_recipe(STAGES, target="1")
    assert builder is not None
    assert (builder.base, builder.user) == ("python:3.11", "builder")
    assert read_recipe(STAGES, target="absent") is None
    assert read_recipe("") is None
    assert read_recipe("RUN true\nFROM") is None


def test_no_health_check() -> None:
    stage = read_recipe("FROM a\nHEALTHCHECK CMD true\nHEALTHCHECK NONE\n")
    assert stage is not None
    assert (stage.healthcheck, stage.user) == ("", None)


def test_another_escape() -> None:
    stage = read_recipe("# escape=`\nFROM a\nENV A=1 `\n  B=2\n")
    assert stage is not None
    assert stage.environment == {"A": "1", "B": "2"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$A-${A}", "1-1"),
        ("${B:-2}", "2"),
        ("${A:+3}", "3"),
        ("${B:+3}", ""),
        (r"\$A", "$A"),
        ("$B", ""),
        ("${A:-x}", "1"),
    ],
)
def test_variables(text: str, value: str) -> None:
    assert expanded(text, {"A": "1"}) == value


def test_what_pip_and_uv_install() -> None:
    found = installs(
        [
            "apt-get install --yes python3-pip; /opt/v/bin/pip3 install --no-cache-dir -r requirements.txt -rmore.txt",
            "python -m pip install 'onnxruntime-gpu[cuda]==1.23.2' --extra-index-url=https://e.org/simple -c c.txt",
            "uv pip install --system --requirement=three.txt --index-url https://download.pytorch.org/whl/cu118 torch",
        ]
    )
    assert found.files == ["requirements.txt", "more.txt", "three.txt"]
    assert found.packages == ["onnxruntime-gpu[cuda]==1.23.2", "torch"]
    assert found.indexes == ["https://e.org/simple", "https://download.pytorch.org/whl/cu118"]


@pytest.mark.slow
def test_hostile_recipes_are_read_in_a_moment() -> None:
    grows = "FROM a\nENV A=" + "x" * 1000 + "\n" + "ENV A=$A$A$A$A\n" * 2000
    stage = read_recipe(grows)
    assert stage is not None
    assert len(stage.environment["A"]) <= 4000
    assert read_recipe("FROM a\nRUN <<EOF\n" + "x\n" * 100_000) is not None
    assert read_recipe("FROM a AS b\n" * 5000) is not None
    assert read_recipe("FROM a\nENV " + "a" * 1_000_000) is not None
    assert read_recipe("FROM a\nENV A=" + "x" * 200 + "\nRUN pip install " + "$A" * 500_000) is not None
    assert read_recipe("FROM a\n" + "ENV A=$A$A$A$A$A$A$A$A\n" * 9000) is not None
    assert read_recipe("FROM a\nENV\nENV =\nUSER\nENV A") is not None
    assert read_recipe("\x00" * 1000 + "\\\n" * 5000) is None


@pytest.mark.parametrize(
    ("lines", "directory"),
    [
        ("", None),
        ("WORKDIR app", None),
        ("WORKDIR /a/../b/", "/b/"),
        ("WORKDIR /a\nWORKDIR b\nWORKDIR ../c", "/a/c"),
        ('WORKDIR "/a b"', "/a b"),
        ("ENV AT=/x\nWORKDIR ${AT}/y", "/x/y"),
    ],
)
def test_the_working_directory(lines: str, directory: str | None) -> None:
    stage = read_recipe(f"FROM a\n{lines}\n")
    assert stage is not None
    assert stage.directory == directory


def test_what_a_copy_line_says() -> None:
    stage = read_recipe("FROM scratch\nCOPY a b/ c\nADD --chown=1 $X/d.tar /e/\nCOPY --from=z f /g\n")
    assert stage is not None
    assert stage.copies == [CopyLine(("a", "b/"), "/c", unpacks=False), CopyLine(("/d.tar",), "/e/", unpacks=True)]
    many = read_recipe("FROM scratch\n" + "COPY a b\n" * 2000)
    assert many is not None
    assert len(many.copies) == 1000
