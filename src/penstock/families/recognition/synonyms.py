"""Which labels mean the same: a table of the suite, language by language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.foundation.errors import UsageError
from penstock.foundation.yaml_text import read_yaml
from penstock.metrics.recognition_text import folded

MAX_BYTES = 4 << 20
FORM = "Write: language, then label, then a list of its other names: `zh: {cat: [猫, 猫咪]}`."


@dataclass(frozen=True)
class Synonyms:
    """Names that mean the same."""

    meanings: Mapping[str, str] = field(default_factory=dict)
    """Name → label, both folded."""
    alike: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    """Label, folded, → the true label that it counts as, and their cosine."""
    stated: str = ""
    """What ``alike`` rests on; empty: there is no such likeness."""

    def meaning(self, label: str) -> str:
        """What a label means: the label of the table whose name it is, or itself; without case and width. Where that is
        near enough to a true label: that one.
        """
        name = self._named(label)
        return self.alike[name][0] if name in self.alike else name

    def counted(self, labels: Iterable[str]) -> list[str]:
        """Which labels count as a true one by their vectors alone, in words."""
        found = {name: self.alike[name] for name in map(self._named, labels) if name in self.alike}
        return [f"'{name}' counts as '{true}' ({cosine:.3f})" for name, (true, cosine) in found.items()]

    def _named(self, label: str) -> str:
        name = folded(label)
        return self.meanings.get(name, name)


def read_synonyms(path: Path, language: str | None) -> Synonyms:
    """Read a table.

    Args:
        path: a YAML file: language → label → names.
        language: whose part holds; ``None``: all of them.

    Raises:
        UsageError: it is no such table, does not have the language, or gives one name to two labels.
    """
    table = read_yaml(path, name=path.name, max_bytes=MAX_BYTES).value
    if not isinstance(table, dict) or not all(isinstance(part, dict) for part in table.values()):
        raise UsageError("this is not a table of synonyms", where=path.name, todo=FORM)
    if language is not None and language not in table:
        known = ", ".join(map(str, table)) or "none"
        raise UsageError(
            f"the table of synonyms has no language '{language}'", where=path.name, todo=f"It has: {known}."
        )
    meanings: dict[str, str] = {}
    for name, part in table.items():
        if language in (None, name):
            _add(part, meanings, f"{path.name}: {name}")
    return Synonyms(meanings)


def _add(part: Mapping[Any, Any], meanings: dict[str, str], where: str) -> None:
    for label, names in part.items():
        if not isinstance(names, list) or not all(isinstance(name, str) and folded(name) for name in (label, *names)):
            raise UsageError(f"the synonyms of '{label}' are not a list of names", where=where, todo=FORM)
        for name in (label, *names):
            meant = meanings.setdefault(folded(name), folded(label))
            if meant != folded(label):
                what = f"'{name}' means both '{meant}' and '{folded(label)}'"
                raise UsageError(what, where=where, todo="Give each name to one label.")
