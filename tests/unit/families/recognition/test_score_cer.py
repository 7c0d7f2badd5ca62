"""``penstock score cer``: files, folders, and what is no text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cli.app import main
from penstock.families.recognition.score_cer import cer, score_text
from penstock.metrics.recognition_text import character_error_rate


def write(folder: Path, **texts: str) -> Path:
    folder.mkdir()
    for name, content in texts.items():
        (folder / f"{name}.txt").write_text(content, encoding="utf-8")
    return folder


@given(st.text(max_size=30), st.text(max_size=30))
def test_the_rate_is_the_metrics_own(read: str, truth: str) -> None:
    score = score_text(read, truth)
    if score.cer is None:
        assert score.characters == 0
        assert character_error_rate(read, truth) == 1.0
    else:
        assert score.cer == character_error_rate(read, truth)


def test_two_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cer.__doc__
    folder = write(tmp_path / "a", read="出囗 Exit\n", truth="\ufeff出口 Exit")
    command = ["score", "cer", str(folder / "read.txt"), str(folder / "truth.txt")]
    assert main(command) == 0
    assert capsys.readouterr().out == " 0.1667  1 of 6\n"
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"edits": 1, "characters": 6, "cer": 1 / 6}


def test_folders_count_all_texts_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read, truth = write(tmp_path / "read", a="abcd", b="x", c=""), write(tmp_path / "truth", a="abce", b="", c="")
    assert main(["score", "cer", str(read), str(truth), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["name"], line["cer"]) for line in lines] == [("a", 0.25), ("b", None), ("c", 0.0), ("*", 0.5)]
    assert lines[-1] == {"name": "*", "texts": 3, "edits": 2, "characters": 4, "cer": 0.5}
    assert main(["score", "cer", str(read), str(truth)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == " 0.5000  2 of 4  all together"


def test_what_cannot_be_scored_has_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read, truth = write(tmp_path / "read", a="abc", b="abc"), write(tmp_path / "truth", a="abc", c="abc")
    (read / "d.txt").write_bytes(b"\xff\xfe")
    (truth / "d.txt").write_text("d")
    (read / "e.txt").write_text("e" + "\u0315\u0300" * 20_000)
    (truth / "e.txt").write_text("e")
    assert main(["score", "cer", str(read), str(truth), "--json"]) == 2
    lines = {line["name"]: line for line in map(json.loads, capsys.readouterr().out.splitlines())}
    assert lines["b"]["error"] == "there is no truth of this name"
    assert lines["c"]["error"] == "there is no reading of this name"
    assert lines["d"]["error"] == "this is no text in UTF-8 (byte 0)"
    assert lines["e"]["error"] == "the reading has over 30 combining marks in a row, which is no writing"
    assert (lines["*"]["texts"], lines["*"]["cer"]) == (1, 0.0)


@pytest.mark.parametrize("make", ["missing", "large", "folder"])
def test_files_that_are_no_texts(tmp_path: Path, make: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "truth.txt").write_text("abc")
    read = tmp_path / "read.txt"
    if make == "large":
        read.write_bytes(b"a" * ((256 << 10) + 1))
    elif make == "folder":
        read.mkdir()
    assert main(["score", "cer", str(read), str(tmp_path / "truth.txt")]) == 2
    said = capsys.readouterr().err
    assert any(words in said for words in ("No such file", "larger than 256 KiB", "holds no text"))
