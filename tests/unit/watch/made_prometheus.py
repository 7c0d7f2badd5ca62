"""A small server that answers ``/api/v1/query_range`` as Prometheus does, and every wrong way that a test asks for."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.unit.stub_server import StubAnswer, StubRequest, stub_server

Value = Callable[[float], float | str | None]
"""Unix seconds → a counter's value; ``None``: there is no sample."""
Series = list[tuple[Mapping[str, str], Value]]


@dataclass
class MadePrometheus:
    """What it answers."""

    series: dict[str, Series]
    """By selector."""
    url: str = ""
    status: int = 200
    body: bytes | None = None
    """In place of an answer."""
    delay_s: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    def answer(self, query: Mapping[str, str]) -> dict[str, Any]:
        start, end, step = (float(query[name]) for name in ("start", "end", "step"))
        moments = [start + number * step for number in range(int((end - start) / step + 1e-6) + 1)]
        result = []
        for labels, value in self.series.get(query["query"], []):
            found = [(moment, value(moment)) for moment in moments]
            values = [[moment, str(number)] for moment, number in found if number is not None]
            if values:
                result.append({"metric": dict(labels), "values": values})
        return {"status": "success", "data": {"resultType": "matrix", "result": result}}


@contextlib.contextmanager
def prometheus(series: dict[str, Series]) -> Iterator[MadePrometheus]:
    """It listens on loopback."""
    made = MadePrometheus(series)

    def answer(request: StubRequest) -> StubAnswer:
        parts = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        made.asked.append({"path": parts.path, **query})
        time.sleep(made.delay_s)
        content = made.body if made.body is not None else json.dumps(made.answer(query)).encode()
        return StubAnswer(made.status, content, made.headers)

    with stub_server(answer) as made.url:
        yield made
