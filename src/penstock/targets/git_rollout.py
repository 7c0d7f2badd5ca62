"""``rollout`` with ``git``: a Rollout that a deployment repository holds. The canary comes and goes by commits in it.

Whatever applies the repository (Argo CD, Flux) changes the pod template; Penstock pushes, follows the Rollout, stops a
canary that failed, and reverts its commit. Were the template patched as well, the two would undo each other's work.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from penstock.foundation.errors import WorldError
from penstock.targets.argo_rollout import RolloutTarget
from penstock.targets.canary import CanaryState, canary_begun
from penstock.targets.controller_pulse import ControllerPulse
from penstock.targets.deployment_repository import LONGEST_GIT_S, DeploymentRepository
from penstock.targets.pair import ServedPair
from penstock.targets.pod_template import Json
from penstock.targets.targets_file import RepositorySettings, RolloutSettings
from penstock.targets.waiting import NotServingError, wait_until_served
from penstock.targets.workload_api import ApiSilentError


class GitRolloutTarget(RolloutTarget):
    """One Rollout and the file that it comes from."""

    def __init__(
        self,
        name: str,
        settings: RolloutSettings,
        secrets: Path | None,
        ask: Callable[[str], None] = lambda _: None,
        *,
        git: RepositorySettings,
    ) -> None:
        """See :class:`RolloutTarget`.

        Args:
            name: the target's.
            settings: what the platform says of it.
            secrets: the directory of secrets.
            ask: tells people that a canary waits for them.
            git: the deployment repository.

        Raises:
            UsageError: a secret is missing, or as :class:`RolloutTarget` says.
        """
        super().__init__(name, settings, secrets, ask)
        self._repository = DeploymentRepository(git, secrets, where=self._where)
        self._brought: str | None = None
        """The commit of a promotion of this very pair that is gone: this one takes over."""

    @property
    def longest_s(self) -> float:
        """See the protocol."""
        return super().longest_s + self._settings.timeout_s + 3 * LONGEST_GIT_S

    def check(self, pair: ServedPair) -> None:
        """Refuse a pair of which the file would keep weights of another."""
        self._repository.check(pair)
        self._pair = pair

    def state(self) -> str:
        """The branch's commit before ours; the Rollout is looked at as well."""
        super().state()
        return self._repository.head() if self._brought is None else f"{self._brought}^"

    def deploy(self, pair: ServedPair, current: ServedPair | None) -> None:
        """Commit and push, and follow the canary once the commit is applied; see :class:`RolloutTarget` for errors.

        Raises:
            NotServingError: nothing has applied the commit in time.
        """
        values = self._repository.values_of(pair)
        named, what = self._repository.digests_in(values), f"{pair.model} {pair.version}"
        with self._undecided_told(pair):
            if self._brought is None:
                self._begin_now(pair.version)  # an analysis that finds no start is an error
                self._repository.bring(pair, current)
                self._wait_applied(named, pair)
            else:
                self._repository.own(self._brought)
            self._wait_named(named, what, self._canary_s)

    def restore(self, state: str) -> None:
        """Stop the canary, so that users are back; then revert the commit, and wait until that is applied."""
        with self._control_ended():
            self._revert(state)

    def _revert(self, state: str) -> None:
        if self._repository.pushed() and self._pair is not None:
            named = self._repository.digests_in(self._repository.values_of(self._pair))
            self._stop_ours(named)
        there = self._repository.take_back(state)
        if there is None or not self._taken_up:
            return
        self._pulse = ControllerPulse(where=self._where)
        self._wait_named(self._repository.digests_in(there), "what served before", self._settings.timeout_s)

    def _stop_ours(self, named: list[str]) -> None:
        """Stop it if it is under way: what the repository says is applied later."""
        found = self._read()
        if not _names(found, named):
            return
        state = CanaryState.of(found)
        if state.observed and state.under_way and not state.aborted:
            self._stop(lambda template: template is not None and _template_names(template, named))

    def _takes_over(self, found: Json) -> bool:
        pair = self._pair
        if pair is None or not _names(found, self._repository.digests_in(self._repository.values_of(pair))):
            return False
        self._brought = self._repository.brought(pair)
        return self._brought is not None

    def _wait_applied(self, named: list[str], pair: ServedPair) -> None:
        """Wait until the template names the pair. That is when the canary starts: it is noted on the Rollout."""
        end = time.monotonic() + self._settings.timeout_s
        while not _names(self._sure_read(), named):
            if time.monotonic() > end:
                raise NotServingError(
                    f"the commit of {pair.model} {pair.version} was pushed, and nothing has applied it for "
                    f"{self._settings.timeout_s:g} s",
                    where=self._where,
                    todo="Does what applies the repository run (Argo CD, Flux), and follow this branch and file?",
                )
            time.sleep(self._settings.poll_s)
        self._begin_now(pair.version)

    def _wait_named(self, named: list[str], what: str, timeout_s: float) -> None:
        settings = self._settings

        def look() -> str:
            try:
                found = self._api.read()
                return self._missing(found) if _names(found, named) else "its commit is not applied"
            except ApiSilentError as error:
                return str(error)

        try:
            wait_until_served(look, timeout_s=timeout_s, poll_s=settings.poll_s, where=self._where, what=what)
        except NotServingError as error:
            error.todo = error.todo or f"Look at it: {self._command('describe')}"
            raise

    def _begin_now(self, version: str) -> None:
        try:
            self._api.merge({"metadata": {"annotations": canary_begun(version)}})
        except ApiSilentError as error:
            raise WorldError(str(error), where=self._where, todo="Try again.") from None

    def _sure_read(self) -> Json:
        """It as it is; nothing where the API server is silent for a while: then it is looked at again."""
        try:
            return self._api.read()
        except ApiSilentError:
            return {}


def _names(found: Json, digests: list[str]) -> bool:
    """Whether the pod template says all of these: the image's digest, and those of the weights."""
    return _template_names((found.get("spec") or {}).get("template") or {}, digests)


def _template_names(template: Json, digests: list[str]) -> bool:
    said = json.dumps(template)
    return all(digest in said for digest in digests)
