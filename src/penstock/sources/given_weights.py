"""Which weights a run tries: the contract's, those that it was given in their place, or those of a release."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from penstock.bundle.models import GivenWeightsRecord, Source, WeightsFile
from penstock.contract.models import Contract, Weights
from penstock.contract.weight_sources import given_weights, in_place_of
from penstock.sources.git_url import mask

DIGITS = 8
"""Of the digest in a version: ``1.2.0+w1a2b3c4d``."""


@dataclass(frozen=True)
class Chosen:
    """The weights of a run, in the contract's order."""

    weights: list[Weights]
    replaced: frozenset[str] = frozenset()
    """Paths of those that are not the contract's."""
    given: GivenWeightsRecord | None = None
    """What the run was given, for its record."""


def chosen_weights(contract: Contract, text: str) -> Chosen:
    """The contract's weights, with one file replaced if the run was given another.

    Args:
        contract: ``penstock.yaml``.
        text: the pipeline's parameter ``weights``, see :func:`penstock.contract.weight_sources.given_weights`; empty:
            nothing is replaced. Nor is it if the file has the contract's own digest.

    Raises:
        UsageError: the text cannot be read, or it is not clear which file is replaced.
    """
    if not text:
        return Chosen(contract.weights)
    given = given_weights(text)
    before = in_place_of(contract, given)
    if before.sha256 == given.sha256:
        return Chosen(contract.weights)
    after = before.model_copy(update={"sha256": given.sha256, "source": given.source, "licence": None})
    record = GivenWeightsRecord(
        path=before.path, sha256=given.sha256, replaces=before.sha256, source=mask(given.source)
    )
    weights = [after if item is before else item for item in contract.weights]
    return Chosen(weights, frozenset({before.path}), record)


def released_weights(contract: Contract, files: Sequence[WeightsFile]) -> Chosen:
    """The weights that a release had: those of its commit, but for files that its run was given.

    Args:
        contract: of the released commit.
        files: the release's record.
    """
    released = {file.path: file for file in files}
    replaced = {
        item.path: item.model_copy(update={"sha256": file.sha256, "source": file.source})
        for item in contract.weights
        if (file := released.get(item.path)) is not None and file.sha256 != item.sha256 and file.source
    }
    return Chosen([replaced.get(item.path, item) for item in contract.weights], frozenset(replaced))


def with_version(source: Source, given: GivenWeightsRecord) -> Source:
    """The source with a version that names the weights as well: ``+w`` and eight digits of their digest."""
    mark = f"+w{given.sha256[:DIGITS]}"
    if source.version.endswith(mark):  # an earlier attempt of the step has written it
        return source
    return source.model_copy(update={"version": f"{source.version}{mark}"})
