"""The table of families, and what they say together: every metric, preset and stand-in by its name.

Families of other distributions are found by the entry point ``penstock.families``, whose value is ``module:FAMILY``.
They are looked for only where a name is not one of ours, so that a command that needs none of them starts as quickly.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from penstock.families.engine_metrics import ENGINE_METRICS, base_metric, metric_at_rate, rate_of
from penstock.families.family import Direction, Family, Metric, Preset
from penstock.families.shared_presets import SHARED_PRESETS
from penstock.families.shared_scores import SHARED_SCORES
from penstock.foundation.errors import UsageError, printable
from penstock.foundation.references import Reference, load

log = logging.getLogger(__name__)

BUILT_IN: Mapping[str, str] = {
    "talking-head": "penstock.families.talking_head.family:FAMILY",
    "matting": "penstock.families.matting.family:FAMILY",
    "face": "penstock.families.face.family:FAMILY",
    "recognition": "penstock.families.recognition.family:FAMILY",
}
"""Name → where the family says what it is. A family of Penstock's own is its package and one line here."""
GROUP = "penstock.families"
STAND_IN = (
    "Measured through a small network that comes with Penstock in place of the published one: such values compare "
    "releases with each other, and are not the values of papers."
)
"""What "stand-in" beside a number means."""


@cache
def _outside() -> Mapping[str, str]:
    """Name → ``module:name`` of families that other distributions bring. One that has a name of ours is left out."""
    from importlib.metadata import entry_points  # most commands need it not

    return {entry.name: entry.value for entry in entry_points(group=GROUP) if entry.name not in BUILT_IN}


def default_family() -> str:
    """What ``penstock init`` writes if nothing is said."""
    return next(iter(BUILT_IN))


def family_names() -> tuple[str, ...]:
    """All families, ours first."""
    return (*BUILT_IN, *sorted(_outside()))


@cache
def find_family(name: str) -> Family | None:
    """The family of that name, if there is one.

    Raises:
        UsageError: it belongs to another distribution, and cannot be loaded from it.
    """
    if name in BUILT_IN:
        found: Family = load(BUILT_IN[name])
        return found
    if (place := _outside().get(name)) is None:
        return None
    try:
        loaded = load(place)
    except (Exception, SystemExit) as error:  # whatever another distribution's module does
        raise UsageError(
            f"the family '{name}' cannot be loaded: {type(error).__name__}: {error}",
            where=f"{GROUP}: {name} = {place}",
            todo="Install a version of it that fits this Penstock.",
        ) from error
    if not isinstance(loaded, Family) or loaded.name != name:
        raise UsageError(f"'{place}' is not the family '{name}'", where=f"{GROUP}: {name}", todo="Install it again.")
    return loaded


def family(name: str) -> Family:
    """The family of that name.

    Raises:
        UsageError: there is none.
    """
    if (found := find_family(name)) is None:
        raise UsageError(f"there is no family '{name}'", where="family", todo=did_you_mean(name, family_names()))
    return found


