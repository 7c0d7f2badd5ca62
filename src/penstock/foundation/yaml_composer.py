"""YAML that a stranger wrote, composed under limits, with the line of everything.

Refused, each with its line: nesting over 32 levels, more than 200,000 values once aliases are expanded, more aliases or
documents than a reader allows, a key that is there twice, a tag, text with a NUL or half a character. What a word means
without quotes differs between those who read YAML: see :mod:`penstock.foundation.yaml_text` for Penstock's own files.
"""

from __future__ import annotations

import abc
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import yaml

from penstock.foundation.errors import UsageError

MAX_DEPTH = 32
MAX_VALUES = 200_000
MAX_SHOWN = 80
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SURROGATE = re.compile("[\ud800-\udfff]")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass(frozen=True)
class Position:
    """Where a value starts; both counted from 1."""

    line: int
    column: int


@dataclass(slots=True)
class YamlNode:
    """A value, where it starts, and its children. ``size`` and ``height`` count what stands below, aliases expanded."""

    value: Any
    position: Position
    children: dict[str | int, YamlNode] = field(default_factory=dict)
    keys: dict[str | int, Position] = field(default_factory=dict)
    size: int = 1
    height: int = 1


class Composer(abc.ABC):
    """From the parser's events to nodes. PyYAML's own composer has no limits and expands what it should not.

    What a word means without quotes, and what may be the name of a field, differs between those who read YAML: a
    subclass says it. Everything that keeps a hostile file in its limits is here.
    """

    max_documents: ClassVar[int]
    max_aliases: ClassVar[int]
    merges: ClassVar[bool]
    """Whether ``<<`` brings in the fields of another mapping."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
        self.anchors: dict[str, YamlNode] = {}
        self.aliases = 0
        self.values = 0

    @abc.abstractmethod
    def plain(self, text: str) -> Any:
        """What a word without quotes and tag means; a number that is too large may be infinite."""

    @abc.abstractmethod
    def field_name(self, event: Any) -> str:
        """The name of a field, of a scalar without tag and anchor."""

    def documents(self) -> Iterator[YamlNode]:
        """The documents of the stream."""
        count = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                count += 1
                if count > self.max_documents:
                    raise self.too_many_documents(event)
                self.anchors = {}
                yield self.node(next(self.events), 1)

    def too_many_documents(self, event: Any) -> UsageError:
        """The error for one document more than there may be."""
        return self.refuse(event, f"more than {self.max_documents} documents")

    def node(self, event: Any, depth: int) -> YamlNode:
        """The node that starts with ``event``."""
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, depth)
        self.count(event, 1)
        if depth > MAX_DEPTH:
            raise self.refuse(event, f"nested deeper than {MAX_DEPTH} levels")
        position = Position(event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, yaml.ScalarEvent):
            node = YamlNode(self.scalar(event), position)
        elif event.tag is not None:
            raise self.refuse(event, f"the tag '{_short(event.tag)}' is not allowed", "Remove it.")
        elif isinstance(event, yaml.MappingStartEvent):
            node = self.mapping(position, depth)
        else:
            node = self.sequence(position, depth)
        if event.anchor is not None:
            # Known only once it is whole, so that nothing can contain itself.
            self.anchors[event.anchor] = node
        return node

    def alias(self, event: Any, depth: int) -> YamlNode:
        self.aliases += 1
        if self.aliases > self.max_aliases:
            raise self.refuse(
                event, f"more than {self.max_aliases} aliases ('*{_short(event.anchor)}')", "Write the values out."
            )
        node = self.anchors.get(event.anchor)
        if node is None:
            raise self.refuse(event, f"the alias '*{_short(event.anchor)}' has no anchor before it, or contains itself")
        self.count(event, node.size)
        if depth - 1 + node.height > MAX_DEPTH:
            raise self.refuse(event, f"nested deeper than {MAX_DEPTH} levels")
        return node

    def mapping(self, position: Position, depth: int) -> YamlNode:
        node = YamlNode({}, position)
        merged: list[YamlNode] = []
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if self.merges and _is_merge(event):
                merged += self.merge(event, self.node(next(self.events), depth + 1))
                continue
            key = self.key(event)
            if key in node.children:
                first = node.keys[key].line
                raise self.refuse(
                    event, f"the field '{_short(key)}' is there twice, first in line {first}", "Remove one of them."
                )
            node.keys[key] = Position(event.start_mark.line + 1, event.start_mark.column + 1)
            _adopt(node, key, self.node(next(self.events), depth + 1))
        for source in merged:
            for name, child in source.children.items():
                if name not in node.children and isinstance(name, str):
                    _adopt(node, name, child)
                    node.keys[name] = source.keys[name]
        node.value = {key: child.value for key, child in node.children.items()}
        return node

    def merge(self, event: Any, source: YamlNode) -> list[YamlNode]:
        sources = list(source.children.values()) if isinstance(source.value, list) else [source]
        if not all(isinstance(item.value, dict) for item in sources):
            raise self.refuse(event, "'<<' wants a mapping or a list of mappings")
        return sources

    def sequence(self, position: Position, depth: int) -> YamlNode:
        node = YamlNode([], position)
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            _adopt(node, len(node.children), self.node(event, depth + 1))
        node.value = [child.value for child in node.children.values()]
        return node

    def key(self, event: Any) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise self.refuse(event, "the name of a field must be plain text")
        if event.tag is not None or event.anchor is not None:
            raise self.refuse(event, "the name of a field must be plain text, without tag or anchor")
        if _is_merge(event):
            raise self.refuse(event, "merge keys ('<<') are not supported", "Write the values out.")
        self.count(event, 1)
        return self.field_name(event)

    def scalar(self, event: Any) -> Any:
        text: str = event.value
        if event.tag not in (None, "!", "tag:yaml.org,2002:str"):
            raise self.refuse(event, f"the tag '{_short(event.tag)}' is not allowed", "Remove it.")
        if "\x00" in text or _SURROGATE.search(text):
            raise self.refuse(event, "the text contains a NUL or half a character", "Remove the escape.")
        if event.tag is not None or not event.implicit[0]:
            return text
        if _NOT_FINITE.fullmatch(text):
            raise self.refuse(event, f"'{text}' is not a finite number", f'Text goes in quotes: "{text}".')
        value = self.plain(text)
        if isinstance(value, float) and not math.isfinite(value):
            raise self.refuse(event, f"the number {_short(text)} is too large")
        return value

    def count(self, event: Any, values: int) -> None:
        self.values += values
        if self.values > MAX_VALUES:
            raise self.refuse(event, f"more than {MAX_VALUES:,} values, aliases expanded")

    def refuse(self, event: Any, what: str, todo: str = "") -> UsageError:
        """The error for what stands at ``event``."""
        return UsageError(what, where=f"{self.name}:{event.start_mark.line + 1}", todo=todo)


def _is_merge(event: Any) -> bool:
    return isinstance(event, yaml.ScalarEvent) and event.value == "<<" and bool(event.implicit[0])


def _adopt(parent: YamlNode, key: str | int, child: YamlNode) -> None:
    parent.children[key] = child
    parent.size += child.size
    parent.height = max(parent.height, child.height + 1)


def _short(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"
