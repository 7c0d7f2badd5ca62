"""A suite made of folders: photos, and what is known of each, matched by the files' names.

The engine works on a repository with a contract and a suite. Where there is none, one is made in a temporary folder,
with links to the photos where the disk allows, so that all that follows is what a release goes through.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.bundle.models import SuiteRecord
from penstock.contract.load import SUITE_FILE, load_contract, load_suite
from penstock.contract.models import CONTRACT_FILE, MAX_CASES, Case, Contract, Suite
from penstock.evaluation.case_workers import each_case, worker_count
from penstock.evaluation.inputs import decode
from penstock.evaluation.matched_folders import Matched, match_files
from penstock.evaluation.measure_cache import suite_digest
from penstock.evaluation.photo_slices import read_slices
from penstock.families.family import Family
from penstock.families.registry import family, usable_families
from penstock.foundation.errors import UsageError
from penstock.foundation.files import disk_errors, write_json
from penstock.foundation.media_kinds import media_fault
from penstock.foundation.references import load

PHOTO = "photo"
MAX_NAMED = 5
MAX_NAME = 90
SUITE_FOLDER = "suite"


@dataclass(frozen=True)
class PhotoFolders:
    """What an evaluation is of."""

    photos: Path
    withheld: Mapping[str, Sequence[Path]]
    """Field of the family's cases (``truth``) → folders of what the model does not get; several where several people
    made it. Of the first field nothing may be left over."""
    answers: Mapping[str, Path]
    """In words, whose answers (``answer``) → their folder."""
    slices: Path | None = None

    @property
    def labelled(self) -> dict[str, Path]:
        """What a folder holds, in words → the folder."""
        known = {_label(field, place): path for field, place, path in self.known}
        return {PHOTO: self.photos, **known, **self.answers}

    @property
    def known(self) -> list[tuple[str, int, Path]]:
        """Field, its place among the folders of that field, folder."""
        return [(field, place, path) for field, paths in self.withheld.items() for place, path in enumerate(paths)]


def _label(field: str, place: int) -> str:
    return f"{field} (folder {place + 1})" if place else field


@dataclass(frozen=True)
class PhotoSuite:
    """The repository that was made."""

    source: Path
    contract: Contract
    suite: Suite
    digest: str
    matched: Mapping[str, Matched]
    """Case → its files where they lie."""

    @property
    def record(self) -> SuiteRecord:
        """For ``run.json``."""
        return SuiteRecord(digest=self.digest, cases=len(self.suite.cases))


def family_of_folders(name: str, fields: Sequence[str]) -> Family:
    """The family of models that takes one picture, and is compared with files of these kinds.

    Args:
        name: as it was given; empty: the only one that fits.
        fields: ``truth``, ``trimap``.

    Raises:
        UsageError: none fits, or several do.
    """
    if name:
        if not _fits(found := family(name), fields):
            what = f"models of the family '{name}' are not compared with {', '.join(fields)}"
            raise UsageError(what, where="--family", todo="`penstock families` lists them.")
        return found
    fitting = [each for each in usable_families() if _fits(each, fields)]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(each.name for each in fitting)
    what = f"several families fit: {names}" if fitting else f"no family is compared with {', '.join(fields)}"
    raise UsageError(what, where="--family", todo="Name one; `penstock families` lists them.")


def _fits(each: Family, fields: Sequence[str]) -> bool:
    known: type[Case] = load(each.case)
    return len(photo_inputs(each)) == 1 and set(fields) <= known.withheld.keys()


def photo_inputs(each: Family) -> list[str]:
    """The inputs of a family that are pictures."""
    return [name for name, kinds in each.inputs.items() if "image" in kinds]


def make_suite(of: PhotoFolders, kind: Family, call: Mapping[str, Any], target: Path) -> PhotoSuite:
    """Match the files, validate them, and make the repository below ``target``.

    Args:
        of: the folders.
        kind: the family.
        call: the contract's ``call``.
        target: an empty folder.

    Raises:
        UsageError: files have no partner, are not what they should be, or do not fit together; there are too many.
        WorldError: the disk is full.
    """
    matched = _complete(of)
    slices = read_slices(of.slices, [each.name for each in matched]) if of.slices is not None else {}
    names = _case_names([each.name for each in matched])
    (input_name,) = photo_inputs(kind)
    cases = []
    for each in matched:
        name = names[each.name]
        known: dict[str, list[str]] = defaultdict(list)
        for field, place, _ in of.known:
            known[field].append(_put(each.files[_label(field, place)], target, f"{field}-{place + 1}/{name}"))
        case = {field: files[0] if len(files) == 1 else files for field, files in known.items()}
        inputs = {input_name: _put(each.files[PHOTO], target, f"{PHOTO}/{name}")}
        cases.append({"name": name, "inputs": inputs, "slices": list(slices.get(each.name, [])), **case})
    rules = [{"metric": kind.metrics[0].name, "max": 0}]  # a contract has one; nothing is judged
    contract = {"version": 1, "name": "evaluation", "family": kind.name, "call": dict(call), "suite": SUITE_FOLDER}
    with disk_errors(target):
        write_json(target / CONTRACT_FILE, contract | {"policy": {"rules": rules}})
        write_json(target / SUITE_FOLDER / SUITE_FILE, {"version": 1, "family": kind.name, "cases": cases})
    loaded = load_contract(target)
    suite = load_suite(target, loaded)
    found = {names[each.name]: each for each in matched}
    _validate(kind, of, suite, found)
    return PhotoSuite(target, loaded, suite, suite_digest(target, loaded, suite), found)


def _complete(of: PhotoFolders) -> list[Matched]:
    """All photos with their files; nothing is left over of what must be whole."""
    whole = [PHOTO, *(_label(field, place) for field, place, _ in of.known if field == next(iter(of.withheld)))]
    matched = match_files(of.labelled, named_by=[*whole, *of.answers])
    if faulty := [each for each in matched if each.fault]:
        said = "; ".join(f"{each.name}: {each.fault}" for each in faulty[:MAX_NAMED])
        more = f"; and {len(faulty) - MAX_NAMED} more" if len(faulty) > MAX_NAMED else ""
        folders = ", ".join(str(folder) for folder in of.labelled.values())
        todo = "Files are matched by their names without suffixes. Add what is missing, or remove what is left over."
        raise UsageError(
            f"{len(faulty)} of {len(matched)} names are not complete: {said}{more}", where=folders, todo=todo
        )
    if len(matched) > MAX_CASES:
        raise UsageError(f"{len(matched)} photos, and {MAX_CASES} are the limit", where=str(of.photos))
    return matched


def _case_names(stems: Sequence[str]) -> dict[str, str]:
    """Name of a photo → that of its case: the same, but for characters that a case's name cannot have. An accent goes,
    its letter stays.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for stem in stems:
        letters = "".join(c for c in unicodedata.normalize("NFKD", stem) if not unicodedata.combining(c))
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", letters).lstrip("._-")[:MAX_NAME] or "photo"
        name, number = plain, 2
        while name.lower() in taken:
            name, number = f"{plain}-{number}", number + 1
        taken.add(name.lower())
        names[stem] = name
    return names


