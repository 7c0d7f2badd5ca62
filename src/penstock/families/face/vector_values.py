"""What is said of stored vectors: of one version, and of two versions of the same images."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from penstock.families.face.embedding_file import StoredVectors
from penstock.families.face.image_pairs import ImagePairs
from penstock.families.face.verification_text import verification_content, verification_lines
from penstock.foundation.errors import UsageError, printable
from penstock.metrics.embeddings import NO_FACE, VectorLengths, drift, score_all_pairs, vector_lengths
from penstock.metrics.verification import sort_pairs
from penstock.metrics.verification_scores import VerificationScores, verification_scores

NO_IDENTITIES = "there is no array 'identities': nobody knows which pairs are genuine"
Identities = npt.NDArray[np.str_] | None
QUANTILES = {"least": 0.0, "p1": 0.01, "p5": 0.05, "median": 0.5}


def matched(released: StoredVectors, candidate: StoredVectors) -> StoredVectors:
    """The candidate's vectors in the order of the released model's images.

    Raises:
        UsageError: they are not of the same images or people, or have another number of values.
    """
    where = f"{released.path} and {candidate.path}"
    if released.vectors.shape[1] != candidate.vectors.shape[1]:
        sizes = f"{released.vectors.shape[1]} and {candidate.vectors.shape[1]}"
        what = f"the vectors have {sizes} values: a stored gallery cannot be compared with such probes at all"
        raise UsageError(what, where=where)
    if released.names is None or candidate.names is None:
        if len(released.vectors) != len(candidate.vectors):
            what = f"there are {len(released.vectors)} and {len(candidate.vectors)} vectors"
            raise UsageError(what, where=where, todo="Give the same images in the same order, or an array 'names'.")
        found = candidate
    else:
        found = candidate.taken(_rows(released.names, candidate.names, where))
    if released.identities is not None and found.identities is not None:
        unlike = np.flatnonzero(released.identities != found.identities)
        if len(unlike):
            row = int(unlike[0])
            what = f"row {row} is of '{released.identities[row]}' and of '{found.identities[row]}'"
            raise UsageError(what, where=where, todo="The same image must be of the same person in both.")
    return found


def _rows(names: npt.NDArray[np.str_], others: npt.NDArray[np.str_], where: str) -> npt.NDArray[np.intp]:
    """Where each name stands among the others."""
    for one, two, side in ((names, others, "first"), (others, names, "second")):
        if len(missing := np.setdiff1d(one, two)):
            what = f"{len(missing)} images are in the {side} file alone, among them '{missing[0]}'"
            todo = "An image without a face is a failure, not one to leave out: give it a vector, or take it from both."
            raise UsageError(what, where=where, todo=todo)
    order = np.argsort(others)
    return np.asarray(order[np.searchsorted(others[order], names)], np.intp)


@dataclass(frozen=True)
class VersionValues:
    """Of one version's vectors.

    Attributes:
        n: images.
        values: in a vector.
        lengths: of the vectors.
        rates: over all pairs, or those that were named; ``None`` where no identities are known.
        failures: of images without a vector: name → why. Their comparisons are accepted at no threshold.
    """

    n: int
    values: int
    lengths: VectorLengths
    rates: VerificationScores | None
    failures: Mapping[str, str]


@dataclass(frozen=True)
class VectorValues:
    """Of one version, or of two.

    Attributes:
        released: the first file's.
        candidate: the second file's.
        drift: quantile, or ``mean``, → cosine of both versions' vectors of the same image, of those with both.
        across: rates with the gallery of the first and the probes of the second.
    """

    released: VersionValues
    candidate: VersionValues | None = None
    drift: dict[str, float] | None = None
    across: VerificationScores | None = None


def vector_values(
    released: StoredVectors, candidate: StoredVectors | None, pairs: ImagePairs | None = None
) -> VectorValues:
    """Compare pairs of images, by one version and across two.

    Args:
        released: one version's vectors.
        candidate: another version's, of the same images.
        pairs: which are compared; ``None``: all, where identities are known.

    Raises:
        UsageError: both sides do not fit (:func:`matched`), there are too many images, all are of one person, or each
            of another; a pair's image is not there.
    """
    if pairs is not None:
        released = released.taken(pairs.rows(released.names, released.path))
        candidate = candidate and candidate.taken(pairs.rows(candidate.names, candidate.path))
    if candidate is None:
        return VectorValues(_version(released, released.identities, pairs))
    other = matched(released, candidate)
    whose = other.identities if released.identities is None else released.identities
    both = ~(released.missing | other.missing)
    cosines = drift(released.vectors[both], other.vectors[both])
    moved = {name: float(np.quantile(cosines, q)) for name, q in QUANTILES.items()} if both.any() else None
    return VectorValues(
        _version(released, whose, pairs),
        _version(other, whose, pairs),
        None if moved is None else moved | {"mean": float(cosines.mean())},
        _rates(released, other, whose, pairs),
    )


def _version(stored: StoredVectors, whose: Identities, pairs: ImagePairs | None) -> VersionValues:
    count, values = stored.vectors.shape
    lengths = vector_lengths(stored.vectors[~stored.missing])
    return VersionValues(count, values, lengths, _rates(stored, stored, whose, pairs), stored.failures)


def _rates(
    gallery: StoredVectors, probes: StoredVectors, whose: Identities, pairs: ImagePairs | None
) -> VerificationScores | None:
    """An image that either side lacks is accepted in no comparison."""
    missing = gallery.missing | probes.missing
    if pairs is not None:
        scores = drift(gallery.vectors[pairs.first], probes.vectors[pairs.second])
        scores[missing[pairs.first] | missing[pairs.second]] = NO_FACE
        return verification_scores(sort_pairs(scores, pairs.same))
    if whose is None:
        return None
    people, numbers = np.unique(whose, return_inverse=True)
    if len(people) in (1, len(whose)):
        what = "all images are of one person" if len(people) == 1 else "there are no two images of one person"
        raise UsageError(what, where=str(gallery.path), todo="Error rates need pairs of both kinds.")
    return score_all_pairs(gallery.vectors, probes.vectors, np.asarray(numbers, np.intp), missing=missing)


def vector_content(found: VectorValues) -> dict[str, Any]:
    """The keys of ``--json``."""
    reasons = {} if found.released.rates is not None else {"verification": NO_IDENTITIES}
    if found.candidate is None:
        return _version_content(found.released) | {"reasons": reasons}
    return {
        "released": _version_content(found.released),
        "candidate": _version_content(found.candidate),
        "drift": found.drift,
        "cross_version": None if found.across is None else verification_content(found.across),
        "reasons": reasons | ({} if found.across is not None else {"cross_version": NO_IDENTITIES}),
    }


def _version_content(found: VersionValues) -> dict[str, Any]:
    return {
        "n": found.n,
        "values": found.values,
        "length": dataclasses.asdict(found.lengths),
        "verification": None if found.rates is None else verification_content(found.rates),
        "failed": [{"image": image, "reason": reason} for image, reason in found.failures.items()],
    }


def vector_lines(found: VectorValues) -> list[str]:
    """A line a value."""
    if found.candidate is None:
        return _version_lines(found.released)
    lines = ["released", *_version_lines(found.released), "", "candidate", *_version_lines(found.candidate), ""]
    moved = ", ".join(f"{name} {cosine:.4f}" for name, cosine in (found.drift or {}).items())
    lines += ["gallery of the released, probes of the candidate", f"cosine of one image in both: {moved}"]
    return lines + ([NO_IDENTITIES] if found.across is None else verification_lines(found.across))


def _version_lines(found: VersionValues) -> list[str]:
    lengths = found.lengths
    length = "1" if lengths.unit else f"{lengths.least:.5g} to {lengths.most:.5g}"
    lines = [f"vectors       {found.n:,} of {found.values} values, length {length}"]
    if found.failures:
        image, reason = next(iter(found.failures.items()))
        first = f"'{printable(image)}': {printable(reason)}"
        lines.append(f"no vector     {len(found.failures):,} of them, accepted at no threshold; {first}")
    return lines + ([NO_IDENTITIES] if found.rates is None else verification_lines(found.rates))
