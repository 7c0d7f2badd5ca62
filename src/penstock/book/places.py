"""Where the store keeps the runs of a model: those of releases, and those of pull requests, of forks apart."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

from penstock.foundation.errors import UsageError
from penstock.store.archive import name_part, run_key
from penstock.store.pull_key import FORKS, NO_NUMBER, PULLS
from penstock.store.store import Store

PULL_FOLDERS = (PULLS, f"{FORKS}/{PULLS}")
NEWEST_PULLS = 50
"""Pull requests of each model that are shown, over both folders together, those with the highest numbers: each costs a
request at every look. Runs that belong to no pull request are shown beside them."""
LISTERS = 16
"""Folders that are listed at a time: a distant store answers each after a while."""


def models_in(store: Store) -> list[str]:
    """Names of all models that the store has anything of, sorted."""
    names = {name.removesuffix(".json") for name in store.names("baselines") if name.endswith(".json")}
    for folder in ("runs", *PULL_FOLDERS):
        names |= set(store.names(folder))
    return sorted(filter(is_name, names))


def runs_in(store: Store, model: str) -> dict[str, str]:
    """Run id → where its bundle lies, of all runs of a model whose names can be one; sorted by folder and name."""
    with ThreadPoolExecutor(LISTERS, thread_name_prefix="places") as listers:
        of_releases, *numbered = listers.map(store.names, [f"{folder}/{model}" for folder in ("runs", *PULL_FOLDERS)])
        numbers = {number for names in numbered for number in names if _is_number(number)}
        shown = [NO_NUMBER, *sorted(numbers, key=int)[-NEWEST_PULLS:]]
        roots = [
            f"{folder}/{model}/{number}"
            for folder, names in zip(PULL_FOLDERS, numbered, strict=True)
            for number in shown
            if number in names
        ]
        of_pulls = list(listers.map(store.names, roots))
    found = {run_id: run_key(model, run_id) for run_id in of_releases if is_name(run_id)}
    for root, names in zip(roots, of_pulls, strict=True):
        for run_id in filter(is_name, names):
            found.setdefault(run_id, f"{root}/{run_id}")  # a name of two runs is the release's
    return found


def pull_of(root: str) -> str:
    """The number of the pull request that a run was of; empty: of none."""
    parts = root.removeprefix(f"{FORKS}/").split("/")
    return parts[2] if parts[0] == PULLS and parts[2] != NO_NUMBER else ""


def is_fork(root: str) -> bool:
    """Whether a run's code was that of a fork."""
    return root.startswith(f"{FORKS}/")


def is_name(text: str) -> bool:
    """Whether a listed name can be a model's or a run's."""
    try:
        return bool(name_part(text, "model"))
    except UsageError:
        return False


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[1-9][0-9]{0,9}", text) is not None
