"""Reading YAML that a stranger wrote: limits first, no surprises in the types, and the line of everything.

What is read is plain YAML: mappings with text keys, lists, text, numbers, ``true``/``false`` and ``null``. The types
are those of YAML 1.2: ``yes``, ``no``, ``on``, ``off``, dates, ``1:30``, ``0x1f``, ``012`` and ``1_000`` stay the text
that they are. A run of digits longer than 18 (a SHA-256 can look like one) stays text as well. Refused, each with its
line: a file over the size limit, nesting over 32 levels, more than 16 aliases or 200,000 values once aliases are
expanded, a key that is there twice, merge keys, tags, several documents, a number that is not finite.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from penstock.foundation.errors import UsageError
from penstock.foundation.files import read_regular
from penstock.foundation.yaml_composer import Composer, Position, YamlNode

MAX_BYTES = 1 << 20
MAX_ALIASES = 16

KeyPath = tuple[str | int, ...]
INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
FLOAT = re.compile(r"[-+]?([0-9]{1,18}(\.[0-9]{0,20})?|\.[0-9]{1,20})([eE][-+]?[0-9]{1,4})?")
LEADING_ZERO = re.compile(r"[-+]?0[0-9]")
WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True)
class Document:
    """A parsed file: its value, and the position of everything in it."""

    name: str
    """What messages call the file: ``penstock.yaml``."""
    root: YamlNode

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
        roots = list(_OwnComposer(name, text).documents())
    except yaml.YAMLError as error:
        raise _syntax_error(error, name, text) from None
    if not roots:
        raise UsageError("the file is empty", where=f"{name}:1", todo="`penstock init` writes one to start from.")
    return Document(name, roots[0])


class _OwnComposer(Composer):
    """As Penstock's own files are read: one document, few words with a meaning, names of fields as they are written."""

    max_documents = 1
    max_aliases = MAX_ALIASES
    merges = False

    def too_many_documents(self, event: Any) -> UsageError:
        what = "there is more than one document in the file"
        return self.refuse(event, what, "Keep the first, remove the '---' line.")

    def field_name(self, event: Any) -> str:
        """The text that is written there: ``on`` and ``1`` are names like any other."""
        return str(event.value)

    def plain(self, text: str) -> Any:
        if text in WORDS:
            return WORDS[text]
        if INTEGER.fullmatch(text):
            return int(text)
        if FLOAT.fullmatch(text) and not LEADING_ZERO.match(text):
            return float(text)
        return text


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
