"""Preprocessing by itself: arrays that a service makes of a case's bytes before its network sees them.

A contract asks for them by a call named ``preprocess``, whose answer is a NumPy file (``.npy``). Those of the candidate
and of the released model to the same bytes are compared: a change of scaling, order of channels or rounding is seen as
such, and not only as a worse EER. It is for every family: a measurer never sees these arrays.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.bundle.directory import Bundle
from penstock.bundle.models import WHOLE_SUITE, Measurement
from penstock.contract.http_call import PREPROCESS
from penstock.contract.models import Case, Contract
from penstock.evaluation.measurer import Value, measurement
from penstock.evaluation.released_answers import why_not_compared
from penstock.families.engine_metrics import PREPROCESS_METRIC
from penstock.foundation.errors import UsageError
from penstock.foundation.files import inside, read_regular

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

MAX_BYTES = 64 << 20
NEVER_ASKED = "the contract has no call 'preprocess'"
NOT_RELEASED = "the released model was not asked for what it preprocesses"

Arrays = Mapping[str, Path | None]
"""Case → the file of its array; ``None``: there is none."""


class NotAnArrayError(UsageError):
    """The file is no array of numbers."""


def read_array(path: Path) -> npt.NDArray[np.number]:
    """Read an array that a service made. It is not trusted: no pickle is opened, and the header must fit the file.

    Raises:
        NotAnArrayError: it is no array of finite numbers, or too large.
    """
    import numpy as np

    try:
        content = read_regular(path, max_bytes=MAX_BYTES, where="the array")
        file = io.BytesIO(content)
        version = np.lib.format.read_magic(file)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, kind = header(file)
        if kind.kind not in "fiu" or math.prod(shape) * kind.itemsize != len(content) - file.tell():
            raise NotAnArrayError(f"it has the shape {shape} and the type {kind}, and {len(content):,} bytes")
        found = np.load(io.BytesIO(content), allow_pickle=False)
    except NotAnArrayError:
        raise
    except UsageError as error:
        raise NotAnArrayError(error.what) from error
    except Exception as error:  # NumPy raises a dozen kinds for a damaged file
        raise NotAnArrayError(f"it is no NumPy file: {' '.join(str(error).split())[:200]}") from error
    if not np.isfinite(found).all():
        raise NotAnArrayError("it holds what is no finite number")
    array: npt.NDArray[np.number] = found
    return array


def difference(ours: Path, theirs: Path) -> Value:
    """The largest absolute difference of two arrays; a text where they cannot be compared.

    Raises:
        NotAnArrayError: the released model's is none.
    """
    import numpy as np

    released = read_array(theirs)
    try:
        array = read_array(ours)
    except NotAnArrayError as error:
        return error.what
    if array.shape != released.shape or array.dtype != released.dtype:
        was, now = (f"{found.shape} of {found.dtype}" for found in (released, array))
        return f"the array is {now}, where it was {was}"
    if not array.size:
        return 0.0
    return float(np.abs(array.astype(np.float64) - released.astype(np.float64)).max())


def preprocessing(
    contract: Contract, cases: Sequence[Case], bundle: Bundle, released: Bundle | None
) -> Iterator[Measurement]:
    """The line of :data:`PREPROCESS_METRIC`, where the contract has the call or a rule asks for it.

    Args:
        contract: the candidate's.
        cases: those that the model must answer.
        bundle: the candidate's calls and outputs.
        released: the released model's; ``None``: there is none.
    """
    name = PREPROCESS_METRIC.name
    if not contract.shows_arrays and all(rule.metric != name for rule in contract.policy.rules):
        return
    if released is None:
        yield measurement(WHOLE_SUITE, name, why_not_compared(None), applies=False)
        return
    yield preprocess_drift(_arrays(bundle, cases), _arrays(released, cases))


def _arrays(bundle: Bundle, cases: Sequence[Case]) -> Arrays:
    """Of the cases that have an answer."""
    where, calls = str(bundle.invocations_file), {call.case: call for call in bundle.invocations()}
    answered = [call for case in cases if (call := calls.get(case.name)) is not None and call.status == "ok"]
    found = {call.case: call.outputs_by_call.get(PREPROCESS) for call in answered}
    return {case: None if path is None else inside(bundle.path, path, where=where) for case, path in found.items()}


def preprocess_drift(ours: Arrays, theirs: Arrays) -> Measurement:
    """The line of :data:`PREPROCESS_METRIC`: the largest difference of all cases; which case stands beside it.

    Args:
        ours: the candidate's, of all cases that have an answer.
        theirs: the released model's; cases that it has no array of are not compared.
    """
    name = PREPROCESS_METRIC.name
    if not any(ours.values()) and not any(theirs.values()):
        return measurement(WHOLE_SUITE, name, NEVER_ASKED, applies=False)
    worst, at, compared = -1.0, "", 0
    for case, released in theirs.items():
        if released is None:
            continue
        if (array := ours.get(case)) is None:
            return measurement(WHOLE_SUITE, name, f"case '{case}': there is no array")
        try:
            found = difference(array, released)
        except NotAnArrayError:
            continue
        if isinstance(found, str):
            return measurement(WHOLE_SUITE, name, f"case '{case}': {found}")
        compared += 1
        if found > worst:
            worst, at = found, case
    if not compared:
        return measurement(WHOLE_SUITE, name, NOT_RELEASED, applies=False)
    why = f"most in the case '{at}', of {compared:,}" if worst else None
    return measurement(WHOLE_SUITE, name, worst, why=why)
