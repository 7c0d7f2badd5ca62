"""Two answers compared in a process of its own, which ends in time: whatever a live service sends is hostile."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from penstock.contract.placeholders import Scalar
from penstock.evaluation import comparing_process
from penstock.evaluation.answers_apart import AnswersApart, one_cut_line
from penstock.evaluation.comparison_order import COMPARED, ComparedAnswers, ComparisonOrder
from penstock.foundation.errors import WorldError
from penstock.foundation.files import disk_errors, open_regular
from penstock.foundation.handles import discard_tree
from penstock.foundation.references import Reference
from penstock.invocation.helper_process import boot_of, last_said, left_file, readable_code, run_helper

BOOT: Final = boot_of(comparing_process.__name__)
LIMIT_S: Final = 60.0
"""How long two answers may take to be decoded and compared, the start of the process included."""
MAX_COMPARED: Final = 1 << 16
_ONE_THREAD: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1"}
"""A thread for each of a node's cores takes memory for each, whatever the container may use of them."""


def confined_answers_apart(
    compare: Reference,
    limits: Mapping[str, float],
    one: Mapping[str, Path],
    other: Mapping[str, Path],
    given: Mapping[str, Scalar],
    *,
    limit_s: float = LIMIT_S,
) -> AnswersApart:
    """As :func:`penstock.evaluation.answers_apart.answers_apart`, for answers that nobody has decoded before.

    Args:
        compare: the family's comparison.
        limits: name of each value → the largest that is allowed, from 0.
        one: the answer on record, by the name of the call: it can be compared with itself.
        other: the other one. Where it keeps what decodes it busy for ``limit_s``, or ends it, that is its fault.
        given: the case's parameters.
        limit_s: for the whole of it.

    Raises:
        UsageError: the answer on record is gone.
        WorldError: nothing can be compared here, since not even the answer on record can with itself; the disk is full.
    """
    found = _compared(compare, limits, one, other, given, limit_s)
    if isinstance(found, AnswersApart) and (found.values or found.fault is None):
        return found
    for path in one.values():
        open_regular(path, where=str(path)).close()  # a record that is gone is no fault of the service
    # a machine without memory, or without a library, must not pass for a fault of the service
    alone = _compared(compare, limits, one, one, given, limit_s)
    fault = alone.fault if isinstance(alone, AnswersApart) else alone
    if fault is not None:
        raise WorldError(
            f"answers cannot be compared here: {fault}",
            where=", ".join(map(str, one.values())),
            todo="Not even the answer on record can be compared with itself: look at the machine's memory and load.",
        )
    if isinstance(found, AnswersApart):
        return found
    return AnswersApart(fault=one_cut_line(f"the answers cannot be compared: {found}"))


def _compared(
    compare: Reference,
    limits: Mapping[str, float],
    one: Mapping[str, Path],
    other: Mapping[str, Path],
    given: Mapping[str, Scalar],
    limit_s: float,
) -> AnswersApart | str:
    """What came of it; a text: why nothing did."""
    with disk_errors(Path(tempfile.gettempdir())):
        folder = Path(tempfile.mkdtemp(prefix="penstock-compare-")).resolve()
    try:
        order = ComparisonOrder(
            compare=compare,
            limits=dict(limits),
            one={name: path.resolve() for name, path in one.items()},
            other={name: path.resolve() for name, path in other.items()},
            given=dict(given),
            folder=folder,
            readable=readable_code(),
        )
        with disk_errors(folder):
            over = run_helper(BOOT, order.model_dump_json().encode(), folder, limit_s, variables=_ONE_THREAD)
        if over:
            return f"it took longer than {limit_s:g} s"
        content = left_file(folder, COMPARED, MAX_COMPARED)
        if content is None:
            return f"what decodes them ended: {last_said(folder)}"
        made = ComparedAnswers.model_validate_json(content)
        return AnswersApart(made.values, made.fault)
    except ValidationError:
        return "what decodes them left no result"
    finally:
        discard_tree(folder)
