"""``docs/architecture.md`` names what is there: rooms, modules, functions."""

from __future__ import annotations

import importlib
import re
from operator import attrgetter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def rows(heading: str, columns: int) -> list[list[str]]:
    """The cells of the table below a heading."""
    part = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line.strip("|").split("|") for line in part.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line] for line in lines[2:]]
    assert all(len(line) == columns for line in cells)
    return cells


INDEX = rows("Where is …", 3)


@pytest.mark.parametrize(("question", "module", "name"), INDEX, ids=[row[0] for row in INDEX])
def test_answer_is_there(question: str, module: str, name: str) -> None:
    assert attrgetter(name.strip("`"))(importlib.import_module(module.strip("`"))) is not None


def test_index_is_worth_having() -> None:
    questions = [row[0] for row in INDEX]
    assert len(questions) >= 25
    assert len(set(questions)) == len(questions)


def test_every_room_is_in_the_table() -> None:
    named = {name for row in rows("Rooms", 2) for name in re.findall(r"`penstock\.([a-z_]+)`", row[0])}
    rooms = {path.parent.name for path in (ROOT / "src" / "penstock").glob("*/__init__.py")}
    assert named - {"api"} == rooms


def test_modules_of_the_datas_way_are_there() -> None:
    drawing = PAGE.split("```", 2)[1]
    rooms = {path.parent.name for path in (ROOT / "src" / "penstock").glob("*/__init__.py")}
    named = {found for found in re.findall(r"\b([a-z_]+\.[a-z_]+)\b", drawing) if found.partition(".")[0] in rooms}
    assert len(named) >= 15
    for name in named:
        assert importlib.import_module(f"penstock.{name}"), name
