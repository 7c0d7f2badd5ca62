"""Secrets, pictures and vectors are found in a log; what looks like them and is none is let alone."""

from __future__ import annotations

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.evaluation.unfit_for_logs import picture_in, secret_field, secret_in, vector_field, vector_in

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(300)).decode()
JPEG = base64.b64encode(b"\xff\xd8\xff\xe0" + bytes(300)).decode()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("-----BEGIN RSA PRIVATE KEY-----", "a private key"),
        ("-----BEGIN PRIVATE KEY-----", "a private key"),
        ("key AKIAIOSFODNN7EXAMPLE used", "an AWS access key"),
        ("ghp_" + "a1B2" * 9, "a GitHub token"),
        ("hf_" + "abcdefghij" * 3, "a Hugging Face token"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmN", "a JSON web token"),
        ("connecting to postgres://app:hunter22@db/faces", "an address with a password"),
        ("Authorization: Bearer abcdef0123456789", "an authorization"),
        ("password=hunter22", "a value of 'password'"),
        ('"api_key": "k-82736451"', "a value of 'api_key'"),
        ("DB_PASSWORD: hunter22", "a value of 'password'"),
        ("MODEL_TOKEN=s3cr3t-value", "a value of 'token'"),
    ],
)
def test_secrets(text: str, kind: str) -> None:
    assert secret_in(text) == kind
    assert secret_in(f"2026-01-02 INFO {text} and more") == kind


@pytest.mark.parametrize(
    "text",
    [
        "loaded 12 tokens",
        "max_tokens=4096",
        "token: 1234567890",
        "password=********",
        "password: <hidden>",
        "secret=[redacted]",
        "api_key=None",
        "tokenizer: bert-base-uncased",
        "passwordless login",
        "https://example.org/a:b@c",
        "https://example.org/image.png",
        "basic test",
        '{"event": "recognize", "image_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}',
        "AKIA is no key",
    ],
)
def test_what_is_no_secret(text: str) -> None:
    assert secret_in(text) is None


def test_fields_of_a_line_that_are_called_like_secrets() -> None:
    assert secret_field({"event": "x", "request": {"password": "hunter22"}}) == "a value of 'password'"
    assert secret_field({"user_token": "abcdef-123"}) == "a value of 'user_token'"
    assert secret_field({"password": "***", "token": 12345678, "tokens": "abcdefgh", "secret": None}) is None


def test_pictures() -> None:
    assert picture_in(f'"image": "{PNG}"') == picture_in(JPEG) == "a picture"
    assert picture_in("data:image/jpeg;base64,") == "a picture"
    assert picture_in("A" * 2000) == "raw data in base64"
    assert picture_in("9f86d081884c7d659a2feaa0c55ad015" * 4) is None
    assert picture_in(PNG[:40]) is None


def test_vectors() -> None:
    numbers = [0.125 * place for place in range(32)]
    assert vector_field({"feature": numbers})
    assert vector_field({"faces": [{"feature": numbers}]})
    assert vector_field({"message": f"feature {numbers}"})
    assert vector_in(f"feature is {numbers} now")
    assert not vector_field({"boxes": [[1, 2, 3, 4]] * 40, "flags": [True] * 64})
    assert not vector_field({"feature": numbers[:31]})
    assert not vector_in("2026-01-02 03:04:05.678 12 34 0.5")


@given(st.text(max_size=300))
def test_any_text_can_be_looked_at(text: str) -> None:
    secret_in(text)
    picture_in(text)
    vector_in(text)


@pytest.mark.parametrize("piece", ["1", "1,", "1.1.", "a:", "token=", "eyJ", "a://b:", "A", "-----BEGIN ", "1e1,,"])
def test_long_lines_take_no_long_time(piece: str) -> None:
    text = piece * ((256 << 10) // len(piece))
    began = time.process_time()
    secret_in(text)
    picture_in(text)
    vector_in(text)
    assert time.process_time() - began < 5  # some tenths; a pattern that tries all splits would take hours
