"""Answers of services, hostile ones too."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from penstock.contract.expectation import Expect
from penstock.contract.http_call import HttpCall
from penstock.invocation.http_answer import AnswerError, NotRefusedError, check_refusal, keep_answer

PNG = b"\x89PNG\r\n\x1a\n" + bytes(200)
TEXT = base64.b64encode(PNG).decode()
FIELD = HttpCall.model_validate({"path": "/x", "response": "image/png", "answer": {"json": "$.out.image"}})
WHOLE = HttpCall(path="/x", response="application/json")


class Answered(httpx.SyncByteStream):
    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Any:
        yield from (self._content[start : start + 1000] for start in range(0, len(self._content), 1000))


def answer(content: bytes, kind: str = "application/json", status: int = 200) -> httpx.Response:
    return httpx.Response(status, headers={"content-type": kind}, stream=Answered(content))


def image(value: Any) -> bytes:
    return json.dumps({"out": {"image": value}}).encode()


@pytest.mark.parametrize(
    "value",
    [
        TEXT,
        "\n".join(TEXT[start : start + 76] for start in range(0, len(TEXT), 76)) + "\r\n",
        f"data:image/png;base64,{TEXT}",
        f"data:IMAGE/PNG;charset=binary;base64,{TEXT}",
        f"data:application/octet-stream;base64,{TEXT}",
        [TEXT],
    ],
)
def test_base64_and_data_urls_are_decoded(tmp_path: Path, value: Any) -> None:
    keep_answer(answer(image(value)), FIELD, tmp_path / "o.png")
    assert (tmp_path / "o.png").read_bytes() == PNG


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{}", "the output is not there: $ has no 'out'"),
        (b'{"out": 5}', "the output is not there: $.out is a number, not an object"),
        (image(5), "$.out.image is a number where base64 was expected"),
        (image(None), "$.out.image is null where base64 was expected"),
        (image(""), "the output at $.out.image is empty"),
        (image([TEXT, TEXT]), "$.out.image is a list of 2: name the one that is the output, such as $.out.image[0]"),
        (image([]), "$.out.image is a list of 0"),
        (image("no base64!"), '$.out.image is not base64 (Only base64 data is allowed): "no base64!"'),
        (image("QUJ"), "$.out.image is not base64"),
        (image("Bäse"), "$.out.image is not base64"),
        (image("https://example.org/o.png"), "$.out.image is not base64"),
        (image(f"data:image/jpeg;base64,{TEXT}"), "$.out.image holds 'image/jpeg' where 'image/png' was expected"),
        (image("data:image/png,abc"), "$.out.image is a data URL without base64"),
        (image("data:"), "$.out.image is a data URL without base64"),
        (b"<html>", "the model's answer is not JSON that can be read: Expecting value"),
        (b"", "the model's answer is empty"),
    ],
)
def test_what_is_no_output_is_said(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(AnswerError) as caught:
        keep_answer(answer(content), FIELD, tmp_path / "o.png")
    assert str(caught.value).startswith(reason)
    assert len(str(caught.value)) < 500
    assert list(tmp_path.iterdir()) == []


def test_json_is_kept_byte_for_byte(tmp_path: Path) -> None:
    content = '{ "a": [1, 2.50, 1e3, "\\u00e4ä"],\n "b": null }\n'.encode()
    keep_answer(answer(content, "application/json; charset=utf-8"), WHOLE, tmp_path / "o.json")
    assert (tmp_path / "o.json").read_bytes() == content


def test_answers_are_not_synced_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr("os.fsync", synced.append)
    keep_answer(answer(b'{"objects": []}'), HttpCall(path="/", response="application/json"), tmp_path / "a.json")
    keep_answer(answer(b"video", "video/mp4"), HttpCall(path="/", response="video/mp4"), tmp_path / "a.mp4")
    assert synced == []
    assert (tmp_path / "a.mp4").read_bytes() == b"video"


def test_json_that_cannot_be_read_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(AnswerError, match="the model's answer is not JSON that can be read: NaN is not a JSON number"):
        keep_answer(answer(b'{"a": NaN}'), WHOLE, tmp_path / "o.json")
    assert list(tmp_path.iterdir()) == []


def test_json_is_not_read_beyond_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.invocation.http_answer.MAX_BYTES", 5000)
    with pytest.raises(AnswerError, match="the model's answer is JSON larger than"):
        keep_answer(answer(b" " * 6000 + b"1"), WHOLE, tmp_path / "o.json")


def test_required_values_are_held(tmp_path: Path) -> None:
    call = HttpCall.model_validate(
        {"path": "/x", "response": "image/png", "answer": {"json": "$.output", "require": {"$.status": "succeeded"}}}
    )
    good = {"status": "succeeded", "output": f"data:image/png;base64,{TEXT}"}
    keep_answer(answer(json.dumps(good).encode()), call, tmp_path / "o.png")
    bad = {"status": "failed", "error": "CUDA out of memory", "output": None}
    with pytest.raises(
        AnswerError, match=r'\$.status is "failed" where "succeeded" was expected; .*CUDA out of memory'
    ):
        keep_answer(answer(json.dumps(bad).encode()), call, tmp_path / "p.png")


def expects(**expect: Any) -> Expect:
    return Expect.model_validate(expect)


@pytest.mark.parametrize(
    ("expect", "status", "content"),
    [
        (expects(status=422), 422, b"no face"),
        (expects(status=[400, "5xx"]), 503, b""),
        (expects(status="4xx"), 499, b""),
        (expects(status=422, json={"$.code": "no_face"}), 422, b'{"code": "no_face"}'),
        (expects(json={"$.ok": False, "$.faces[0]": None}), 200, b'{"ok": false, "faces": [null]}'),
    ],
)
def test_a_refusal_as_expected(expect: Expect, status: int, content: bytes) -> None:
    check_refusal(answer(content, status=status), expect)


@pytest.mark.parametrize(
    ("expect", "status", "content", "kind", "reason"),
    [
        (
            expects(status=422),
            200,
            b"{}",
            NotRefusedError,
            "accepted what it must refuse: the model answered 200 where 422",
        ),
        (expects(status=422), 201, b"{}", NotRefusedError, "the model answered 201 where 422 was expected"),
        (expects(status=422), 500, b"oh", AnswerError, "the model answered 500 where 422 was expected: oh"),
        (expects(status="4xx"), 302, b"", AnswerError, "the model answered 302 where 4xx was expected: (nothing)"),
        (expects(json={"$.ok": False}), 200, b'{"ok": true}', NotRefusedError, "$.ok is true where false was expected"),
        (expects(json={"$.ok": False}), 200, b'{"ok": 0}', NotRefusedError, "$.ok is 0 where false was expected"),
        (expects(json={"$.ok": False}), 200, b"{}", NotRefusedError, "$ has no 'ok'"),
        (expects(json={"$.ok": False}), 200, b"a video", NotRefusedError, "not JSON"),
        (
            expects(status=422, json={"$.code": 7}),
            422,
            b'{"code": 8}',
            AnswerError,
            "refused, but not as expected: $.code",
        ),
    ],
)
def test_what_is_no_refusal_as_expected(
    expect: Expect, status: int, content: bytes, kind: type[AnswerError], reason: str
) -> None:
    with pytest.raises(AnswerError) as caught:
        check_refusal(answer(content, status=status), expect)
    assert type(caught.value) is kind
    assert reason in str(caught.value)
