"""Cases added to the text of a ``suite.yaml``: all that people have written there stays as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from penstock.foundation.errors import UsageError

WIDTH = 115


def with_cases(text: str, cases: Sequence[Mapping[str, Any]], licences: Mapping[str, Mapping[str, str]]) -> str:
    """The text with more cases behind the last, and more ``licences``.

    Args:
        text: of a suite that can be read.
        cases: as they stand in the file.
        licences: file → ``licence`` and ``origin``.

    Raises:
        UsageError: the cases, or the licences, are written in one line (``[…]``, ``{…}``), which nobody could add to
            without writing it anew.
    """
    found = _block(text, "cases")
    if found is None:
        raise UsageError("there are no cases", where="suite.yaml", todo="Write the first case by hand.")
    text = _inserted(text, found, yaml.safe_dump(list(cases), **_STYLE))
    if not licences:
        return text
    written = yaml.safe_dump({name: dict(stated) for name, stated in licences.items()}, **_STYLE)
    found = _block(text, "licences")
    if found is not None:
        return _inserted(text, found, written)
    head = text if text.endswith("\n") else text + "\n"
    return head + "licences:\n" + _indented(written, 2)


_STYLE: dict[str, Any] = {"sort_keys": False, "default_flow_style": None, "allow_unicode": True, "width": WIDTH}


def _block(text: str, key: str) -> yaml.CollectionNode | None:
    """The value of a key at the top, which must be written line below line; ``None``: there is no such key."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)  # read under limits before
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    node = next((value for name, value in pairs if name.value == key), None)
    if not isinstance(node, yaml.CollectionNode):
        return None
    if node.flow_style:
        what = f"'{key}' is written in one line, which cannot be added to"
        raise UsageError(what, where=f"suite.yaml:{node.start_mark.line + 1}", todo="Write one below the other.")
    return node


def _inserted(text: str, node: yaml.CollectionNode, block: str) -> str:
    lines = text.splitlines(keepends=True)
    end = _last_line(node) + 1
    if not lines[end - 1].endswith("\n"):
        lines[end - 1] += "\n"
    return "".join([*lines[:end], _indented(block, node.start_mark.column), *lines[end:]])


def _last_line(node: yaml.Node) -> int:
    """Where the last of its values ends, from 0. A node that stands below others ends only where the next begins."""
    if not isinstance(node, yaml.CollectionNode) or node.flow_style or not node.value:
        # a text of several lines (|, >) ends where the next line begins
        return node.end_mark.line - (node.end_mark.column == 0 and node.end_mark.line > node.start_mark.line)
    last = node.value[-1]
    return max(map(_last_line, last if isinstance(last, tuple) else (last,)))


def _indented(block: str, columns: int) -> str:
    return "".join(" " * columns + line for line in block.splitlines(keepends=True))
