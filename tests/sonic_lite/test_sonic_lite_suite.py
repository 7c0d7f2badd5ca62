"""The committed suite of sonic-lite is what its maker makes; what needs the synthesiser is not made again here."""

from __future__ import annotations

import av
import numpy as np
import pytest
import soundfile
from training import make_sonic_lite_suite as maker

SUITE = maker.MODEL / "suite"
VOICES = sorted({part.rpartition("-")[0] for parts in maker.CASES.values() for part in parts})


def test_the_committed_suite_is_the_makers() -> None:
    assert (SUITE / "suite.yaml").read_text(encoding="utf-8") == maker.suite()


def test_cases_are_short_and_many() -> None:
    lengths = [end - first for _, _, part in maker.cases() for _, first, end in [maker.frames_of(part)]]
    assert len(lengths) >= 20
    assert min(lengths) >= 0.8 * maker.FPS
    assert max(lengths) <= 2 * maker.FPS
    # what is measured of a case does not depend on another: no sound is heard twice
    assert len({part for _, _, part in maker.cases()}) == len(lengths)


@pytest.mark.parametrize("voice", VOICES)
def test_the_parts_of_a_sentence_are_the_sentence(voice: str) -> None:
    samples, cuts = maker.sentence(voice)
    parts = [maker.sound(f"{voice}-{number}") for number in range(1, len(cuts))]
    whole = np.concatenate(parts)
    np.testing.assert_array_equal(whole, samples[: len(whole)])
    assert 0 <= len(samples) - len(whole) < maker.SAMPLES_A_FRAME
    for number, part in enumerate(parts, 1):
        committed, rate = soundfile.read(SUITE / "speech" / f"{voice}-{number}.flac", dtype="int16")
        assert rate == maker.SAMPLE_RATE
        np.testing.assert_array_equal(committed, part)


@pytest.mark.parametrize("voice", VOICES)
def test_a_cut_is_where_it_is_quietest_nearby(voice: str) -> None:
    samples, cuts = maker.sentence(voice)
    frame = maker.SAMPLES_A_FRAME

    def loudness(cut: int) -> float:
        return float((samples[(cut - 1) * frame : (cut + 1) * frame].astype(np.float64) ** 2).sum())

    for number, cut in enumerate(cuts[1:-1], 1):
        middle = cuts[-1] * number // (len(cuts) - 1)
        nearby = range(middle - maker.CUT_REACH_FRAMES, middle + maker.CUT_REACH_FRAMES + 1)
        assert cut in nearby
        assert loudness(cut) == min(map(loudness, nearby))


def test_every_second_frame_of_each_case_is_in_the_reference() -> None:
    names = {name for name, _, _ in maker.cases()}
    assert {path.stem for path in (SUITE / "reference").iterdir()} == names
    for name, _, part in maker.cases():
        _, first, end = maker.frames_of(part)
        with av.open(str(SUITE / "reference" / f"{name}.mp4")) as container:
            assert sum(1 for _ in container.decode(video=0)) == len(range(first, end, maker.EVERY)), name