def did_you_mean(name: str, known: tuple[str, ...]) -> str:
    """What to do about a name that is not known."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean '{close[0]}'?" if close else f"Known: {', '.join(known) or 'none'}."


def usable_families() -> Iterator[Family]:
    """Ours, then those of other distributions. One that cannot be loaded is left out, and a warning names it."""
    yield from _ours()
    for name in sorted(_outside()):
        if (found := _from_outside(name)) is not None:
            yield found


@cache
def _from_outside(name: str) -> Family | None:
    """A family of another distribution; what is wrong with it is said once, since the others can be used."""
    try:
        return find_family(name)
    except UsageError as error:
        log.warning("warning: %s", printable(str(error)))
        return None


def _ours() -> Iterator[Family]:
    for name in BUILT_IN:
        if (found := find_family(name)) is not None:
            yield found


@cache
def known_metrics() -> Mapping[str, Metric]:
    """Every metric that is known, in the order in which people want to see them.

    Two families may measure the same thing under the same name; what the first says of it holds.
    """
    found: dict[str, Metric] = {}
    for each in usable_families():
        for metric in each.metrics:
            found.setdefault(metric.name, metric)
    for metric in ENGINE_METRICS:
        found.setdefault(metric.name, metric)
    return found


@cache
def find_metric(name: str) -> Metric | None:
    """The metric of that name, if it is known."""
    for metric in ENGINE_METRICS:
        if metric.name == name:
            return metric
    for each in _ours():
        for metric in each.metrics:
            if metric.name == name:
                return metric
    return metric_at_rate(name) or known_metrics().get(name)


def in_order(metrics: Iterable[str]) -> list[str]:
    """Known metrics in the order in which people want to see them, then the others by name."""
    order = {metric: place for place, metric in enumerate(known_metrics())}
    return sorted(metrics, key=lambda metric: (order.get(base_metric(metric), len(order)), rate_of(metric), metric))


def directions() -> dict[str, Direction | None]:
    """Name of each known metric → which way is better."""
    return {metric.name: metric.direction for metric in known_metrics().values()}


def timed_metrics() -> tuple[str, ...]:
    """Metrics that measure the machine as well as the model."""
    return tuple(metric.name for metric in known_metrics().values() if metric.timed)


def is_timed(name: str) -> bool:
    """Whether whatever else runs on the machine moves this metric."""
    metric = find_metric(name)
    return metric is not None and metric.timed


def is_whole_suite(name: str) -> bool:
    """Whether this metric has one value for all cases together."""
    metric = find_metric(name)
    return metric is not None and metric.whole_suite


def has_slices(name: str) -> bool:
    """Whether a rule about a slice can ask for this metric: of the slice's cases, or of the slice as a whole."""
    metric = find_metric(name)
    return metric is None or not metric.whole_suite or metric.by_slice


def needs_released(name: str) -> bool:
    """Whether this metric compares with the released model's answers."""
    metric = find_metric(name)
    return metric is not None and metric.needs_released


@cache
def preset_names() -> tuple[str, ...]:
    """The presets of all families, then those that any family may use."""
    return (*(name for each in usable_families() for name in each.presets), *SHARED_PRESETS)


def find_preset(name: str) -> Preset | None:
    """The preset of that name, if there is one."""
    if name in SHARED_PRESETS:
        return SHARED_PRESETS[name]
    return next((each.presets[name] for each in usable_families() if name in each.presets), None)


def score_commands() -> Mapping[str, Reference]:
    """``penstock score NAME`` → the function that does it, of all families; of two with one name, the first."""
    found: dict[str, Reference] = {}
    for commands in (*(each.commands for each in _ours()), SHARED_SCORES, *_commands_from_outside()):
        for name, place in commands.items():
            found.setdefault(name, place)
    return found


def _commands_from_outside() -> Iterator[Mapping[str, Reference]]:
    yield from (each.commands for each in usable_families() if each.name not in BUILT_IN)


def find_score_command(name: str) -> Reference | None:
    """The function that does ``penstock score NAME``, if there is one."""
    ours = (*(each.commands for each in _ours()), SHARED_SCORES)
    return next((commands[name] for commands in ours if name in commands), None) or score_commands().get(name)


@cache
def stand_ins() -> frozenset[str]:
    """Networks that come with Penstock in place of the published ones."""
    return frozenset(role.stand_in for each in usable_families() for role in each.roles.values() if role.stand_in)


def is_stand_in(extractor: str | None) -> bool:
    """Whether a value that was measured through ``extractor`` (``name@sha256:…``) is one of a stand-in."""
    return extractor is not None and extractor.partition("@")[0] in stand_ins()


def shown_extractor(extractor: str) -> str:
    """An extractor's label as people read it: with the word "stand-in" where it is one."""
    return f"{extractor} (stand-in)" if is_stand_in(extractor) else extractor
