"""Networks with a name and a digest, shared by all extractors.

A value that was measured through a network means something only together with that network and with how it was
computed. So an :class:`Extractor` always carries a label of both (:mod:`penstock.contract.arithmetic`), and the bytes
that were digested are the bytes that run.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from penstock.contract.arithmetic import DEFAULT, Arithmetic, extractor_label
from penstock.extractors.backend import ADVICE_WEIGHTS, Network, Tensor, one_line
from penstock.extractors.backends import backend_for
from penstock.extractors.onnx_file import inspect
from penstock.foundation.errors import UsageError
from penstock.foundation.files import content_of, open_regular
from penstock.foundation.media_kinds import IS_LFS_POINTER, LFS_POINTER, PULL

MAX_BYTES = 256 << 20
"""The largest extractor file that is loaded (the published SyncNet has 55 MB, Inception 95 MB)."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Interface:
    """The kind of an extractor (``penstock.kind`` in the file's metadata) and its inputs and outputs by name."""

    kind: str
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]


class Extractor:
    """A loaded network: ``name``, ``digest`` (64 hex digits), ``metadata``; :meth:`run` gives its outputs."""

    def __init__(
        self,
        network: Network,
        *,
        name: str,
        digest: str,
        metadata: Mapping[str, str],
        where: str,
        arithmetic: Arithmetic = DEFAULT,
    ) -> None:
        self._network = network
        self._where = where
        self.name = name
        self.digest = digest
        self.metadata = dict(metadata)
        self.arithmetic = arithmetic

    @property
    def label(self) -> str:
        """``name@sha256:digest``, with what computes it where that is not ``f32``, as measurements record it."""
        return extractor_label(self.name, self.digest, self.arithmetic)

    def run(self, feeds: Mapping[str, npt.NDArray[Any]], outputs: Sequence[str]) -> list[npt.NDArray[Any]]:
        """Run the network once.

        Raises:
            UsageError: the network failed on inputs of the documented shape, or answered with NaN or infinity.
        """
        try:
            results = self._network.run(feeds, outputs)
        except Exception as error:  # the backends' exceptions share no base class
            raise UsageError(
                f"the extractor failed: {one_line(error)}",
                where=self._where,
                todo="Its graph does not keep the interface; use another.",
            ) from error
        for name, result in zip(outputs, results, strict=True):
            if not np.isfinite(result).all():
                raise UsageError(
                    f"the extractor's '{name}' holds NaN or infinity", where=self._where, todo=ADVICE_WEIGHTS
                )
        return results


def open_extractor(
    path: Path,
    interface: Interface,
    *,
    threads: int | None = None,
    arithmetic: Arithmetic = DEFAULT,
    max_bytes: int = MAX_BYTES,
) -> Extractor:
    """Load an extractor after checking what it is.

    Args:
        path: an ONNX file, all weights inside, standard operators only.
        interface: what it must be.
        threads: threads of one operator; by default as many as this process may use cores.
        arithmetic: what computes it, and in which precision.
        max_bytes: refuse larger files.

    Raises:
        UsageError: missing, too large, not ONNX, another kind, other inputs or outputs, no name, external data or
            custom operators; the backend is not installed.
        WorldError: this machine cannot compute so.
    """
    where = str(path)
    data = _read(path, max_bytes)
    facts = inspect(data, where=where)
    kind = facts.metadata.get("penstock.kind", "")
    if kind != interface.kind:
        found = f"its 'penstock.kind' is '{kind[:64]}'" if kind else "it has no 'penstock.kind' in its metadata"
        raise UsageError(f"this is no {interface.kind} extractor: {found}", where=where, todo=ADVICE_WEIGHTS)
    name = facts.metadata.get("penstock.name", "")
    if not _NAME.fullmatch(name):
        raise UsageError(
            "its metadata 'penstock.name' is missing or not a plain lower-case name", where=where, todo=ADVICE_WEIGHTS
        )
    digest = hashlib.sha256(data).hexdigest()
    network = backend_for(arithmetic).load(data, where=where, threads=threads)
    _check("input", network.inputs, interface.inputs, where)
    _check("output", network.outputs, interface.outputs, where)
    return Extractor(network, name=name, digest=digest, metadata=facts.metadata, where=where, arithmetic=arithmetic)


def _read(path: Path, max_bytes: int) -> bytes:
    with open_regular(path, where=str(path), todo=ADVICE_WEIGHTS) as file:
        size = os.fstat(file.fileno()).st_size
        if size > max_bytes:
            what = f"the file has {size} bytes, more than the {max_bytes} that an extractor may have"
            raise UsageError(what, where=str(path), todo=ADVICE_WEIGHTS)
        data = content_of(file, max_bytes + 1, where=str(path))
    if data.startswith(LFS_POINTER):
        raise UsageError(IS_LFS_POINTER, where=str(path), todo=PULL)
    return data


def _check(what: str, found: Mapping[str, Tensor], wanted: Mapping[str, Tensor], where: str) -> None:
    if found.keys() != wanted.keys():
        raise UsageError(
            f"its {what}s are {_names(found)}, not {_names(wanted)}",
            where=where,
            todo=ADVICE_WEIGHTS,
        )
    for name, tensor in wanted.items():
        if not tensor.accepts(found[name]):
            raise UsageError(f"its {what} '{name}' is {found[name]}, not {tensor}", where=where, todo=ADVICE_WEIGHTS)


def _names(values: Mapping[str, Tensor]) -> str:
    return ", ".join(sorted(name[:64] for name in values)) or "none"
