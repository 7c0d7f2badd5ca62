"""What the lips of a video do while a text is said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from penstock.evaluation.measurer import Value
from penstock.extractors.lips import BATCH_FRAMES, LipOpening
from penstock.foundation.errors import UsageError
from penstock.metrics.lip_closure import Closure, closures
from penstock.metrics.mouth_opening import MIN_FRAMES, wide_opening
from penstock.speech.align import align
from penstock.speech.sounds import Word

FPS = 25
Frame = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Lips:
    """What was seen and heard. Times are in seconds from the video's first frame.

    Attributes:
        openings: how far the lips are apart in each frame, as a share of the mouth's width; ``None``: no face is seen.
        words: of the case's text.
        closures: each /p/, /b/ and /m/.
    """

    openings: list[float | None]
    words: tuple[Word, ...]
    closures: list[Closure]

    @property
    def value(self) -> Value:
        """Share of the sounds for which lips meet in which they do."""
        if not self.closures:
            return "no p, b or m is said while the face is seen"
        return sum(each.closed for each in self.closures) / len(self.closures)

    def content(self) -> dict[str, Any]:
        """As the report reads it."""
        return {
            "lips": self.openings,
            "speech": {
                "words": [[word.text, word.start_s, word.end_s] for word in self.words],
                "closures": [
                    [each.symbol.lower(), each.start_s, each.end_s, each.closed, round(each.opening, 3)]
                    for each in self.closures
                ],
            },
        }


class LipWatch:
    """Looks at the face in every frame that passes. Holds one batch of them."""

    def __init__(self, network: LipOpening, text: str | None) -> None:
        """Watch while ``text`` (English) is said; ``None``: it is not known what is said, only how wide lips part."""
        self._network = network
        self._text = text
        self._batch: list[Frame] = []
        self._openings: list[float] = []
        self._failure = ""

    def crops(self, crops: Iterable[Frame]) -> Iterator[Frame]:
        """Yield each crop of the face, uint8 (224, 224, 3) BGR, after looking at it."""
        for crop in crops:
            self._batch.append(crop)
            if len(self._batch) == BATCH_FRAMES:
                self._look()
            yield crop
        self._look()

    def opening(self) -> Value:
        """How wide the mouth opens, once all crops have passed: the metric's value, or the reason why there is none."""
        if self._failure:
            return self._failure
        value = wide_opening(self._openings)
        if value is None:
            return f"the face is seen in {len(self._openings)} frames, and {MIN_FRAMES} are needed"
        return value

    def closure(self, sound: npt.NDArray[np.int16], first: int) -> tuple[Value, Lips | None]:
        """The metric's value or the reason why there is none, and all that was seen, once all crops have passed.

        Args:
            sound: int16 ``(n,)`` at 16 kHz, from the video's first frame on.
            first: the frame of the first crop.

        Raises:
            WorldError: PocketSphinx is not installed.
        """
        if self._failure:
            return self._failure, None
        if self._text is None:
            return "it is not known what is said", None
        try:
            said = align(sound, self._text)
        except UsageError as error:
            return error.what, None
        openings = np.array([np.nan] * first + self._openings)
        shown: list[float | None] = [None] * first
        shown += [round(value, 4) for value in self._openings]
        lips = Lips(shown, said.words, closures(openings, said.sounds, fps=FPS))
        return lips.value, lips

    def _look(self) -> None:
        if self._batch and not self._failure:
            try:
                self._openings += [float(value) for value in self._network.openings(np.stack(self._batch))]
            except UsageError as error:  # the network's fault: the other metrics go on
                self._failure = error.what
        self._batch = []
