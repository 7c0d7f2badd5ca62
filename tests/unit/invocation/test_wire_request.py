"""A request as bytes is the one that infer sends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from penstock.contract.models import Case, Contract
from penstock.foundation.errors import UsageError
from penstock.invocation.wire_request import wire_request

HTTP: dict[str, Any] = {"argv": ["x"], "path": "/say?size={size}", "response": "video/mp4"}


def contract(**http: Any) -> Contract:
    policy = {"rules": [{"metric": "latency", "max": 1.0}]}
    call = {"http": HTTP | http, "parameters": {"size": 3}}
    fixed = {"version": 1, "name": "m", "family": "talking-head", "suite": "suite", "policy": policy}
    return Contract.model_validate(fixed | {"call": call})


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Path]:
    file = tmp_path / "人像.png"
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(16))
    return {"image": file}


def made(inputs: dict[str, Path], **http: Any) -> tuple[bytes, dict[bytes, bytes], bytes]:
    """First line, headers and body."""
    found = wire_request(contract(**http), Case(name="one", inputs={"image": "x"}), "", inputs, 20001)
    head, _, body = found.content.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(b": ") for line in lines)}
    assert len(headers) == len(lines), "none is there twice"
    return first, headers, body


def test_a_form(inputs: dict[str, Path]) -> None:
    first, headers, body = made(inputs, files={"image": "image"}, fields={"n": "{size}"}, headers={"X-Size": "{size}"})
    assert first == b"POST /say?size=3 HTTP/1.1"
    assert headers[b"content-type"].startswith(b"multipart/form-data; boundary=")
    assert int(headers[b"content-length"]) == len(body)
    assert (headers[b"x-size"], headers[b"accept"], headers[b"host"]) == (b"3", b"video/mp4", b"127.0.0.1:20001")
    assert "人像.png".encode() in body
    assert inputs["image"].read_bytes() in body
    assert not headers.keys() & {b"transfer-encoding", b"connection"}


def test_a_file_and_json(inputs: dict[str, Path]) -> None:
    _, headers, body = made(inputs, body={"file": "image"})
    assert (headers[b"content-type"], body) == (b"image/png", inputs["image"].read_bytes())
    assert int(headers[b"content-length"]) == len(body)
    assert b"transfer-encoding" not in headers
    _, headers, body = made(inputs, body={"json": {"image": "{image|base64}", "size": "{size}"}})
    assert headers[b"content-type"] == b"application/json"
    assert json.loads(body)["size"] == 3


def test_a_get_has_no_body(inputs: dict[str, Path]) -> None:
    first, headers, body = made(inputs, method="GET")
    assert (first, body) == (b"GET /say?size=3 HTTP/1.1", b"")
    assert b"content-length" not in headers


def test_a_file_that_is_gone(inputs: dict[str, Path]) -> None:
    inputs["image"].unlink()
    with pytest.raises(UsageError, match="input 'image' of case 'one'"):
        made(inputs, body={"file": "image"})
