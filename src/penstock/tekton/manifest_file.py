"""Reading a file of Kubernetes manifests: several documents, hostile, with the types that ``kubectl`` gives them.

``kubectl`` reads YAML 1.1 its own way: ``yes``, ``on`` and ``y`` are booleans, ``010`` is 8, ``1e3`` is a number, dates
and ``1:30`` are text. A parameter's value depends on it, so this module does the same. Limits: 1 MiB, 32 levels,
200,000 values once aliases are expanded, 200 documents; a key that is there twice, a tag and a number that is not
finite are refused with their line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from penstock.foundation.errors import UsageError
from penstock.foundation.files import read_regular
from penstock.foundation.yaml_text import LOADER, MAX_BYTES, MAX_DEPTH, MAX_VALUES, Document, Node, Position
from penstock.tekton.values import go_float

MAX_DOCUMENTS = 200
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
}
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGER = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)")
_SURROGATE = re.compile("[\ud800-\udfff]")


def read_manifests(path: Path, *, name: str) -> list[Document]:
    """All documents of the file that are not empty.

    Args:
        path: the file.
        name: what messages call it.

    Raises:
        UsageError: there is no such regular file, it is not YAML, or a limit of this module is broken.
    """
    return parse_manifests(read_regular(path, max_bytes=MAX_BYTES, where=name), name=name)


def parse_manifests(content: bytes, *, name: str) -> list[Document]:
    """All documents in ``content`` (UTF-8) that are not empty; see :func:`read_manifests`."""
    if len(content) > MAX_BYTES:
        raise UsageError(f"the file is larger than {MAX_BYTES >> 20} MiB", where=name)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError("the file is not UTF-8 text", where=f"{name}:{line}", todo="Save it as UTF-8.") from None
    try:
        return [Document(name, root) for root in _Composer(name, text).documents() if root.value is not None]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        raise UsageError(f"not valid YAML: {problem}", where=f"{name}:{line}", todo="Check the indentation.") from None
    except RecursionError:
        raise UsageError("nested too deep", where=name) from None


class _Composer:
    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.events: Iterator[Any] = yaml.parse(text, Loader=LOADER)
        self.anchors: dict[str, Node] = {}
        self.values = 0

    def documents(self) -> Iterator[Node]:
        count = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                count += 1
                if count > MAX_DOCUMENTS:
                    raise self.refuse(event, f"more than {MAX_DOCUMENTS} documents")
                self.anchors = {}
                yield self.node(next(self.events), 1)

    def node(self, event: Any, depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, depth)
        self.count(event, 1)
        if depth > MAX_DEPTH:
            raise self.refuse(event, f"nested deeper than {MAX_DEPTH} levels")
        position = Position(event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, yaml.ScalarEvent):
            node = Node(self.scalar(event), position)
        elif event.tag is not None:
            raise self.refuse(event, f"the tag '{event.tag[:80]}' is not allowed", "Remove it.")
        elif isinstance(event, yaml.MappingStartEvent):
            node = self.mapping(position, depth)
        else:
            node = self.sequence(position, depth)
        if event.anchor is not None:
            # known only once it is whole, so that nothing can contain itself
            self.anchors[event.anchor] = node
        return node

    def alias(self, event: Any, depth: int) -> Node:
        node = self.anchors.get(event.anchor)
        if node is None:
            raise self.refuse(event, f"the alias '*{event.anchor[:80]}' has no anchor before it, or contains itself")
        self.count(event, node.size)
        if depth - 1 + node.height > MAX_DEPTH:
            raise self.refuse(event, f"nested deeper than {MAX_DEPTH} levels")
        return node

    def mapping(self, position: Position, depth: int) -> Node:
        node = Node({}, position)
        merged: list[Node] = []
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if isinstance(event, yaml.ScalarEvent) and event.value == "<<" and event.implicit[0]:
                merged += self.merge(event, self.node(next(self.events), depth + 1))
                continue
            key = self.key(event)
            if key in node.children:
                first = node.keys[key].line
                what = f"the field '{key[:80]}' is there twice, first in line {first}"
                raise self.refuse(event, what, "Remove one of them.")
            node.keys[key] = Position(event.start_mark.line + 1, event.start_mark.column + 1)
            self.adopt(node, key, self.node(next(self.events), depth + 1))
        for source in merged:
            for name, child in source.children.items():
                if name not in node.children and isinstance(name, str):
                    self.adopt(node, name, child)
                    node.keys[name] = source.keys[name]
        node.value = {key: child.value for key, child in node.children.items()}
        return node

    def merge(self, event: Any, source: Node) -> list[Node]:
        sources = list(source.children.values()) if isinstance(source.value, list) else [source]
        if not all(isinstance(item.value, dict) for item in sources):
            raise self.refuse(event, "'<<' wants a mapping or a list of mappings")
        return sources

    def sequence(self, position: Position, depth: int) -> Node:
        node = Node([], position)
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            self.adopt(node, len(node.children), self.node(event, depth + 1))
        node.value = [child.value for child in node.children.values()]
        return node

    @staticmethod
    def adopt(node: Node, key: str | int, child: Node) -> None:
        node.children[key] = child
        node.size += child.size
        node.height = max(node.height, child.height + 1)

    def key(self, event: Any) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise self.refuse(event, "the name of a field must be plain text")
        if event.tag is not None or event.anchor is not None:
            raise self.refuse(event, "the name of a field must be plain text, without tag or anchor")
        self.count(event, 1)
        value = self.scalar(event)
        if value is None or isinstance(value, bool):
            return {None: "null", True: "true", False: "false"}[value]
        return go_float(value) if isinstance(value, float) else str(value)

    def scalar(self, event: Any) -> Any:
        text: str = event.value
        if event.tag not in (None, "!", "tag:yaml.org,2002:str"):
            raise self.refuse(event, f"the tag '{event.tag[:80]}' is not allowed", "Remove it.")
        if "\x00" in text or _SURROGATE.search(text):
            raise self.refuse(event, "the text contains a NUL or half a character", "Remove the escape.")
        if event.tag is not None or not event.implicit[0]:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _NOT_FINITE.fullmatch(text):
            raise self.refuse(event, f"'{text}' is not a finite number", f'Text goes in quotes: "{text}".')
        number = _number(text)
        if isinstance(number, float) and not math.isfinite(number):
            raise self.refuse(event, f"the number {text[:80]} is too large")
        return text if number is None else number

    def count(self, event: Any, values: int) -> None:
        self.values += values
        if self.values > MAX_VALUES:
            raise self.refuse(event, f"more than {MAX_VALUES:,} values, aliases expanded")

    def refuse(self, event: Any, what: str, todo: str = "") -> UsageError:
        return UsageError(what, where=f"{self.name}:{event.start_mark.line + 1}", todo=todo)


def _number(text: str) -> int | float | None:
    """What Go's ``strconv.ParseInt(text, 0, 64)``, then ``ParseFloat``, make of it."""
    plain = text.replace("_", "") if text[:1] in "+-.0123456789" else ""
    if not plain or len(plain) > 400:
        return None
    if _INTEGER.fullmatch(plain):
        digits = plain.lstrip("+-")
        base = {"0x": 16, "0b": 2, "0o": 8}.get(digits[:2].lower())
        if base is None:
            base = 8 if digits.startswith("0") and len(digits) > 1 else 10
        number = int(digits[2:] if digits[:2].lower() in ("0x", "0b", "0o") else digits, base)
        number = -number if plain.startswith("-") else number
        if -(1 << 63) <= number < (1 << 64):
            return number
    return float(plain) if _FLOAT.fullmatch(plain) else None
