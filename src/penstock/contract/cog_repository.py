"""What a cog repository says of its model: ``cog.yaml`` and the signature of ``predict``, read and never run.

See https://cog.run/python/ for what stands in them. Both come from the model's repository and are hostile: sizes are
bounded, and Python is parsed, not imported.
"""

from __future__ import annotations

import ast
import contextlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from penstock.contract.placeholders import Scalar
from penstock.foundation.errors import UsageError
from penstock.foundation.files import inside, read_regular
from penstock.foundation.yaml_text import read_yaml

MAX_PYTHON_BYTES = 1 << 20
MAX_TEXT = 1000
MAX_NUMBER = 10**15
ENTRIES = {"run": "run", "predict": "predict"}
"""Field of ``cog.yaml`` → the method that answers: newer versions of cog say ``run``, older ones ``predict``."""
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_FILES = frozenset({"Path", "File"})
_LISTS = frozenset({"list", "List"})
_NOTHING = object()


@dataclass(frozen=True)
class CogInput:
    """One input of the model."""

    name: str
    file: bool
    """Whether it is a file (``Path``, ``File``); else a value that stands in JSON."""
    annotation: str
    """As the signature says it: ``int``."""
    default: Scalar | None = None
    """``None``: it has none, or none that a contract can hold."""
    optional: bool = False
    """Whether it can be left out."""
    several: bool = False
    """Whether it is a list; a case gives one entry of it."""


@dataclass(frozen=True)
class CogModel:
    """What ``penstock init`` has to know."""

    inputs: tuple[CogInput, ...]
    returns_file: bool
    """Whether a file comes back, or several; else JSON."""
    file_field: str = ""
    """The field of the output that is the file, where the output is a class with fields; empty: the output itself."""


def read_cog(file: Path) -> CogModel:
    """Read ``cog.yaml`` and the Python file that it names.

    Raises:
        UsageError: one of them is missing or cannot be read; there is no such class or method.
    """
    settings = read_yaml(file, name=file.name).value
    entry = next((name for name in ENTRIES if isinstance(settings, dict) and _names_code(settings.get(name))), None)
    if entry is None:
        raise UsageError(
            "it does not say where the model is",
            where=str(file),
            todo="Write 'predict: \"predict.py:Predictor\"', as cog wants it.",
        )
    code, _, symbol = settings[entry].partition(":")
    path = inside(file.parent, code, where=f"{file.name}: {entry}")
    content = read_regular(path, max_bytes=MAX_PYTHON_BYTES, where=code)
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        where = f"{code}:{line}" if line else code
        raise UsageError("this is not Python that can be read", where=where, todo="Correct it.") from error
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    return _signature(_function(tree, symbol, classes, where=code), classes, where=code)


def _names_code(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[^:]+\.py:[A-Za-z_]\w*", value) is not None


def _function(
    tree: ast.Module, symbol: str, classes: Mapping[str, ast.ClassDef], *, where: str
) -> ast.FunctionDef | ast.AsyncFunctionDef:
    """The method of the class ``symbol`` that answers, its own or inherited in this file, or the function."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == symbol:
            return node
    if symbol not in classes:
        raise UsageError(f"there is no class or function '{symbol}'", where=where, todo="Correct cog.yaml.")
    for node in _with_bases(classes[symbol], classes):
        for item in node.body:
            if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) and item.name in ENTRIES.values():
                return item
    raise UsageError(
        f"the class '{symbol}' has no method 'predict' or 'run' in this file",
        where=f"{where}:{classes[symbol].lineno}",
        todo="One that it inherits from elsewhere is not looked up: define it here.",
    )


def _with_bases(first: ast.ClassDef, classes: Mapping[str, ast.ClassDef]) -> list[ast.ClassDef]:
    """A class, then those of this file that it inherits from, each once."""
    found = [first]
    for node in found:
        named = (classes.get(_last_name(base)) for base in node.bases)
        found += [base for base in named if base is not None and base not in found]
    return found


def _signature(
    function: ast.FunctionDef | ast.AsyncFunctionDef, classes: Mapping[str, ast.ClassDef], *, where: str
) -> CogModel:
    plain = [*function.args.posonlyargs, *function.args.args]
    defaults: list[ast.expr | None] = [*[None] * (len(plain) - len(function.args.defaults)), *function.args.defaults]
    pairs = [*zip(plain, defaults, strict=True)]
    pairs += [*zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)]
    inputs = [_input(argument, default) for argument, default in pairs if argument.arg != "self"]
    if strange := [found.name for found in inputs if not _PLAIN_NAME.fullmatch(found.name)]:
        raise UsageError(f"the input '{strange[0]}' has a name beyond ASCII", where=f"{where}:{function.lineno}")
    returned = _types(function.returns)
    fields = [field for name in sorted(returned & classes.keys()) for field in _file_fields(classes[name])]
    return CogModel(tuple(inputs), bool(_FILES & returned or fields), file_field=next(iter(fields), ""))


def _file_fields(output: ast.ClassDef) -> list[str]:
    """The fields of an output class that are files."""
    found = []
    for item in output.body:
        match item:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=kind) if _FILES & _types(kind):
                found += [name] if _PLAIN_NAME.fullmatch(name) else []
    return found


def _input(argument: ast.arg, default: ast.expr | None) -> CogInput:
    annotation, types = _text(argument.annotation), _types(argument.annotation)
    value = _default(default)
    scalar = value if isinstance(value, str | int | float | bool) and _can_be_written(value) else None
    return CogInput(
        name=argument.arg,
        file=bool(_FILES & types),
        annotation=annotation or "any",
        default=scalar,
        optional=value is not _NOTHING,
        several=bool(_LISTS & types),
    )


def _default(default: ast.expr | None) -> object:
    """The value of a default, also of ``Input(default=…)``; ``None`` where it cannot be told without running it."""
    if default is None:
        return _NOTHING
    if isinstance(default, ast.Call) and _text(default.func).rpartition(".")[2] == "Input":
        given = [keyword.value for keyword in default.keywords if keyword.arg == "default"]
        found = [*given, *default.args]
        if not found:
            return _NOTHING
        default = found[0]
    try:
        return ast.literal_eval(default)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None


def _can_be_written(value: Scalar) -> bool:
    """Whether a contract can hold a default as it is."""
    if isinstance(value, str):
        return len(value) <= MAX_TEXT and value.isprintable()
    return math.isfinite(value) and abs(value) < MAX_NUMBER


def _types(annotation: ast.expr | None) -> frozenset[str]:
    """The names of the types in an annotation: no texts that a ``Literal`` or a description holds."""
    found: set[str] = set()
    left = [annotation]
    while left:
        match left.pop():
            case ast.Name() | ast.Attribute() as named:
                found.add(_last_name(named))
            case ast.Constant(value=str(text)):  # a type in quotes
                with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
                    left.append(ast.parse(text.strip(), mode="eval").body)
            case ast.BinOp(left=one, right=other):
                left += [one, other]
            case ast.Tuple(elts=items):
                left += items
            case ast.Subscript(value=outer, slice=inner):
                left.append(outer)
                match _last_name(outer), inner:
                    case "Literal", _:
                        pass
                    case "Annotated", ast.Tuple(elts=[first, *_]):
                        left.append(first)
                    case _:
                        left.append(inner)
    return frozenset(found)


def _last_name(node: ast.expr) -> str:
    """``List`` of ``typing.List``."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _text(node: ast.expr | None) -> str:
    """An annotation as it is written."""
    if node is None:
        return ""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    try:
        return ast.unparse(node)
    except (RecursionError, ValueError):
        return ""
