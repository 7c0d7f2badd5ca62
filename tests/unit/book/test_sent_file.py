"""Whole files and parts, with and without a mark of their content. More: test_app.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from penstock.book.sent_file import sent_file
from penstock.book.shelf import Shelf
from penstock.store.local import LocalStore


def asked(**headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": raw, "query_string": b""})


def test_parts_and_marks(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"0123456789")
    shelf = Shelf(LocalStore(tmp_path))
    plain = sent_file(shelf, asked(range="bytes=2-4"), "a.mp4", "video/mp4", {})
    assert (plain.status_code, plain.headers["content-range"]) == (206, "bytes 2-4/10")
    assert "etag" not in plain.headers
    mark = {"ETag": '"x"'}
    assert sent_file(shelf, asked(if_none_match='"x"'), "a.mp4", "video/mp4", mark).status_code == 304
    assert sent_file(shelf, asked(range="bytes=2-4", if_range='"y"'), "a.mp4", "video/mp4", mark).status_code == 200
    assert sent_file(shelf, asked(range="bytes=20-"), "a.mp4", "video/mp4", {}).status_code == 416
    with pytest.raises(HTTPException):
        sent_file(shelf, asked(), "gone.mp4", "video/mp4", {})
