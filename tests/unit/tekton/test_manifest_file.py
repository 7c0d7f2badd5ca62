"""YAML of manifests as kubectl reads it."""

from __future__ import annotations

import pytest

from penstock.tekton.manifest_file import parse_manifests


@pytest.mark.parametrize(
    ("plain", "value"),
    [
        ("yes", True),
        ("off", False),
        ("010", 8),
        ("0x1f", 31),
        ("1_000", 1000),
        ("1e3", 1000.0),
        ("2020-01-01", "2020-01-01"),
        ("1:30", "1:30"),
        ("~", None),
        ("09", 9.0),
        ("1.2.3", "1.2.3"),
        ("'yes'", "yes"),
        ("y", True),
        ("N", False),
        ("'y'", "y"),
        ("yn", "yn"),
    ],
)
def test_plain_scalars_as_kubectl_reads_them(plain, value):
    assert parse_manifests(f"a: {plain}\n".encode(), name="f")[0].value == {"a": value}


def test_anchors_and_merges():
    text = b"base: &b {x: 1, z: 2}\nuse: {<<: *b, z: 3}\n"
    assert parse_manifests(text, name="f")[0].value["use"] == {"z": 3, "x": 1}


def test_keys_as_kubectl_reads_them():
    assert parse_manifests(b"{y: 1, N: 2, 010: 3, 'n': 4}", name="f")[0].value == {
        "true": 1,
        "false": 2,
        "8": 3,
        "n": 4,
    }
