"""``rollout``: a Rollout of Argo Rollouts. Some users get the pair first, and all once its analysis says so."""

from __future__ import annotations

import time
from pathlib import Path

from penstock.foundation.errors import Inconclusive, UsageError, WorldError
from penstock.targets.canary import SINCE, CanaryState
from penstock.targets.deployment import LOOK_S, SWAP_S, DeploymentTarget
from penstock.targets.pair import ServedPair
from penstock.targets.pod_template import Json, with_pair
from penstock.targets.pods import image_of
from penstock.targets.targets_file import RolloutSettings
from penstock.targets.waiting import NotServingError, ServesLateError
from penstock.targets.workload_api import REQUEST_S, ApiSilentError, StaleError

UNDECIDED = ("Running", "Inconclusive")
"""What Argo Rollouts calls an analysis that has not said good or bad."""


class CanaryUndecidedError(Inconclusive):
    """There was not enough evidence, and nobody has decided in time: what was there is put back."""

    resumable = False


class RolloutTarget(DeploymentTarget):
    """One Rollout. Its steps, weights and analysis are the platform's; the pair and the start are ours."""

    def __init__(self, name: str, settings: RolloutSettings, secrets: Path | None) -> None:
        """See :class:`penstock.targets.target_driver.TargetDriver`.

        Raises:
            UsageError: as :class:`penstock.targets.workload_api.WorkloadApi` says.
        """
        super().__init__(name, settings, secrets)
        self._name, self._canary_s = name, settings.canary_s
        self._seen: CanaryState | None = None
        """As it was seen last."""
        self._stopped_before = False
        """Whether a canary that was stopped still stands in the template: a promotion was killed."""

    @property
    def longest_s(self) -> float:
        """See the protocol."""
        return self._canary_s + self._settings.timeout_s + 2 * (LOOK_S + SWAP_S + 2 * REQUEST_S)

    def deploy(self, pair: ServedPair, current: ServedPair | None) -> None:
        """See the protocol: some users first, then all.

        Raises:
            NotServingError: its analysis or a person has stopped it, or its pods do not come.
            CanaryUndecidedError: its time was over, and its analysis could not tell.
            UsageError: it is the very canary that was stopped, and still stands in the template.
        """
        before = self._before
        if self._stopped_before and before and with_pair(before, pair, self._settings, where=self._where) == before:
            todo = "Promote the current release, which puts its template there; then this one again."
            raise UsageError("it was stopped, and its template is there yet", where=self._where, todo=todo)
        try:
            super().deploy(pair, current)
        except ServesLateError as error:
            seen = self._seen
            if seen is None or not seen.observed or seen.by_hand or seen.analysis not in UNDECIDED:
                raise
            raise CanaryUndecidedError(
                f"inconclusive, needs you: the canary of {pair.model} {pair.version} had {self._canary_s:g} s, and "
                f"its analysis is {seen.analysis} at {seen.weight} %: {seen.message}",
                where=self._where,
                todo="Promote it again when there is more traffic, or let its watch have more time.",
            ) from error

    def restore(self, state: str) -> None:
        """See the protocol. A stopped canary that was in the template is not begun again: ours is stopped, too."""
        if not self._stopped_before or self._ours is None:
            super().restore(state)
            return
        end = time.monotonic() + self._settings.timeout_s
        while going := self._going_on():
            if time.monotonic() > end:
                todo = f"Stop it: penstock canary abort {self._name}"
                raise WorldError(f"it is not known to be stopped: {going}", where=self._where, todo=todo)
            time.sleep(self._settings.poll_s)

    def _going_on(self) -> str:
        """Stop our canary; why it is not stopped yet. The controller forgets an abort that comes with a new template.

        Raises:
            WorldError: it cannot be stopped any more.
        """
        try:
            found = self._api.read()
            state = CanaryState.of(found)
            if (template := found["spec"].get("template")) != self._ours:
                raise self._edited(template)
            if not state.observed:
                return "the change has not been seen by the controller yet"
            if not state.under_way:
                todo = "Promote the current release: that brings back what it is."
                raise WorldError("it serves everybody by now", where=self._where, todo=todo)
            if not state.aborted:
                self._api.merge_status({"abort": True})
            if state.by_hand:
                self._api.merge({"spec": {"paused": False}})
        except (ApiSilentError, StaleError) as error:
            return str(error) or "it is refused"
        return ""

    @property
    def _deploy_s(self) -> float:
        return self._canary_s

    def _hold(self, found: Json) -> None:
        spec = found["spec"]
        canary = (spec.get("strategy") or {}).get("canary") or {}
        steps = canary.get("steps") or []
        if not any("analysis" in step for step in steps):
            todo = "Give its strategy 'canary' a step 'analysis': docs/operations.md, 'A Rollout'."
            raise UsageError("no step of the Rollout waits for an analysis", where=self._where, todo=todo)
        if not (spec.get("rollbackWindow") or {}).get("revisions"):
            todo = "Set 'rollbackWindow: {revisions: 3}'; without it what served before would be a canary again."
            raise UsageError("the Rollout has no rollbackWindow", where=self._where, todo=todo)
        state = CanaryState.of(found)
        self._stopped_before = state.under_way and state.stopped
        if state.under_way and not state.stopped:
            todo = f"Stop it (penstock canary abort {self._name}), then promote the current release."
            raise UsageError(f"a canary is there already: {state.told()}", where=self._where, todo=todo)

    def _with_deploy(self, found: Json) -> list[Json]:
        """The start of the canary, on the Rollout itself: in the template it would be another one each time."""
        began = str(int(time.time()))
        if not found["metadata"].get("annotations"):
            return [{"op": "add", "path": "/metadata/annotations", "value": {SINCE: began}}]
        return [{"op": "add", "path": f"/metadata/annotations/{SINCE.replace('/', '~1')}", "value": began}]

    def _with_restore(self, found: Json) -> list[Json]:
        """A pause of the canary ends with it: a Rollout that is paused would not go back."""
        if not found["spec"].get("paused"):
            return []
        return [{"op": "replace", "path": "/spec/paused", "value": False}]

    def _command(self, act: str) -> str:
        if act == "resume":
            return f"penstock canary resume {self._name}"
        return super()._command(act)

    def _missing(self, found: Json) -> str:
        """What is missing until everybody is served; what has failed is raised."""
        state = CanaryState.of(found)
        self._seen = state
        if not state.observed:
            return "the change has not been seen by the controller yet"
        if state.stopped:
            raise NotServingError(f"the canary was stopped: {state.message}", where=self._where)
        container = self._settings.container
        image = image_of(found["spec"]["template"]["spec"], container)
        missing = state.missing(self._pods(found, state), container, image, where=self._where)
        return missing or self._not_led(found, state)

    def _not_led(self, found: Json, state: CanaryState) -> str:
        """The Services that do not lead to the newest ReplicaSet yet: the controller changes them after its status."""
        canary = (found["spec"].get("strategy") or {}).get("canary") or {}
        names = {str(canary[one]) for one in ("stableService", "canaryService") if canary.get(one)}
        leading = {
            service["metadata"]["name"]
            for service in (self._api.services() if names else [])
            if (service["spec"].get("selector") or {}).get(state.HASH) == state.newest
        }
        behind = ", ".join(sorted(names - leading))
        return f"these Services do not lead to its pods yet: {behind}" if behind else ""

    def _pods(self, found: Json, state: CanaryState) -> list[Json]:
        """The pods of the newest ReplicaSet: they have a label of their own beside the Rollout's."""
        labels = (found["spec"].get("selector") or {}).get("matchLabels") or {}
        wanted = {**labels, state.HASH: state.newest}
        return self._api.pods(",".join(f"{name}={value}" for name, value in sorted(wanted.items())))
