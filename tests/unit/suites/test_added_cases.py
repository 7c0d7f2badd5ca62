"""Files become cases, all of them or none."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
from tests.unit.suites.repository import case, picture, write_repository

from penstock.contract.check import check_repository
from penstock.families.registry import directions
from penstock.foundation.errors import UsageError
from penstock.suites.added_cases import NewCases, add_cases
from penstock.suites.lint import CheckedSuite, licence_of

LICENCE = {"licence": "CC0-1.0", "origin": "Ann"}


def checked(repository: Path) -> CheckedSuite:
    report = check_repository(repository, metrics=directions())
    assert report.contract is not None, report.faults
    assert report.suite is not None, report.faults
    assert report.suite_document is not None
    return CheckedSuite(repository, report.contract, report.suite, report.suite_document)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return write_repository(tmp_path / "model", [case("a")])


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """Two, with mattes beside them."""
    folder = tmp_path / "photos"
    (folder / "mattes").mkdir(parents=True)
    for number, name in ((7, "hair one"), (8, "hair-2")):
        cv2.imwrite(str(folder / f"{name}.png"), picture(number))
        cv2.imwrite(str(folder / "mattes" / f"{name}-m.png"), picture(number)[:, :, 0])
    return [folder / "hair one.png", folder / "hair-2.png"]


def new(photos: list[Path], **more: object) -> NewCases:
    truth = str(photos[0].parent / "mattes" / "{stem}-m.png")
    given: dict[str, object] = {"fields": {"truth": truth}, "slices": ["hair"], "licence": LICENCE}
    return NewCases(photos, "image", **(given | more))  # type: ignore[arg-type]


def all_files(repository: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in sorted(repository.rglob("*")) if file.is_file()}


def test_each_file_is_a_case(repository: Path, photos: list[Path]) -> None:
    assert add_cases(checked(repository), new(photos, parameters={"size": 5})) == ["hair-one", "hair-2"]
    suite = checked(repository).suite
    _, one, two = suite.cases
    assert (one.inputs, one.slices, one.parameters) == ({"image": "hair one.png"}, ["hair"], {"size": 5})
    assert [found.file for found in two.withheld_files] == ["hair-2-m.png"]
    assert set(suite.licences) == {"hair one.png", "hair one-m.png", "hair-2.png", "hair-2-m.png"}
    assert (repository / "suite" / "hair one.png").read_bytes() == photos[0].read_bytes()


def test_they_lie_where_the_others_do(tmp_path: Path, photos: list[Path]) -> None:
    repository = write_repository(tmp_path / "model", [case("a", "pictures/a.png")])
    (repository / "suite" / "pictures").mkdir()
    cv2.imwrite(str(repository / "suite" / "pictures" / "a.png"), picture(1))
    add_cases(checked(repository), new(photos))
    assert checked(repository).suite.cases[1].inputs == {"image": "pictures/hair one.png"}


@pytest.mark.parametrize("fault", ["missing", "no picture", "no matte", "another file", "the same name", "a bad field"])
def test_nothing_is_written_if_anything_is_wrong(fault: str, repository: Path, photos: list[Path]) -> None:
    asked = new(photos)
    if fault == "missing":
        photos[1].unlink()
    if fault == "no picture":
        photos[1].write_text("no picture")
    if fault == "no matte":
        (photos[1].parent / "mattes" / "hair-2-m.png").write_text("no matte")
    if fault == "another file":
        (repository / "suite" / "hair-2.png").write_bytes(photos[0].read_bytes())
    if fault == "the same name":
        photos.append(photos[0].rename(photos[0].with_name("a.png")))
        asked = new(photos[1:], fields={"truth": str(photos[0].parent / "mattes" / "hair-2-m.png")})
    if fault == "a bad field":
        asked = new(photos, fields={"lie": str(photos[0])})
    before = all_files(repository)
    with pytest.raises(UsageError):
        add_cases(checked(repository), asked)
    assert all_files(repository) == before


def test_a_file_that_is_there_already_is_taken(repository: Path, photos: list[Path]) -> None:
    (repository / "suite" / "hair-2.png").write_bytes(photos[1].read_bytes())
    assert add_cases(checked(repository), new(photos[1:])) == ["hair-2"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("\u65e5\u672c.png", "a case cannot be called after this file"),
        ("a" * 120 + ".png", "a case cannot be called after this file"),
        ("a" * 300 + ".png", "file name too long"),
        ("x\udcff.png", "not UTF-8"),
    ],
)
def test_a_file_whose_name_cannot_stand_in_a_suite_is_named(name: str, said: str, repository: Path) -> None:
    photo = repository.parent / name
    if len(name) < 255:
        cv2.imwrite(str(repository.parent / "photo.png"), picture(7))
        (repository.parent / "photo.png").rename(photo)
    with pytest.raises(UsageError, match=said) as caught:
        add_cases(checked(repository), NewCases([photo], "image"))
    assert name in caught.value.where


def test_a_field_that_is_no_file(repository: Path, photos: list[Path]) -> None:
    with pytest.raises(UsageError, match="'name' names no file"):
        add_cases(checked(repository), new(photos, fields={"name": str(photos[0])}))


def test_the_licence_of_a_file_whose_name_reads_as_a_pattern(repository: Path, photos: list[Path]) -> None:
    photo = photos[1].rename(photos[1].with_name("hair[1].png"))
    (photo.parent / "mattes" / "hair-2-m.png").rename(photo.parent / "mattes" / "hair[1]-m.png")
    add_cases(checked(repository), new([photo]))
    suite = checked(repository).suite
    assert licence_of("hair[1].png", suite.licences) is not None


def test_what_other_cases_lack_keeps_nobody_from_adding(repository: Path, photos: list[Path]) -> None:
    (repository / "suite" / "picture-0.png").unlink()
    assert add_cases(checked(repository), new(photos)) == ["hair-one", "hair-2"]
    assert len(checked(repository).suite.cases) == 3
