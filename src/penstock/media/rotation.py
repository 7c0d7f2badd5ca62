"""How a decoded frame must be turned before it is shown (phones film sideways and say so in a display matrix)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from av.sidedata.sidedata import Type

T = TypeVar("T", bound=np.generic)

_MATRIX_BYTES = 36


@dataclass(frozen=True)
class Turn:
    """First rows and columns change places (``sideways``), then the picture is flipped."""

    sideways: bool = False
    left_right: bool = False
    up_down: bool = False

    def __bool__(self) -> bool:
        """Whether anything is to be done."""
        return self.sideways or self.left_right or self.up_down

    def apply(self, image: npt.NDArray[T]) -> npt.NDArray[T]:
        """Turn a picture or one plane of it, ``(H, W)`` or ``(H, W, C)``."""
        if self.sideways:
            image = image.swapaxes(0, 1)
        if self.left_right:
            image = image[:, ::-1]
        if self.up_down:
            image = image[::-1]
        return np.ascontiguousarray(image)


def turn_of(frame: Any) -> Turn:
    """The turn that an ``av.VideoFrame``'s display matrix asks for, mirrored or not, as the program ``ffmpeg`` does it.

    Angles between the quarter turns become the nearest one (``ffmpeg`` would turn by the angle and fill the corners
    with black).
    """
    if isinstance(frame.opaque, Turn):
        return frame.opaque
    for side in frame.side_data:
        if side.type == Type.DISPLAYMATRIX and len(bytes(side)) == _MATRIX_BYTES:
            # x' = a x + c y, y' = b x + d y
            a, b, _, c, d = struct.unpack("=5i", bytes(side)[:20])
            if abs(b) > abs(a):
                return Turn(sideways=True, left_right=c < 0, up_down=b < 0)
            return Turn(left_right=a < 0, up_down=d < 0)
    return Turn()


def mark(frame: Any, turn: Turn) -> None:
    """Let :func:`turn_of` answer so, without looking.

    In PyAV a frame and its side data, once that was asked for, hold each other, so that the frame's memory comes back
    only when Python looks for such circles: hundreds of frames later. So only the first frame of a stream is asked.
    """
    frame.opaque = replace(turn)  # PyAV forgets an object that two frames share when the first of them goes
