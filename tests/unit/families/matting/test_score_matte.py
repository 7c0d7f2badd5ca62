"""``penstock score matte`` from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from tests.unit.families.matting.drawn_clips import PNG, discs, write_clip, write_cutouts
from tests.unit.families.matting.drawn_mattes import cutout, disc, save
from typer.testing import CliRunner

from penstock.families.matting.score_matte import matte
from penstock.foundation.errors import UsageError

KEYS = (
    *("mae", "mse", "sad", "grad", "conn", "iou", "boundary_iou", "hd95", "hd100", "uea", "spurious"),
    *("s_measure", "wf", "e_measure", "mba", "hce"),
)
app = typer.Typer()
app.command()(matte)


def run(*arguments: str | Path) -> tuple[int, str]:
    ended = CliRunner().invoke(app, list(map(str, arguments)))
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    return ended.exit_code, ended.stdout


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Three pairs, the second half transparent; an answer without a truth."""
    for number, share in enumerate((1.0, 0.5, 1.0)):
        save(tmp_path / "ours" / f"c{number}.png", cutout(np.rint(disc() * share).astype(np.uint8)))
        save(tmp_path / "truths" / f"c{number}.png", disc())
    return tmp_path / "ours", tmp_path / "truths"


def test_a_file_has_every_key(folders: tuple[Path, Path], tmp_path: Path) -> None:
    ours, truths = folders
    code, text = run(ours / "c0.png", truths / "c0.png", "--json")
    values = json.loads(text)
    assert (code, tuple(values)) == (0, KEYS)
    assert (values["mae"], values["hd95"]) == (0.0, 0.0)
    colours = save(tmp_path / "f.png", np.full((60, 80, 3), 120, np.uint8))
    assert json.loads(run(ours / "c0.png", truths / "c0.png", "--foreground", colours, "--json")[1])["fringe"] == (
        pytest.approx(0.0)
    )


def test_a_trimap_says_where_to_look(folders: tuple[Path, Path], tmp_path: Path) -> None:
    ours, truths = folders
    trimap = np.zeros((60, 80), np.uint8)
    trimap[29:31, 39:41] = 128  # the middle of the disc: half of it is missing there
    values = json.loads(
        run(ours / "c1.png", truths / "c1.png", "--trimap", save(tmp_path / "m.png", trimap), "--json")[1]
    )
    assert values["mae"] == pytest.approx(1 - 128 / 255)


def test_a_value_that_there_is_not_is_null_with_its_reason(folders: tuple[Path, Path], tmp_path: Path) -> None:
    empty = save(tmp_path / "e.png", np.zeros((60, 80), np.uint8))
    values = json.loads(run(empty, folders[1] / "c0.png", "--json")[1])
    assert values["hd95"] is None
    assert "edge" in values["reasons"]["hd95"]


def test_folders_a_line_a_pair_and_the_means(folders: tuple[Path, Path]) -> None:
    code, text = run(*folders, "--json")
    lines = [json.loads(line) for line in text.splitlines()]
    assert (code, [line["name"] for line in lines]) == (0, ["c0", "c1", "c2", "*"])
    assert lines[-1]["pairs"] == 3
    assert lines[-1]["sad"] == pytest.approx(lines[1]["sad"] / 3)
    assert run(*folders, "--json")[1] == text


def test_a_missing_partner_is_named_and_the_rest_is_scored(folders: tuple[Path, Path]) -> None:
    save(folders[0] / "alone.png", cutout(disc()))
    (folders[0] / "c2.png").write_bytes(b"<html>")
    code, text = run(*folders)
    assert code == 2
    assert "alone: there is no ground truth of this name" in text
    assert "c2: this is not a whole PNG" in text
    assert "means of 2 pairs" in text
    code, text = run(*folders, "--json")
    lines: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    assert (code, lines[0]) == (2, {"name": "alone", "error": "there is no ground truth of this name"})


def test_a_file_against_a_folder_is_refused(folders: tuple[Path, Path]) -> None:
    with pytest.raises(UsageError, match="this is a folder, and the answer is a file"):
        run(folders[0] / "c0.png", folders[1])
    with pytest.raises(UsageError, match="where a folder is wanted"):
        run(folders[0], folders[1] / "c0.png")


@pytest.mark.slow
def test_a_clip_beside_photos_has_flicker_and_the_mean_of_it_is_of_the_clips(folders: tuple[Path, Path]) -> None:
    ours, truths = folders
    write_cutouts(ours / "wind.mov", discs(), **PNG)
    write_clip(truths / "wind.mkv", discs())
    code, said = run(ours, truths, "--json")
    lines = {found["name"]: found for found in map(json.loads, said.splitlines())}
    assert code == 0
    assert lines["wind"]["dtssd"] == lines["wind"]["mae"] == 0
    assert "dtssd" not in lines["c0"]
    assert (lines["*"]["pairs"], lines["*"]["dtssd"]) == (4, 0)
    code, said = run(ours / "wind.mov", truths / "wind.mkv")
    assert code == 0
    assert "dtssd        0" in said
