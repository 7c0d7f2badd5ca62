"""Which packages that are not ours a step or service can import: what a program in its image may need.

What a family names as ``module:name`` is imported where ``load(….field)`` loads it.
"""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Iterator
from pathlib import Path

from penstock.families.registry import BUILT_IN, family

ROOT = Path(__file__).parents[3]
OURS = {"penstock": ROOT / "src" / "penstock", "penstock_tasks": ROOT / "tasks"}


def _references() -> dict[str, set[str]]:
    """Field of a family (or what a variable with its value is called) → the modules that all families name in it."""
    families = [family(name) for name in BUILT_IN]
    found = {
        "place": set(BUILT_IN.values()),
        "case": {each.case for each in families},
        "measurer": {each.measurer for each in families},
        "loader": {role.loader for each in families for role in each.roles.values()},
        "check": {each.check for each in families if each.check is not None},
        "painter": {each.view.stills.painter for each in families if each.view.stills is not None},
        "compare": {each.agreement.compare for each in families if each.agreement is not None},
        "unmeasurable": {each.unmeasurable for each in families if each.unmeasurable is not None},
        "figures": {each.figures for each in families if each.figures is not None},
        "finder": {filled.finder for each in families for filled in each.filled.values()},
    }
    return {field: {place.partition(":")[0] for place in places} for field, places in found.items()}


REFERENCES = _references()


def third_party(name: str, *, lazy: bool) -> set[str]:
    """Top-level modules that its program reaches; with ``lazy``, those that functions import, too."""
    todo, seen, found = _entry(name), set[str](), set[str]()
    while todo:
        module = todo.pop()
        path = _file(module)
        if module in seen or path is None:
            continue
        seen.add(module)
        parents = module.split(".")
        todo += [".".join(parents[:depth]) for depth in range(1, len(parents))]
        for name in _imported_by(path, lazy=lazy):
            top = name.partition(".")[0]
            if top in OURS:
                todo.append(name)
            elif top not in sys.stdlib_module_names and not top.startswith("penstock_"):
                found.add(top)
    return found


def _entry(name: str) -> list[str]:
    """The modules of a step's program, or of ``penstock NAME``."""
    task = f"penstock_tasks.{name}.entrypoint"
    return [task] if _file(task) else ["penstock.cli.app", f"penstock.cli.{name}"]


def _file(module: str) -> Path | None:
    top, *rest = module.split(".")
    path = OURS[top].joinpath(*rest)
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


@functools.cache
def _imported_by(path: Path, *, lazy: bool) -> tuple[str, ...]:
    return tuple(_imported(ast.parse(path.read_text(encoding="utf-8")), lazy=lazy))


def _imported(node: ast.AST, *, lazy: bool) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and not lazy:
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module:
            yield child.module
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        else:
            if lazy and isinstance(child, ast.Call) and isinstance(child.func, ast.Name) and child.func.id == "load":
                (argument,) = child.args
                name = argument.attr if isinstance(argument, ast.Attribute) else getattr(argument, "id", "place")
                yield from REFERENCES[name]
            yield from _imported(child, lazy=lazy)
