"""How a service is called: ``call.http`` of the contract, with what is sent and what the answer must be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from penstock.contract.json_body import body_placeholders
from penstock.contract.placeholders import ENCODINGS, Scalar, text_of
from penstock.contract.policy import Strict
from penstock.foundation.json_path import PATTERN

Seconds = Annotated[float, Field(gt=0, le=86_400, strict=True, allow_inf_nan=False)]
MediaType = Annotated[str, Field(pattern=r"^[a-z]+/[a-z0-9.+-]+$")]
UrlPath = Annotated[str, Field(pattern=r"^/[^\s#]*$", max_length=2000)]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,100}$")]
CallName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
JsonPath = Annotated[str, Field(pattern=PATTERN)]

PENSTOCKS_HEADERS = frozenset({"host", "content-length", "content-type", "accept-encoding", "expect", "date"})
"""What Penstock or HTTP itself says."""
HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "trailers", "transfer-encoding", "upgrade"}
)
SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "x-api-key"})
MAX_CONCURRENCY = 32
_ENCODED = re.compile(rf"(?<!\{{)\{{[A-Za-z_][A-Za-z0-9_-]*\|({'|'.join(ENCODINGS)})\}}")


class Body(Strict, serialize_by_alias=True):
    """A body that is not multipart: exactly one of ``json`` and ``file``."""

    template: Any = Field(
        default=None,
        alias="json",
        description="Nested mappings and lists. A text that is exactly `{NAME}` becomes the parameter with its type; "
        "`{NAME|base64}` and `{NAME|data-url}` are the case's input NAME.",
    )
    file: str | None = None
    """The case's input that is the whole body."""
    media_type: MediaType | None = None
    """Of the file; by default what its first bytes or its suffix say."""

    @model_validator(mode="after")
    def _one_kind(self) -> Body:
        if (self.template is None) is (self.file is None):
            raise ValueError("a body is one of 'json' and 'file'")
        if self.file is None and self.media_type is not None:
            raise ValueError("'media_type' goes with 'file'")
        for found in body_placeholders(self.template):
            if found.encoding and found.encoding not in ENCODINGS:
                known = " or ".join(f"{{{found.name}|{encoding}}}" for encoding in ENCODINGS)
                raise ValueError(
                    f"'{{{found.name}|{found.encoding}}}' at {found.path or '$'} is not known: write {known}"
                )
        return self


class Answer(Strict, serialize_by_alias=True):
    """What is taken from an answer in JSON."""

    path: JsonPath | None = Field(
        default=None,
        alias="json",
        description="Where the output stands, as base64 or a data URL: `$.image`. Left out: the JSON itself is kept.",
    )
    decode: Literal["base64"] = "base64"
    """How the output is written at that path."""
    require: dict[JsonPath, Scalar | None] = Field(default_factory=dict)
    """Path → value that must stand there, else the call has failed: `{"$.status": succeeded}`."""


class _Sent(Strict):
    """What every call has."""

    method: Literal["GET", "POST", "PUT"] = "POST"
    headers: dict[HeaderName, str] = Field(default_factory=dict)
    """Header → value; `{NAME}` is replaced by the case's parameter NAME. No secrets: they are recorded."""
    files: dict[str, str] = Field(default_factory=dict)
    """Multipart field → the case's input that fills it."""
    fields: dict[str, Scalar] = Field(default_factory=dict)
    """Multipart field → value; `{NAME}` is replaced by the case's parameter NAME."""
    body: Body | None = None
    """In place of `files` and `fields`: JSON, or one file as it is."""
    answer: Answer | None = None
    """What is taken from an answer in JSON."""

    @field_validator("headers")
    @classmethod
    def _plain_headers(cls, value: dict[str, str]) -> dict[str, str]:
        seen: set[str] = set()
        for name, text in value.items():
            lower = name.lower()
            if lower in seen:
                raise ValueError(f"the header '{name}' is there twice")
            seen.add(lower)
            if lower in PENSTOCKS_HEADERS | HOP_BY_HOP:
                raise ValueError(f"the header '{name}' is set by HTTP itself: leave it out")
            if lower in SECRET_HEADERS:
                raise ValueError(f"the header '{name}' would hold a secret, and a contract is recorded: leave it out")
            if problem := header_problem(text):
                raise ValueError(f"the header '{name}' {problem}")
        return value

    @model_validator(mode="after")
    def _one_body(self) -> _Sent:
        if self.body is not None and (self.files or self.fields):
            raise ValueError("a call has one body: 'body', or 'files' and 'fields'")
        if self.method == "GET" and (self.body is not None or self.files or self.fields):
            raise ValueError("a GET has no body: put parameters into the path, '/feature?size={size}'")
        for text in self._texts():
            if (found := _ENCODED.search(text)) is not None:
                raise ValueError(
                    f"'{found[0]}' can stand in body.json only; write '{{{found[0]}}}' for the text itself"
                )
        return self

    def _texts(self) -> Iterator[str]:
        yield from self.headers.values()
        yield from map(text_of, self.fields.values())


