"""What the lips of a video do while a text is said."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from tests.unit.speech.recordings import TEXTS, recording

from penstock.families.talking_head.lip_watch import FPS, LipWatch
from penstock.foundation.errors import UsageError
from penstock.speech.align import align
from penstock.speech.sounds import BILABIALS

NAME = "en-us-f3-01"


class Brightness:
    """A network to which a picture is as open as it is bright, and that fails at white."""

    label = "brightness@sha256:0"

    def openings(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        if (crops == 255).all(axis=(1, 2, 3)).any():
            raise UsageError("the extractor failed")
        return np.asarray(crops.mean(axis=(1, 2, 3)) / 500, np.float32)


def crops(closed: bool) -> list[npt.NDArray[np.uint8]]:
    """A mouth that shuts at p, b and m, or never does."""
    sounds = [sound for sound in align(recording(NAME), TEXTS[NAME]).sounds if sound.symbol in BILABIALS]
    frames = np.full((77, 224, 224, 3), 100, np.uint8)
    for sound in sounds if closed else ():
        frames[round(sound.start_s * FPS) : round(sound.end_s * FPS) + 1] = 0
    return list(frames)


@pytest.mark.parametrize(("closed", "value"), [(True, 1.0), (False, 0.0)])
def test_lips_that_meet_and_lips_that_do_not(closed: bool, value: float) -> None:
    watch = LipWatch(Brightness(), TEXTS[NAME])  # type: ignore[arg-type]
    assert len(list(watch.crops(crops(closed)))) == 77
    found, lips = watch.closure(recording(NAME), 0)
    assert found == value
    assert lips is not None
    content = lips.content()
    assert [sound[0] for sound in content["speech"]["closures"]] == ["p", "b", "m"]
    assert [word[0] for word in content["speech"]["words"]][:3] == ["we", "open", "the"]
    assert len(content["lips"]) == 77
    assert {each[4] for each in content["speech"]["closures"]} == {0.0 if closed else 0.2}


def test_a_face_that_is_seen_later() -> None:
    watch = LipWatch(Brightness(), TEXTS[NAME])  # type: ignore[arg-type]
    list(watch.crops(crops(closed=True)[50:]))
    found, lips = watch.closure(recording(NAME), 50)
    assert found == 1.0
    assert lips is not None
    assert [sound.symbol for sound in lips.closures] == ["B", "M"]
    assert lips.content()["lips"][49] is None


def test_no_value_has_a_reason() -> None:
    watch = LipWatch(Brightness(), "Something else is said here by somebody.")  # type: ignore[arg-type]
    list(watch.crops(crops(closed=True)))
    value, lips = watch.closure(recording(NAME), 0)
    assert "does not say the text" in str(value)
    assert lips is None
    failing = LipWatch(Brightness(), TEXTS[NAME])  # type: ignore[arg-type]
    assert len(list(failing.crops(list(np.full((20, 224, 224, 3), 255, np.uint8))))) == 20
    assert failing.closure(recording(NAME), 0) == ("the extractor failed", None)
    value, _ = LipWatch(Brightness(), TEXTS[NAME]).closure(recording(NAME), 0)  # type: ignore[arg-type]
    assert value == "no p, b or m is said while the face is seen"


def test_how_wide_the_mouth_opens_needs_no_text() -> None:
    watch = LipWatch(Brightness(), None)  # type: ignore[arg-type]
    list(watch.crops(crops(closed=True)))
    assert watch.opening() == pytest.approx(0.2)
    assert watch.closure(recording(NAME), 0) == ("it is not known what is said", None)


def test_no_opening_has_a_reason() -> None:
    watch = LipWatch(Brightness(), None)  # type: ignore[arg-type]
    list(watch.crops(crops(closed=True)[:9]))
    assert watch.opening() == "the face is seen in 9 frames, and 10 are needed"
    failing = LipWatch(Brightness(), None)  # type: ignore[arg-type]
    list(failing.crops(list(np.full((20, 224, 224, 3), 255, np.uint8))))
    assert failing.opening() == "the extractor failed"
