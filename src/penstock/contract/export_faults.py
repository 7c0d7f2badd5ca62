"""What a contract's ``export`` says against its weights, call, family, suite and policy; and the cases compared."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.contract.export import OUTPUT, Export
from penstock.contract.family_faults import family_of
from penstock.contract.faults import Fault, fault_at
from penstock.contract.models import Contract, Suite
from penstock.contract.placeholders import placeholders
from penstock.families.engine_metrics import EXPORT_METRIC
from penstock.families.family import Agreement
from penstock.families.registry import did_you_mean, family
from penstock.foundation.errors import UsageError
from penstock.foundation.yaml_text import Document

SANDBOX_VARIABLES = frozenset(
    {"CUDA_VISIBLE_DEVICES", "HOME", "LANG", "NVIDIA_DRIVER_CAPABILITIES", "NVIDIA_VISIBLE_DEVICES", "PATH", "PORT"}
    | {"PYTHONDONTWRITEBYTECODE", "PYTHONNOUSERSITE", "PYTHONUNBUFFERED", "TMPDIR", "TZ", "VIRTUAL_ENV"}
)
"""What every model is started with (:mod:`penstock.invocation.sandbox`): no switch can take its place."""
SANDBOX_BEGINNINGS = ("CONDA_", "LD_", "UV_")
"""Beginnings of further such names: of the dynamic linker, and of Python environments."""


def compared_cases(export: Export, suite: Suite, *, only: str = "") -> Suite:
    """The cases that are put to both backends: those that the model must answer, of the slice that ``export`` names.

    Args:
        export: the contract's.
        suite: all cases.
        only: another slice, which a run asks for; it goes before the contract's.

    Returns:
        The suite with those cases. Of a slice that a run asks for there may be none: it has other reasons to run.

    Raises:
        UsageError: no case carries the slice; there is none of the contract's own.
    """
    chosen = suite.only(only or export.slice or "")
    answered = [case for case in chosen.cases if case.expect is None]
    if not answered and not only:
        raise UsageError("the export is compared over cases that the model must answer, and there is none")
    return chosen.model_copy(update={"cases": answered})


def agreement_of(contract: Contract) -> Agreement:
    """How the contract's family compares two answers to one case.

    Raises:
        UsageError: it has no such comparison.
    """
    found = family(contract.family).agreement
    if found is None:
        what = f"the family '{contract.family}' has no comparison of an export's answers with those of trained weights"
        raise UsageError(what, where="export", todo="Leave 'export' out.")
    return found


def export_faults(contract: Contract, suite: Suite | None, document: Document) -> Iterator[Fault]:
    """A family without a comparison, a file, limit or slice that there is not, and a rule for an export that is not."""
    export = contract.export
    if export is None:
        for place, rule in enumerate(contract.policy.rules):
            if rule.metric == EXPORT_METRIC.name:
                what = f"'{rule.metric}' is what came of the export, and the contract has no 'export'"
                todo = "Write a section 'export', or leave the rule out."
                yield fault_at(document, ("policy", "rules", place, "metric"), what, todo=todo)
        return
    yield from _family_faults(contract, export, document)
    names = tuple(name for text in export.argv for name in placeholders(text))
    if OUTPUT not in names:
        what = f"the exporter is not told which file to write: '{{{OUTPUT}}}' stands nowhere in it"
        yield fault_at(document, ("export", "argv"), what, todo=f"Write '{{{OUTPUT}}}' where the file's path belongs.")
    for name in dict.fromkeys(name for name in names if name != OUTPUT):
        todo = f"Known here: {{{OUTPUT}}}. Write '{{{{{name}}}}}' for the text itself."
        yield fault_at(document, ("export", "argv"), f"nothing fills '{{{name}}}'", todo=todo)
    paths = tuple(weights.path for weights in contract.weights)
    if export.weights not in paths:
        what = f"'{export.weights}' is none of the contract's weights"
        yield fault_at(document, ("export", "weights"), what, todo=did_you_mean(export.weights, paths))
    elif len(set(paths)) == 1:
        what = f"'{export.weights}' is all of the contract's weights: there are no trained weights to compare it with"
        yield fault_at(document, ("export", "weights"), what, todo="Name the trained weights in 'weights' as well.")
    if export.switch in SANDBOX_VARIABLES or export.switch.startswith(SANDBOX_BEGINNINGS):
        what = f"'{export.switch}' is a variable that every model is started with: it cannot be the switch as well"
        yield fault_at(document, ("export", "switch"), what, todo="Name a variable of the model's own.")
    if export.switch in contract.call.env:
        what = f"'{export.switch}' is set here, and 'export' sets it by what it finds"
        yield fault_at(document, ("call", "env", export.switch), what, todo="Leave it out.")
    if suite is not None:
        try:
            compared_cases(export, suite)
        except UsageError as error:
            field = ("slice",) if export.slice is not None else ()
            yield fault_at(document, ("export", *field), error.what, todo=error.todo)


def _family_faults(contract: Contract, export: Export, document: Document) -> Iterator[Fault]:
    if family_of(contract) is None:
        return  # the fault of the family says so
    try:
        known = tuple(agreement_of(contract).limits)
    except UsageError as error:
        yield fault_at(document, ("export",), error.what, todo=error.todo)
        return
    for name in export.limits:
        if name not in known:
            what = f"the family '{contract.family}' compares no '{name}'"
            yield fault_at(document, ("export", "limits", name), what, todo=did_you_mean(name, known))
