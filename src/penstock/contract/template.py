"""What ``penstock init`` writes: a contract and a suite that say themselves what to change."""

from __future__ import annotations

import re
from pathlib import Path

from penstock.contract.check import PLACEHOLDER_SHA256
from penstock.contract.cog_repository import read_cog
from penstock.contract.cog_template import call_section, cases_section, with_section
from penstock.contract.load import SUITE_FILE
from penstock.contract.models import CONTRACT_FILE
from penstock.families.registry import did_you_mean, family_names, find_family
from penstock.foundation.errors import UsageError
from penstock.foundation.files import write_text

SUITE_FOLDER = "suite"


def write_template(directory: Path, *, family: str, force: bool = False, cog: Path | None = None) -> list[Path]:
    """Write ``penstock.yaml`` and ``suite/suite.yaml`` into ``directory``, which is made if needed.

    Args:
        directory: the model's repository.
        family: what kind of model it is.
        force: overwrite what is there.
        cog: the ``cog.yaml`` of a repository, from which calls and cases are filled.

    Returns:
        The files that were written.

    Raises:
        UsageError: one of them is there and ``force`` is not set (then none is written), there is no such family, or
            ``cog`` cannot be read.
    """
    if (found := find_family(family)) is None:
        todo = did_you_mean(family, family_names())
        raise UsageError(f"there is no family '{family}'", where="--family", todo=todo)
    for place in (directory, *directory.parents):
        if (place.exists() or place.is_symlink()) and not place.is_dir():
            raise UsageError("this is not a directory", where=str(place), todo="Choose another place.")
    texts = {
        directory / CONTRACT_FILE: found.template.contract.format(
            name=name_for(directory), family=family, suite=SUITE_FOLDER, sha256=PLACEHOLDER_SHA256
        ),
        directory / SUITE_FOLDER / SUITE_FILE: found.template.suite.format(family=family),
    }
    if cog is not None:
        model = read_cog(cog)
        contract, suite = texts
        texts[contract] = with_section(texts[contract], "call", call_section(model, found))
        texts[suite] = with_section(texts[suite], "cases", cases_section(model))
    there = [path for path in texts if path.exists() or path.is_symlink()]
    if there and not force:
        names = " and ".join(str(path) for path in there)
        raise UsageError(
            f"{names} {'are' if len(there) > 1 else 'is'} there already",
            todo="Nothing was written. --force overwrites.",
        )
    for path in texts:
        if path.is_dir():
            raise UsageError("this is a directory", where=str(path), todo="Remove it.")
        if path.parent.exists() and not path.parent.is_dir():
            raise UsageError("this is not a directory", where=str(path.parent), todo="Remove it.")
    for path, text in texts.items():
        write_text(path, text)
    return list(texts)


def name_for(directory: Path) -> str:
    """A model name made of the directory's: ``My_Model 2`` → ``my-model-2``."""
    name = re.sub(r"[^a-z0-9]+", "-", directory.resolve().name.lower()).strip("-")[:63].strip("-")
    return name or "my-model"
