"""What a model was trained on."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from penstock.foundation.errors import UsageError
from penstock.suites.fingerprints import Fingerprint
from penstock.suites.training_files import training_files


def test_a_list_as_sha256sum_prints_it(tmp_path: Path) -> None:
    sums = tmp_path / "sums.txt"
    one, two, three = "1" * 64, "AB" * 32, "3" * 64
    sums.write_text(f"# of March\n{one}  a b.png\n\n{two} *c.png\n{three}\n")
    assert training_files([sums]) == {
        "a b.png": Fingerprint(one),
        "c.png": Fingerprint("ab" * 32),
        "line 5 of sums.txt": Fingerprint(three),
    }


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "a.txt").write_text("a")
    assert training_files([tmp_path]) == {str(tmp_path / "below" / "a.txt"): Fingerprint(sha256(b"a").hexdigest())}


@pytest.mark.parametrize("text", ["no digest\n", "12ab  short.png\n", f"{'1' * 65}  long.png\n"])
def test_a_line_that_is_none_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "sums.txt").write_text(f"{'1' * 64}  a.png\n{text}")
    with pytest.raises(UsageError) as caught:
        training_files([tmp_path / "sums.txt"])
    assert caught.value.where.endswith("sums.txt:2")


def test_lists_with_the_same_names_lose_none(tmp_path: Path) -> None:
    lists = [tmp_path / "one.txt", tmp_path / "two.txt"]
    for digit, path in zip("12", lists, strict=True):
        path.write_text(f"{digit * 64}  0001.png\n")
    assert training_files(lists) == {
        "0001.png": Fingerprint("1" * 64),
        f"0001.png ({lists[1]}:1)": Fingerprint("2" * 64),
    }


@pytest.mark.parametrize("name", [b"f\xe4.png", "f\u2028\x85\x0c.png".encode(), b"a\rb.png"])
def test_names_in_a_list_may_be_anything(name: bytes, tmp_path: Path) -> None:
    (tmp_path / "sums.txt").write_bytes(b"\xef\xbb\xbf" + b"1" * 64 + b"  " + name + b"\r\n")
    assert list(training_files([tmp_path / "sums.txt"]).values()) == [Fingerprint("1" * 64)]


def test_a_folder_without_a_file_is_a_wrong_path(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file"):
        training_files([tmp_path])


def test_a_list_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "sums.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="no SHA-256"):
        training_files([tmp_path / "sums.txt"])