def _put(path: Path, target: Path, name: str) -> str:
    """Link or copy a file into the suite; returns its path there."""
    suffix = path.suffix.lower() if re.fullmatch(r"\.[A-Za-z0-9]{1,8}", path.suffix) else ""
    relative = f"{name}{suffix}"
    place = target / SUITE_FOLDER / relative
    if not path.is_file():
        raise UsageError("this is not a file", where=str(path), todo="Give pictures.")
    with disk_errors(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(OSError):
            os.link(path.resolve(), place)
            return relative
        shutil.copyfile(path, place)
    return relative


def _validate(kind: Family, of: PhotoFolders, suite: Suite, matched: Mapping[str, Matched]) -> None:
    """Look into every file, named as the user knows it, before any model is started."""
    (input_name,) = photo_inputs(kind)
    kinds = kind.inputs[input_name]

    def check(case: Case) -> None:
        files = matched[case.name].files
        for what, expected in (
            (PHOTO, kinds),
            *((_label(f, place), case.withheld_kinds(f)) for f, place, _ in of.known),
        ):
            if (fault := media_fault(files[what], expected=expected)) is not None:
                raise UsageError(fault[0], where=str(files[what]), todo=fault[1])
            _decode(files[what])
        if kind.check is None:
            return
        withheld = {
            field: tuple(files[_label(field, place)] for place in range(len(paths)))
            for field, paths in of.withheld.items()
        }
        try:
            load(kind.check)(case, {input_name: files[PHOTO]}, withheld)
        except UsageError as error:
            raise UsageError(error.what, where=str(files[PHOTO]), todo=error.todo) from error

    with contextlib.closing(
        each_case(check, suite.cases, workers=worker_count(len(suite.cases)), processes=True)
    ) as checked:
        for _ in checked:
            pass


def _decode(path: Path) -> None:
    try:
        decode(path)
    except UsageError as error:
        raise UsageError(error.what, where=str(path), todo=error.todo) from error
