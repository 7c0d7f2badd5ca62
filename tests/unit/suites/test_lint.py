"""What is weak about a suite is named, with its line."""

from __future__ import annotations

from pathlib import Path

import cv2
from tests.unit.suites.repository import case, picture, write_repository

from penstock.contract.check import check_repository
from penstock.contract.faults import Fault
from penstock.contract.models import Licence
from penstock.families.registry import directions
from penstock.suites.fingerprints import fingerprints
from penstock.suites.lint import CheckedSuite, licence_of, lint
from penstock.suites.training_files import training_files

ALL = {"*": {"licence": "CC0-1.0", "origin": "drawn"}}


def linted(folder: Path, training: tuple[Path, ...] = ()) -> list[Fault]:
    report = check_repository(folder, metrics=directions())
    assert report.contract is not None, report.faults
    assert report.suite is not None, report.faults
    assert report.suite_document is not None
    checked = CheckedSuite(folder, report.contract, report.suite, report.suite_document)
    files = checked.files()
    known = fingerprints(files.values())
    return lint(checked, {name: known[path] for name, path in files.items()}, training_files(training))


def test_a_good_suite(tmp_path: Path) -> None:
    cases = [case(str(number), f"picture-{number}.png", slices=["hair"] * (number % 2)) for number in range(4)]
    write_repository(tmp_path, [one | {"slices": []} for one in cases], licences=ALL)
    assert linted(tmp_path) == []


def test_cases_that_repeat_each_other(tmp_path: Path) -> None:
    cases = [case("a"), case("b", "picture-1.png"), case("c"), case("d", "again.jpg")]
    (tmp_path / "suite").mkdir()
    cv2.imwrite(str(tmp_path / "suite" / "again.jpg"), picture(1))
    found = linted(write_repository(tmp_path, cases, licences=ALL))
    assert [(fault.field, fault.what.partition(":")[0], fault.warning) for fault in found] == [
        ("cases[2]", "the case 'c' is the same as 'a'", True),
        ("cases[3]", "the case 'd' looks the same as 'b'", True),
    ]
    assert found[0].line < found[1].line


def test_an_input_of_the_training_data_is_a_fault(tmp_path: Path) -> None:
    repository = write_repository(tmp_path / "model", [case("a"), case("b", "picture-1.png")], licences=ALL)
    training = tmp_path / "training"
    training.mkdir()
    (training / "7.png").write_bytes((repository / "suite" / "picture-0.png").read_bytes())
    cv2.imwrite(str(training / "8.jpg"), picture(1))
    exact, near = linted(repository, (training,))
    assert (exact.field, exact.warning, "picture-0.png is in the training data" in exact.what) == (
        "cases[0].inputs.image",
        False,
        True,
    )
    assert (near.field, near.warning, "looks like" in near.what) == ("cases[1].inputs.image", True, True)


def test_slices_out_of_balance(tmp_path: Path) -> None:
    names = [f"picture-{number}.png" for number in range(4)]
    cases = [case(f"c{n}", names[n % 4], slices=["plain"], parameters={"n": n}) for n in range(30)]
    cases[3]["slices"] = ["plain", "hair"]
    cases[7]["slices"] = []
    cases[8]["slices"] = ["plain", "glass"]
    found = linted(write_repository(tmp_path, cases, licences=ALL))
    assert [(fault.field, fault.what) for fault in found] == [
        ("cases[3].slices", "the slice 'hair' has 1 case and 'plain' 29: a mean over all hides it"),
        ("cases[7]", "1 case in no slice: c7"),
        ("cases[8].slices", "the slice 'glass' has 1 case and 'plain' 29: a mean over all hides it"),
    ]


def test_files_without_a_licence(tmp_path: Path) -> None:
    licences = {
        "picture-*": {"licence": "cc-by-4.0", "origin": "https://example.org/pictures"},
        "sounds/*": {"licence": "ask Ann", "origin": "Ann"},
    }
    found = linted(write_repository(tmp_path, [case("a")], licences=licences))
    assert {fault.field: fault.what for fault in found} == {
        "licences": "1 of 2 files without a licence: matte-0.png",
        "licences.sounds/*": "no file of the suite is named like 'sounds/*'",
        "licences.sounds/*.licence": "'ask Ann' is no SPDX expression: whether the files may be used is for a person "
        "to say",
    }
    assert all(fault.warning for fault in found)


def test_the_first_pattern_counts() -> None:
    stated = {"a/*": Licence(licence="MIT", origin="x"), "*": Licence(licence="CC0-1.0", origin="y")}
    assert licence_of("a/b.png", stated) == stated["a/*"]
    assert licence_of("b.png", stated) == stated["*"]
    assert licence_of("b.png", {}) is None
