"""Secrets, pictures and vectors are found in a log; what looks like them and is none is let alone."""

from __future__ import annotations

import base64
import json
import random
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.evaluation.unfit_for_logs import (
    picture_field,
    picture_in,
    secret_field,
    secret_in,
    vector_field,
    vector_in,
    vector_lines,
)

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
        ("accessToken: 9944b09199", "a value of 'token'"),
        ("DBPassword=hunter22", "a value of 'password'"),
        ("password=trueLove99", "a value of 'password'"),
        ("password=nullbyte99", "a value of 'password'"),
        ("password=correcthorse", "a value of 'password'"),
        ("password: $ecretPa55", "a value of 'password'"),
        ("password=(openses4me", "a value of 'password'"),
        ("redis://:hunter22@redis", "an address with a password"),
        ("{'Authorization': 'Token 9944b09199c62bcf'}", "a value of 'authorization'"),
        ("Authorization: Basic dXNlcjpwYXNzd29yZA==", "an authorization"),
        ("python serve.py --db-password hunter22", "a value of 'password'"),
        (r"said {\"password\": \"hunter22\"}", "a value of 'password'"),
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
        "Using basic segmentation model",
        "Basic configuration loaded",
        "bearer authentication is off",
        "Invalid token: Signature has expired",
        "Unexpected token: punctuation",
        "password: required",
        "secret: mounted from volume",
        "loading token: tokenizer.json",
        "hf token: missing",
        "loaded token: v1.2.3",
        "next_token=abc123",
        'password = os.environ["DB_PASSWORD"]',
        "password=self.password",
        "password=db_password",
        "password=$DB_PASSWORD",
        "password=${DB_PASSWORD}",
        "def __init__(self, token: Optional[str] = None",
        "usage: serve.py --password PASSWORD",
        "postgres://app:***@db/faces",
        '{"event": "recognize", "image_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}',
        "AKIA is no key",
    ],
)
def test_what_is_no_secret(text: str) -> None:
    assert secret_in(text) is None


def test_fields_of_a_line_that_are_called_like_secrets() -> None:
    assert secret_field({"event": "x", "request": {"password": "hunter22"}}) == "a value of 'password'"
    assert secret_field({"user_token": "abcdef-123"}) == "a value of 'token'"
    assert secret_field({"password": "***", "token": 12345678, "tokens": "abcdefgh", "secret": None}) is None


@pytest.mark.parametrize(
    ("field", "called"),
    [
        ({"accessToken": "9944b09199"}, "token"),
        ({"clientSecret": "hunterhunter"}, "secret"),
        ({"password": "my_password"}, "password"),
        ({"authToken": "9944b09199"}, "token"),
        ({"APIKey": "k-82736451"}, "api_key"),
        ({"Authorization": "Token 9944b09199"}, "authorization"),
        ({"password": ["hunterhunter"]}, "password"),
        ({"calls": [{"password": "hunterhunter"}]}, "password"),
        ({"argv": ["serve.py", "--password", "hunter22"]}, "password"),
        ({"message": "DB password: hunter22"}, "password"),
        ({"text": "password=hunter22"}, "password"),
        ({"\ud800 password": "abcdefgh"}, "password"),
        ({"hidden in the name password=hunter22": 1}, "password"),
    ],
)
def test_a_secret_in_a_json_line_is_named_by_our_own_word(field: dict[str, object], called: str) -> None:
    assert secret_field({"event": "x"} | field) == f"a value of '{called}'"


@pytest.mark.parametrize(
    "field",
    [
        {"next_token": "Hello world"},
        {"nextToken": "page2of3"},
        {"token": "Hello"},
        {"password": "field required"},
        {"text": "WiFi password: welcome2024"},
    ],
)
def test_what_a_model_read_is_no_secret(field: dict[str, object]) -> None:
    assert secret_field({"event": "x"} | field) is None


def test_a_secret_by_its_form_is_found_in_any_field() -> None:
    assert secret_field({"read": ["AKIAIOSFODNN7EXAMPLE"]}) == "an AWS access key"
    assert secret_field({"url": "redis://:hunter22@redis"}) == "an address with a password"


def test_pictures() -> None:
    assert picture_in(f'"image": "{PNG}"') == picture_in(JPEG) == "a picture"
    assert picture_in("data:image/jpeg;base64,") == "a picture"
    assert picture_in("A" * 2000) == "raw data in base64"
    assert picture_in("9f86d081884c7d659a2feaa0c55ad015" * 4) is None
    assert picture_in(PNG[:40]) is None


