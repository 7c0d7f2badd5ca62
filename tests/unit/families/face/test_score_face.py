"""``penstock score face`` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.unit.families.face.drawn_vectors import save, turned, vectors
from tests.unit.families.face.feature_service import NO_FACE, VALUES, feature_service, write_image, write_people

from penstock.cli.app import main


@pytest.mark.slow
def test_one_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", "face", str(save(tmp_path / "a.npz", vectors())), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["n"], found["values"]) == (90, 32)
    assert found["verification"]["intervals_by"] == "identity"
    assert found["verification"]["tar"]["1e-3"] is None


@pytest.mark.slow
def test_two_versions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [save(tmp_path / "a.npz", vectors()), save(tmp_path / "b.npz", turned(vectors()))]
    assert main(["score", "face", *map(str, files), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["cross_version"]["tar"]["1e-1"] < 0.3 < 0.9 < found["candidate"]["verification"]["tar"]["1e-1"]
    assert main(["score", "face", *map(str, files)]) == 0
    assert "cosine of one image in both" in capsys.readouterr().out


def test_vectors_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.npy"
    np.save(path, vectors())
    assert main(["score", "face", str(path)]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("there is no array 'identities'")


def test_a_bad_file_is_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(b"no")
    assert main(["score", "face", str(path)]) == 2
    assert capsys.readouterr().err.startswith(f"error: {path}: this is not a file of vectors")


@pytest.mark.slow
def test_a_folder_of_people_at_two_services(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_people(tmp_path / "people")
    write_image(folder / "人物00" / "wall.png", NO_FACE, 0)
    told = ["--length", str(VALUES), "--json"]
    with feature_service() as (old, _), feature_service(space=1) as (new, _):
        assert main(["score", "face", str(folder), "--url", old, *told]) == 0
        alone = json.loads(capsys.readouterr().out)
        assert main(["score", "face", str(folder), str(folder), "--url", old, "--url", new, *told]) == 0
        both = json.loads(capsys.readouterr().out)
        assert main(["score", "face", str(folder), "--url", old, *told[:2]]) == 0
    # 3 of its person's 48 genuine pairs are lost with the image
    assert (alone["n"], alone["verification"]["n_genuine"], alone["failed"][0]["image"]) == (46, 48, "人物00/wall.png")
    assert alone["verification"]["tar"]["1e-1"] == pytest.approx(45 / 48)
    assert both["candidate"]["verification"]["tar"]["1e-1"] == pytest.approx(45 / 48)
    assert both["cross_version"]["tar"]["1e-1"] < 0.5
    assert both["drift"]["median"] < 0.9
    assert "no vector     1 of them, accepted at no threshold" in capsys.readouterr().out


def test_a_stored_gallery_and_pairs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "flat"
    names = [f"{person}-{number}.png" for person in range(3) for number in range(2)]
    for name in names:
        write_image(folder / name, int(name[0]), int(name[2]))
    gallery = tmp_path / "gallery.npz"
    np.savez(gallery, embeddings=np.eye(6, VALUES, dtype=np.float32), names=np.array(names))
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("first,second,same\n0-0.png,0-1.png,1\n1-0.png,1-1.png,1\n0-0.png,2-0.png,0\n", encoding="utf-8")
    with feature_service() as (url, sent):
        told = ["--url", url, "--pairs", str(pairs), "--length", str(VALUES), "--json"]
        code = main(["score", "face", str(gallery), str(folder), *told])
    found = json.loads(capsys.readouterr().out)
    assert (code, len(sent)) == (0, 5)
    counts = found["candidate"]["verification"]["n_genuine"], found["candidate"]["verification"]["n_impostor"]
    assert (counts, found["candidate"]["verification"]["eer"]) == ((2, 1), 0.0)
    assert found["released"]["verification"]["eer"] == 0.5  # all its vectors are at right angles
    assert found["cross_version"]["intervals_by"] == "pair"


def test_each_folder_has_its_address(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", "face", str(write_people(tmp_path / "people"))]) == 2
    assert "there are 1 folders of images and 0 addresses" in capsys.readouterr().err
