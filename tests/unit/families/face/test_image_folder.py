"""Folders of images put to a service."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.unit.families.face.feature_service import (
    IMAGES,
    NO_FACE,
    PEOPLE,
    VALUES,
    answer,
    feature_service,
    write_image,
    write_people,
)

from penstock.families.face.embedding_file import StoredVectors
from penstock.families.face.image_folder import FolderService, ask_folder
from penstock.families.face.image_pairs import ImagePairs
from penstock.foundation.errors import UsageError, WorldError


def asked(folder: Path, url: str, pairs: ImagePairs | None = None, length: int = VALUES) -> StoredVectors:
    return ask_folder(folder, FolderService(url, length, timeout_s=10), pairs, lambda *_: None)


@pytest.mark.slow
def test_each_image_is_asked_about_once_and_known_by_its_folder(tmp_path: Path) -> None:
    folder = write_people(tmp_path / "people")
    (folder / "README.md").write_text("whose they are")
    write_image(folder / "人物03" / "墙.png", NO_FACE, 0)
    with feature_service() as (url, sent):
        found = asked(folder, url)
    assert len(sent) == len(found.vectors) == PEOPLE * IMAGES + 1
    assert found.names is not None
    assert found.identities is not None
    row = found.names.tolist().index("人物03/照片 1.png")
    assert found.identities[row] == "人物03"
    assert found.vectors[row] == pytest.approx(answer(3, 1, 0)["feature"], rel=1e-6)
    assert found.failures == {"人物03/墙.png": 'the model answered 422: {"error": "no face"}'}
    assert found.missing.tolist() == [name == "人物03/墙.png" for name in found.names]


def test_pairs_say_which_images_are_asked_about(tmp_path: Path) -> None:
    for number in range(3):
        write_image(tmp_path / "flat" / f"{number}.png", number, 0)
    pairs = ImagePairs(tmp_path, ("0.png", "2.png"), np.array([0, 0]), np.array([1, 0]), np.array([False, True]))
    with feature_service() as (url, sent):
        found = asked(tmp_path / "flat", url, pairs)
    assert len(sent) == 2
    assert (found.identities, found.names.tolist()) == (None, ["0.png", "2.png"])


def test_what_cannot_be_sent_is_told_with_its_pair(tmp_path: Path) -> None:
    folder = tmp_path / "flat"
    for number in range(2):
        write_image(folder / f"{number}.png", number, 0)
    (folder / "link.png").symlink_to("1.png")
    (folder / "text.png").write_text("no image")
    for name, what in (("link.png", "symbolic link"), ("text.png", "no image"), ("none.png", "missing")):
        pairs = ImagePairs(
            tmp_path / "p.csv", ("0.png", "1.png", name), np.array([0, 0]), np.array([1, 2]), np.array([True, False])
        )
        with pytest.raises(UsageError) as caught:
            asked(folder, "http://127.0.0.1:9", pairs)
        assert what in caught.value.what
        assert caught.value.where == str(folder / name)
        assert (caught.value.todo or "").endswith(f"Pair 2 of {tmp_path / 'p.csv'} names it.")


@pytest.mark.parametrize("through_a_link", [False, True])
def test_a_folder_may_be_named_from_here_and_through_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, through_a_link: bool
) -> None:
    write_image(tmp_path / "people" / "anna" / "1.png", 0, 0)
    (tmp_path / "link").symlink_to("people")
    monkeypatch.chdir(tmp_path)
    with feature_service() as (url, _):
        found = asked(Path("link" if through_a_link else "people"), url)
    assert found.names is not None
    assert (found.names.tolist(), found.failures) == (["anna/1.png"], {})


def test_what_is_no_folder_of_people(tmp_path: Path) -> None:
    folder = write_people(tmp_path / "people")
    write_image(folder / "beside.png", 1, 1)
    with pytest.raises(UsageError, match=r"'beside\.png' lies in no person's folder") as caught:
        asked(folder, "http://127.0.0.1:9")
    assert "--pairs" in (caught.value.todo or "")
    (folder / "beside.png").unlink()
    (folder / "人物00" / "text.png").write_text("no image")
    with pytest.raises(UsageError) as caught:
        asked(folder, "http://127.0.0.1:9")
    assert "text.png" in str(caught.value.where)
    (tmp_path / "nobody").mkdir()
    with pytest.raises(UsageError, match="the folder holds no images"):
        asked(tmp_path / "nobody", "http://127.0.0.1:9")


@pytest.mark.slow
def test_a_service_that_knows_nobody_is_the_worlds_fault(tmp_path: Path) -> None:
    folder = write_people(tmp_path / "people")
    with feature_service() as (url, _), pytest.raises(WorldError, match="no vector of any of the 45 images"):
        asked(folder, url, length=512)
    with pytest.raises(WorldError):
        asked(folder, url)  # it is gone
