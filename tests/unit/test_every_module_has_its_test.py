"""Whoever changes a module finds its tests by name: ``src/penstock/ROOM/NAME.py``, ``tests/unit/ROOM/test_NAME.py``."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "tests" / "unit"


def modules() -> Iterator[tuple[Path, Path]]:
    """Each module with the test that it must have. An ``__init__`` that defines nothing has nothing to test."""
    for path in sorted((ROOT / "src" / "penstock").rglob("*.py")):
        inner = path.relative_to(ROOT / "src" / "penstock")
        if path.name != "__init__.py":
            yield path, UNIT / inner.parent / f"test_{path.name}"
        elif _defines(path):
            yield path, UNIT / inner.parent / f"test_{inner.parent.name or 'penstock'}.py"
    for path in sorted((ROOT / "tasks").glob("*/entrypoint.py")):
        yield path, UNIT / "tasks" / f"test_{path.parent.name}.py"


def _defines(path: Path) -> bool:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in tree.body)


def test_every_module_has_its_test() -> None:
    missing = [f"{path.relative_to(ROOT)}: {test.relative_to(ROOT)}" for path, test in modules() if not test.is_file()]
    assert not missing, "no test of its name:\n" + "\n".join(missing)


def test_each_of_them_holds_tests() -> None:
    empty = [test for _, test in modules() if test.is_file() and not _holds_tests(test)]
    assert not empty


def _holds_tests(test: Path) -> bool:
    tree = ast.parse(test.read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef) and node.name.startswith("test_") for node in tree.body)


def test_the_rule_finds_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("src/penstock/room/thing.py", "src/penstock/room/__init__.py", "tasks/step/entrypoint.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('"""It defines nothing."""\n', encoding="utf-8")
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    monkeypatch.setattr(f"{__name__}.UNIT", tmp_path / "tests" / "unit")
    wanted = [test.relative_to(tmp_path).as_posix() for _, test in modules()]
    assert wanted == ["tests/unit/room/test_thing.py", "tests/unit/tasks/test_step.py"]
