"""A suite that is made of folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.unit.evaluation.photo_folders import photo_folders

from penstock.contract.load import load_contract, load_suite
from penstock.evaluation.photo_suite import PhotoFolders, PhotoSuite, family_of_folders, make_suite
from penstock.families.registry import family
from penstock.foundation.errors import UsageError

CALL = {"command": {"argv": ["x", "{output}"], "output": ".png"}}


def made(root: Path, *, slices: bool = False) -> PhotoSuite:
    (root / "repository").mkdir()
    of = PhotoFolders(
        root / "photos",
        {"truth": [root / "mattes"]},
        {"answer": root / "new"},
        root / "slices.yaml" if slices else None,
    )
    return make_suite(of, family("matting"), CALL, root / "repository")


def test_it_is_a_repository_like_any_other(tmp_path: Path) -> None:
    found = made(photo_folders(tmp_path), slices=True)
    contract = load_contract(found.source)
    assert contract == found.contract
    assert load_suite(found.source, contract) == found.suite
    assert [(case.name, case.inputs, case.slices) for case in found.suite.cases] == [
        ("anna", {"image": "photo/anna.jpg"}, ["hair"]),
        ("bob", {"image": "photo/bob.jpg"}, ["hair"]),
        ("cleo", {"image": "photo/cleo.jpg"}, ["shadow"]),
    ]
    assert found.matched["bob"].files["answer"] == tmp_path / "new" / "bob.png"
    assert (found.record.cases, found.record.digest) == (3, found.digest)


@pytest.mark.slow
def test_names_become_those_of_cases_and_stay_apart(tmp_path: Path) -> None:
    found = made(photo_folders(tmp_path, ("1#Dog (2)", "1-dog-2-", "été", "#")))
    assert sorted(case.name for case in found.suite.cases) == ["1-Dog-2-", "1-dog-2--2", "ete", "photo"]


@pytest.mark.slow
def test_links_that_lead_elsewhere_are_followed_and_pipes_are_not_waited_for(tmp_path: Path) -> None:
    photo_folders(tmp_path)
    (tmp_path / "elsewhere.jpg").write_bytes((tmp_path / "photos" / "bob.jpg").read_bytes())
    (tmp_path / "photos" / "bob.jpg").unlink()
    (tmp_path / "photos" / "bob.jpg").symlink_to(tmp_path / "elsewhere.jpg")
    assert len(made(tmp_path).suite.cases) == 3
    (tmp_path / "photos" / "bob.jpg").unlink()
    os.mkfifo(tmp_path / "photos" / "bob.jpg")
    with pytest.raises(UsageError, match="this is not a file"):
        make_suite(
            PhotoFolders(tmp_path / "photos", {"truth": [tmp_path / "mattes"]}, {}),
            family("matting"),
            CALL,
            tmp_path / "second",
        )


def test_the_family_is_the_one_whose_cases_have_such_files() -> None:
    assert family_of_folders("", ["truth", "trimap"]).name == "matting"
    assert family_of_folders("matting", ["truth"]).name == "matting"
    with pytest.raises(UsageError, match="no family is compared with depth"):
        family_of_folders("", ["depth"])
    with pytest.raises(UsageError, match="'talking-head' are not compared with truth"):
        family_of_folders("talking-head", ["truth"])