class HttpCall(_Sent):
    """One call of a service."""

    path: UrlPath
    """The path of the call, with its query; `{NAME}` is replaced by the case's parameter NAME, percent-encoded."""
    response: MediaType
    """The media type of the output: that of the answer, or of what `answer.json` holds; e.g. `video/mp4`."""
    optional: bool = False
    """Left out of a case that lacks an input which it sends; of each case at least one call is made."""

    @model_validator(mode="after")
    def _answer_fits(self) -> HttpCall:
        _check_answer(self.answer, self.response)
        return self

    @property
    def keeps_json(self) -> bool:
        """Whether the answer is JSON that is kept whole."""
        return self.response == "application/json"


class Http(_Sent):
    """The model is a service that is started once and called once a case, or once for each of `calls`."""

    argv: Annotated[list[str], Field(min_length=1, max_length=200)]
    """How to start it; `{port}` is replaced by a free port, also given as the environment variable `PORT`."""
    ready: Annotated[str, Field(pattern=r"^/[^\s]*$")] = "/healthz"
    """This path answers 200 once the service can be called."""
    ready_json: dict[JsonPath, Scalar | None] = Field(default_factory=dict)
    """Path → value that the answer to `ready` must hold, too: `{"$.status": READY}`."""
    ready_timeout_s: Seconds = 120.0
    concurrency: Annotated[int, Field(ge=1, le=MAX_CONCURRENCY, strict=True)] = 1
    """So many cases are put to the service at a time."""
    path: UrlPath | None = None
    """The path of the call, with its query; `{NAME}` is replaced by the case's parameter NAME, percent-encoded."""
    response: MediaType | None = None
    """The media type of the output: that of the answer, or of what `answer.json` holds; e.g. `video/mp4`."""
    calls: Annotated[dict[CallName, HttpCall], Field(max_length=16)] = Field(default_factory=dict)
    """Name → call, where a case takes several, in the order in which they are made. In place of `path` and the like."""

    @model_validator(mode="after")
    def _one_or_several(self) -> Http:
        if self.calls:
            defaults = type(self).model_fields
            own = sorted(
                name
                for name in _CALL_FIELDS
                if getattr(self, name) != defaults[name].get_default(call_default_factory=True)
            )
            if own:
                raise ValueError(f"'calls' say it all: move '{own[0]}' into each of them")
            return self
        missing = [name for name in ("path", "response") if getattr(self, name) is None]
        if missing:
            raise ValueError(f"the field '{missing[0]}' is missing")
        _check_answer(self.answer, self.response or "")
        return self

    @property
    def named_calls(self) -> Mapping[str, HttpCall]:
        """Name → call, in the order in which they are made; the one call of a contract without `calls` has no name."""
        if self.calls:
            return self.calls
        sent = {name: getattr(self, name) for name in _CALL_FIELDS}
        return {"": HttpCall.model_construct(**sent)}


PREPROCESS = "preprocess"
"""The call whose answer is what the service makes of a case's bytes before its network sees them."""
_CALL_FIELDS = frozenset(HttpCall.model_fields) - {"optional"}


def _check_answer(answer: Answer | None, response: str) -> None:
    if answer is None:
        return
    if answer.path is None and response != "application/json":
        raise ValueError(f"'answer' is about JSON: with 'response: {response}' say where in it the output stands")
    if answer.path is not None and response == "application/json":
        raise ValueError("'response' is the media type of what 'answer.json' holds, such as image/png")


def header_problem(value: str) -> str | None:
    """What is wrong with the value of a header."""
    if re.search(r"[\r\n]", value):
        return "holds a line break"
    if not re.fullmatch(r"[\x20-\x7e\t]{0,2000}", value):
        return "must be at most 2000 printable ASCII characters"
    return "begins or ends with a space" if value != value.strip() else None


def where_of(name: str) -> str:
    """The field of the contract where a call stands."""
    return f"call.http.calls.{name}" if name else "call.http"


def parts_of(call: HttpCall) -> Iterator[tuple[str, Any]]:
    """Field → text with placeholders of parameters, in a call."""
    yield "path", call.path
    for name, value in call.headers.items():
        yield f"headers.{name}", value
    for name, field in call.fields.items():
        yield f"fields.{name}", text_of(field)
