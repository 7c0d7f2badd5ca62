"""Which arithmetic a machine measures in."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from penstock.extractors import precision
from penstock.extractors.precision import PRECISIONS, cannot_follow, choose_arithmetic, one_of, why_no_bf16
from penstock.foundation.errors import UsageError

AMX = "processor : 0\nflags\t\t: fpu avx512_bf16 amx_bf16 amx_tile amx_int8\n\nprocessor : 1\nflags : fpu\n"
AVX512 = "processor : 0\nflags\t\t: fpu avx2 avx512_bf16\n"
NO_BF16 = "processor : 0\nflags\t\t: fpu avx2 avx512f\n"
LACKS = "its CPU has neither AMX nor AVX-512 BF16"


@pytest.fixture
def cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Make this a machine with a CPU of these words, and OpenVINO or not."""

    def become(text: str | None, *, openvino: bool = True) -> None:
        file = tmp_path / "cpuinfo"
        if text is not None:
            file.write_text(text, encoding="utf-8")
        monkeypatch.setattr(precision, "_CPUINFO", file)
        monkeypatch.setattr(precision, "_has_openvino", lambda: openvino)

    return become


def test_what_a_machine_lacks_for_bf16(cpu) -> None:
    for able in (AMX, AVX512):
        cpu(able)
        assert why_no_bf16() == ""
    cpu(AMX, openvino=False)
    assert "penstock[openvino]" in why_no_bf16()
    cpu(NO_BF16)
    assert why_no_bf16() == LACKS


def test_a_system_that_does_not_describe_its_cpu_has_none(cpu) -> None:
    cpu(None)
    assert why_no_bf16() == LACKS


def test_bf16_where_it_is_asked_for(cpu) -> None:
    cpu(AMX)
    assert choose_arithmetic("bf16") == "bf16-openvino"
    assert choose_arithmetic("f32", like="bf16-openvino") == "f32"
    cpu(NO_BF16)
    with pytest.raises(UsageError, match=f"computes no bf16: {LACKS}") as caught:
        choose_arithmetic("bf16")
    assert caught.value.todo


def test_auto_follows_and_never_chooses_by_the_machine(cpu) -> None:
    cpu(AMX)
    assert choose_arithmetic("auto") == "f32"
    assert choose_arithmetic("auto", like="f32") == "f32"
    assert choose_arithmetic("auto", like="bf16-openvino") == "bf16-openvino"
    assert choose_arithmetic("auto", like="f32-openvino") == "f32-openvino"


@pytest.mark.parametrize(("like", "why"), [("bf16-openvino", LACKS), ("f32-cuda", "not there"), ("fp8", "fp8")])
def test_auto_says_in_one_line_what_it_cannot_follow(cpu, caplog, like: str, why: str) -> None:
    cpu(NO_BF16)
    with caplog.at_level(logging.WARNING):
        assert choose_arithmetic("auto", like=like) == "f32"
    (line,) = caplog.messages
    assert like in line
    assert why in line


def test_why_it_cannot_be_followed(cpu) -> None:
    cpu(AMX, openvino=False)
    assert all("penstock[openvino]" in cannot_follow(like) for like in ("bf16-openvino", "f32-openvino"))
    cpu(NO_BF16)
    assert cannot_follow("bf16-openvino") == LACKS
    assert [cannot_follow(like) for like in ("", "f32", "f32-openvino")] == ["", "", ""]
    assert cannot_follow("fp8")


def test_a_card_computes_f32(cpu) -> None:
    cpu(AMX)
    assert choose_arithmetic("auto", device="cuda", like="bf16-openvino") == "f32-cuda"
    with pytest.raises(UsageError, match="not on a card"):
        choose_arithmetic("bf16", device="cuda")


def test_words_that_name_no_precision_are_refused() -> None:
    assert one_of(PRECISIONS, "bf16", where="--precision") == "bf16"
    with pytest.raises(UsageError, match="'fp16' is not known") as caught:
        one_of(PRECISIONS, "fp16", where="--precision")
    assert caught.value.todo == "Use f32 or bf16."
