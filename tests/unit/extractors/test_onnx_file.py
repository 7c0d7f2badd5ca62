"""What is read of an ONNX file before anything runs it."""

import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.extractors.tiny_networks import METADATA, tiny_syncnet

from penstock.extractors.onnx_file import inspect
from penstock.foundation.errors import UsageError


def test_metadata_is_what_onnx_reads():
    model = tiny_syncnet({**METADATA, "other": "ä"})
    facts = inspect(model.SerializeToString(), where="tiny.onnx")
    assert facts.metadata == {entry.key: entry.value for entry in model.metadata_props}
    assert facts.operators == {node.op_type for node in model.graph.node}
    assert facts.opset == 17


WHOLE = tiny_syncnet().SerializeToString()


@pytest.mark.slow
@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=8), st.integers(0, len(WHOLE)))
def test_damaged_files_are_refused_or_read(changes, end):
    data = bytearray(WHOLE[:end])
    for at, byte in changes:
        if at < len(data):
            data[at] = byte
    try:
        facts = inspect(bytes(data), where="damaged.onnx")
    except UsageError:
        return
    assert facts.opset


def test_onnx_itself_accepts_the_tiny_network():
    onnx.checker.check_model(tiny_syncnet())
