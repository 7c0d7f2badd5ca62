"""What a contract and a suite say against what their family knows: its name, presets, networks."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.contract.faults import Fault, fault_at
from penstock.contract.models import CONTRACT_FILE, Contract, Suite
from penstock.families.family import Family
from penstock.families.registry import did_you_mean, find_family
from penstock.families.shared_presets import SHARED_PRESETS
from penstock.foundation.errors import UsageError
from penstock.foundation.yaml_text import Document


def family_of(contract: Contract) -> Family | None:
    """The contract's family, if there is one of that name."""
    try:
        return find_family(contract.family)
    except UsageError:
        return None


def family_faults(contract: Contract, document: Document) -> Iterator[Fault]:
    """A preset of another family, and a network's role, or a network that comes with Penstock, that there is not."""
    try:
        family = find_family(contract.family)
    except UsageError as error:
        yield fault_at(document, ("family",), error.what, todo=error.todo)
        return
    if family is None:
        return
    preset = contract.call.preset
    usable = (*family.presets, *SHARED_PRESETS)
    if preset is not None and preset not in usable:
        what = f"the family '{family.name}' has no preset '{preset}'"
        yield fault_at(document, ("call", "preset"), what, todo=did_you_mean(preset, usable))
    for name, given in contract.extractors.items():
        if (role := family.roles.get(name)) is None:
            what = f"the metrics of '{family.name}' look through no network '{name}'"
            yield fault_at(document, ("extractors", name), what, todo=did_you_mean(name, tuple(family.roles)))
        elif isinstance(given, str) and given != role.stand_in:
            what = f"no network '{given}' comes with Penstock for '{name}'"
            todo = did_you_mean(given, (role.stand_in,))
            yield fault_at(document, ("extractors", name), what, todo=todo)


def suite_family_faults(contract: Contract, suite: Suite, document: Document) -> Iterator[Fault]:
    """A suite whose cases are for models of another family."""
    if suite.family != contract.family:
        what = f"the cases are for the family '{suite.family}', and {CONTRACT_FILE} says '{contract.family}'"
        yield fault_at(document, ("family",), what, todo="Both must be of one family.")
