"""Reading YAML that a stranger wrote: limits first, no surprises in the types, and the line of everything.

What is read is plain YAML: mappings with text keys, lists, text, numbers, ``true``/``false`` and ``null``. The types
are those of YAML 1.2: ``yes``, ``no``, ``on``, ``off``, dates, ``1:30``, ``0x1f``, ``012`` and ``1_000`` stay the text
that they are. A run of digits longer than 18 (a SHA-256 can look like one) stays text as well. Refused, each with its
line: a file over the size limit, nesting over 32 levels, more than 16 aliases or 200,000 values once aliases are
expanded, a key that is there twice, merge keys, tags, several documents, a number that is not finite.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from penstock.foundation.errors import UsageError
from penstock.foundation.files import read_regular

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
MAX_ALIASES = 16
MAX_VALUES = 200_000
MAX_SHOWN = 80

KeyPath = tuple[str | int, ...]
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
FLOAT = re.compile(r"[-+]?([0-9]{1,18}(\.[0-9]{0,20})?|\.[0-9]{1,20})([eE][-+]?[0-9]{1,4})?")
SURROGATE = re.compile("[\ud800-\udfff]")
LEADING_ZERO = re.compile(r"[-+]?0[0-9]")
NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True)
class Position:
    """Where a value starts; both counted from 1."""

    line: int
    column: int


@dataclass(slots=True)
class Node:
    """A value, where it starts, and its children. ``size`` and ``height`` count what stands below, aliases expanded."""

    value: Any
    position: Position
    children: dict[str | int, Node] = field(default_factory=dict)
    keys: dict[str | int, Position] = field(default_factory=dict)
    size: int = 1
    height: int = 1


@dataclass(frozen=True)
class Document:
    """A parsed file: its value, and the position of everything in it."""

    name: str
    """What messages call the file: ``penstock.yaml``."""
    root: Node

    @property
    def value(self) -> Any:
        """The plain value: ``dict``, ``list``, ``str``, ``int``, ``float``, ``bool`` or ``None``."""
        return self.root.value

    def has(self, path: KeyPath) -> bool:
        """Whether something stands at ``path``."""
        return len(self.longest(path)) == len(path)

    def longest(self, path: KeyPath) -> KeyPath:
        """The longest beginning of ``path`` that is in the file."""
        node = self.root
        for depth, part in enumerate(path):
            if part not in node.children:
                return path[:depth]
            node = node.children[part]
        return path

    def locate(self, path: KeyPath) -> Position:
        """Where ``path`` is: the key of a field, the item of a list; what is not there is at its parent."""
        node, position = self.root, self.root.position
        for part in path:
            if part not in node.children:
                break
            position = node.keys.get(part, node.children[part].position)
            node = node.children[part]
        return position


def read_yaml(path: Path, *, name: str, max_bytes: int = MAX_BYTES) -> Document:
    """Read and parse one file.

    Args:
        path: the file.
        name: what messages call the file.
        max_bytes: a larger file is refused before any of it is parsed.

    Raises:
        UsageError: there is no such regular file, or one of the limits of this module is broken.
    """
    return parse_yaml(read_regular(path, max_bytes=max_bytes, where=name), name=name, max_bytes=max_bytes)


def parse_yaml(content: bytes, *, name: str, max_bytes: int = MAX_BYTES) -> Document:
    """Parse ``content`` (UTF-8, with or without a byte-order mark); see :func:`read_yaml`."""
    if len(content) > max_bytes:
        raise UsageError(f"the file is larger than {max_bytes >> 20} MiB", where=name, todo="Keep data out of it.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError("the file is not UTF-8 text", where=f"{name}:{line}", todo="Save it as UTF-8.") from None
    try:
        return Document(name, _Composer(name, text).document())
    except yaml.YAMLError as error:
        raise _syntax_error(error, name, text) from None


class _Composer:
    """From the parser's events to nodes. PyYAML's own composer has no limits and expands what it should not."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.events: Iterator[Any] = yaml.parse(text, Loader=LOADER)
        self.anchors: dict[str, Node] = {}
        self.aliases = 0
        self.values = 0

    def document(self) -> Node:
        """The single document of the stream."""
        root: Node | None = None
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise self.refuse(
                        event, "there is more than one document in the file", "Keep the first, remove the '---' line."
                    )
                root = self.node(next(self.events), 1)
        if root is None:
            raise UsageError(
                "the file is empty", where=f"{self.name}:1", todo="`penstock init` writes one to start from."
            )
        return root

    def node(self, event: Any, depth: int) -> Node:
        """The node that starts with ``event``."""
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, depth)
        self.count(event, 1)
        if depth > MAX_DEPTH:
            raise self.refuse(event, f"nested deeper than {MAX_DEPTH} levels")
        position = Position(event.start_mark.line + 1, event.start_mark.column + 1)
        anchor = event.anchor
        if isinstance(event, yaml.ScalarEvent):
            node = Node(self.scalar(event), position)
        else:
            if event.tag is not None:
                raise self.refuse(event, f"the tag '{_short(event.tag)}' is not allowed", "Remove it.")
            node = (
                self.mapping(position, depth)
                if isinstance(event, yaml.MappingStartEvent)
                else self.sequence(position, depth)
            )
        if anchor is not None:
            # Known only once it is whole, so that nothing can contain itself.
            self.anchors[anchor] = node
        return node

    def alias(self, event: Any, depth: int) -> Node:
        self.aliases += 1
        if self.aliases > MAX_ALIASES:
            raise self.refuse(
                event, f"more than {MAX_ALIASES} aliases ('*{_short(event.anchor)}')", "Write the values out."
            )
        node = self.anchors.get(event.anchor)
        if node is None:
            raise self.refuse(event, f"the alias '*{_short(event.anchor)}' has no anchor before it, or contains itself")
        self.count(event, node.size)
        if depth - 1 + node.height > MAX_DEPTH:
            raise self.refuse(event, f"nested deeper than {MAX_DEPTH} levels")
        return node

    def mapping(self, position: Position, depth: int) -> Node:
        node = Node({}, position)
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self.key(event)
            if key in node.children:
                first = node.keys[key].line
                raise self.refuse(
                    event, f"the field '{_short(key)}' is there twice, first in line {first}", "Remove one of them."
                )
            node.keys[key] = Position(event.start_mark.line + 1, event.start_mark.column + 1)
            _adopt(node, key, self.node(next(self.events), depth + 1))
            node.value[key] = node.children[key].value
        return node

    def sequence(self, position: Position, depth: int) -> Node:
        node = Node([], position)
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            child = self.node(event, depth + 1)
            _adopt(node, len(node.value), child)
            node.value.append(child.value)
        return node

    def key(self, event: Any) -> str:
        """A key is always the text that is written there: ``on`` and ``1`` are names like any other."""
        if not isinstance(event, yaml.ScalarEvent):
            raise self.refuse(event, "the name of a field must be plain text")
        if event.tag is not None or event.anchor is not None:
            raise self.refuse(event, "the name of a field must be plain text, without tag or anchor")
        if event.value == "<<" and event.implicit[0]:
            raise self.refuse(event, "merge keys ('<<') are not supported", "Write the values out.")
        self.count(event, 1)
        return str(event.value)

    def scalar(self, event: Any) -> Any:
        text: str = event.value
        if event.tag not in (None, "!", "tag:yaml.org,2002:str"):
            raise self.refuse(event, f"the tag '{_short(event.tag)}' is not allowed", "Remove it.")
        if "\x00" in text or SURROGATE.search(text):
            raise self.refuse(event, "the text contains a NUL or half a character", "Remove the escape.")
        plain = event.implicit[0]
        if event.tag is not None or not plain:
            return text
        if text in WORDS:
            return WORDS[text]
        if INTEGER.fullmatch(text):
            return int(text)
        if NOT_FINITE.fullmatch(text):
            raise self.refuse(event, f"'{text}' is not a finite number", 'Text goes in quotes: "' + text + '".')
        if FLOAT.fullmatch(text) and not LEADING_ZERO.match(text):
            number = float(text)
            if not math.isfinite(number):
                raise self.refuse(event, f"the number {_short(text)} is too large")
            return number
        return text

    def count(self, event: Any, values: int) -> None:
        self.values += values
        if self.values > MAX_VALUES:
            raise self.refuse(event, f"more than {MAX_VALUES:,} values")

    def refuse(self, event: Any, what: str, todo: str = "") -> UsageError:
        return UsageError(what, where=f"{self.name}:{event.start_mark.line + 1}", todo=todo)


def _adopt(parent: Node, key: str | int, child: Node) -> None:
    parent.children[key] = child
    parent.size += child.size
    parent.height = max(parent.height, child.height + 1)


def _short(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


def _syntax_error(error: yaml.YAMLError, name: str, text: str) -> UsageError:
    """PyYAML's complaint in plain words."""
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1 if isinstance(error.position, int) else 1
        return UsageError("there is a control character in the file", where=f"{name}:{line}", todo="Remove it.")
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "it cannot be parsed"
    line = mark.line + 1 if mark is not None else 1
    where = f"{name}:{line}"
    lines = text.splitlines()
    written = lines[line - 1] if line <= len(lines) else ""
    if "\t" in written[: len(written) - len(written.lstrip())] or "'\\t'" in problem:
        return UsageError("a tab stands where YAML wants spaces", where=where, todo="Indent with spaces.")
    context = getattr(error, "context", None)
    return UsageError(
        f"not valid YAML: {problem}{f' ({context})' if context else ''}",
        where=where,
        todo="Check the indentation, colons and quotes.",
    )
