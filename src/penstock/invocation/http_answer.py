"""What a service answers, checked and kept. All of it is hostile: sizes are bounded before anything is made of it."""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path
from typing import Any

import httpx

from penstock.contract.expectation import Expect
from penstock.contract.http_call import Answer, HttpCall
from penstock.foundation.errors import printable
from penstock.foundation.files import replacing
from penstock.foundation.json_path import NoValueError, kind_of_json, mismatch, value_at
from penstock.foundation.strict_json import MAX_BYTES, JsonError, read_json, show_json
from penstock.invocation.scratch import MAX_OUTPUT_BYTES

ERROR_CHARACTERS = 200
JSON = "application/json"
_DATA_URL = re.compile(r"data:([^;,]{0,100})((?:;[^;,]{0,100}){0,8}),")


class AnswerError(Exception):
    """What is wrong with an answer, in words."""


class NotRefusedError(AnswerError):
    """The model accepted what it must refuse."""


def keep_answer(response: httpx.Response, call: HttpCall, output: Path) -> None:
    """Check the answer and write what it holds to ``output``.

    It is not synced, as its record is not: a disk that others use takes longer for that than a quick model to answer.

    Raises:
        AnswerError: there is something wrong with it; then there is no ``output``.
    """
    if not 200 <= response.status_code < 300:
        raise AnswerError(f"the model answered {response.status_code}: {_start_of(response) or '(nothing)'}")
    _check_type(response, JSON if call.answer is not None else call.response)
    if call.answer is None and not call.keeps_json:
        _stream(response, output)
        return
    content = _whole(response)
    value = _json(content)
    if call.answer is not None:
        if (problem := mismatch(value, call.answer.require)) is not None:
            raise AnswerError(f"{problem}; the model answered {show_json(value)}")
        if call.answer.path is not None:
            content = decoded(value, call.answer, call.response)
    with replacing(output, synced=False) as temporary:
        temporary.write_bytes(content)


def check_refusal(response: httpx.Response, expect: Expect) -> None:
    """Compare an answer with the refusal that a case expects.

    Raises:
        NotRefusedError: the model accepted the case.
        AnswerError: it did neither that nor what was expected.
    """
    status = response.status_code
    success = 200 <= status < 300
    if not expect.has_status(status):
        wanted = f"the model answered {status} where {expect.in_words()} was expected"
        if success:
            raise NotRefusedError(f"the model accepted what it must refuse: {wanted}")
        raise AnswerError(f"{wanted}: {_start_of(response) or '(nothing)'}")
    if not expect.values:
        return
    # an answer that is no JSON at all says nothing of a refusal: with a status of success it was accepted
    kind: type[AnswerError] = NotRefusedError if success else AnswerError
    prefix = "the model accepted what it must refuse: " if success else "the model refused, but not as expected: "
    try:
        _check_type(response, JSON)
        value = _json(_whole(response))
    except AnswerError as error:
        raise kind(f"{prefix}{error}") from error
    if (problem := mismatch(value, expect.values)) is not None:
        raise kind(f"{prefix}{problem}")


def decoded(value: Any, answer: Answer, media_type: str) -> bytes:
    """The bytes that stand as base64 or as a data URL at ``answer.path``.

    White space in base64 is passed over. A list of one text counts as that text: some services return a list always.

    Args:
        value: the JSON of the answer.
        answer: says where.
        media_type: what a data URL must say that it holds.

    Raises:
        AnswerError: nothing is there, it is no text, or it is neither; it is empty.
    """
    path = answer.path or "$"
    try:
        found = value_at(value, path)
    except NoValueError as error:
        raise AnswerError(f"the output is not there: {error}") from error
    if isinstance(found, list):
        if len(found) != 1:
            raise AnswerError(f"{path} is a list of {len(found)}: name the one that is the output, such as {path}[0]")
        found, path = found[0], f"{path}[0]"
    if not isinstance(found, str):
        raise AnswerError(f"{path} is {kind_of_json(found)} where base64 was expected")
    start = 0
    if found[:5].lower() == "data:":
        start = _behind_prefix(found, path, media_type)
    try:
        text = found[start:].encode("ascii").translate(None, b" \t\r\n")
        content = base64.b64decode(text, validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        reason = "" if isinstance(error, UnicodeEncodeError) else f" ({printable(str(error))})"
        raise AnswerError(f"{path} is not base64{reason}: {show_json(found)}") from error
    if not content:
        raise AnswerError(f"the output at {path} is empty")
    return content


def _behind_prefix(text: str, path: str, media_type: str) -> int:
    prefix = _DATA_URL.match(text[:1024].lower())
    if prefix is None or not prefix[2].endswith(";base64"):
        raise AnswerError(f"{path} is a data URL without base64: {show_json(text)}")
    said = prefix[1] or "text/plain"
    if said not in (media_type, "application/octet-stream"):
        raise AnswerError(f"{path} holds '{printable(said)}' where '{media_type}' was expected")
    return prefix.end()


def _check_type(response: httpx.Response, expected: str) -> None:
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != expected:
        said_type = printable(media_type[:100]) or "no content type"
        raise AnswerError(f"the model answered '{said_type}' where '{expected}' was expected")
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise AnswerError("the model compressed its answer though it was asked not to")


def _stream(response: httpx.Response, output: Path) -> None:
    """Write an answer of any size up to the limit, without holding it."""
    size = 0
    with replacing(output, synced=False) as temporary:
        with temporary.open("wb") as file:
            for chunk in response.iter_raw(1 << 18):
                size += len(chunk)
                if size > MAX_OUTPUT_BYTES:
                    raise AnswerError(f"the model's answer is larger than {MAX_OUTPUT_BYTES >> 20} MiB")
                file.write(chunk)
        if size == 0:
            raise AnswerError("the model's answer is empty")


def _whole(response: httpx.Response) -> bytes:
    content = bytearray()
    for chunk in response.iter_raw(1 << 18):
        content += chunk
        if len(content) > MAX_BYTES:
            raise AnswerError(f"the model's answer is JSON larger than {MAX_BYTES >> 20} MiB")
    if not content:
        raise AnswerError("the model's answer is empty")
    return bytes(content)


def _json(content: bytes) -> Any:
    try:
        return read_json(content)
    except JsonError as error:
        raise AnswerError(f"the model's answer is not JSON that can be read: {printable(str(error))}") from error


def _start_of(response: httpx.Response) -> str:
    """The first words of an answer."""
    said = b""
    for chunk in response.iter_raw(1024):
        said += chunk
        if len(said) >= 4 * ERROR_CHARACTERS:
            break
    return printable(" ".join(said.decode("utf-8", errors="replace").split())[:ERROR_CHARACTERS])
