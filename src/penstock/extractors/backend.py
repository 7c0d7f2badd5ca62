"""What computes a network: one interface, one module a backend.

A backend gets the bytes of an ONNX file that :mod:`penstock.extractors.onnx_file` has inspected, and gives a network
that maps named arrays to named arrays. Backends are imported when they are asked for: an installation has those that it
needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, cast

import numpy.typing as npt

from penstock.foundation.errors import UsageError

Size = int | Literal["open", "any"]
ADVICE_WEIGHTS = (
    "Give an extractor that 'penstock weights import' wrote, or the compact one that comes with the repository."
)


@dataclass(frozen=True)
class Tensor:
    """What a network's input or output is, or must be.

    ``type`` is ONNX Runtime's word, for example ``tensor(float)`` or ``tensor(uint8)``. ``shape`` holds a number where
    the size is fixed, ``"open"`` where the file leaves it open, ``"any"`` where an interface takes both.
    """

    type: str
    shape: tuple[Size, ...]

    def __str__(self) -> str:
        return f"{self.type} ({', '.join(map(str, self.shape))})"

    def accepts(self, other: Tensor) -> bool:
        """Whether a file's input or output (its open sizes are ``"open"``) is as this one asks."""
        return (
            other.type == self.type
            and len(other.shape) == len(self.shape)
            and all(want == "any" or got in ("open", want) for got, want in zip(other.shape, self.shape, strict=True))
        )


class Network(Protocol):
    """A loaded network. :meth:`run` may be called from several threads at a time."""

    @property
    def inputs(self) -> Mapping[str, Tensor]:
        """Its inputs by name."""

    @property
    def outputs(self) -> Mapping[str, Tensor]:
        """Its outputs by name."""

    def run(self, feeds: Mapping[str, npt.NDArray[Any]], outputs: Sequence[str]) -> list[npt.NDArray[Any]]:
        """The named outputs, in that order, in arrays of their own; whatever the library raises goes through."""


class Backend(Protocol):
    """Loads networks."""

    def load(self, data: bytes, *, where: str, threads: int | None) -> Network:
        """Load a network.

        Args:
            data: an ONNX file.
            where: its path, for messages.
            threads: threads of one run; by default as many as this process may use cores.

        Raises:
            UsageError: the backend cannot load it.
            WorldError: what it computes on is not there.
        """


def load_failed(library: str, error: Exception, where: str) -> UsageError:
    """A backend's library refused the file."""
    return UsageError(f"{library} cannot load this file: {one_line(error)}", where=where, todo=ADVICE_WEIGHTS)


def one_line(error: Exception) -> str:
    """A library's message, short."""
    return " ".join(str(error).split())[:300]


def size(value: object) -> Size:
    """A size as a file declares it: a number, or ``"open"`` where it has a name or nothing."""
    return cast(Size, value) if isinstance(value, int) else "open"
