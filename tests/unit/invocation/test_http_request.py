"""The bytes of a request, as httpx writes them.

What a service receives: tests/invocation/test_http_request.py."""

from __future__ import annotations

import base64
import contextlib
import io
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from penstock.contract.models import Case, Contract
from penstock.foundation.errors import UsageError
from penstock.invocation import http_request
from penstock.invocation.http_request import RequestContent, file_type

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
TEXT = base64.b64encode(PNG).decode()


def request(
    folder: Path, given: dict[str, bytes], parameters: dict[str, Any] | None = None, **http: Any
) -> httpx.Request:
    """What is sent for a case whose inputs are files with these contents: the file ``a.png`` is the input ``a``."""
    known = {"argv": ["serve"], "path": "/put", "response": "application/json"}
    contract = Contract.model_validate(
        {
            "version": 1,
            "name": "x",
            "family": "talking-head",
            "call": {"http": {**known, **http}},
            "suite": "s",
            "policy": {"rules": [{"metric": "latency", "max": 9}]},
        }
    )
    for name, content in given.items():
        (folder / name).write_bytes(content)
    inputs = {name.partition(".")[0]: folder / name for name in given}
    case = Case(name="one", inputs={name: path.name for name, path in inputs.items()}, parameters=parameters or {})
    with contextlib.ExitStack() as stack:
        told = RequestContent(contract, case, "", inputs, stack)
        made = httpx.Request(told.method, f"http://x{told.target}", headers=told.headers, **told.body)
        made.read()
    return made


def test_multipart_carries_the_files_own_name_and_type(tmp_path: Path) -> None:
    given = {"a.人像 ü.jpeg": PNG}
    made = request(tmp_path, given, {"n": 2}, files={"photo": "a"}, fields={"n": "{n}", "on": True})
    kind, _, boundary = made.headers["Content-Type"].partition("; boundary=")
    assert kind == "multipart/form-data"
    empty, *parts, end = made.content.split(f"--{boundary}".encode())
    assert (empty, end) == (b"", b"--\r\n")
    assert parts == [
        b'\r\nContent-Disposition: form-data; name="n"\r\n\r\n2\r\n',
        b'\r\nContent-Disposition: form-data; name="on"\r\n\r\ntrue\r\n',
        '\r\nContent-Disposition: form-data; name="photo"; filename="a.人像 ü.jpeg"\r\n'.encode()
        + b"Content-Type: image/png\r\n\r\n"
        + PNG
        + b"\r\n",
    ]


def test_quotes_and_line_breaks_do_not_break_out_of_a_name(tmp_path: Path) -> None:
    made = request(tmp_path, {'a.b"\r\nX: y.png': PNG}, files={"photo": "a"})
    assert b'filename="a.b%22%0D%0AX: y.png"\r\n' in made.content


def test_json_carries_files_and_typed_values(tmp_path: Path) -> None:
    template = {"a": "{a|base64}", "url": "{b|data-url}", "deep": [{"n": "{n}", "text": "n={n}"}]}
    made = request(tmp_path, {"a.png": PNG, "b.txt": b"plain"}, {"n": 0.5}, method="PUT", body={"json": template})
    assert (made.method, made.headers["Content-Type"]) == ("PUT", "application/json")
    assert json.loads(made.content) == {
        "a": TEXT,
        "url": f"data:text/plain;base64,{base64.b64encode(b'plain').decode()}",
        "deep": [{"n": 0.5, "text": "n=0.5"}],
    }


def test_the_inputs_of_a_body_of_json_are_bounded_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_request, "MAX_JSON_BODY", 16)
    body = {"json": ["{a|base64}", "{b|base64}"]}
    made = request(tmp_path, {"a.bin": b"123456", "b.bin": b"123456"}, body=body)
    assert json.loads(made.content) == ["MTIzNDU2", "MTIzNDU2"]
    with pytest.raises(UsageError, match="the inputs make a body of JSON larger than") as caught:
        request(tmp_path, {"a.bin": b"123456", "b.bin": b"1234567"}, body=body)
    assert caught.value.where == "case 'one'"


@pytest.mark.parametrize(
    ("body", "content", "expected"),
    [
        ({}, PNG, "image/png"),
        ({"media_type": "application/x-own"}, PNG, "application/x-own"),
        ({}, b"plain", "image/webp"),
    ],
)
def test_a_file_can_be_the_whole_body(tmp_path: Path, body: dict[str, str], content: bytes, expected: str) -> None:
    made = request(tmp_path, {"face.webp": content}, body={"file": "face", **body})
    assert (made.content, made.headers["Content-Type"]) == (content, expected)


def test_get_has_a_query_its_headers_and_no_body(tmp_path: Path) -> None:
    http = {"method": "GET", "path": "/find/{what}?q={what}", "headers": {"X-Mode": "m {n}"}}
    made = request(tmp_path, {"a.png": PNG}, {"what": "ä/b&c", "n": 3}, **http)
    assert (made.method, made.url.raw_path) == ("GET", b"/find/%C3%A4%2Fb%26c?q=%C3%A4%2Fb%26c")
    assert (made.headers["X-Mode"], made.content) == ("m 3", b"")
    assert "Content-Type" not in made.headers


def test_an_input_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(PNG)
    (tmp_path / "a.png").symlink_to(tmp_path / "secret")
    with pytest.raises(UsageError, match="input 'a' of case 'one'"):
        request(tmp_path, {"a.png": PNG}, body={"file": "a"})


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.jpeg", PNG, "image/png"),
        ("a.PNG", b"no picture", "image/png"),
        ("a.json", b"{}", "application/json"),
        ("a", b"", "application/octet-stream"),
        ("a.no-such-suffix", b"x", "application/octet-stream"),
    ],
)
def test_a_type_is_what_the_bytes_say_else_the_suffix(name: str, content: bytes, expected: str) -> None:
    file = io.BytesIO(content)
    assert file_type(Path(name), file) == expected
    assert file.read() == content
