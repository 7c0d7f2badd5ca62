"""What ``penstock check`` says of rules whose value the suite cannot give, or gives of too few cases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from penstock.contract.largest_slices import MOST_SLICES, largest_slices
from penstock.contract.models import Case, Contract, Suite
from penstock.contract.policy import PolicyFault, Rule
from penstock.families.family import Metric
from penstock.families.registry import find_family, find_metric
from penstock.foundation.references import load
from penstock.gating.evidence import BOOTSTRAP_CASES
from penstock.gating.wording import subject_of


def suite_remarks(contract: Contract, suite: Suite) -> Iterator[PolicyFault]:
    """Rules about values of the whole suite, or of a whole slice, that the suite's cases do not allow.

    A slice that no case has is told elsewhere.
    """
    cases = [case for case in suite.cases if case.expect is None]
    for place, rule in enumerate(contract.policy.rules):
        metric = find_metric(rule.metric)
        if rule.ratings_wanted is not None:  # people's ratings: their interval decides, and it has every slice
            yield from _of_one_case(place, rule, cases)
            continue
        if metric is None or not metric.whole_suite or (rule.slice is not None and not metric.by_slice):
            continue
        if rule.slice is not None and all(rule.slice not in case.slices for case in cases):
            continue
        yield from _impossible(place, rule, contract.family, cases) or _small(place, rule, metric, cases)


def _impossible(place: int, rule: Rule, family: str, cases: Sequence[Case]) -> list[PolicyFault]:
    """Rules that no model can hold: there is no value, whatever it answers."""
    title, only = subject_of(rule).title, " (this rule only warns)" if rule.severity == "warn" else ""
    found = find_family(family)
    where = f" of the slice '{rule.slice}'" if rule.slice is not None else ""
    if found is not None and found.unmeasurable is not None:
        why = load(found.unmeasurable)(rule.metric, rule.slice, cases)
        if why:
            what = f"{title}{where} has no value: {why}: this rule always fails{only}"
            todo = "Add such cases, or take the rule out."
            return [PolicyFault(("rules", place, "metric"), what, todo, warning=True)]
    if rule.slice is not None and rule.slice not in largest_slices(cases):
        what = (
            f"the slice '{rule.slice}' is not among the {MOST_SLICES} largest of the suite, of which alone {title} is "
            f"measured: this rule always fails{only}"
        )
        return [PolicyFault(("rules", place, "slice"), what, "Give the slice more cases.", warning=True)]
    return []


def _of_one_case(place: int, rule: Rule, cases: Sequence[Case]) -> list[PolicyFault]:
    """A rule about people's ratings that nothing settles: of a single case the error is not known."""
    looked_at = [case for case in cases if rule.slice is None or rule.slice in case.slices]
    if len(looked_at) != 1:
        return []
    field, where = ("metric", "that can be rated") if rule.slice is None else ("slice", f"of the slice '{rule.slice}'")
    what = (
        f"there is one case {where}, and people's ratings of one case alone settle nothing: no release that is "
        f"compared with another passes this rule{' (it only warns)' if rule.severity == 'warn' else ''}"
    )
    todo = "Add cases; penstock suite power says how many ratings they take."
    return [PolicyFault(("rules", place, field), what, todo, warning=True)]


def _small(place: int, rule: Rule, metric: Metric, cases: Sequence[Case]) -> list[PolicyFault]:
    """Bounds on a value over few cases; of a margin its own check says so."""
    count = sum(rule.slice in case.slices for case in cases)
    if rule.slice is None or rule.margin is not None or count >= BOOTSTRAP_CASES:
        return []
    many = f"{count} case{'' if count == 1 else 's'}"
    what = f"the slice '{rule.slice}' has {many}: chance decides a bound on {metric.title} over so few"
    todo = f"Take {BOOTSTRAP_CASES} cases at least, or write 'severity: warn'."
    return [PolicyFault(("rules", place, "slice"), what, todo, warning=True)] if rule.severity == "block" else []
