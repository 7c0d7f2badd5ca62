"""Which names a pickle would import, read without running it."""

import pickle
from pathlib import Path

import pytest
from tests.unit.sources.pickle_files import Runs, legacy_torch, write, zipped

from penstock.foundation.errors import UsageError
from penstock.sources import pickles
from penstock.sources.scan import scan


def test_hidden_behind_a_first_pickle_or_before_a_zip(tmp_path: Path) -> None:
    evil = pickle.dumps(Runs(), protocol=4)
    with pytest.raises(UsageError, match="would run"):
        scan(write(tmp_path / "w.pkl", pickle.dumps(1) + evil))
    with pytest.raises(UsageError, match="would run"):
        scan(write(tmp_path / "w.bin", evil + zipped({"a": b"x"})))


def test_broken_pickle_is_not_trusted(tmp_path: Path) -> None:
    whole = pickle.dumps({"w": Runs()}, protocol=4)
    for content in (whole[:-1], whole[:20], b"\x80\x04"):
        with pytest.raises(UsageError):
            scan(write(tmp_path / "w.bin", content))
    with pytest.raises(UsageError, match="broken"):
        scan(write(tmp_path / "w.pt", b"certainly no pickle"))
    with pytest.raises(UsageError, match="part 4"):
        scan(write(tmp_path / "w.model", legacy_torch({}, b"")[:-20]))


def test_endless_pickle_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickles, "MAX_READS", 10_000)
    with pytest.raises(UsageError, match="too much"):
        scan(write(tmp_path / "w.pkl", b"\x80\x02" + b"N0" * 20_000 + b"N."))
    monkeypatch.setattr(pickles, "MAX_LINE_BYTES", 1000)
    with pytest.raises(UsageError, match="too long"):
        scan(write(tmp_path / "w.pkl", b"I" + b"1" * 2000 + b"\n."))


# What Python's unpickler makes of these is posix.system; who only looks at the strings nearby sees a harmless name.
OS, SYSTEM = b"\x8c\x05posix", b"\x8c\x06system"
NICE = b"\x8c\x0bcollections\x8c\x0bOrderedDict"
CALL = b"\x8c\x04echo\x85R."


@pytest.mark.parametrize(
    "names",
    [
        OS + SYSTEM + NICE + b"00\x93",
        OS + SYSTEM + b"(" + NICE + b"1\x93",
        OS + b"\x94" + SYSTEM + b"\x9400" + b"h\x00h\x01" + NICE + b"00\x93",
        OS + b"2" + SYSTEM + NICE + b"00\x93",
        NICE.replace(b"collections", b"collectionz") + b"0" + OS + b"q\x050" + b"0h\x05" + SYSTEM + b"\x93",
    ],
)
def test_names_are_followed_over_the_stack_and_the_memo(tmp_path: Path, names: bytes) -> None:
    content = b"\x80\x04" + names + CALL
    with pytest.raises(UsageError, match=r"would run 'posix\.system'"):
        scan(write(tmp_path / "w.pkl", content))


@pytest.mark.parametrize("name", [b"cbuiltins\nstr\n)R", b"\x82\x01", b"C\x06system", b"K\x01"])
def test_a_name_that_is_made_up_is_refused(tmp_path: Path, name: bytes) -> None:
    end = CALL if name == b"\x82\x01" else b"\x93" + CALL
    with pytest.raises(UsageError, match="makes up"):
        scan(write(tmp_path / "w.pkl", b"\x80\x04" + OS + name + end))


def test_text_is_no_pickle(tmp_path: Path) -> None:
    for text in (b"cat\ndog\nbird\n", b"cos\nsystem\n", b"I am\n", b"config: 1\n", b"]]]\n.", b"x\x9cyz", b"BZh9"):
        assert scan(write(tmp_path / "labels.txt", text)).format in ("opaque", "pickle")


def test_a_later_pickle_that_breaks_behind_an_import_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"would run 'os\.system'"):
        scan(write(tmp_path / "w.pkl", pickle.dumps(1) + b"cos\nsystem\n(\xff"))
    assert scan(write(tmp_path / "w.pkl", pickle.dumps(1) + bytes(100))).format == "pickle"
