"""A CSV file that is not trusted: what is read, and the one message with its line where something is wrong."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from penstock.families.score_columns import ScoreTable, flag, name, number, read_columns
from penstock.foundation.errors import UsageError


def read(path: Path, content: str | bytes) -> ScoreTable:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_columns(path, {"score": number, "same": flag}, {"who": name})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "pairs.csv"


@pytest.mark.parametrize(
    "content",
    [
        "score,same,who\n0.5,1,Ann\n-2e-1,0,Bob\n",
        "\ufeffscore,same,who\r\n0.5,1,Ann\r\n-2e-1,0,Bob",
        "who;other;Same;SCORE\nAnn;x;true;0.5\n\nBob;y;False; -0.2 \n\n",
        'same\t"score"\twho\n1.0\t"0.5"\tAnn\n0.0\t-.2\tBob\n',
        '"who",score,same\n"Ann",+0.5,TRUE\n"Bob",-0.2,0\n',
        "\n\r\nscore;same;who\n0.5;1;Ann\n-0.2;0;Bob\n",
        "\ufeff\nscore\tsame\twho\n\n0.5\t1\tAnn\n-0.2\t0\tBob\n",
    ],
    ids=["plain", "BOM and CRLF", "semicolons", "tabs", "quotes", "empty lines first", "BOM and an empty line first"],
)
def test_what_programs_write(file: Path, content: str) -> None:
    table = read(file, content)
    assert table.numbers["score"].tolist() == [0.5, -0.2]
    assert table.flags["same"].tolist() == [True, False]
    assert [table.names[place] for place in table.named["who"]] == ["Ann", "Bob"]


def test_names_may_hold_commas_quotes_and_line_ends(file: Path) -> None:
    table = read(file, 'score,same,who\n1,1,"Lee, Ann"\n2,0,"the ""other""\nAnn"\n3,0, 安 \n')
    assert [table.names[place] for place in table.named["who"]] == ["Lee, Ann", 'the "other"\nAnn', "安"]


def test_numbers_of_names_do_not_depend_on_the_order_of_lines(file: Path) -> None:
    table = read(file, "score,same,who\n1,1,b\n2,0,c\n3,0,a\n4,1,b\n")
    assert table.names == ("a", "b", "c")
    assert table.named["who"].tolist() == [1, 2, 0, 1]


def test_a_column_may_be_absent(file: Path) -> None:
    assert read(file, "score,same\n1,1\n").named == {}


@pytest.mark.parametrize(
    ("content", "line", "what"),
    [
        ("", 1, "the file is empty"),
        ("\n\n", 1, "the file is empty"),
        ("score,same\n", None, "there is no line below the first"),
        ("0.5,1\n0.4,0\n", 1, "there is no column 'score', 'same', only '0.5', '1'"),
        ("score,label\n0.5,1\n", 1, "there is no column 'same'"),
        ("score,same,Score\n0.5,1,2\n", 1, "the column 'score' is there twice"),
        ("\n\nscore;label\n0.5;1\n", 3, "there is no column 'same', only 'score', 'label'"),
        ("\nscore;same\n0.5;1\nnan;0\n", 4, "score: 'nan' is not a finite number"),
        ("\nscore;same\n0.5;1\n0.5\n", 4, "1 field, the first line has 2"),
        ('\nscore;same\n"0.5"x;1\n', 3, "this is not CSV"),
        ("score,same\n0.5,1\nnan,0\n", 3, "score: 'nan' is not a finite number"),
        ("score,same\ninf,1\n", 2, "score: 'inf' is not a finite number"),
        ("score,same\n1e999,1\n", 2, "score: '1e999' is not a finite number"),
        ("score,same\n1_0,1\n", 2, "score: '1_0' is not a finite number"),
        ("score,same\n٣,1\n", 2, "score: '٣' is not a finite number"),
        ("score;same\n0,5;1\n", 2, "score: '0,5' is not a finite number"),
        ("score,same\n0.5,1\n,0\n", 3, "score: there is no number"),
        ("score,same\n0.5,2\n", 2, "same: '2' is neither 0 nor 1"),
        ("score,same\n0.5,\n", 2, "same: '' is neither 0 nor 1"),
        ("score,same,who\n0.5,1,  \n", 2, "who: there is no name"),
        ("score,same\n0.5,1\n0.5,1,7\n", 3, "3 fields, the first line has 2"),
        ("score,same\n0.5,1\n0.5\n", 3, "1 field, the first line has 2"),
        ('score,same\n0.5,1\n"0.5,1\n', 3, "this is not CSV: unexpected end of data"),
        ('score,same\n"0.5"x,1\n', 2, "this is not CSV"),
        (b"score,same,who\n1,1,a\n1,1,Jos\xe9\n", 3, "this is not UTF-8"),
        ("score,same\n1,1\n".encode("utf-16"), 1, "this is UTF-16"),
        ("score,same\r1,1\r", 1, "there is a CR without an LF"),
        ("score,same\n1,\0\n", 2, "there is a zero byte"),
        ("score,same,who\n1,1," + "a" * 70_000, 2, "the line is longer than 65,536 bytes"),
    ],
)
def test_one_message_with_the_line(file: Path, content: str | bytes, line: int | None, what: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(file, content)
    place = str(file) if line is None else f"{file}:{line}"
    assert str(caught.value).startswith(f"{place}: {what}")


@pytest.mark.slow
def test_the_line_is_that_of_the_file_behind_many_and_behind_names_of_several_lines(file: Path) -> None:
    many = "".join(f"{number},1,a\n" for number in range(40_000))
    with pytest.raises(UsageError, match=r"pairs\.csv:40004: score: 'x'"):
        read(file, "score,same,who\n" + many + '1,1,"a\nb"\nx,0,a\n')


def test_an_error_about_a_row_names_its_line(file: Path) -> None:
    table = read(file, 'score,same,who\n\n1,1,"a\nb"\n2,0,c\n')
    assert str(table.error(1, "this is odd")).startswith(f"{file}:5: this is odd")


@pytest.mark.parametrize("kind", ["absent", "folder"])
def test_what_is_no_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path if kind == "folder" else tmp_path / "absent.csv"
    with pytest.raises(UsageError, match=str(path)):
        read_columns(path, {"score": number}, {})


@pytest.mark.slow
def test_memory_is_that_of_the_columns(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """40,000 lines of 60 bytes: 8 bytes a number, 1 a flag, some for names and the part that is being read."""
    monkeypatch.setattr("penstock.families.score_columns.CHUNK_LINES", 1 << 11)
    with file.open("w") as out:
        out.write("score,same,who,note\n")
        out.writelines(f"{row / 7:.6f},{row % 2},person-{row % 500},{'x' * 30}\n" for row in range(40_000))
    tracemalloc.start()
    table = read_columns(file, {"score": number, "same": flag}, {"who": name})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(table.numbers["score"]) == 40_000
    assert len(table.names) == 500
    assert peak < 4 << 20


def test_a_number_is_digits_point_and_exponent() -> None:
    assert number("-1.5E+2") == -150
    assert np.isfinite(number("0"))
