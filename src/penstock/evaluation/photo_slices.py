"""A file that says which photos belong to which slice: ``hair: [a, b]``, a line a slice."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path

from penstock.contract.faults import fault_at
from penstock.foundation.errors import UsageError
from penstock.foundation.yaml_text import Document, KeyPath, read_yaml

MAX_SLICE_CHARACTERS = 100


def read_slices(file: Path, names: Collection[str]) -> Mapping[str, list[str]]:
    """Name of a photo → its slices, in the order of the file.

    Args:
        file: YAML, a mapping from slices to lists of photos; a photo is named with or without its suffix.
        names: of the photos, without suffixes.

    Raises:
        UsageError: it is something else, or names a photo that there is not; ``where`` has the line.
    """
    document = read_yaml(file, name=str(file))
    if not isinstance(document.value, dict) or not document.value:
        raise _fault(document, (), "must be a mapping from slices to lists of photos", "Example: hair: [anna, bob]")
    found: dict[str, list[str]] = defaultdict(list)
    for slice_name, photos in document.value.items():
        if not isinstance(slice_name, str) or not 1 <= len(slice_name) <= MAX_SLICE_CHARACTERS:
            raise _fault(
                document, (slice_name,), "this is not a slice's name", f"At most {MAX_SLICE_CHARACTERS} letters."
            )
        if not any(letter.isprintable() and not letter.isspace() for letter in slice_name):
            raise _fault(document, (slice_name,), f"the slice's name {slice_name!r} is blank", "Name it.")
        if not isinstance(photos, list):
            raise _fault(document, (slice_name,), "must be a list of photos", "Example: hair: [anna, bob]")
        if not photos:
            raise _fault(document, (slice_name,), "the slice has no photos", "Name some, or leave the slice out.")
        for index, photo in enumerate(photos):
            name = _known(photo, names)
            if name is None:
                close = difflib.get_close_matches(str(photo), names, n=1)
                todo = f"Did you mean '{close[0]}'?" if close else "Quote numbers and dates: they are names here."
                raise _fault(document, (slice_name, index), f"there is no photo '{photo}'", todo)
            if slice_name not in found[name]:
                found[name].append(slice_name)
    return found


def _known(photo: object, names: Collection[str]) -> str | None:
    if not isinstance(photo, str):
        return None
    return next((name for name in (photo, Path(photo).stem) if name in names), None)


def _fault(document: Document, path: KeyPath, what: str, todo: str) -> UsageError:
    return fault_at(document, path, what, todo=todo).error()
