"""What an image has at paths, over its layers."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.environment.layers import layer, write

from penstock.environment.layer_digests import NO_FILE, REMOVED, file_digests


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def files(folder: Path, *layers: bytes) -> list[Path]:
    found = []
    for number, content in enumerate(layers):
        (folder / str(number)).mkdir()
        found.append(write(folder / str(number), content))
    return found


def test_the_last_layer_counts(tmp_path: Path) -> None:
    layers = files(tmp_path, layer({"a": "1", "./d/b": "1"}), layer({"d/b": "2", "other": ""}))
    assert file_digests(layers, {"a", "d/b", "absent"}) == {"a": sha("1"), "d/b": sha("2")}


def test_what_a_layer_takes_out_and_puts_back(tmp_path: Path) -> None:
    below = layer({"d/a": "1", "d/b": "1", "e/a": "1", "f": "1"})
    above = layer({".wh.d": "", "d/b": "2", "e/.wh..wh..opq": "", ".wh.absent": ""})
    found = file_digests(files(tmp_path, below, above), {"d/a", "d/b", "e/a", "f", "absent"})
    assert found == {"d/a": REMOVED, "d/b": sha("2"), "e/a": REMOVED, "f": sha("1")}


def test_links_are_no_files_and_hide_what_lies_below(tmp_path: Path) -> None:
    below = layer({"d/a": "1", "e/f/b": "1", "c": "1"})
    above = layer({}, {"d": "other", "e": "/other", "c": "a"})
    found = file_digests(files(tmp_path, below, above), {"d/a", "e/f/b", "c"})
    assert found == {"d/a": NO_FILE, "e/f/b": NO_FILE, "c": NO_FILE}


def test_a_hard_link_is_the_file_that_it_links_to(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo("a")
        member.size = 1
        archive.addfile(member, io.BytesIO(b"1"))
        for name, target in (("b", "a"), ("c", "not-looked-for")):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.LNKTYPE, target
            archive.addfile(member)
    found = file_digests(files(tmp_path, out.getvalue()), {"a", "b", "c"})
    assert found == {"a": sha("1"), "b": sha("1"), "c": NO_FILE}


NAMES = st.sampled_from(["a", "d/a", "d/b", "d/e/a"])


@settings(max_examples=12, deadline=None)
@given(st.lists(st.dictionaries(NAMES, st.sampled_from(["1", "2"]), max_size=3), min_size=1, max_size=4))
def test_without_whiteouts_it_is_a_dictionary_that_is_updated(tmp_path_factory, contents) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path_factory.mktemp("layers")
    expected: dict[str, str] = {}
    for content in contents:
        expected |= {name: sha(text) for name, text in content.items()}
    found = file_digests(files(folder, *(layer(content) for content in contents)), {"a", "d/a", "d/b", "d/e/a"})
    assert found == expected
