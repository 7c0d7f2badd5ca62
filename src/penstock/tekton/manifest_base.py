"""What all manifest models share: strictness, values, durations, and fields that are refused by name."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from penstock.tekton.values import Value, from_yaml

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")


class ManifestPart(BaseModel):
    """A part of a manifest: every field is known, and a known field that is ``null`` is not there, as for Go."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True, protected_namespaces=())

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, data: Any) -> Any:
        if data is None:
            return {}
        if not isinstance(data, dict):
            return data
        # an unknown field stays, whatever its value, so that it is refused
        known = {field.alias or name for name, field in cls.model_fields.items()}
        return {key: value for key, value in data.items() if value is not None or key not in known}


class Named(ManifestPart):
    """A part with a name."""

    name: str = ""


def parse_duration(text: Any) -> float:
    """Seconds of a Go duration such as ``1h30m``, ``10s``, ``250ms``, ``0``.

    Raises:
        ValueError: it is not one.
    """
    if not isinstance(text, str):
        raise ValueError(f'a duration is text such as "1h30m", not {text!r}')
    plain = text.lstrip("+-")
    if plain == "0":
        return 0.0
    seconds, position = 0.0, 0
    while match := _DURATION.match(plain, position):
        seconds += float(match.group(1)) * _UNITS[match.group(2)]
        position = match.end()
    if position != len(plain) or not plain or len(text) - len(plain) > 1:
        raise ValueError(f"'{text[:40]}' is not a duration such as 1h30m, 10s or 250ms")
    return -seconds if text.startswith("-") else seconds


def format_duration(seconds: float) -> str:
    """A duration as Go prints it: ``1h0m0s``, ``1.5s``, ``250ms``, ``0s``."""
    nanoseconds = round(seconds * 1e9)
    if nanoseconds == 0:
        return "0s"
    sign, nanoseconds = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    if nanoseconds < 1_000_000_000:
        for size, unit in ((1_000_000, "ms"), (1_000, "µs"), (1, "ns")):
            if nanoseconds >= size:
                return f"{sign}{_trim(nanoseconds / size)}{unit}"
    minutes, rest = divmod(nanoseconds, 60_000_000_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{_trim(rest / 1e9)}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return f"{sign}{hours}h{text}" if hours else sign + text


def _trim(number: float) -> str:
    return f"{number:.9f}".rstrip("0").rstrip(".")


def _refuser(reason: str, nothing: tuple[Any, ...] = ("", [], {}, False)) -> BeforeValidator:
    """Refuses a field, unless its value is one of those that say ``nothing``."""

    def refuse(value: Any) -> Any:
        if value in nothing:
            return None
        raise ValueError(f"the runner on one machine does not support this field: {reason}")

    return BeforeValidator(refuse)


_ALPHA = "it is an alpha feature of Tekton, off by default"
_NOT_DONE = "it is not implemented"


NeedsCluster = Annotated[Any, _refuser("it needs a cluster"), Field(repr=False)]
NeedsContainer = Annotated[Any, _refuser("a step is a process here, it has no container of its own")]
NeedsRegistry = Annotated[Any, _refuser("remote resolution is not done here; put the manifest beside this file")]
AlphaFeature = Annotated[Any, _refuser(_ALPHA)]
AlphaObject = Annotated[Any, _refuser(_ALPHA, ())]
"""An alpha feature whose ``{}`` is not nothing: Tekton asks only whether the field is there."""
NeedsTerminal = Annotated[Any, _refuser("a step has no standard input and no terminal")]
NotDone = Annotated[Any, _refuser(_NOT_DONE)]
NotDoneObject = Annotated[Any, _refuser(_NOT_DONE, ())]
"""A field that is not implemented, and whose ``{}`` is not nothing."""

Ignored = Any
"""A field that changes nothing here: resources, pull policy, security context, labels."""


class ObjectMetadata(Named):
    """``metadata`` of an object: its name, and what an API server writes beside it, which may have been copied."""

    uid: Ignored = None
    creation_timestamp: Ignored = Field(None, alias="creationTimestamp")
    resource_version: Ignored = Field(None, alias="resourceVersion")
    generation: Ignored = None
    self_link: Ignored = Field(None, alias="selfLink")
    deletion_timestamp: Ignored = Field(None, alias="deletionTimestamp")
    deletion_grace_period_seconds: Ignored = Field(None, alias="deletionGracePeriodSeconds")
    managed_fields: Ignored = Field(None, alias="managedFields")


def _texts(value: Any) -> Any:
    return ["" if item is None else item for item in value] if isinstance(value, list) else value


Texts = Annotated[list[str], BeforeValidator(_texts)]
"""A list of texts, in which ``null`` is an empty one, as Go reads it."""


def _text_map(value: Any) -> Any:
    return {key: "" if item is None else item for key, item in value.items()} if isinstance(value, dict) else value


TextMap = Annotated[dict[str, str], BeforeValidator(_text_map)]
"""A mapping to texts, such as labels, in which ``null`` is an empty one."""
ParamValue = Annotated[Value, BeforeValidator(from_yaml)]
Duration = Annotated[float, BeforeValidator(parse_duration)]