def test_pictures_however_they_are_written() -> None:
    data = base64.b64encode(b"\xff\xd8\xff\xe0" + bytes(range(256)) * 4).decode()
    lines = "\n".join(data[start : start + 76] for start in range(0, len(data), 76))
    assert picture_field({"faces": [{"image": lines}]}) == "a picture"
    assert picture_in(json.dumps(lines)) == picture_in(data.replace("/", "\\/")) == "a picture"
    assert picture_in(data.replace("/", "_").replace("+", "-")) == "a picture"
    raw = base64.urlsafe_b64encode(random.Random(1).randbytes(1600)).decode()
    assert picture_in(raw) == "raw data in base64"
    assert picture_field({"text": "\n".join(["a line of some words"] * 200)}) is None


EMBEDDING = [round(random.Random(2).gauss(0, 1), 6) for _ in range(512)]


@pytest.mark.parametrize(
    "text",
    [
        str(np.array(EMBEDDING, dtype=np.float32)),
        repr(np.array(EMBEDDING, dtype=np.float32)),
        f"tensor({str(EMBEDDING).replace(', 0.', ',' + chr(10) + '        0.')}, device='cuda:0')",
        str(np.array(EMBEDDING).reshape(32, 16)),
        "[" + ", ".join(f"np.float32({number})" for number in EMBEDDING) + "]",
        "[" + ", ".join(f"[{number}]" for number in EMBEDDING) + "]",
        str([number if place else float("nan") for place, number in enumerate(EMBEDDING)][:40]),
    ],
)
def test_a_vector_however_it_is_printed(text: str) -> None:
    assert vector_in(text)
    assert list(vector_lines(f"one\nfeature: {text} that was it\nnp")) == [1]
    assert vector_field({"event": "x", "message": f"feature {text}"})


def test_a_vector_in_rows() -> None:
    assert vector_field({"feature": [[number] for number in EMBEDDING]})
    assert vector_field({"feature": [EMBEDDING[start : start + 16] for start in range(0, 512, 16)]})
    assert vector_field({"feature": [EMBEDDING[start : start + 4] for start in range(0, 512, 4)]})
    assert vector_field({"feature": [str(number) for number in EMBEDDING]})
    assert vector_field({"feature": [f"np.float32({number})" for number in EMBEDDING]})
    assert vector_field({"feature": list(range(128))})


@pytest.mark.parametrize(
    "value",
    [
        list(range(40)),
        [0] * 40,
        [0.0] * 40,
        [[1, 2, 3, 4]] * 40,
        [[12.5, 3.25, 100.1, 50.7, 0.98]] * 40,
        [{"box": [12.5, 3.25, 100.1, 50.7], "score": 0.98}] * 40,
        [[0.25, 0.75]] * 106,
    ],
)
def test_what_a_detector_logs_is_no_vector(value: object) -> None:
    assert not vector_field({"event": "ready", "found": value})
    assert not vector_in(f"found {value}")
    assert not vector_field({"event": "ready", "message": f"found {value}"})


def test_a_table_in_a_log_is_no_vector() -> None:
    assert not vector_in("\n".join(f"{epoch} 0.{epoch} 0.5" for epoch in range(40)))


def test_vectors() -> None:
    numbers = [0.125 * place for place in range(32)]
    assert vector_field({"feature": numbers})
    assert vector_field({"faces": [{"feature": numbers}]})
    assert vector_field({"message": f"feature {numbers}"})
    assert vector_in(f"feature is {numbers} now")
    assert not vector_field({"boxes": [[1, 2, 3, 4]] * 40, "flags": [True] * 64})
    assert not vector_field({"feature": numbers[:31]})
    assert not vector_in("2026-01-02 03:04:05.678 12 34 0.5")


@pytest.mark.slow
@given(st.text(max_size=300))
def test_any_text_can_be_looked_at(text: str) -> None:
    secret_in(text)
    picture_in(text)
    vector_in(text)


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece",
    [
        "1",
        "1,",
        "1.1.",
        "a:",
        "token=",
        "eyJ",
        "a://b:",
        "A",
        "-----BEGIN ",
        "1e1,,",
        "[",
        "[1",
        "next",
        f"{'12345678901234567890 ' * 31}x ",
        "A" * 1999 + " ",
        "basic dXNl",
        "password=",
        "<",
        "_9j_",
    ],
)
def test_long_lines_take_no_long_time(piece: str) -> None:
    text = piece * ((64 << 10) // len(piece))
    began = time.process_time()
    secret_in(text)
    picture_in(text)
    vector_in(text)
    secret_field({"text": text})
    picture_field({"text": text})
    vector_field({"text": text})
    assert time.process_time() - began < 2  # some tenths; a pattern that tries all splits takes far longer
