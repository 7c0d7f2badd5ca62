"""What an ONNX file says of itself, read without running it and without the ``onnx`` package.
 ONNX Runtime would follow a file's references to other files on the disk (external data) and would run whatever
operators it holds. An extractor needs neither, so the file's bytes are walked first, and what does not belong into a
plain feed-forward network is refused.
 The walk knows just enough of protobuf's wire format (https://protobuf.dev/programming-guides/encoding/) and of
``onnx.proto``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from penstock.foundation.errors import UsageError

_STANDARD_DOMAINS = ("", "ai.onnx")
_REFUSED_OPERATORS = frozenset({"If", "Loop", "Scan", "SequenceMap", "Optional"})
"""Control flow: could run for ever; no extractor needs it."""
_ADVICE = (
    "Use an extractor that 'penstock weights import' wrote, or a plain feed-forward network of standard operators "
    "in one file."
)

_MODEL_GRAPH, _MODEL_OPSET, _MODEL_METADATA, _MODEL_TRAINING, _MODEL_FUNCTIONS = 7, 8, 14, 20, 25
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_SPARSE = 1, 5, 15
_NODE_OPERATOR, _NODE_ATTRIBUTE, _NODE_DOMAIN = 4, 5, 7
_ATTRIBUTE_TENSOR, _ATTRIBUTE_GRAPH, _ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS = 5, 6, 10, 11
_ATTRIBUTE_SPARSE = (22, 23)
_TENSOR_EXTERNAL, _TENSOR_LOCATION = 13, 14
_MAX_NODES = 20_000

Value = int | memoryview


@dataclass
class OnnxFacts:
    """Metadata and contents of an ONNX file that passed :func:`inspect`."""

    metadata: dict[str, str] = field(default_factory=dict)
    operators: set[str] = field(default_factory=set)
    opset: int = 0


def inspect(data: bytes, *, where: str) -> OnnxFacts:
    """Read the metadata of an ONNX model and refuse what an extractor must not hold.

    Raises:
        UsageError: not ONNX; weights outside the file; operators of another domain, local functions, control flow,
            training parts.
    """
    facts = OnnxFacts()
    graphs = 0
    try:
        for number, value in _fields(memoryview(data)):
            if number == _MODEL_GRAPH:
                graphs += 1
                _graph(_message(value), facts, where)
            elif number == _MODEL_OPSET:
                _opset(_message(value), facts, where)
            elif number == _MODEL_METADATA:
                key, text = _string_pair(_message(value))
                facts.metadata[key] = text
            elif number in (_MODEL_TRAINING, _MODEL_FUNCTIONS):
                raise _refused("it holds local functions or training parts", where)
    except (ValueError, IndexError) as error:
        raise UsageError("this is not an ONNX file, or a damaged one", where=where, todo=_ADVICE) from error
    if graphs != 1 or not facts.opset:
        raise UsageError("this is not an ONNX file, or a damaged one", where=where, todo=_ADVICE)
    return facts


def _refused(why: str, where: str) -> UsageError:
    return UsageError(f"this ONNX file is refused: {why}", where=where, todo=_ADVICE)


def _graph(message: memoryview, facts: OnnxFacts, where: str) -> None:
    nodes = 0
    for number, value in _fields(message):
        if number == _GRAPH_NODE:
            nodes += 1
            if nodes > _MAX_NODES:
                raise _refused(f"it has more than {_MAX_NODES} nodes", where)
            _node(_message(value), facts, where)
        elif number == _GRAPH_INITIALIZER:
            _tensor(_message(value), where)
        elif number == _GRAPH_SPARSE:
            raise _refused("it holds sparse tensors", where)


def _node(message: memoryview, facts: OnnxFacts, where: str) -> None:
    for number, value in _fields(message):
        if number == _NODE_OPERATOR:
            operator = _text(value)
            if operator in _REFUSED_OPERATORS:
                raise _refused(f"it uses control flow ({operator})", where)
            facts.operators.add(operator)
        elif number == _NODE_DOMAIN and _text(value) not in _STANDARD_DOMAINS:
            raise _refused(f"it uses operators of the domain '{_text(value)[:80]}'", where)
        elif number == _NODE_ATTRIBUTE:
            _attribute(_message(value), where)


def _attribute(message: memoryview, where: str) -> None:
    for number, value in _fields(message):
        if number in (_ATTRIBUTE_TENSOR, _ATTRIBUTE_TENSORS):
            _tensor(_message(value), where)
        elif number in (_ATTRIBUTE_GRAPH, _ATTRIBUTE_GRAPHS):
            raise _refused("it holds graphs inside nodes (control flow)", where)
        elif number in _ATTRIBUTE_SPARSE:
            raise _refused("it holds sparse tensors", where)


def _tensor(message: memoryview, where: str) -> None:
    for number, value in _fields(message):
        if number == _TENSOR_EXTERNAL or (number == _TENSOR_LOCATION and value != 0):
            raise _refused("it keeps weights in other files (external data)", where)


def _opset(message: memoryview, facts: OnnxFacts, where: str) -> None:
    domain, version = "", 0
    for number, value in _fields(message):
        if number == 1:
            domain = _text(value)
        elif number == 2 and isinstance(value, int):
            version = value
    if domain not in _STANDARD_DOMAINS:
        raise _refused(f"it uses operators of the domain '{domain[:80]}'", where)
    facts.opset = max(facts.opset, version)


def _string_pair(message: memoryview) -> tuple[str, str]:
    pair = {1: "", 2: ""}
    for number, value in _fields(message):
        if number in pair:
            pair[number] = _text(value)
    return pair[1], pair[2]


def _message(value: Value) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number where a message belongs")
    return value


def _text(value: Value) -> str:
    return str(_message(value), "utf-8")


def _fields(data: memoryview) -> Iterator[tuple[int, Value]]:
    """The fields of one protobuf message: ``(number, integer or bytes)``.

    Raises:
        ValueError, IndexError: the bytes are no protobuf message.
    """
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if not number:
            raise ValueError("field number 0")
        if wire == 0:
            value, at = _varint(data, at)
            yield number, value
            continue
        if wire == 2:
            length, at = _varint(data, at)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire}")
        if at + length > len(data):
            raise ValueError("a field ends behind the message")
        yield number, data[at : at + length]
        at += length


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than 64 bits")
