"""A class's name means one thing: who reads it in one room may take it for that of another."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "src" / "penstock"
OF_ITS_ROOM = {
    "Arguments": "what a step is given",
    "Options": "what a command is given",
    "Answer": "of a model: as the contract wants it, as it is measured",
    "Command": "a program: as the contract says it, as it is supervised",
    "Fetcher": "what fetches: weights, commits",
    "Named": "what is known by name",
    "Network": "a network: of computers, of neurons",
    "StepRecord": "what a step left: in the bundle, in the run's state",
    "Subject": "what is spoken of",
}
"""Names that stand in several rooms; no more of them."""


def test_no_name_stands_for_two_things() -> None:
    places = defaultdict(set)
    for path in SOURCES.rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].add(path.relative_to(SOURCES).as_posix())
    assert len(places) > 200
    assert {name: found for name, found in places.items() if len(found) > 1 and name not in OF_ITS_ROOM} == {}
