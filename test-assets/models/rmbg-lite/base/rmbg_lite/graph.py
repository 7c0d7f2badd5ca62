"""The network, layer by layer: what is trained, exported and computed is built from this one list."""

from __future__ import annotations

from dataclasses import dataclass

ARCHITECTURE = "rmbg-lite/1"
INPUT = "features"
CHANNELS = 9
"""See :mod:`rmbg_lite.features`: float32 ``(1, 9, h, w)``; height and width are multiples of 64."""


@dataclass(frozen=True)
class Conv:
    """A convolution, then ``relu`` or ``sigmoid``. A stride of 2 halves the size; one of 4 takes squares of 4 x 4."""

    name: str
    source: str
    channels: tuple[int, int]
    side: int = 3
    stride: int = 1
    after: str = "relu"

    @property
    def pad(self) -> int:
        """Zeros around the input."""
        return self.side // 2 if self.side % 2 else 0


@dataclass(frozen=True)
class Pool:
    """The mean of squares of 4 x 4."""

    name: str
    source: str


@dataclass(frozen=True)
class Double:
    """Twice the height and width, bilinear, pixels' middles aligned."""

    name: str
    source: str


@dataclass(frozen=True)
class Join:
    """Channels of several layers, one after the other."""

    name: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Spread:
    """Each ``block * block`` channels become squares of ``block`` x ``block`` pixels of one."""

    name: str
    source: str
    block: int


Layer = Conv | Pool | Double | Join | Spread

LAYERS: tuple[Layer, ...] = (
    # Where the subject is, seen small.
    Pool("small", INPUT),
    Conv("down2", "small", (CHANNELS, 24), stride=2),
    Conv("look2", "down2", (24, 24)),
    Conv("down3", "look2", (24, 40), stride=2),
    Conv("look3", "down3", (40, 40)),
    Conv("down4", "look3", (40, 56), stride=2),
    Conv("look4", "down4", (56, 56)),
    Conv("down5", "look4", (56, 64), stride=2),
    Conv("look5", "down5", (64, 64)),
    Double("up5", "look5"),
    Join("join4", ("up5", "look4")),
    Conv("mix4", "join4", (120, 48)),
    Double("up4", "mix4"),
    Join("join3", ("up4", "look3")),
    Conv("mix3", "join3", (88, 32)),
    Double("up3", "mix3"),
    Join("join2", ("up3", "look2")),
    Conv("mix2", "join2", (56, 20)),
    Conv("coarse2", "mix2", (20, 4), after="sigmoid"),
    Spread("coarse", "coarse2", 2),
    # Its edge, in full.
    Conv("stem", INPUT, (CHANNELS, 48), side=4, stride=4),
    Join("edge", ("stem", "coarse")),
    Conv("edge1", "edge", (49, 40)),
    Conv("edge2", "edge1", (40, 32)),
    Conv("cells", "edge2", (32, 16), after="sigmoid"),
    Spread("alpha", "cells", 4),
)
EDGE = ("stem", "edge1", "edge2", "cells")
"""The layers that draw the edge; the others find the subject."""
OUTPUT = "alpha"
"""float32 ``(n, 1, h, w)``, 0..1."""
