"""References to results: what a pipeline task waits for, and what has to be there when it starts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_INDEX = re.compile(r"\[([0-9])*\*?\]")
STEP_RESULT = re.compile(r"\$\(steps\..*?\.results\..*?\)")
"""A reference to the result of an earlier step, found in command, args, env and ``when`` of a step."""

STEP_ARTIFACT = re.compile(r"\$\(steps\.([^.]+)\.(?:inputs|outputs)\.([^.)]+)\)|\$\(step\.artifacts\.path\)")
TASK_ARTIFACT = re.compile(r"\$\(tasks\.([^.]+)\.(?:inputs|outputs)\.([^.)]+)\)")
_ARTIFACTS_PATH = "$(artifacts.path)"


def refers_to_artifact(text: str) -> bool:
    """Whether a text of a step refers to artifacts, of whatever kind."""
    return bool(STEP_ARTIFACT.search(text) or TASK_ARTIFACT.search(text)) or _ARTIFACTS_PATH in text


@dataclass(frozen=True)
class ResultRef:
    """``tasks.TASK.results.RESULT``, with the index of an array or the key of an object."""

    task: str
    result: str
    index: int | None = None
    whole: bool = False
    key: str = ""


def looks_like_result(expression: str, kinds: tuple[str, ...] = ("tasks", "finally")) -> bool:
    """Whether the text between ``$(`` and ``)`` is meant as a reference to a result."""
    parts = expression.split(".")
    return len(parts) >= 4 and parts[0] in kinds and parts[2] == "results"


def parse_result(expression: str, kinds: tuple[str, ...] = ("tasks", "finally")) -> ResultRef | None:
    """The reference, or nothing if the text has another form."""
    if not looks_like_result(expression, kinds):
        return None
    parts = expression.split(".")
    if len(parts) == 5:
        return ResultRef(parts[1], parts[3], key=parts[4])
    if len(parts) != 4:
        return None
    name, index = split_index(parts[3])
    if index == "*":
        return ResultRef(parts[1], name, whole=True)
    return ResultRef(parts[1], name, index=int(index) if index else None)


def split_index(name: str) -> tuple[str, str]:
    """``("arr", "0")`` of ``arr[0]``, ``("arr", "*")`` of ``arr[*]``, ``("text", "")`` of ``text``."""
    match = _INDEX.search(name)
    return _INDEX.sub("", name), match.group()[1:-1] if match else ""


def result_refs(expressions: Iterable[str]) -> list[ResultRef]:
    """The references to results among ``expressions``."""
    return [ref for expression in expressions if (ref := parse_result(expression)) is not None]
