"""Replacing single values of a YAML file, and nothing else of it: comments, order and layout stay as they are.

PyYAML says where a value begins and ends; these characters alone are replaced. Only a text that stands on one line can
be: bare, or in quotes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

from penstock.foundation.errors import UsageError
from penstock.foundation.yaml_text import KeyPath, parse_yaml

MAX_FILE_BYTES = 1 << 20
BARE = re.compile(r"[A-Za-z][A-Za-z0-9._/@-]*(:[A-Za-z0-9][A-Za-z0-9._/@-]*)+")
"""What is written without quotes where none were: an address with a digest, say, which is a text to every reader."""


def get_fields(content: bytes, places: list[KeyPath], *, where: str) -> dict[KeyPath, str]:
    """The values at some places.

    Args:
        content: of the file: one document of plain YAML.
        places: names and numbers down to each.
        where: what messages call the file.

    Raises:
        UsageError: the file is none, a place is not there, or something else than a text on one line stands there.
    """
    nodes = _nodes(content, places, where)
    return {place: str(node.value) for place, node in nodes.items()}


def set_fields(content: bytes, values: Mapping[KeyPath, str], *, where: str) -> bytes:
    """The file with other values at some places.

    Raises:
        UsageError: see :func:`get_fields`; or more than these values would change.
    """
    nodes = _nodes(content, list(values), where)
    text = content.decode("utf-8")
    for place, node in sorted(nodes.items(), key=lambda item: -item[1].start_mark.index):
        written = values[place]
        if node.style is not None or not BARE.fullmatch(written):
            written = json.dumps(written, ensure_ascii=False)
        text = text[: node.start_mark.index] + written + text[node.end_mark.index :]
    changed = text.encode("utf-8")
    _hold_only(content, changed, values, where)
    return changed


def changes_only(before: bytes, after: bytes, values: Mapping[KeyPath, str], *, where: str) -> bool:
    """Whether one file is the other with these values, as it is read: comments and layout count nothing.

    Raises:
        KeyError, IndexError, TypeError: a place is not there, which :func:`get_fields` says better.
    """
    try:
        _hold_only(before, after, values, where)
    except UsageError:
        return False
    return True


def _hold_only(before: bytes, after: bytes, values: Mapping[KeyPath, str], where: str) -> None:
    """Check that exactly these values differ, as the file is read."""
    # what has an anchor is one object however often it is named: of copies, one is changed at a time
    wanted = _unshared(parse_yaml(before, name=where, max_bytes=MAX_FILE_BYTES).value)
    for place, value in values.items():
        inner: Any = wanted
        for part in place[:-1]:
            inner = inner[part]
        inner[place[-1]] = value
    if parse_yaml(after, name=where, max_bytes=MAX_FILE_BYTES).value != wanted:
        raise UsageError(
            "its values cannot be replaced one by one",
            where=where,
            todo="Put them in quotes, and write out what has an anchor around them.",
        )


def _unshared(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _unshared(inner) for name, inner in value.items()}
    return [_unshared(inner) for inner in value] if isinstance(value, list) else value


def _nodes(content: bytes, places: list[KeyPath], where: str) -> dict[KeyPath, yaml.ScalarNode]:
    parse_yaml(content, name=where, max_bytes=MAX_FILE_BYTES)  # limits first, and one document without surprises
    if content.startswith(b"\xef\xbb\xbf"):
        raise UsageError("it begins with a byte-order mark", where=where, todo="Save it as UTF-8 without one.")
    text = content.decode("utf-8")
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    return {place: _node(root, text, place, where) for place in places}


def _node(root: Any, text: str, place: KeyPath, where: str) -> yaml.ScalarNode:
    node = root
    for part in place:
        node = _below(node, part)
        if node is None:
            raise UsageError(
                f"there is no '{part}'", where=f"{where}: {_told(place)}", todo="Add it there once, by hand."
            )
    where = f"{where}:{node.start_mark.line + 1}: {_told(place)}"
    if not isinstance(node, yaml.ScalarNode) or node.style in ("|", ">") or node.start_mark.line != node.end_mark.line:
        raise UsageError("this is not a text on one line", where=where)
    if node.start_mark.index == node.end_mark.index:
        raise UsageError("nothing stands there", where=where, todo='Write "" there.')
    if text[node.start_mark.index] in "&!":
        raise UsageError("the value has an anchor, so it may stand elsewhere too", where=where, todo="Write it out.")
    return node


def _below(node: Any, part: str | int) -> Any:
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
        return node.value[part] if 0 <= part < len(node.value) else None
    if isinstance(node, yaml.MappingNode) and isinstance(part, str):
        return next((value for key, value in node.value if key.value == part), None)
    return None


def _told(place: KeyPath) -> str:
    return ".".join(str(part) for part in place)
