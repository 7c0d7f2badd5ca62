"""Opcodes as the unpicklers read them."""

import gzip
import pickle
from pathlib import Path

import pytest
from tests.unit.sources.pickle_files import EVIL, write

from penstock.foundation.errors import UsageError
from penstock.sources.scan import scan


@pytest.mark.parametrize(
    "start",
    [b"I0x10\n0", b"L0x10L\n0", b"I 16 \n0", b"I010\n0", b"F1.5\0x\n0", b"Np0\0x\n0", b"S'\\xff'\n0", b"P\\x\n0"],
)
def test_what_only_the_unpickler_in_c_reads_is_judged(tmp_path: Path, start: bytes) -> None:
    for name, content in (("w.bin", start + EVIL), ("w.pkl", pickle.dumps({"a": 1}) + start + EVIL)):
        with pytest.raises(UsageError, match=r"would run 'os\.system'"):
            scan(write(tmp_path / name, content))
    with pytest.raises(UsageError, match=r"would run 'os\.system'"):
        scan(write(tmp_path / "w.pkl.gz", gzip.compress(pickle.dumps(1) + start + EVIL)))
