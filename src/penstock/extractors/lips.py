"""How far the lips are apart in pictures of a face, through an ONNX network.

The interface of a lip extractor (the small stand-in is ``lip-opening``):

- input ``frames``: uint8 ``(n, 224, 224, 3)``, BGR, SyncNet's face crop (:mod:`penstock.metrics.face`);
- output ``openings``: float32 ``(n,)``: the gap between the lips at its highest, as a share of the mouth's width at
  rest; about 0 where they meet. Row i depends on picture i alone;
- metadata: ``penstock.kind`` = ``lips``, and ``penstock.name``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from penstock.contract.arithmetic import DEFAULT, Arithmetic
from penstock.extractors.backend import Tensor
from penstock.extractors.extractor import Extractor, Interface, open_extractor
from penstock.foundation.errors import UsageError

FRAME_SIZE = 224
BATCH_FRAMES = 16
_MOST = 100.0
"""No mouth is so open; a network that says so is broken."""

INTERFACE = Interface(
    kind="lips",
    inputs={"frames": Tensor("tensor(uint8)", ("open", FRAME_SIZE, FRAME_SIZE, 3))},
    outputs={"openings": Tensor("tensor(float)", ("any",))},
)


class LipOpening:
    """A loaded lip extractor. ``label`` (``name@sha256:…``) goes with every value that was measured through it."""

    def __init__(self, extractor: Extractor) -> None:
        self._extractor = extractor

    @property
    def label(self) -> str:
        """As :attr:`penstock.extractors.extractor.Extractor.label`."""
        return self._extractor.label

    def openings(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """How far the lips are apart in each of a batch of pictures.

        Args:
            crops: uint8 ``(n, 224, 224, 3)`` BGR, n at least 1.

        Returns:
            float32 ``(n,)``, shares of the mouth's width.

        Raises:
            UsageError: the network fails, or does not keep its interface.
        """
        (found,) = self._extractor.run({"frames": np.ascontiguousarray(crops)}, ("openings",))
        if found.shape != (len(crops),) or not np.all(np.abs(found) < _MOST):
            raise UsageError(
                f"the extractor answered {found.shape} to {len(crops)} pictures, or values that are no openings",
                where=self.label,
                todo="Its graph does not keep the interface of a lip extractor; use another.",
            )
        return np.asarray(found, np.float32)


def open_lips(path: Path, *, threads: int | None = None, arithmetic: Arithmetic = DEFAULT) -> LipOpening:
    """Load a lip extractor.

    Raises:
        UsageError: the file is not one (see :func:`penstock.extractors.extractor.open_extractor`).
        WorldError: this machine cannot compute so.
    """
    return LipOpening(open_extractor(path, INTERFACE, threads=threads, arithmetic=arithmetic))
