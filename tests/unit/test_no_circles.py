"""No two modules import each other, at the top or inside a function: what is read first can be read alone."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"


def imports(path: Path, modules: set[str]) -> set[str]:
    """The modules of ``modules`` that a file imports, for type checkers alone aside."""
    found: set[str] = set()
    for node in _running(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            parts = {f"{node.module}.{alias.name}" for alias in node.names} & modules
            found |= parts or ({node.module} & modules)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & modules
    return found


def _running(node: ast.AST) -> list[ast.AST]:
    """All nodes but those below ``if TYPE_CHECKING``."""
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return [inner for child in node.orelse for inner in _running(child)]
    return [node, *(inner for child in ast.iter_child_nodes(node) for inner in _running(child))]


def circle(root: Path) -> list[str]:
    """The modules of one circle below ``root``; none if there is none."""
    paths = {".".join(p.relative_to(root).with_suffix("").parts): p for p in root.rglob("*.py")}
    named = {name.removesuffix(".__init__"): path for name, path in paths.items()}
    graph = {name: imports(path, set(named)) - {name} for name, path in named.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_module_is_imported_by_what_it_imports() -> None:
    assert circle(SOURCE) == []


@pytest.mark.parametrize("late", ["", "def f():\n    "])
def test_a_circle_is_found_however_late_it_imports(tmp_path: Path, late: str) -> None:
    for name, content in {"a": "from room.b import x", "b": f"{late}import room.a", "c": "import room.a"}.items():
        (tmp_path / "room").mkdir(exist_ok=True)
        (tmp_path / "room" / f"{name}.py").write_text(content)
    assert set(circle(tmp_path)) == {"room.a", "room.b"}
    (tmp_path / "room" / "b.py").write_text("if TYPE_CHECKING:\n    import room.a\n")
    assert circle(tmp_path) == []
