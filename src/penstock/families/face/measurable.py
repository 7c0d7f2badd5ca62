"""What a suite of faces must have for its error rates: told of the cases alone, before any model has answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from penstock.contract.models import Case
from penstock.families.face.case import FaceCase
from penstock.families.face.metrics import tar_name
from penstock.metrics.false_accept_rates import ONE_IN, too_few

TARS = {tar_name(far): one_in for far, one_in in ONE_IN.items()}
OF_PEOPLE = frozenset({"eer", *TARS, "discard", "gallery", "gallery_eer"})
OF_SCORES = frozenset({"auroc", "fpr95"})
Of = str
"""What the cases are all of: ``suite``, or ``slice``."""


def unmeasurable(metric: str, slice_name: str | None, cases: Sequence[Case]) -> str:
    """Why a metric of the whole suite, or of a slice, can have no value whatever the service answers; empty: it can.

    Args:
        metric: its name.
        slice_name: the slice that is asked about; ``None``: the whole suite.
        cases: all that the model must answer.
    """
    everything = [case for case in cases if isinstance(case, FaceCase)]
    inside = [case for case in everything if slice_name is None or slice_name in case.slices]
    of = "suite" if slice_name is None else "slice"
    images = [case for case in inside if not case.is_pair]
    if metric in OF_PEOPLE:
        identities = [case.identity for case in images if case.identity is not None and case.ood is None]
        fault = people_fault(identities, of)
        people = len(set(identities))
        return fault or (few_people(metric, people) if metric in TARS else "")
    if metric == "pair_eer":
        return pairs_fault([bool(case.same) for case in inside if case.is_pair and case.ood is None], of)
    if metric in OF_SCORES:
        every = [case.ood is not None for case in everything if not case.is_pair]
        return kinds_fault([case.ood is not None for case in images], every, of)
    return f"the {of} has no single images" if metric == "band_calibration" and not images else ""


def people_fault(identities: Sequence[str], of: Of) -> str:
    """Why these good images have no error rates; empty where they have.

    Args:
        identities: who is on each image.
        of: what they are all the images of.
    """
    images = Counter(identities)
    if len(images) < 2:
        return f"the {of} has good images of {len(images)} known people, and error rates need two"
    return "" if max(images.values()) > 1 else f"the {of} has no two good images of one person"


def few_people(metric: str, people: int) -> str:
    """Why so few people cannot claim a TAR at its FAR; empty where they can: a pair of people counts once."""
    few = too_few(TARS[metric], people * (people - 1) // 2, of_identities=True)
    return f"{people:,} people make {few}" if few is not None else ""


def pairs_fault(same: Collection[bool], of: Of) -> str:
    """Why these pairs of good images have no error rate; empty where they have one."""
    if not same:
        return f"the {of} has no pairs of good images"
    if len(set(same)) > 1:
        return ""
    return f"the {of} has no pairs of {'different people' if all(same) else 'the same person'}"


def kinds_fault(ood: Collection[bool], everywhere: Collection[bool], of: Of) -> str:
    """Why a score cannot be told to find what is out of distribution; empty where it can.

    Args:
        ood: of each image.
        everywhere: of each image of the suite: a slice of one kind is set against the other kind of the whole suite.
        of: what the first are all the images of.
    """
    if not ood:
        return f"the {of} has no single images"
    if len(set(everywhere)) > 1:
        return ""
    return f"the suite has no {'good images' if all(ood) else 'images out of distribution that are to be answered'}"
